"""Collects every text that a reader can meet into the catalogues: ``make messages``.

Translations are kept, texts that are gone are marked obsolete, and the order is that of the
alphabet. Neither places nor dates are written, so a catalogue changes only where a text does.
"""

from __future__ import annotations

import inspect
import io
import tokenize
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from workbench.text import LANGUAGES, catalogue_path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("workbench", "widgets")

SAID_FROM_DATA = frozenset(
    {
        "widgets/charts/live.py",  # names of curves: see KEYWORDS and _CURVES
        "widgets/panels/family.py",  # titles of techniques
        "widgets/panels/first_steps.py",  # titles of techniques
        "widgets/panels/form.py",  # docstrings of techniques; titles, descriptions, units, choices
        "widgets/panels/opening_form.py",  # scalings
        "widgets/panels/top_bar.py",  # titles of techniques
        "workbench/cli/_tables.py",  # verdicts
        "workbench/making.py",  # titles of techniques
        "workbench/techniques/inference/grid_selection.py",  # goals
        "workbench/training/distilled_model.py",  # student or teacher
        "workbench/stacking.py",  # titles of techniques
        "workbench/text.py",  # the translation function itself
        "workbench/work.py",  # titles of techniques
        "workbench/workbench.py",  # titles of techniques
    }
)
"""Files that say something else than a literal; what that can be is collected by :func:`from_data`."""

KEYWORDS = {"say": None, "metric": (1,)}
"""The functions whose first argument a reader sees: texts, and the names of live curves."""

_WHOSE = ("student", "teacher")  # whose layer is missing
_CURVES = ("training loss", "training accuracy")  # made from Keras's names of metrics


def collect() -> frozenset[str]:
    """Every text, in English."""
    return frozenset(filter(None, (*from_source(), *from_data())))


def from_source() -> Iterator[str]:
    """The literals of ``say("...")`` and of ``report.metric("...")`` in the source."""
    from babel.messages.extract import extract

    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            with path.open("rb") as source:
                try:
                    for _, message, _, _ in extract("python", source, keywords=KEYWORDS):
                        yield message if isinstance(message, str) else message[0]
                except (SyntaxError, tokenize.TokenError) as error:
                    raise ValueError(f"{path.relative_to(ROOT)} is not valid Python: {error}") from error


def from_data() -> Iterator[str]:
    """What is said from a variable: everything that it can hold."""
    from workbench.data.raw import SCALINGS
    from workbench.measure.records import QualityVerdict, SpeedVerdict
    from workbench.runtimes import runtimes
    from workbench.techniques import techniques

    yield from _CURVES
    yield from _WHOSE
    yield from SCALINGS
    for verdict in (SpeedVerdict, QualityVerdict):
        yield from get_args(verdict.model_fields["word"].annotation)
    for technique in _own(techniques()):
        yield technique.title
        yield documentation(type(technique))
        shown = technique.parameters_type.model_json_schema().get("properties", {})
        for name, field in technique.parameters_type.model_fields.items():
            # pydantic makes a title where the field has none.
            yield shown[name].get("title", name.replace("_", " ").capitalize())
            yield shown[name].get("description", "")
            extra = field.json_schema_extra
            yield str(extra.get("unit", "")) if isinstance(extra, Mapping) else ""
            yield from _choices(field.annotation)
    for runtime in _own(runtimes()):
        yield runtime.title
        yield documentation(type(runtime))


def documentation(shown: type) -> str:
    """A class docstring as the page looks it up."""
    return inspect.cleandoc(shown.__doc__ or "")


def updated(language: str) -> bytes:
    """The catalogue of a language as it should be now.

    Args:
        language: One of :data:`workbench.text.LANGUAGES`, English excepted.
    """
    from babel.messages.catalog import Catalog
    from babel.messages.pofile import read_po, write_po

    path = catalogue_path(language)
    written = path.read_bytes() if path.is_file() else _HEADER.format(language=language).encode()
    # The first entry is the header; it is the translators' and stays as it is.
    header, _, _ = written.partition(b"\n\n")
    before = read_po(io.BytesIO(written), locale=language)
    now = Catalog(locale=language)
    for message in sorted(collect()):
        known = before.get(message) or before.obsolete.get(message)
        entry = now.add(message, known.string if known is not None else "")
        # Babel guesses from signs such as a percent sign; only a translator's mark is kept.
        entry.flags = {"fuzzy"} if known is not None and known.fuzzy else set()
    for gone in (*before, *before.obsolete.values()):
        if gone.id and gone.id not in now and gone.string:
            gone.flags = set()
            now.obsolete[gone.id] = gone
    body = io.BytesIO()
    write_po(body, now, width=0, omit_header=True, sort_output=True)
    return header.rstrip() + b"\n\n" + body.getvalue().strip() + b"\n"


def main() -> None:
    """Brings every catalogue up to date."""
    for language in LANGUAGES:
        if language == "en":
            continue
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
