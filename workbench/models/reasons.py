"""What TensorFlow and Keras say when a model cannot be run, on one line."""

from __future__ import annotations

import re

LONGEST = 300

_MARKS = re.compile(r"\x1b\[[0-9;]*m|\[[01]m")
_NOT_THE_REASON = re.compile(
    r"Exception encountered when calling|Graph execution error|Detected at node|Arguments received by|"
    r"\s*•|\s*File \"|Traceback|\[\[\{\{|\s*\d+ root error|\s*\(\d\) |Stack trace|Function call stack|"
    r"Original stack trace|During handling|This error may be possible|<stack traces"
)
_TAIL = re.compile(r"\s*(\[\[\{?\{?.*|\[Op:.*|\{\{(function_node|node) .*?\}\}|for '.*)$")


def reason_of(error: BaseException) -> str:
    """The sentence that says why, without marks of a terminal, stacks and paths; at most 300 characters.

    Args:
        error: What was raised.
    """
    text = _MARKS.sub("", str(error))
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if not _NOT_THE_REASON.match(line)]
    words = (telling or lines or [type(error).__name__])[0]
    words = _TAIL.sub("", re.sub(r"\{\{.*?\}\}\s*", "", words)).strip() or words
    return words[:LONGEST].rstrip(".") + "."
