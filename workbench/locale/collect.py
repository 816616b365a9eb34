"""Collects every text that a reader can meet into the catalogues: ``make messages``.

Translations are kept, texts that are gone are marked obsolete, and the order is that of the
alphabet. Neither places nor dates are written, so a catalogue changes only where a text does.

A parameter's title, unit and choices are looked up with :func:`workbench.api.technique.field_context` first
and without it then. So where a common word would be wrong in one form, a translator gives it there an
entry of its own, with ``msgctxt "Sparsity.removal"``; it is kept as long as the word stands there.
"""

from __future__ import annotations

import ast
import inspect
import io
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, get_args

from workbench.api.technique import Parameters, field_context
from workbench.api.text import LANGUAGES, catalogue_path
from workbench.techniques import techniques

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("workbench", "widgets")

SAID_FROM_DATA = frozenset(
    {
        "workbench/data/task_choice.py",  # names of tasks
        "workbench/advisor/demands.py",  # titles of runtimes
        "workbench/jobs/curves.py",  # curves of somebody else's technique, by their names
        "widgets/panels/form.py",  # docstrings of techniques; titles, descriptions, units, choices
        "widgets/panels/technique_list.py",  # titles and docstrings of techniques
        "widgets/panels/techniques.py",  # titles of techniques
        "widgets/panels/opening_form.py",  # scalings
        "widgets/panels/top_bar.py",  # titles of techniques
        "workbench/cli/_tables.py",  # verdicts
        "workbench/engine/goal.py",  # titles of runtimes
        "workbench/engine/making.py",  # titles of techniques
        "workbench/engine/display.py",  # titles of techniques
        "workbench/results/step_order.py",  # titles of techniques
        "workbench/results/origin.py",  # titles of techniques
        "workbench/techniques/inference/grid/selection.py",  # goals
        "workbench/exporting/calibration.py",  # splits
        "workbench/api/text.py",  # the translation function itself
        "workbench/training/distilling.py",  # student or teacher
        "workbench/engine/candidates.py",  # titles of techniques and runtimes
        "workbench/engine/worker_functions.py",  # titles of techniques
        "workbench/workbench.py",  # titles of techniques
    }
)
"""Files that say something else than a literal; what that can be is collected by :func:`from_data`."""

KEYWORDS = ("say", "say_as")
"""The functions whose arguments a reader sees."""

_WHOSE = ("student", "teacher")  # whose layer is missing


class Message(NamedTuple):
    """A text in English, as a catalogue knows it.

    Attributes:
        text: The text; for one object where there is a plural.
        plural: The text for another count.
        context: Where it stands, if that matters.
    """

    text: str
    plural: str | None = None
    context: str | None = None


def collect() -> frozenset[Message]:
    """Every text."""
    said = frozenset(from_source())
    counted = {message.text for message in said if message.plural is not None}
    return said | {Message(text) for text in from_data() if text and text not in counted}


def from_source() -> Iterator[Message]:
    """The literals of ``say("...")`` in the source."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            try:
                tree = ast.parse(path.read_text(encoding="utf-8"))
            except SyntaxError as error:
                raise ValueError(f"{path.relative_to(ROOT)} is not valid Python: {error}") from error
            yield from filter(None, (_said(node) for node in ast.walk(tree)))


def _said(node: ast.AST) -> Message | None:
    if not isinstance(node, ast.Call):
        return None
    called = getattr(node.func, "id", None) or getattr(node.func, "attr", None)
    if called not in KEYWORDS:
        return None
    literals = [
        one.value if isinstance(one, ast.Constant) and isinstance(one.value, str) else None
        for one in node.args
    ]
    context = literals.pop(0) if called == "say_as" and literals else None
    text, plural, *_ = (*literals, None, None)
    return Message(text, plural, context) if text else None


def from_data() -> Iterator[str]:
    """What is said from a variable: everything that it can hold."""
    from workbench.api.task import MEASURES
    from workbench.data.raw import SCALINGS
    from workbench.measure.records import QualityVerdict, SpeedVerdict
    from workbench.runtimes import runtimes

    yield from _WHOSE
    yield from SCALINGS
    yield from MEASURES  # the names of the tasks
    for verdict in (SpeedVerdict, QualityVerdict):
        yield from get_args(verdict.model_fields["word"].annotation)
    for technique in _own(techniques()):
        yield technique.title
        yield documentation(type(technique))
        for _, text in _of_fields(technique.parameters_type):
            yield text
    for runtime in _own(runtimes()):
        yield runtime.title
        yield documentation(type(runtime))


def in_fields() -> frozenset[Message]:
    """What stands in the forms, with where it stands: what can have a translation only for there."""
    return frozenset(
        Message(text, context=context)
        for technique in _own(techniques())
        for context, text in _of_fields(technique.parameters_type)
        if text
    )


def _of_fields(parameters: type[Parameters]) -> Iterator[tuple[str, str]]:
    shown = parameters.model_json_schema().get("properties", {})
    for name, field in parameters.model_fields.items():
        context = field_context(parameters, name)
        # pydantic makes a title where the field has none.
        yield context, shown[name].get("title", name.replace("_", " ").capitalize())
        yield context, shown[name].get("description", "")
        extra = field.json_schema_extra
        yield context, str(extra.get("unit", "")) if isinstance(extra, Mapping) else ""
        for choice in _choices(field.annotation):
            yield context, choice


def documentation(shown: type) -> str:
    """A class docstring as the page looks it up."""
    return inspect.cleandoc(shown.__doc__ or "")


def updated(language: str) -> bytes:
    """The catalogue of a language as it should be now.

    Args:
        language: One of :data:`workbench.api.text.LANGUAGES`, English excepted.
    """
    from babel.messages.catalog import Catalog
    from babel.messages.pofile import read_po, write_po

    path = catalogue_path(language)
    written = path.read_bytes() if path.is_file() else _HEADER.format(language=language).encode()
    # The first entry is the header; it is the translators' and stays as it is.
    header, _, _ = written.partition(b"\n\n")
    before = read_po(io.BytesIO(written), locale=language)
    now = Catalog(locale=language)
    places = in_fields()
    own = {
        Message(_text(entry.id), context=entry.context)
        for entry in (*before, *before.obsolete.values())
        if entry.context
    }
    wanted = {(message.text, message.context): message for message in collect() | (own & places)}
    for text, context in sorted(wanted, key=lambda one: (one[0], one[1] or "")):
        known = before.get(text, context) or before.obsolete.get(_key(text, context))
        translation = _text(known.string) if known is not None else ""
        plural = wanted[text, context].plural
        if plural is None:
            entry = now.add(text, translation, context=context)
        else:
            entry = now.add((text, plural), (translation,) * now.num_plurals, context=context)
        # Babel guesses from signs such as a percent sign; only a translator's mark is kept.
        entry.flags = {"fuzzy"} if known is not None and known.fuzzy else set()
    for gone in (*before, *before.obsolete.values()):
        text = _text(gone.id)
        if text and _text(gone.string) and (text, gone.context) not in wanted:
            gone.flags = set()
            now.obsolete[_key(text, gone.context)] = gone
    body = io.BytesIO()
    write_po(body, now, width=0, omit_header=True, sort_output=True)
    return header.rstrip() + b"\n\n" + body.getvalue().strip() + b"\n"


def _text(forms: str | Sequence[str] | None) -> str:
    return forms if isinstance(forms, str) else forms[0] if forms else ""


def _key(text: str, context: str | None) -> str | tuple[str, str]:
    return text if context is None else (text, context)  # as babel keeps what is obsolete


def untranslated(language: str) -> list[str]:
    """The texts that readers of a language still see in English, sorted.

    Args:
        language: One of :data:`workbench.api.text.LANGUAGES`, English excepted.
    """
    from babel.messages.pofile import read_po

    entries = read_po(io.BytesIO(updated(language)), locale=language)
    return sorted(
        _text(entry.id) for entry in entries if _text(entry.id) and (entry.fuzzy or not _text(entry.string))
    )


def main() -> None:
    """Brings every catalogue up to date; with ``--untranslated`` lists what has no translation instead.

    The list ends with status 1 if there is anything on it: a release needs every text in every language,
    a contribution does not.
    """
    translated = [language for language in LANGUAGES if language != "en"]
    if "--untranslated" in sys.argv[1:]:
        left = {language: untranslated(language) for language in translated}
        for language, texts in left.items():
            sys.stdout.writelines(f"{language}: {text}\n" for text in texts)
        sys.exit(any(left.values()))
    for language in translated:
        content = updated(language)
        path = catalogue_path(language)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _own(named: Mapping[str, Any]) -> list[Any]:
    # A plug-in that happens to be installed brings its own translations, or none.
    return [one for one in named.values() if type(one).__module__.partition(".")[0] == "workbench"]


def _choices(annotation: Any) -> Iterator[str]:
    for part in get_args(annotation):
        if isinstance(part, str):
            yield part
        else:
            yield from _choices(part)


_HEADER = """\
msgid ""
msgstr ""
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"""


if __name__ == "__main__":
    main()
