"""What a measurement is: records that hold every number with its uncertainty and its machine."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from workbench.api.records import Record
from workbench.api.task import Task, measure_of
from workbench.api.text import Text, say
from workbench.api.variant import RuntimeSettings

Protocol = Literal["quick", "final"]


class Interval(Record):
    """A value with its 95 % interval.

    Attributes:
        value: The point estimate.
        low: Lower end of the 95 % interval.
        high: Upper end of the 95 % interval.
    """

    value: float
    low: float
    high: float


class Environment(Record):
    """The machine and the software behind a number; numbers of two environments are not compared.

    Attributes:
        cpu: Model name of the processor.
        features: The instruction sets that matter for inference that it has: AVX2, AVX-512, VNNI,
            AMX, NEON, ...
        cores: Logical cores that this process may use.
        memory_bytes: Physical memory.
        gpu: GPU name, and driver; None if there is none.
        system: Operating system and kernel.
        python: Python version.
        libraries: Version of each distribution that can change a number.
    """

    cpu: str
    features: tuple[str, ...]
    cores: int
    memory_bytes: int
    gpu: str | None = None
    system: str
    python: str
    libraries: dict[str, str] = Field(default_factory=dict)

    @property
    def id(self) -> str:
        """A digest of all fields."""
        import hashlib

        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]


class Measurement(Record):
    """A number that holds for one machine and one set of libraries.

    Attributes:
        environment: Identifier of the machine's environment.
    """

    environment: str

    @model_validator(mode="before")
    @classmethod
    def _under_its_former_name(cls, given: Any) -> Any:
        # Folders hold records in which it is called a passport.
        if isinstance(given, dict) and "passport" in given:
            return {("environment" if name == "passport" else name): value for name, value in given.items()}
        return given


class SizeMeasurement(Record):
    """The three sizes, always together, and the memory to run.

    Attributes:
        parameters: Number of weights.
        file_bytes: Bytes of the deployable file (all files of a folder).
        gzip_bytes: Bytes of it after gzip at level 9, mtime 0.
        peak_memory_bytes: Highest resident memory of a fresh process that loads it and infers
            once, less that of the same process before loading; None if not measured.
    """

    parameters: int
    file_bytes: int
    gzip_bytes: int
    peak_memory_bytes: int | None = None


SizeWord = Literal["smaller", "same size", "larger"]

SAME_SIZE = 0.03
"""Files that differ by less than this share count as of the same size: names and headers make as much."""


class SizeVerdict(Record):
    """A comparison of two files' bytes. Both are exact, so there is no interval.

    Attributes:
        ratio: Bytes of the reference / bytes of the variant: above 1 is smaller.
        word: The verdict; ``same size`` where less than :data:`SAME_SIZE` differs.
    """

    ratio: float
    word: SizeWord


class LatencySummary(Record):
    """One file's latency from all raw samples of one run; outliers are counted, never removed.

    Attributes:
        variant: Identifier of the variant.
        runtime: Runtime that ran it.
        settings: Threads and batch.
        load_ms: Time to load and compile.
        first_ms: Time of the first inference after loading.
        p50_ms: Median time of one call with its interval over rounds (``quick``) or processes
            (``final``).
        iqr_ms: Inter-quartile range.
        p90_ms: 90th percentile.
        p95_ms: 95th percentile.
        p99_ms: 99th percentile; a property of the machine: shown, never ranked by.
        min_ms: Fastest sample.
        samples: Number of raw samples.
        outliers: Samples above median + 10 x 1.4826 MAD.
        throughput: Samples per second, batch / median.
        cores_busy: How many processors its process kept busy while it ran, all threads together; None
            where that was not known, or not of it alone.
    """

    variant: str
    runtime: str
    settings: RuntimeSettings
    load_ms: float
    first_ms: float
    p50_ms: Interval
    iqr_ms: float
    p90_ms: float
    p95_ms: float
    p99_ms: float
    min_ms: float
    samples: int
    outliers: int
    throughput: float
    cores_busy: Interval | None = None

    @property
    def unsteady(self) -> bool:
        """Whether IQR / median is above 10 %."""
        return self.iqr_ms > 0.10 * self.p50_ms.value


SpeedWord = Literal["faster", "slower", "no measurable change"]


class SpeedVerdict(Record):
    """A paired comparison of two files timed in the same interleaved run.

    Attributes:
        variant: Identifier of the variant judged.
        reference: Identifier of the variant it is compared with.
        speedup: reference / variant: above 1 is faster.
        floor: The A/A floor: ``|1 - ratio|`` of the reference against a second load of itself.
        word: The verdict.
    """

    variant: str
    reference: str
    speedup: Interval
    floor: float
    word: SpeedWord


class LatencyMeasurement(Measurement):
    """One interleaved run over several files.

    Attributes:
        protocol: ``quick`` (one process, at least 1 s steady) or ``final`` (5 fresh processes,
            at least 10 s).
        summaries: One per file.
        verdicts: Each file against the first one (the reference).
        rounds: Rounds in each process.
        processes: Number of processes.
        load_average: One-minute load average at the start.
        pressure: Share of time (0-100) that tasks waited for a CPU over the 10 s before;
            None where the system does not say.
        seed: Seed of the order.
        environment: Identifier of the machine's environment.
        waited: Share of its time (0-100) that the measuring process waited for a processor while it
            timed; None where the system does not say.
        alone: Whether no other work of the workbench ran on the machine.
        warnings: Of the whole run, such as a busy machine.
        onednn: Whether TensorFlow ran with its oneDNN kernels; None where it did not run.
    """

    protocol: Protocol
    summaries: tuple[LatencySummary, ...]
    verdicts: tuple[SpeedVerdict, ...]
    rounds: int
    processes: int
    load_average: float
    pressure: float | None = None
    seed: int
    waited: float | None = None
    alone: bool = True
    warnings: tuple[Text, ...] = ()
    onednn: bool | None = None


class ClassQuality(Record):
    """Precision, recall and F1 of one class.

    Attributes:
        support: Test samples of the class.
    """

    precision: float
    recall: float
    f1: float
    support: int


class Figure(Record):
    """One number of a task that has no field of its own.

    Attributes:
        key: Its name in files and code, such as ``rmse``.
        name: What it is.
        value: The number.
        interval: Its 95 % interval; None where there is none.
        share: Whether it lies between 0 and 1, or is written with as many digits as one that does.
    """

    key: str
    name: Text
    value: float
    interval: Interval | None = None
    share: bool = False


class QualityMeasurement(Measurement):
    """Quality of one file on the test split, in the runtime that it is deployed in.

    The fields from ``accuracy`` to ``calibration_error`` are those of a classification, and empty for other
    tasks, whose numbers are ``value`` and ``figures``.

    Attributes:
        variant: Identifier of the variant.
        runtime: Runtime that made the predictions.
        samples: Number of test samples.
        accuracy: With an exact interval.
        f1_macro: With an interval that has a width also where all samples are right, or none.
        f1_micro: Micro-averaged F1.
        f1_weighted: F1 weighted by support.
        precision_macro: Macro-averaged precision.
        recall_macro: Macro-averaged recall.
        per_class: In the order of the classes.
        confusion: Counts, rows are true classes, columns predicted ones.
        calibration_error: Expected calibration error over 15 equal-width bins, 0 to 1.
        near_chance: True if the interval of accuracy reaches down to the share of the most frequent
            class; of another task, if it is not clearly better than what needs no model.
        dataset: SHA-256 of the data set.
        environment: Identifier of the machine's environment.
        warnings: Such as accuracy near chance.
        task: What was judged.
        value: The measure of another task than a classification, see :mod:`workbench.api.task`.
        figures: Its further numbers.
        output: Name of the output, of a model of which several are judged.
        further: The same of the other outputs that are judged.
        classes: Names of the classes that were measured, where labels of others were left out; else empty.
    """

    variant: str
    runtime: str
    samples: int
    accuracy: Interval | None = None
    f1_macro: Interval | None = None
    f1_micro: float | None = None
    f1_weighted: float | None = None
    precision_macro: float | None = None
    recall_macro: float | None = None
    per_class: tuple[ClassQuality, ...] = ()
    confusion: tuple[tuple[int, ...], ...] = ()
    calibration_error: float | None = None
    near_chance: bool = False
    dataset: str
    warnings: tuple[Text, ...] = ()
    task: Task = "classification"
    value: Interval | None = None
    figures: tuple[Figure, ...] = ()
    output: str | None = None
    further: tuple[QualityMeasurement, ...] = ()
    classes: tuple[str, ...] = ()

    @property
    def measured(self) -> Interval:
        """The number that variants are compared by: macro F1, or that of another task."""
        found = self.f1_macro if self.task == "classification" else self.value
        assert found is not None
        return found

    @property
    def shown(self) -> str:
        """That number as it is read, with how many classes it is of where labels of others were left out."""
        value = measure_of(self.task).value(self.measured.value)
        if not self.classes:
            return value
        return str(
            say(
                "{value} (of {count} class)",
                "{value} (of {count} classes)",
                value=value,
                count=len(self.classes),
            )
        )

    @property
    def goodness(self) -> float:
        """The same as a number of which more is better."""
        value = self.measured.value
        return value if measure_of(self.task).higher_is_better else -value

    def figure(self, key: str) -> Figure:
        """A further number by its key.

        Raises:
            KeyError: If there is none.
        """
        found = next((one for one in self.figures if one.key == key), None)
        if found is None:
            raise KeyError(f"the keys are {[one.key for one in self.figures]}. Received: {key!r}")
        return found


QualityWord = Literal["kept", "lost", "not proven"]


class QualityVerdict(Record):
    """The change of macro F1, or of another task's measure, against another variant, paired by test sample.

    Attributes:
        variant: Identifier of the variant judged.
        reference: Identifier of the variant it is compared with.
        change: F1 of the variant minus F1 of the reference, as a fraction (0.01 is one point). Its interval
            has a width also where no prediction changed. Of an error, such as a mean absolute one, how much
            smaller it has become as a share of the reference's: above 0 is better in every task.
        only_reference_right: Samples that only the reference gets right.
        only_variant_right: Samples that only the variant gets right.
        mcnemar_p: Exact McNemar p-value.
        tolerance: The change that is accepted, as a fraction.
        word: ``kept`` if the interval's lower end is at least ``-tolerance``, ``lost`` if its
            upper end is below ``-tolerance``, else ``not proven``.
        samples_needed: Further test samples that would settle a ``not proven``, roughly.
        accuracy_change: The same change of accuracy; None in folders of earlier releases, and where answers
            are not right or wrong.
        task: What was judged.
        better: Samples that the variant answers better than the reference, where answers are not right or
            wrong.
        worse: Samples that it answers worse.
        output: Name of the output, of a model of which several are judged.
        further: The verdicts on the other outputs that are judged.
        own_word: Of a model of which several outputs are judged, the verdict on this one; ``word`` is then
            that of all: lost where one is, kept where all are.
    """

    variant: str
    reference: str
    change: Interval
    only_reference_right: int = 0
    only_variant_right: int = 0
    mcnemar_p: float | None = None
    tolerance: float
    word: QualityWord
    samples_needed: int | None = None
    accuracy_change: Interval | None = None
    task: Task = "classification"
    better: int = 0
    worse: int = 0
    output: str | None = None
    further: tuple[QualityVerdict, ...] = ()
    own_word: QualityWord | None = None

    @property
    def outputs(self) -> tuple[QualityVerdict, ...]:
        """The verdict on each output that is judged, this one first, each with its own word."""
        own = self.model_copy(update={"word": self.own_word or self.word, "further": (), "own_word": None})
        return own, *self.further

    @property
    def deciding(self) -> QualityVerdict:
        """The verdict on the output that makes the word what it is; the first one where that does."""
        return next((one for one in self.outputs if one.word == self.word), self)

    def keeps(self, tolerance: float) -> bool:
        """Whether all outputs that are judged are proven to lose no more than that, a fraction."""
        return all(one.change.low >= -tolerance for one in self.outputs)

    def together(self, output: str, further: tuple[QualityVerdict, ...]) -> QualityVerdict:
        """This verdict on the first output with those on the others, and one word for all.

        Args:
            output: Name of the first output.
            further: The verdicts on the others, with the names of their outputs.
        """
        words = {self.word, *(one.word for one in further)}
        word: QualityWord = "lost" if "lost" in words else "not proven" if "not proven" in words else "kept"
        return self.model_copy(
            update={"output": output, "further": further, "own_word": self.word, "word": word}
        )


class EnergyMeasurement(Measurement):
    """Energy of one inference from a meter, less what the idle machine draws.

    Attributes:
        variant: Identifier of the variant.
        meter: What was read, such as ``RAPL package``; None if this machine has no meter.
        reason: Why it is not known; None where it is.
        joules_per_sample: Net energy of one sample; None if it is not known.
        idle_watts: Mean power of the idle machine.
        busy_watts: Mean power while inferring.
        seconds: How long it inferred.
        samples: How many samples that were.
        environment: Identifier of the machine's environment.
    """

    variant: str
    meter: str | None = None
    reason: Text | None = None
    joules_per_sample: float | None = None
    idle_watts: float | None = None
    busy_watts: float | None = None
    seconds: float = 0.0
    samples: int = 0


class Flip(Record):
    """A test sample whose predicted class differs between two variants.

    Attributes:
        index: Position in the test split.
        label: True class index.
        before: Class that the reference predicts.
        after: Class that the variant predicts.
    """

    index: int
    label: int
    before: int
    after: int


class ChangedSample(Record):
    """A test sample whose answer moved away from what is right, or towards it.

    Attributes:
        index: Position in the test split.
        truth: What is right: the numbers, or nothing where there are no labels.
        before: What the reference answers.
        after: What the variant answers.
        worse_by: How much larger its error is than the reference's, in the unit of the task's measure.
        note: What is to be said of it instead of numbers; None where they say it.
    """

    index: int
    truth: tuple[float, ...] = ()
    before: tuple[float, ...] = ()
    after: tuple[float, ...] = ()
    worse_by: float
    note: Text | None = None


class Details(Record):
    """What a variant now gets right and wrong, against another one.

    Attributes:
        variant: Identifier of the variant looked at.
        reference: Identifier of the variant it is compared with.
        classes: Class names.
        f1_before: F1 of each class of the reference.
        f1_after: F1 of each class of the variant.
        confusion_change: Confusion counts after minus before; rows true, columns predicted.
        flips: Samples whose prediction changed; those that became wrong first.
        task: What was judged. Of another task than a classification, ``moved`` takes the place of ``flips``,
            and the F1 of classes is that of labels or positions, where there are such.
        moved: Samples whose error grew most, the worst first.
        targets: Names of the numbers of a regression.
        judged: The classes that are measured; all if empty. The numbers of the others say nothing.
    """

    variant: str
    reference: str
    classes: tuple[str, ...] = ()
    f1_before: tuple[float, ...] = ()
    f1_after: tuple[float, ...] = ()
    confusion_change: tuple[tuple[int, ...], ...] = ()
    flips: tuple[Flip, ...] = ()
    task: Task = "classification"
    moved: tuple[ChangedSample, ...] = ()
    targets: tuple[str, ...] = ()
    judged: tuple[int, ...] = ()

    @property
    def measured(self) -> tuple[int, ...]:
        """The classes that have an F1."""
        return self.judged or tuple(range(len(self.classes)))
