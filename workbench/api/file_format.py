"""What is known of each format of model files: how they are called, and what runs them."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.api.variant import Format


@dataclass(frozen=True)
class FileFormat:
    """One format.

    Attributes:
        name: As it is stored, and shown.
        suffix: What the names of its files end in; empty where a model is a folder.
        home_runtime: What runs its files unless it is asked for otherwise.

    Example:
        >>> file_format("tflite").suffix, file_format("keras").named("smaller")
        ('.tflite', 'smaller.keras')
    """

    name: Format
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
        FileFormat("keras", ".keras", "keras.function"),
        FileFormat("tflite", ".tflite", "litert"),
        FileFormat("onnx", ".onnx", "onnxruntime"),
        FileFormat("openvino", "", "openvino"),
    )
}


def file_format(name: Format) -> FileFormat:
    """What is known of a format."""
    return _FORMATS[name]
