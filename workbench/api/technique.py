"""What a technique is: something that makes a variant from a variant."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from inspect import get_annotations
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, Protocol, TypeVar, cast, get_args

from pydantic import BaseModel, ConfigDict

from workbench.api.dataset import Dataset, DatasetInfo
from workbench.api.display import shown
from workbench.api.records import Record
from workbench.api.text import Text
from workbench.api.variant import Format, Layer, ModelDescription, Report, RuntimeSettings, Table, Variant

Family = Literal["structure", "training", "inference", "quantization", "distillation"]
FAMILIES: tuple[Family, ...] = ("quantization", "inference", "structure", "distillation", "training")
"""In the order in which they are of use: what takes seconds comes before what trains."""

Aim = Literal["smaller", "smaller packed", "faster", "better"]
"""What a technique is used for: a smaller file (or one that is smaller only when it is packed), shorter
latency, higher quality."""

InstructionUse = Literal["needed", "of use"]
"""What a processor's instructions for int8 products are to the speed of what a technique makes: without
them it is slower than float32, or gains less."""

Effect = Literal["sparsity", "clusters", "trained ranges"]
"""What a step leaves in the weights and a later one can destroy: zeros, values shared by many weights,
weights that were trained for the rounding of quantization."""


Shortfall = Literal["not faster", "slower", "lost F1"]
"""What disappoints of a variant: its speed has not risen, or has fallen; its step lost F1."""


class Parameters(BaseModel):
    """Base of a technique's parameter model.

    The form on the page, the recipe step, the command line and the documentation are derived from
    the fields: each has a type (bool, int, float, str, ``Literal``), a default, ranges
    (``ge``, ``le``), a ``title``, a ``description``, and where it has one a unit in
    ``json_schema_extra={"unit": "epochs"}``. ``{"advanced": True}`` there folds a field away: at most
    three are shown at first. ``{"only": {"by": "layers"}}`` shows it where another field has this value.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


def field_context(parameters: type[Parameters], name: str) -> str:
    """Where a field's title, unit and choices stand, for :attr:`workbench.api.text.Text.context`.

    Args:
        parameters: A technique's parameter model.
        name: The field.

    Returns:
        The class that says what the field is and the field, such as ``Sparsity.removal``; one for all
        models that inherit it.
    """
    owner = next(kind for kind in parameters.__mro__ if name in get_annotations(kind))
    return f"{owner.__name__.lstrip('_')}.{name}"


P = TypeVar("P", bound=Parameters)


class Estimate(Record):
    """What a technique is expected to do, before any time is spent. Never used as a result.

    Attributes:
        seconds: Wall time on this machine, roughly.
        size_ratio: File size after / before, as it usually is; None if unknown.
        weights_ratio: Weights after / before, of what stays a model of Keras; None if unknown.
        operations_ratio: The same of multiply-accumulates.
        counted: Whether these two are counted on the graph of the model, and not what is usual.
        expectation: In words, what usually happens to size, speed and quality, and on what it
            depends.
    """

    seconds: float
    size_ratio: float | None = None
    weights_ratio: float | None = None
    operations_ratio: float | None = None
    counted: bool = False
    expectation: Text


class Reporter(Protocol):
    """How work in a worker process speaks to the page. Every call is cheap; calls are throttled."""

    def stage(self, text: Text) -> None:
        """Says what is being done now."""

    def progress(self, fraction: float) -> None:
        """Says how much of the job's work is done, 0 to 1."""

    def metric(
        self, name: str, step: float, value: float, interval: tuple[float, float] | None = None
    ) -> None:
        """Adds a point to a live curve, such as ``(LiveCurve.VALIDATION_F1, epoch, 0.93)``.

        Args:
            name: One of :class:`workbench.jobs.curves.LiveCurve`, or a name of your own, which gets a
                picture of its own.
            step: Where the point is.
            value: The value there.
            interval: The ends of its 95% interval, where that is known.
        """

    def table(self, table: Table) -> None:
        """Shows a table as far as it is filled; a fuller one of the same title takes its place."""

    def log(self, text: Text) -> None:
        """Adds a line to the job's log."""

    def check(self) -> None:
        """Raises :class:`workbench.api.errors.Cancelled` if the user has cancelled the job."""


@dataclass(frozen=True)
class Context:
    """What a technique is given in the worker.

    Attributes:
        parent: The variant to start from; ``parent.path`` can be read.
        dataset: The three splits. The test split must not be touched by a technique.
        folder: An empty folder to write into.
        report: Progress, live curves, cancellation.
        seed: Seeds everything random.
        others: Further variants that it reads, by the names of :meth:`Technique.others`.
    """

    parent: Variant
    dataset: Dataset
    folder: Path
    report: Reporter
    seed: int
    others: Mapping[str, Variant] = field(default_factory=dict)


@dataclass(frozen=True)
class Applied:
    """What a technique hands back.

    Attributes:
        path: The new file inside ``context.folder`` (a folder for ``openvino``).
        format: Its format.
        runtime: The runtime that it is meant for.
        settings: How that runtime runs it.
        description: What the file holds.
        report: What was changed, what was skipped, and why.
    """

    path: Path
    format: Format
    runtime: str
    settings: RuntimeSettings
    description: ModelDescription
    report: Report


@dataclass(frozen=True)
class OtherFile:
    """A further variant that plain code reads.

    Attributes:
        variant: What is known of it.
        file: The file name that the code uses.
    """

    variant: Variant
    file: str


@dataclass(frozen=True)
class CodePaths:
    """File names that a technique's plain code uses.

    Attributes:
        model: The parent's file.
        data: An ``.npz`` with x_train, y_train, x_validation, y_validation, x_test, y_test, as
            prepared by the workbench (float32, scaled; int64 labels).
        output: The file to write.
        others: Further variants, by the names of :meth:`Technique.others`.
    """

    model: str = "model.keras"
    data: str = "data.npz"
    output: str = "optimized"
    others: Mapping[str, OtherFile] = field(default_factory=dict)


class Technique(ABC, Generic[P]):
    """One technique. Subclasses live one to a file in ``workbench/techniques/<family>/``.

    The class docstring is the panel's help. Importing the file must not import TensorFlow or any
    runtime: only :meth:`apply` does.

    Example:
        >>> technique = workbench.techniques()["quantization.int8"]
        >>> technique.family, technique.produces, sorted(technique.aims)
        ('quantization', 'tflite', ['faster', 'smaller'])
        >>> technique.parameters_type().samples
        200
    """

    name: ClassVar[str]
    """``family.technique``, such as ``quantization.int8``."""
    family: ClassVar[Family]
    """The part of the name before the dot; not to be declared."""
    title: ClassVar[str]
    """Shown to the user (English; translated by the page)."""
    parameters_type: ClassVar[type[Parameters]]
    """Its parameter model, taken from the base ``Technique[...]``; everything that shows or reads
    parameters is derived from it."""
    aims: ClassVar[frozenset[Aim]] = frozenset()
    """What it is used for; every technique declares it."""
    trains: ClassVar[bool] = False
    """Whether it trains, which takes minutes and needs labels; every technique declares it."""
    int8_instructions: ClassVar[InstructionUse | None] = None
    """What the processor's instructions for int8 are to the speed of what it makes; None: nothing."""
    needs_gpu: ClassVar[bool] = False
    """Whether what it makes runs on a GPU only."""
    produces: ClassVar[Format | None]
    """Format of the result; None where it is the parent's or depends on parameters."""
    worker: ClassVar[Literal["tensorflow", "light"]] = "tensorflow"
    """Which kind of worker process :meth:`apply` needs."""
    packages: ClassVar[tuple[str, ...]] = ()
    """Distributions that it needs beyond the core ones."""
    measures: ClassVar[bool] = False
    """Whether :meth:`apply` times files: it then takes the machine's slot by itself, shared to convert
    and alone to time (:mod:`workbench.jobs.slot`)."""
    repacks: ClassVar[bool] = False
    """Whether the weights stay as they are, in another file or for another runtime: nobody then expects a
    smaller file."""
    brings: ClassVar[frozenset[Effect]] = frozenset()
    """What it leaves in the weights; checked in the file after it and after every later step."""
    loses: ClassVar[frozenset[Effect]] = frozenset()
    """Effects of earlier steps that it would destroy: after such a step it is refused, with the better
    order."""

    def __init_subclass__(cls, **keywords: Any) -> None:
        """Takes the family from the name, and the parameter model from ``Technique[...]``."""
        super().__init_subclass__(**keywords)
        family = str(vars(cls).get("name", "")).partition(".")[0]
        if family and "family" not in vars(cls):
            cls.family = cast(Family, family)  # another one is refused when it is registered
        for base in vars(cls).get("__orig_bases__", ()):
            for given in get_args(base):
                declared = "parameters_type" in vars(cls)
                if not declared and isinstance(given, type) and issubclass(given, Parameters):
                    cls.parameters_type = given

    def result_format(self, variant: Variant) -> Format:
        """The format of what it makes of a variant, where its parameters do not decide it."""
        return self.produces or variant.format

    def unavailable(self) -> Text | None:
        """Why it cannot run on this machine, or None. Imports nothing heavy."""
        return None

    def lacks(self, variant: Variant, parameters: P) -> Text | None:
        """Why it cannot run on this machine with these parameters, or None."""
        return self.unavailable()

    def others(self, parameters: P) -> tuple[str, ...]:
        """Names or identifiers of variants besides the parent that it reads; ``""`` is the baseline.

        The engine finds them before it starts, and hands them over as :attr:`Context.others`.
        """
        return ()

    @abstractmethod
    def obstacle(self, variant: Variant, dataset: DatasetInfo, parameters: P) -> Text | None:
        """Why it cannot be applied to this variant, or None. Decided without opening files."""

    def refusals(self) -> tuple[Text, ...]:
        """One example of each reason for which :meth:`apply` turns a model down that it has looked into.

        They are no faults: such a model has nothing to change. What is known without opening the file is said
        by :meth:`obstacle`.
        """
        return ()

    @abstractmethod
    def estimate(self, variant: Variant, dataset: DatasetInfo, parameters: P) -> Estimate:
        """What to expect, before any time is spent."""

    @abstractmethod
    def apply(self, context: Context, parameters: P) -> Applied:
        """Makes the new file; runs in a worker process.

        Raises:
            workbench.api.errors.WorkbenchError: With a reason that the user can act on.
            workbench.api.errors.Cancelled: Through ``context.report.check()``.
        """

    @abstractmethod
    def code(self, variant: Variant, parameters: P, paths: CodePaths) -> str:
        """A short script of plain Keras / TensorFlow / runtime code that does the same.

        What is longer than a script should be stands in ``workbench/plain``, where :meth:`apply` calls it
        too, and the script imports it from ``plain`` (see :mod:`workbench.api.bundle`). It imports nothing
        else of this package, runs as it is, and gives the same file or predictions.
        """

    def advice(self, shortfall: Shortfall, variant: Variant) -> Text | None:
        """What explains an unwelcome number of a variant that this has made, and what usually helps.

        The doctor asks before it says what holds for any variant; it knows no technique by name.

        Args:
            shortfall: What the number says. What is slower is not faster either: that is asked first, and
                ``slower`` where the answer to it is None.
            variant: What was made; its parameters are in it.

        Returns:
            One or two sentences, or None where nothing is special about this technique.
        """
        return None

    def settings_to_try(self, variant: Variant, dataset: DatasetInfo) -> tuple[P, ...]:
        """The settings with which a search tries it, those that promise most first; none: it does not.

        They should differ by much: each may cost a training. Those that :meth:`obstacle` rules out are
        passed over, with the reason.
        """
        return (cast("P", self.parameters_type()),)

    def stored_bytes(self, layers: Sequence[Layer], parameters: P) -> float | None:
        """Bytes that the weights of float32 layers take in the file that this writes; None if unknown.

        Scales and what else grows with the layers are counted. What a file takes besides (its graph, names,
        metadata) is not: that is learned from the files that were made of the parent and of other models.

        Args:
            layers: Of the parent, as Keras describes them.
            parameters: How it is applied.
        """
        return None

    def variant_name(self, parameters: P) -> str:
        """A short name for what it makes, such as ``int8``; made unique by the workbench."""
        return self.name.rpartition(".")[2].replace("_", " ")

    def __repr__(self) -> str:
        return f"<{self.name}: {self.title}>"

    def _repr_html_(self) -> str | None:
        return cast("str | None", shown("technique", self))


AnyTechnique = Technique[Any]
