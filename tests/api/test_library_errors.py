"""What libraries raise becomes a sentence: real errors of each of them, and forms seen elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from workbench.api.errors import InvalidInput
from workbench.api.library_errors import LONGEST, library_cause, raw_text, reason_of, with_kind

BOLD, PLAIN = "\x1b[1m", "\x1b[0m"

GRAPH = """Graph execution error:

Detected at node functional_1/conv2d_1/convolution defined at (most recent call last):
  File "/usr/lib/python3.11/site-packages/keras/src/layers/layer.py", line 12, in call

  File "<frozen runpy>", line 88, in _run_code

Computed output size would be negative: -1 [input_size: 1, effective_filter_size: 3]
\t [[{{node functional_1/conv2d_1/convolution}}]] [Op:__inference_multi_step_on_iterator_1200]"""

USER_CODE = f"""in user code:

    File "/home/me/train.py", line 11, in None  *
        lambda x: m(x, training=False)
    File "/usr/lib/python3.11/site-packages/keras/src/utils/traceback_utils.py", line 122, in handler  **
        raise e.with_traceback(filtered_tb) from None

    ValueError: Exception encountered when calling MaxPooling2D.call().

    {BOLD}Negative dimension size caused by subtracting 2 from 1 for '{{{{node f/m/MaxPool2d}}}} = \
MaxPool[T=DT_FLOAT, ksize=[1, 2, 2, 1], padding="VALID"](x)' with input shapes: [1,1,1,3].{PLAIN}

    Arguments received by MaxPooling2D.call():
      • inputs=tf.Tensor(shape=(1, 1, 1, 3), dtype=float32)
"""

DUMP = """Could not translate MLIR to FlatBuffer.<unknown>:0: error: loc(callsite("Betainc" at \
callsite("Call:" at "Call_1"))): 'tf.Betainc' op is neither a custom op nor a flex op
<unknown>:0: note: loc(callsite(fused["PartitionedCall:"])): called from
<unknown>:0: error: failed while converting: 'main':
Some ops in the model are custom ops, See instructions
Custom ops: Betainc
Details:
\ttf.Betainc(tensor<?x8xf32>, tensor<?x8xf32>) -> (tensor<?x8xf32>) : {device = ""}
"""


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (
            GRAPH,
            "Computed output size would be negative: -1 [input_size: 1, effective_filter_size: 3].",
        ),
        (
            USER_CODE,
            "MaxPooling2D: Negative dimension size caused by subtracting 2 from 1 for 'f/m/MaxPool2d' "
            "with input shapes: [1,1,1,3].",
        ),
        (DUMP, "'tf.Betainc' op is neither a custom op nor a flex op (Custom ops: Betainc)."),
        (
            "<unknown>:0: error: loc(\"a\"): 'tfl.conv_2d' op operand #0 must be float, but got "
            "'tensor<?x6x6x3xf64>'\n<unknown>:0: note: called from\n",
            "'tfl.conv_2d' op operand #0 must be float, but got 'tensor<?x6x6x3xf64>'.",
        ),
        (
            f"Exception encountered when calling Outer.call().\n\n{BOLD}Exception encountered when calling "
            f"Dense.call().\n\n{BOLD}The cause.{PLAIN}\n\nArguments received by Dense.call():\n • x{PLAIN}\n",
            "Dense: The cause.",
        ),
        (
            "Error when deserializing class 'Dense' using config={'units': -3}.\n\nException encountered: "
            "Received an invalid value for `units`.",
            "Received an invalid value for `units`.",
        ),
        (
            "Exception from src/inference/src/cpp/core.cpp:84:\nException from src/model_reader.cpp:148:\n"
            'Unable to read the model: "/tmp/x/bad.xml" Please check\n\n',
            'Unable to read the model: "bad.xml" Please check.',
        ),
        ("[1mmarks without their beginning[0m", "marks without their beginning."),
        ("see https://a.org/b/c and /home/me/m.keras", "see https://a.org/b/c and m.keras."),
        ("Received 3. Give 4.", "Received 3. Give 4."),
    ],
)
def test_the_cause_is_what_is_left(said: str, reason: str) -> None:
    assert reason_of(ValueError(said)) == reason


def test_an_error_without_words_is_called_by_its_kind() -> None:
    assert reason_of(KeyboardInterrupt()) == with_kind(KeyboardInterrupt()) == "KeyboardInterrupt"
    assert with_kind(ValueError("no")) == "ValueError: no."


def test_what_is_long_is_cut_at_a_word() -> None:
    reason = reason_of(ValueError("many words " * 100))
    assert len(reason) <= LONGEST
    assert reason.endswith(("many…", "words…"))


def test_the_log_gets_all_of_it() -> None:
    try:
        try:
            raise ValueError(GRAPH)
        except ValueError as error:
            raise InvalidInput(reason_of(error)) from error
    except InvalidInput as error:
        cause = library_cause(error)
    assert isinstance(cause, ValueError)
    assert 'File "/usr/lib/python3.11/site-packages/keras' in raw_text(cause)
    assert "test_library_errors.py" in raw_text(cause)
    assert library_cause(ValueError("no")) is None


def _bad(folder: Path, name: str) -> Path:
    path = folder / name
    path.write_bytes(b"rubbish" * 10)
    return path


def _onnx(folder: Path) -> object:
    import onnxruntime

    return onnxruntime.InferenceSession(str(_bad(folder, "bad.onnx")))


def _openvino(folder: Path) -> object:
    import openvino

    return openvino.Core().read_model(str(_bad(folder, "bad.xml")))


def _keras(folder: Path) -> object:
    import keras

    model = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(4, 3)])
    return model.predict(np.zeros((1, 1, 1, 3), "float32"), verbose=0)


@pytest.mark.parametrize("fail", [_onnx, _openvino, _keras])
def test_installed_libraries_say_no_path_and_no_traceback(
    fail: Callable[[Path], object], tmp_path: Path
) -> None:
    with pytest.raises(Exception) as caught:  # each library has its own
        fail(tmp_path)
    reason = reason_of(caught.value)
    assert len(reason) > 10
    for noise in (
        "\x1b",
        "[1m",
        str(tmp_path),
        "site-packages",
        "File ",
        ".cpp:",
        ".cc:",
        "{{",
        "[Op:",
        "\n",
    ):
        assert noise not in reason
