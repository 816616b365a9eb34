"""The calls that write LiteRT and ONNX files, as plain code: traced as the package traces them."""

from __future__ import annotations

import json
import re
import zipfile
from textwrap import indent

from workbench.api.plain_source import plain_source
from workbench.api.variant import Variant
from workbench.graph.calls import read_config

_RESHAPING = {"Flatten", "Reshape", "RNN", "LSTM", "GRU", "SimpleRNN", "Bidirectional", "TimeDistributed"}
_UNKNOWN_TO_ONNX = re.compile(r'"gelu"|"Normalization"|"groups": (?!1\b)\d|"__tensor__"|"module": "(?!keras)')
"""What in a model's configuration asks for more than the converter does by itself: layers of the user's own
may, and so do tensors that a functional model holds."""
_TRAINS_BY_DEFAULT = re.compile(
    r'"module": "keras\.(?:src\.)?layers[^"]*", "class_name": "(?:Random\w+|\w*Crop|Resizing|MixUp|CutMix|'
    r'AugMix|RandAugment|Solarization|AutoContrast|Equalization|\w*BoundingBoxes)"|"module": "(?!keras)'
)
"""Layers that are exported as if they trained, and layers of the user's own, which may be."""


def litert_source(variant: Variant) -> str:
    """What a script has to define before its :func:`litert_export`; nothing where nothing is reshaped."""
    return _source("litert_tracing") if _reshapes(variant) else ""


def litert_export(variant: Variant, export: str) -> str:
    """An export as :func:`workbench.models.converting.conversion.to_tflite` does it.

    Args:
        variant: The Keras file that is exported.
        export: The statement with ``format="litert"``, whole lines.
    """
    return _within("static_shapes()", export) if _reshapes(variant) else export


def onnx_code(variant: Variant, model: str, file: str, opset: int) -> str:
    """Loads a Keras file and writes it as :func:`workbench.models.converting.conversion.to_onnx` does.

    Args:
        variant: The Keras file that is exported.
        model: Its name in the script.
        file: The file to write.
        opset: ONNX operator set.
    """
    export = predicting_export(
        variant, f'model.export("{file}", format="onnx", verbose=False, opset_version={opset})\n'
    )
    asks_for_more = _asks_for_more(variant)
    return f"""\
{_source("onnx_tracing") if asks_for_more else ""}\
{predicting_source(variant)}\
model = keras.models.load_model("{model}", compile=False)
# A model that was only loaded has never been called, which the converter asks for.
examples = [keras.ops.zeros([size or 1 for size in x.shape], dtype=x.dtype) for x in model.inputs]
model({packed(variant, "examples")}, training=False)
{_within("traceable(model)", export) if asks_for_more else export}"""


def predicting_source(variant: Variant) -> str:
    """What a script has to define before its :func:`predicting_export`; nothing where nothing trains."""
    return _source("predicting") if _trains_by_default(variant) else ""


def predicting_export(variant: Variant, export: str) -> str:
    """An export to ONNX or as a SavedModel as :mod:`workbench.models.converting.conversion` does it.

    Args:
        variant: The Keras file that is exported.
        export: The statement, whole lines.
    """
    return _within("predicting(model)", export) if _trains_by_default(variant) else export


def packed(variant: Variant, arrays: str) -> str:
    """One array as it is, several in the structure that ``model`` was built with."""
    if len(variant.description.inputs) == 1:
        return f"{arrays}[0]"
    return f"keras.tree.pack_sequence_as(model.input, {arrays})"


def _source(module: str) -> str:
    return f"{plain_source(f'workbench.models.{module}')}\n\n"


def _within(context: str, statement: str) -> str:
    return f"with {context}:\n{indent(statement, '    ')}"


def _reshapes(variant: Variant) -> bool:
    return any(layer.kind in _RESHAPING for layer in variant.description.layers)


def _asks_for_more(variant: Variant) -> bool:
    return _UNKNOWN_TO_ONNX.search(_config(variant)) is not None


def _trains_by_default(variant: Variant) -> bool:
    return _TRAINS_BY_DEFAULT.search(_config(variant)) is not None


def _config(variant: Variant) -> str:
    try:
        return json.dumps(read_config(variant.path))
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return ""
