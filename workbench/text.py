"""The one translation function: every text that a user reads is made by :func:`say`.

A :class:`Text` keeps its English template and its values apart until it is shown. So a reason that
a worker process gave can be stored, sent to the page, and shown again in another language when the
reader switches.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from pydantic import Field

from workbench.records import Record

LANGUAGES = {"en": "English", "zh_CN": "简体中文"}

_LOCALE = Path(__file__).with_name("locale")
_language = "en"


class Text(Record):
    """A sentence with named holes, in no language yet.

    Attributes:
        template: The English sentence, with ``{name}`` holes as in :meth:`str.format`.
        values: What goes into the holes. A value may itself be a :class:`Text`.
    """

    template: str
    values: dict[str, Text | bool | int | float | str | None] = Field(default_factory=dict)

    def __str__(self) -> str:
        return self.translated(_language)

    def translated(self, language: str) -> str:
        """The sentence in ``language``; English where the catalogue has no usable entry.

        Args:
            language: One of :data:`LANGUAGES`.
        """
        translation = _catalogue(language).get(self.template, self.template)
        if not self.values:
            return translation
        words = {
            name: value.translated(language) if isinstance(value, Text) else value
            for name, value in self.values.items()
        }
        for template in (translation, self.template):
            try:
                return template.format(**words)
            except (LookupError, ValueError, TypeError, AttributeError):
                continue  # a reader is better served by English, or by bare holes, than by an error
        return self.template


def say(template: str, /, **values: Text | bool | int | float | str | None) -> Text:
    """Makes a text that a user will read.

    Args:
        template: The English sentence. Must be a literal, so that it can be found for translation.
            With ``values``, ``{name}`` marks a hole (double a brace to show it).
        **values: What goes into the holes.

    Returns:
        The text; ``str()`` of it is the sentence in the current language.
    """
    return Text(template=template, values=values)


def verbatim(words: str) -> Text:
    """A text that is shown as it is in every language, such as a library's own error."""
    return Text(template="{words}", values={"words": words})


def current_language() -> str:
    """The language that ``str(text)`` speaks in this process."""
    return _language


def use_language(language: str) -> None:
    """Sets the language of this process.

    Args:
        language: One of :data:`LANGUAGES`.

    Raises:
        ValueError: For a language without a catalogue.
    """
    global _language
    if language not in LANGUAGES:
        raise ValueError(f"language must be one of {sorted(LANGUAGES)}. Received: {language!r}")
    _language = language


def catalogue_path(language: str) -> Path:
    """Where the translations of a language are kept."""
    return _LOCALE / language / "LC_MESSAGES" / "workbench.po"


@cache
def _catalogue(language: str) -> Mapping[str, str]:
    source = catalogue_path(language)
    if not source.is_file():
        return {}
    # Read from the .po itself: a compiled catalogue in git would go stale unseen.
    from babel.messages.pofile import read_po

    with source.open("rb") as file:
        catalogue = read_po(file, locale=language)
    return {
        str(entry.id): str(entry.string)
        for entry in catalogue
        if entry.id and entry.string and not entry.fuzzy
    }
