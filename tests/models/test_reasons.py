"""The one sentence of an error that says why."""

import pytest

from workbench.models.reasons import reason_of

KERAS = """Exception encountered when calling Conv2D.call().

\x1b[1mComputed output size would be negative: -1 [input_size: 1, effective_filter_size: 3, stride: 1].\x1b[0m

Arguments received by Conv2D.call():
  • inputs=tf.Tensor(shape=(1, 1, 1, 3), dtype=float32)"""
GRAPH = """Graph execution error:

Detected at node functional/conv defined at (most recent call last):
  File "/home/somebody/site-packages/keras/src/utils/traceback_utils.py", line 117, in error_handler

Dimensions must be equal, but are 4 and 5
\t [[{{node functional/conv}}]] [Op:__inference_call_12]"""


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            KERAS,
            "Computed output size would be negative: -1 [input_size: 1, effective_filter_size: 3, "
            "stride: 1].",
        ),
        (GRAPH, "Dimensions must be equal, but are 4 and 5."),
        ("{{function_node __wrapped__Add}} bad shapes [Op:AddV2] name: ", "bad shapes."),
        ("", "ValueError."),
    ],
)
def test_the_sentence_that_tells(text, reason):
    assert reason_of(ValueError(text)) == reason


def test_a_long_reason_is_cut():
    assert len(reason_of(ValueError("word " * 1000))) <= 301
