"""What is known of each format of model files: how they are called, and what runs them."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.api.text import Text, say
from workbench.api.variant import Format, Variant


@dataclass(frozen=True)
class FileFormat:
    """One format.

    Attributes:
        name: As it is stored.
        title: As it is shown.
        suffix: What the names of its files end in; empty where a model is a folder.
        home_runtime: What runs its files unless it is asked for otherwise.

    Example:
        >>> file_format("tflite").suffix, file_format("keras").named("smaller")
        ('.tflite', 'smaller.keras')
    """

    name: Format
    title: str
    suffix: str
    home_runtime: str

    @property
    def file_name(self) -> str:
        """What a file (a folder for ``openvino``) is called where it is the only model."""
        return self.named("model")

    def named(self, name: str) -> str:
        """A name for a file, with the suffix if it does not have it yet."""
        return name if name.endswith(self.suffix) else name + self.suffix


_FORMATS: dict[Format, FileFormat] = {
    known.name: known
    for known in (
        FileFormat("keras", "Keras", ".keras", "keras.function"),
        FileFormat("tflite", "LiteRT", ".tflite", "litert"),
        FileFormat("onnx", "ONNX", ".onnx", "onnxruntime"),
        FileFormat("openvino", "OpenVINO", "", "openvino"),
    )
}


def file_format(name: Format) -> FileFormat:
    """What is known of a format."""
    return _FORMATS[name]


def format_obstacle(variant: Variant, *formats: Format) -> Text | None:
    """Why something that starts from files of certain formats cannot be applied to a variant, or None.

    Args:
        variant: What it would be applied to.
        formats: What it starts from.
    """
    if variant.format in formats:
        return None
    titles = [file_format(name).title for name in formats]
    if variant.is_baseline:
        return say(
            "{name} was opened as {format}, and this starts from {formats}. Open the model as {first} to use "
            "it, or choose a technique that starts from {format}.",
            name=variant.name,
            format=file_format(variant.format).title,
            formats=tuple(titles),
            first=titles[0],
        )
    return say(
        "{name} is {format}, and this starts from {formats}. Apply it to the variant that {name} was made "
        "from.",
        name=variant.name,
        format=file_format(variant.format).title,
        formats=tuple(titles),
    )
