"""What is known of what a variant has forgotten."""

from __future__ import annotations

from typing import Literal

from workbench.api.records import Record
from workbench.api.text import Text
from workbench.measure.records import Interval

Method = Literal["masks", "permutations", "windows", "tokens", "words"]
"""How samples are perturbed: pictures by random masks, tables by putting in one value after another in random
orders, series by random windows, token ids and texts by leaving one out."""

RANDOM: frozenset[Method] = frozenset({"masks", "permutations", "windows"})
"""Those that another seed makes otherwise."""


class Perturbations(Record):
    """Perturbed samples, from which every process makes the same arrays.

    Attributes:
        method: How they are perturbed.
        samples: Positions in the test split.
        targets: Which value of the answer is explained, for each sample: that of the class which the
            reference answers; or a number that is predicted, of several each by turns.
        count: Masks, orders or windows.
        seed: Seeds what is random.
    """

    method: Method
    samples: tuple[int, ...]
    targets: tuple[int, ...]
    count: int
    seed: int

    @property
    def id(self) -> str:
        """A digest of all fields."""
        import hashlib

        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]

    def otherwise(self) -> Perturbations:
        """The same samples with other masks, orders or windows."""
        return self.model_copy(update={"seed": self.seed + 1})


class PerturbedAnswers(Record):
    """What a file answers to perturbed samples: the array is kept with this.

    Attributes:
        perturbations: Identifier of the perturbations.
    """

    perturbations: str


class DriftedSample(Record):
    """A sample in which a variant looks at something else than the reference.

    Attributes:
        index: Position in the test split.
        correlation: Rank correlation between its two maps.
        target: Which value of the answer is explained.
        peaks: Where the map of the reference is highest, and where that of the variant: row and column, or
            place.
    """

    index: int
    correlation: float
    target: int
    peaks: tuple[tuple[int, ...], tuple[int, ...]]


class Drift(Record):
    """How far a variant looks at something else than the reference, and what to hold that against.

    Attributes:
        variant: Identifier of the variant.
        reference: Identifier of what it is compared with.
        perturbations: What both answered to.
        per_sample: Perturbed samples for each sample.
        samples: Samples that are compared.
        flat: Samples left out, because the map of the reference has the same value everywhere. Where only
            that of the variant has, the two have nothing in common: 0.
        correlation: Mean rank correlation of the maps of the two.
        itself: The same of the reference, run twice with the same perturbations: what the machine adds.
        otherwise: The same of the reference with other perturbations: what the method alone disagrees; None
            where nothing of it is random.
        drifted: Those that drifted most, the worst first, if any did; their maps are kept with this.
    """

    variant: str
    reference: str
    perturbations: Perturbations
    per_sample: int
    samples: int
    flat: int
    correlation: Interval | None
    itself: Interval | None
    otherwise: Interval | None
    drifted: tuple[DriftedSample, ...]


class ClassLoss(Record):
    """What became of the samples of one class.

    Attributes:
        label: The class.
        samples: Its test samples.
        right_before: How many of them the reference gets right.
        lost: How many of these the variant gets wrong.
        won: How many it gets right that the reference gets wrong.
        change: Change of the share that is right, with an interval that holds for all classes at once.
    """

    label: int
    samples: int
    right_before: int
    lost: int
    won: int
    change: Interval


class ConfidenceGroup(Record):
    """Samples that the reference gets right with about the same confidence.

    Attributes:
        low: Its probability of the class, at least.
        high: And below this; 1 belongs to the last group.
        right_before: How many samples.
        lost: How many of them the variant gets wrong.
        share: The share that is lost.
    """

    low: float
    high: float
    right_before: int
    lost: int
    share: Interval


Thought = Literal["second", "third", "further"]


class ThoughtGroup(Record):
    """Lost samples whose wrong answer the reference held equally likely.

    Attributes:
        thought: Which choice of the reference the answer was.
        lost: How many samples.
        probability: Mean probability that the reference gave that answer; None without samples.
    """

    thought: Thought
    lost: int
    probability: float | None


class Losses(Record):
    """The samples that a variant gets wrong and the reference gets right, grouped.

    Attributes:
        samples: Test samples.
        right_before: How many the reference gets right.
        lost: How many of these the variant gets wrong.
        won: How many it gets right that the reference gets wrong.
        classes: By class, the greatest loss first.
        confidence: By the reference's confidence, the least first.
        thoughts: By what the reference thought of the answer that is now given.
        calibration_before: Expected calibration error of the reference.
        calibration_after: The same of the variant.
        calibration_change: Its change, paired by sample.
    """

    samples: int
    right_before: int
    lost: int
    won: int
    classes: tuple[ClassLoss, ...]
    confidence: tuple[ConfidenceGroup, ...]
    thoughts: tuple[ThoughtGroup, ...]
    calibration_before: float
    calibration_after: float
    calibration_change: Interval

    @property
    def worst(self) -> ClassLoss | None:
        """The class that lost most; None where none lost any."""
        return next((one for one in self.classes if one.change.value < 0), None)


class Forgotten(Record):
    """What a variant has forgotten of what another one knows.

    Attributes:
        variant: Identifier of the variant.
        reference: Identifier of what it is compared with.
        classes: Names of the classes.
        losses: Samples that it gets wrong now, grouped; None where ``losses_obstacle`` says why.
        losses_obstacle: Why there are none.
        drift: What it looks at; None until that was measured.
        drift_obstacle: Why it cannot be measured.
        notes: What to know of these numbers.
    """

    variant: str
    reference: str
    classes: tuple[str, ...] = ()
    losses: Losses | None = None
    losses_obstacle: Text | None = None
    drift: Drift | None = None
    drift_obstacle: Text | None = None
    notes: tuple[Text, ...] = ()
