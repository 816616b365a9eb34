"""What a variant is: one version of the model, never changed after it is made."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any, Literal, cast

from pydantic import Field

from workbench.api.display import shown
from workbench.api.records import Record
from workbench.api.task import Task as Task
from workbench.api.text import Text

Format = Literal["keras", "tflite", "onnx", "openvino"]
Precision = Literal[
    "float32",
    "float64",
    "float16",
    "bfloat16",
    "int8 weights",
    "dynamic int8",
    "int8",
    "int16x8",
    "int4",
    "mixed",
]
ROUNDED: frozenset[Precision] = frozenset(
    {"int8 weights", "dynamic int8", "int8", "int16x8", "int4", "mixed"}
)
"""Those whose values are so coarse that quality may be lost."""


STEP = " → "
"""Stands between the steps in the name of a variant that was made from a variant."""


Meaning = Literal["probabilities", "scores", "log probabilities", "unknown"]
"""What the values of an output are, as far as the operations that make them tell: ``scores`` are raw ones
(logits), which a softmax or a sigmoid turns into probabilities."""
Role = Literal["numbers", "raw numbers", "ids", "text"]


class TensorSpec(Record):
    """One input or output of a model.

    Attributes:
        name: The tensor's name as the runtime wants it.
        shape: Without the batch axis; None where a length is free.
        dtype: NumPy's name of the element type that a caller passes or receives; ``string`` for text.
        role: What the model does with an input's values: ``numbers`` are computed with; ``raw numbers`` are
            taken as they were measured, and scaled or binned by the model's own first layers, or they are
            whole numbers by type; ``ids`` are whole numbers that are looked up; ``text`` are strings.
        made_for: The element type that its author gave an input which was brought to float32; empty where it
            is the same.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str = "float32"
    role: Role = "numbers"
    made_for: str = ""

    @property
    def takes_whole_numbers(self) -> bool:
        """Whether its values are whole numbers by type; those of 8 bits in a quantized file are not."""
        return self.role in ("ids", "raw numbers") and self.dtype.startswith(("int", "uint", "bool"))


class Layer(Record):
    """One layer (or operator, in a converted file) as shown to the user.

    Attributes:
        name: Its name in the file.
        kind: Its class, such as ``Conv2D``, or operator type.
        parameters: Number of weights, trainable or not.
        size_bytes: Bytes that its weights take in this file.
        output_shape: Without the batch axis; empty if unknown.
        precision: Element type of its weights.
        macs: Multiply-accumulate operations of one sample; None if not counted.
    """

    name: str
    kind: str
    parameters: int
    size_bytes: int
    output_shape: tuple[int | None, ...] = ()
    precision: str = "float32"
    macs: int | None = None


class Edge(Record):
    """A tensor that one layer gives and another one takes.

    Attributes:
        giver: Position of the layer that gives it; -1 for the model's first input, -2 for its second.
        taker: Position of the layer that takes it.
        shape: Of the tensor, without the batch axis; empty if unknown.
    """

    giver: int
    taker: int
    shape: tuple[int | None, ...] = ()


class Skip(Record):
    """Something that a technique left alone, and why."""

    name: str
    reason: Text


Cell = Text | bool | int | float | str | None
"""What stands in a table: words that are translated, a number, a name, or nothing."""


class Table(Record):
    """Numbers that a technique found on its way, such as the sensitivity of each layer.

    Attributes:
        title: What it shows.
        columns: Heads of the columns, with units. The first column names the row.
        rows: One cell for each column.
        picture: How the page draws it: ``bars`` (second column over the first), ``line`` (all further
            columns over the first), ``heatmap`` (first column down, second across, third as color);
            None shows the table alone.
        note: What to see in it.
        better: Of a heat map: whether less or more is better. The better cell is the darker one.
        chosen: Index of the row that the technique decided for; marked in a heat map.
    """

    title: Text
    columns: tuple[Text, ...]
    rows: tuple[tuple[Cell, ...], ...]
    picture: Literal["bars", "line", "heatmap"] | None = None
    note: Text | None = None
    better: Literal["less", "more"] = "more"
    chosen: int | None = None


class Report(Record):
    """What a technique did to a model, in words and numbers.

    Attributes:
        touched: Sentences on what was changed.
        skipped: What was left alone, each with its reason.
        notes: Anything else that the user should know, such as the loader that was taken.
        tables: Numbers found on the way.
    """

    touched: tuple[Text, ...] = ()
    skipped: tuple[Skip, ...] = ()
    notes: tuple[Text, ...] = ()
    tables: tuple[Table, ...] = ()

    def followed_by(self, other: Report) -> Report:
        """What this one says, then what another says."""
        return Report(
            touched=self.touched + other.touched,
            skipped=self.skipped + other.skipped,
            notes=self.notes + other.notes,
            tables=self.tables + other.tables,
        )


class JudgedOutput(Record):
    """Which of a file's outputs is judged. Converters rename outputs, and store them in another order.

    Attributes:
        name: Its name in the file.
        position: Its position among the outputs of the model, where no output has that name.
    """

    name: str
    position: int = Field(ge=0)


class RuntimeSettings(Record):
    """How a runtime runs a file.

    Attributes:
        threads: Threads inside one inference, 1 to 256.
        batch: Samples in one call when latency is measured, 1 to 4096.
        trusted: Whether code inside the file may run: the user said so when opening it.
        output: Which output a session gives; None gives the first.
    """

    threads: int = Field(1, ge=1, le=256)
    batch: int = Field(1, ge=1, le=4096)
    trusted: bool = False
    output: JudgedOutput | None = None


class OwnClass(Record):
    """What was found in a model of a class of the user's own.

    Attributes:
        name: The class, such as ``SimpleModel``.
        layers: Layers of the graph that it was written out as.
        closed: What stays a class of the user's own, such as ``attention (Attention)``.
        training_left_out: Whether the graph leaves out what the class does in training only.
        graph_only: Why no layers are known, only the graph that TensorFlow runs; None where they are.
    """

    name: str
    layers: int
    closed: tuple[str, ...] = ()
    training_left_out: bool = False
    graph_only: Text | None = None


class FurtherOutput(Record):
    """An output that is judged besides the first one, of a model with several.

    Attributes:
        name: As the data call it, whatever a converter has made of it.
        key: Its name in files.
        position: Its position among the outputs of the file.
        task: What it is judged as.
        weighted: The splits of the data whose samples have weights for it.
        from_logits: Whether it is raw scores (True) or probabilities (False).
        reading: How its values are read, and why; None for what was made from another.
        doubts: What makes that questionable.
    """

    name: str
    key: str
    position: int
    task: Task
    weighted: tuple[str, ...] = ()
    from_logits: bool = False
    reading: Text | None = None
    doubts: tuple[Text, ...] = ()


class ModelDescription(Record):
    """What is known of a model file without running it.

    Attributes:
        inputs: The model's inputs in their order.
        outputs: The model's outputs in their order.
        layers: In order of execution.
        edges: Which layer takes what another one gives; empty where that is not known.
        parameters: Number of weights in all.
        output: Position of the output that is judged; None is the first.
        task: What it is judged as.
        weighted: The splits of the data whose samples have weights.
        from_logits: Whether that output is raw scores (True) or probabilities (False).
        meanings: What the values of each output are, as the file's operations tell; empty if unknown.
        further: Other outputs that are judged too, each by its own task.
        reading: How the values of that output are read, and why; None for what was made from another.
        doubts: What makes the reading of the output questionable, for every row that follows from it.
        precision: The element type that decides size and speed.
        macs: Multiply-accumulate operations of one sample; None if not counted.
        sparse: Whether a weight matrix of a Keras model was made sparse; training keeps its zeros.
        clustered: Whether the weights of one share few values; training keeps them shared.
        batch: Samples in a call that its author built it for, or that the file takes and no other number;
            None if any number.
        opened_up: What was found in a model of the user's own class; None for any other, and for what was
            made from it.
    """

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    layers: tuple[Layer, ...] = ()
    edges: tuple[Edge, ...] = ()
    parameters: int = 0
    output: int | None = None
    task: Task = "classification"
    weighted: tuple[str, ...] = ()
    from_logits: bool = False
    further: tuple[FurtherOutput, ...] = ()
    meanings: tuple[Meaning, ...] = ()
    reading: Text | None = None
    doubts: tuple[Text, ...] = ()
    precision: Precision = "float32"
    macs: int | None = None
    sparse: bool = False
    clustered: bool = False
    batch: int | None = None
    opened_up: OwnClass | None = None

    @property
    def judged(self) -> TensorSpec:
        """The output that is judged."""
        return self.outputs[self.output or 0]

    def of(self, output: str | None) -> ModelDescription:
        """The same with a further output as the one that is judged; None gives it as it is.

        Raises:
            KeyError: If that is not judged.
        """
        if output is None:
            return self
        found = next((one for one in self.further if one.name == output), None)
        if found is None:
            raise KeyError(f"further outputs are {[one.name for one in self.further]}. Received: {output!r}")
        return self.model_copy(
            update={
                "output": found.position,
                "task": found.task,
                "weighted": found.weighted,
                "from_logits": found.from_logits,
                "reading": found.reading,
                "doubts": found.doubts,
                "further": (),
            }
        )

    @property
    def meaning(self) -> Meaning:
        """What the values of the output that is judged are, as the file's operations tell."""
        return self.meanings[self.output or 0] if self.meanings else "unknown"

    @property
    def judged_output(self) -> JudgedOutput | None:
        """What a session must be told to give that output; None where there is only one."""
        if len(self.outputs) < 2 or self.output is None:
            return None
        return JudgedOutput(name=self.judged.name, position=self.output)


class Variant(Record):
    """One version of the model: a file, how it was made, and from what.

    Attributes:
        id: Identifier inside its workbench.
        name: A short name, unique inside its workbench, such as ``int8``, or ``pruned 50% → int8`` of one
            that was made in two steps.
        format: Kind of file.
        path: The file (a folder for ``openvino``), absolute.
        sha256: Digest of the file's content (of all files in name order, for a folder).
        runtime: Name of the runtime that it is deployed in, such as ``litert``.
        settings: How that runtime runs it.
        description: What the file holds.
        technique: Name of the technique that made it; None for the baseline.
        parameters: That technique's parameters.
        parent: Identifier of the variant that it was made from; None for the baseline.
        is_reference: Whether it is the baseline as float32 in its runtime: what speed-ups of the
            variants of that runtime are quoted against.
        automatic: True if the engine made it as the reference of another one.
        report: What the technique did.
        created: When it was stored, UTC.
        seconds: Wall time that making it took.

    Example:
        >>> variant = workbench.quantization.float16().wait()
        >>> variant.name, variant.format, variant.runtime, variant.description.precision
        ('float16', 'tflite', 'litert', 'float16')
        >>> workbench.variant(variant.parent).name
        'dense-digits'
    """

    id: str
    name: str
    format: Format
    path: Path
    sha256: str
    runtime: str
    settings: RuntimeSettings = RuntimeSettings()
    description: ModelDescription
    technique: str | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)
    parent: str | None = None
    is_reference: bool = False
    automatic: bool = False
    report: Report = Report()
    created: datetime
    seconds: float = 0.0

    @property
    def is_baseline(self) -> bool:
        """Whether it is the model that was opened, which all others are made from or compared with."""
        return self.parent is None

    def __repr__(self) -> str:
        made = "" if self.technique is None else f", {self.technique}"
        opened = self.description.opened_up
        if opened is not None and opened.layers > len(opened.closed):
            made += f", opened up: {opened.layers} layers of {opened.name}"
        return f"Variant({self.name!r}, {self.runtime}{made}, id={self.id!r})"

    __str__ = __repr__

    def _repr_html_(self) -> str | None:
        return cast("str | None", shown("variant", self))
