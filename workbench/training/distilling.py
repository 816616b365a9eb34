"""What a student learns from besides the labels: scores and features of trained models.

Importing this file does not import Keras.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from workbench.api.dataset import Features, sample_count, select
from workbench.api.errors import Refused
from workbench.api.technique import Reporter
from workbench.api.text import say
from workbench.training.hints import Hint

if TYPE_CHECKING:
    import keras

HintLoss = Literal["features", "attention"]

MOST_CACHED_BYTES = 256_000_000
"""What teachers say about the training split is kept in memory up to this size, and asked anew otherwise."""


@dataclass(frozen=True)
class Teacher:
    """Trained models that a student learns from; give it to :func:`workbench.training.train`.

    The student minimizes ``(1 - weight) * cross-entropy(labels) + weight * T**2 * KL(teacher || student)``,
    both sides of the divergence softened by the temperature T (Hinton et al. 2015, arXiv:1503.02531), plus
    ``hint_weight`` times the mean loss of its hints. Several teachers count as one whose softened
    probabilities are the mean of theirs. A head may end in softmax, give raw scores, or be a single score
    of the second of two classes, on either side.

    Attributes:
        models: Trained Keras models with one output; not changed.
        from_logits: Whether the output of each is raw scores.
        temperature: Divides the raw scores before softmax; above 1 it lets small scores be seen.
        weight: Weight of the teachers' scores, 0 to 1; at 1 the labels are not used.
        hints: Pairs of layers; the teacher's are those of the first model.
        hint_weight: Weight of the mean hint loss; 0 leaves hints out.
        hint_loss: ``features``: a learned linear projection of the student's features has to give the
            teacher's (FitNets, Romero et al. 2015, arXiv:1412.6550), as a part of their variance.
            ``attention``: both have to look at the same places (Zagoruyko & Komodakis 2017,
            arXiv:1612.03928).
    """

    models: Sequence[keras.Model]
    from_logits: Sequence[bool]
    temperature: float = 4.0
    weight: float = 0.5
    hints: Sequence[Hint] = ()
    hint_weight: float = 1.0
    hint_loss: HintLoss = "features"

    def attach(
        self,
        student: keras.Model,
        features: Features,
        *,
        from_logits: bool,
        report: Reporter,
        batch_size: int,
        seed: int,
        changing: bool = False,
    ) -> tuple[keras.Model, Features]:
        """The model to compile and fit in place of the student, and the samples to fit it on.

        Training it trains the student, whose weights it shares; called on plain samples it gives the
        student's output, and its loss outside of training is that of the labels alone.

        Args:
            student: A built Keras model with one output.
            features: The training samples.
            from_logits: Whether the student's output is raw scores.
            report: Asked whether the job was cancelled while the teachers' scores are computed.
            batch_size: Samples that a teacher is asked about at once.
            seed: Seeds the projections of hints.
            changing: Whether samples change from epoch to epoch (augmentation): the teachers are then
                asked about each batch as the student sees it, else once about each sample.

        Raises:
            workbench.api.errors.Refused: If a teacher's output does not fit the student's, or a layer of a
                hint cannot be read.
        """
        from workbench.training.distilled_model import DistilledModel, Said, tapped

        if not self.models:
            raise Refused(say("There is no teacher."))
        units = int(student.output_shape[-1])
        for model in self.models:
            given = int(model.output_shape[-1])
            if max(given, 2) != max(units, 2):
                raise Refused(
                    say(
                        "The teacher {name} gives {given} values and the student {units}.",
                        name=model.name,
                        given=given,
                        units=units,
                    ),
                    say("A teacher must have been trained for the same classes."),
                )
        if self.hints and self.hint_weight:
            student = tapped(student, [hint.student for hint in self.hints], "student")
        said = Said(self, student, features)
        fitted = DistilledModel(student, self, said, from_logits=from_logits, seed=seed)
        if changing or sample_count(features) * said.bytes_of_sample > MOST_CACHED_BYTES:
            return fitted, features
        report.stage(say("Asking the teacher about the training samples"))
        return fitted, said.beside(features, max(batch_size, 64), report)


def merged(features: Features, extra: dict[str, Any]) -> Features:
    """Samples with further arrays beside them, all under their names."""
    return {**(features if isinstance(features, dict) else {"": features}), **extra}


def first(features: Features, count: int) -> Features:
    """The first samples."""
    return select(features, slice(0, count))
