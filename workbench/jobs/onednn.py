"""TensorFlow's oneDNN kernels: used, or switched off for a model on which they crash.

On x86 processors TensorFlow computes with oneDNN by default. Its kernels have crashed, such as in the
gradient of a 1x1 convolution with stride 2 on a processor with AVX-512, where those of TensorFlow
itself do not. TensorFlow reads the switch once, when it is imported: another setting needs another
process.
"""

from __future__ import annotations

import ast
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from workbench.api.text import Text, say

VARIABLE = "TF_ENABLE_ONEDNN_OPTS"
OFF = "0"
ON = "1"
"""Set by somebody who wants them in any case, such as with another version of TensorFlow."""
FACT = "onednn"
"""Name of the fact in the store of a workbench; :data:`OFF` once its model has crashed with them."""

_CRASHES = ("SIGSEGV", "SIGABRT", "SIGBUS", "SIGILL", "SIGFPE")


def is_off() -> bool:
    """Whether this process, and those that it starts, run TensorFlow without oneDNN."""
    return os.environ.get(VARIABLE) == OFF


def stay_off(fact: str | None) -> bool:
    """Whether a workbench keeps them off: its model crashed with them, and nobody has asked for them since.

    Args:
        fact: What its store says under :data:`FACT`.
    """
    return fact == OFF and os.environ.get(VARIABLE) != ON


@contextmanager
def switched_off() -> Iterator[None]:
    """Processes that are started inside run TensorFlow without oneDNN."""
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = OFF
    try:
        yield
    finally:
        if before is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = before


def is_crash(exit_code: int | None) -> bool:
    """Whether a process ended as one does whose native code failed.

    Args:
        exit_code: As of :class:`subprocess.Popen`: minus the signal's number; None if unknown.
    """
    return exit_code is not None and -exit_code in {
        getattr(signal, name) for name in _CRASHES if hasattr(signal, name)
    }


def what_to_do() -> Text:
    """After a crash of TensorFlow, to somebody who starts processes."""
    if is_off():
        return say(
            "The oneDNN kernels were off already ({switch}): the model's file or TensorFlow itself is at "
            "fault. Try another version of TensorFlow.",
            switch=f"{VARIABLE}={OFF}",
        )
    return say(
        "TensorFlow's oneDNN kernels are the most likely cause. Set {switch} in the environment, start anew, "
        "and run it again.",
        switch=f"{VARIABLE}={OFF}",
    )


def made_without() -> Text:
    """What is said of a variant that was made while they were off."""
    return say(
        "TensorFlow's oneDNN kernels crashed on this model, so it was made without them ({switch}). "
        "Everything that TensorFlow still does with the model, measuring included, is done without them. To "
        "use them again, such as with another version of TensorFlow, set {back} in the environment and start "
        "anew.",
        switch=f"{VARIABLE}={OFF}",
        back=f"{VARIABLE}={ON}",
    )


def measured_without() -> Text:
    """What is said of times that were taken while they were off."""
    return say(
        "TensorFlow ran without its oneDNN kernels when this was timed ({switch}): with them times differ.",
        switch=f"{VARIABLE}={OFF}",
    )


def measured_with() -> Text:
    """What is said of times from before they were switched off."""
    return say(
        "TensorFlow ran with its oneDNN kernels when this was timed, and without them for other variants, "
        "because they crashed. Measure all again to compare them."
    )


def plain_code(code: str, *helpers: str) -> str:
    """A script that switches them off before anything imports TensorFlow.

    Args:
        code: Plain code of a technique or of a deployment.
        *helpers: Text of the files that it imports.
    """
    if not any(word in text for text in (code, *helpers) for word in ("keras", "tensorflow")):
        return code
    switch = f'import os\n\nos.environ["{VARIABLE}"] = "{OFF}"  # the oneDNN kernels crashed on this model\n'
    at = 0
    for number, node in enumerate(ast.parse(code).body):
        text = number == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not text and not (isinstance(node, ast.ImportFrom) and node.module == "__future__"):
            break
        at = node.end_lineno or 0
    lines = code.splitlines(keepends=True)
    return "".join([*lines[:at], *(["\n"] if at else []), switch, "\n", *lines[at:]])
