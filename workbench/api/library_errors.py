"""What an exception of a library says, in a sentence: one place for all that reaches a reader.

TensorFlow, Keras and the runtimes raise with tracebacks, paths of this installation, marks for a terminal
and dumps of their compilers. The cause is one line of that. All of it belongs into the log, where
:func:`raw_text` brings it.
"""

from __future__ import annotations

import re
import traceback

LONGEST = 300
"""Characters of a reason."""
LONGEST_RAW = 20_000
"""Characters of what goes into the log."""

_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"
_TERMINAL = re.compile(r"\x1b\[[0-9;]*m|\[(?:1|0)m")
_CALLED = re.compile(
    r"Exception encountered when calling (?:layer )?['\"]?([\w./]+?)(?:\.call\(\))?['\"]?[\s.(]"
)
_USER_CODE = re.compile(r"\n\s*\w+(?:Error|Exception): ")
_COMPILER = re.compile(r"(?:^|[\s.])(?:<unknown>:\d+|loc\([^\n]*?\)|[\w/.-]+:\d+:\d+): error: ", re.MULTILINE)
_CUSTOM = re.compile(r"^(Custom ops|Flex ops|TF ops): *(.+)$", re.MULTILINE)
_FRAMES = re.compile(
    r"^\s*(?:File \"[^\n]*|Traceback \([^\n]*|Graph execution error:|Detected at node[^\n]*"
    r"|[^\n]*defined at \(most recent call last\):|<stack traces unavailable>|\(\d+\) [A-Z_]+:"
    r"|Exception from [^\n]*:\d+:|Check '[^\n]*' failed at [^\n]*:|FrontEnd API failed with \w+:)[ \t]*$",
    re.MULTILINE,
)
_NOISE = (
    re.compile(r"\{\{(?:function_node|node) [^}]*\}\}"),
    re.compile(r"\[\[[^\]]*\]\]|\[Op:[^\]]*\]|\bname: *(?=$|\n)"),
    re.compile(r"Compute received an exception: *Status: \d+, message: "),
    re.compile(r"^\[ONNXRuntimeError\] : \d+ : \w+ : "),
    re.compile(r"\bLoad model from \S+ failed: *"),
    re.compile(r"Non-zero status code returned while running |(?<=node\.) Name:'[^']*' Status Message:"),
    re.compile(r",? (?:in file|at) \S+\.(?:cc|cpp|h|hpp):\d+"),
    re.compile(r"\S+\.(?:cc|cpp|h|hpp):\d+ (?:[\w:~]+\([^)]*\) (?:const )?)?(?:[^.\n]* was false\. )?"),
)
_NODE = re.compile(r"'\{\{node ([^}]*)\}\} = \w+\[[^\n]*?\]\([^)\n]*\)'")
_PATH = re.compile(r"(?<![\w.:/])/(?:[\w.+@-]+/)+([\w.+@-]*)")


def reason_of(error: BaseException, longest: int = LONGEST) -> str:
    """Why a library failed, on one line that ends as a sentence does.

    Args:
        error: Anything that a library raised.
        longest: Most characters.
    """
    text = str(error).replace("\r", "")
    called = _CALLED.findall(text)
    if _BOLD in text and _PLAIN in text:  # Keras marks the cause, the innermost one ends first
        text = text.partition(_PLAIN)[0].rpartition(_BOLD)[2]
    elif "Exception encountered: " in text:
        text = text.rpartition("Exception encountered: ")[2]
    elif text.startswith("in user code:") and (found := [*_USER_CODE.finditer(text)]):
        text = text[found[-1].end() :]
    text = _TERMINAL.sub("", text).partition("Arguments received by ")[0]
    text = _compiler_error(text)
    text = _NODE.sub(r"'\1'", text)
    for pattern in (_FRAMES, *_NOISE):
        text = pattern.sub("", text)
    words = " ".join(_PATH.sub(r"\1", text).split()).rstrip(" .:,;")
    if not words:
        return type(error).__name__
    layer = called[-1] if called else ""
    words = words if not layer or layer in words else f"{layer}: {words}"
    if len(words) >= longest:
        return words[: longest - 1].rsplit(" ", 1)[0] + "…"
    return words if words.endswith(("!", "?", "…")) else f"{words}."


def with_kind(error: BaseException) -> str:
    """The same of an error that nobody foresaw, whose kind is a part of what it says."""
    reason, kind = reason_of(error), type(error).__name__
    return kind if reason == kind else f"{kind}: {reason}"


def raw_text(error: BaseException) -> str:
    """All that an exception says, with its traceback, for the log."""
    words = "".join(traceback.format_exception(error)).strip()
    return words if len(words) <= LONGEST_RAW else f"{words[:LONGEST_RAW]}…"


def library_cause(error: BaseException) -> BaseException | None:
    """The exception of a library that an error of this package was made from; None if there is none."""
    cause = error.__cause__
    while cause is not None and type(cause).__module__.startswith("workbench."):
        cause = cause.__cause__
    return cause


def _compiler_error(text: str) -> str:
    """The first error of a compiler's dump, without its places, and the operations that it names."""
    found = _COMPILER.search(text)
    if found is None:
        return text
    first = _without_place(text[found.end() :]).partition("\n")[0].strip()
    named = _CUSTOM.search(text)
    return first if named is None else f"{first} ({named[1]}: {named[2]})"


def _without_place(text: str) -> str:
    """Drops ``loc(...): `` at the start; places hold brackets themselves."""
    if not text.startswith("loc("):
        return text
    depth = 0
    for index, letter in enumerate(text):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == ")" and depth == 0:
            return text[index + 1 :].lstrip(": ")
    return text
