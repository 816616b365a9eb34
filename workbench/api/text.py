"""The one translation function: every text that a user reads is made by :func:`say`.

A :class:`Text` keeps its English template and its values apart until it is shown. So a reason that
a worker process gave can be stored, sent to the page, and shown again in another language when the
reader switches.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TypeAlias, Union

from pydantic import Field

from workbench.api.records import Record

LANGUAGES = {"en": "English", "zh_CN": "简体中文"}

_LOCALE = Path(__file__).parents[1] / "locale"
_language = "en"


_One: TypeAlias = Union["Text", bool, int, float, str, None]
Value: TypeAlias = Union[_One, tuple[_One, ...]]  # noqa: UP007 - of a name that is not there yet
"""What goes into a hole; several are listed, with the comma of the language."""


class Text(Record):
    """A sentence with named holes, in no language yet.

    Attributes:
        template: The English sentence, with ``{name}`` holes as in :meth:`str.format`.
        values: What goes into the holes. A value may itself be a :class:`Text`.
        plural: The English sentence for any ``count`` but one, where it differs.
        context: Where it stands, for a word that means different things in different places.

    Example:
        >>> text = say("{count} layer was folded.", "{count} layers were folded.", count=3)
        >>> str(text), text.translated("en")
        ('3 layers were folded.', '3 layers were folded.')
    """

    template: str
    values: dict[str, Value] = Field(default_factory=dict)
    plural: str | None = None
    context: str | None = None

    def __str__(self) -> str:
        return self.translated(_language)

    def translated(self, language: str) -> str:
        """The sentence in ``language``; English where the catalogue has no usable entry.

        Args:
            language: One of :data:`LANGUAGES`.
        """
        english = self.template
        # A count is often written out already: "1", "1,024".
        if self.plural is not None and str(self.values.get("count")) != "1":
            english = self.plural
        translation = self._entry(language)
        if not self.values:
            return translation or english
        words = {name: _in_words(name, value, language) for name, value in self.values.items()}
        for template in (translation or english, english):
            try:
                return template.format(**words)
            except (LookupError, ValueError, TypeError, AttributeError):
                continue  # a reader is better served by English, or by bare holes, than by an error
        return english

    def _entry(self, language: str) -> str | None:
        # A word has an entry of its own only in those places where the common one would be wrong.
        if self.context is None:
            return None if language == "en" else _catalogue(language).get((None, self.template))
        catalogue = _catalogue(language)
        return catalogue.get((self.context, self.template)) or catalogue.get((None, self.template))


def say(template: str, plural: str | None = None, /, **values: Value) -> Text:
    """Makes a text that a user will read.

    Args:
        template: The English sentence. Must be a literal, so that it can be found for translation.
            With ``values``, ``{name}`` marks a hole (double a brace to show it).
        plural: The sentence for any other ``count`` than one, such as
            ``say("{count} variant", "{count} variants", count=3)``. A literal too.
        **values: What goes into the holes.

    Returns:
        The text; ``str()`` of it is the sentence in the current language.
    """
    return Text(template=template, values=values, plural=plural)


def say_as(context: str, template: str, plural: str | None = None, /, **values: Value) -> Text:
    """Makes a text from a short word that means different things in different places.

    Args:
        context: What it is here, for the translators, such as ``verb``. A literal.
        template: As for :func:`say`.
        plural: As for :func:`say`.
        **values: What goes into the holes.
    """
    return Text(template=template, values=values, plural=plural, context=context)


class _Whole(int):
    """A number of things: 82,634, where the hole says nothing else."""

    def __format__(self, form: str) -> str:
        return super().__format__(form or ",")


_BETWEEN = {"en": ", ", "zh_CN": "、"}

_NUMBERED = frozenset(
    ("code", "height", "index", "label", "largest", "missing", "number", "port", "seed", "status", "width")
)
"""Holes for numbers that tell one thing from another, or that stand in a formula: 65535, 1024x768."""


def _in_words(hole: str, value: Value, language: str) -> Value:
    if isinstance(value, Text):
        return value.translated(language)
    if isinstance(value, tuple):
        return _BETWEEN[language].join(f"{_in_words(hole, one, language)}" for one in value)
    return _Whole(value) if type(value) is int and hole not in _NUMBERED else value


def verbatim(words: str) -> Text:
    """A text that is shown as it is in every language, such as a library's own error."""
    return Text(template="{words}", values={"words": words})


def listed(words: Iterable[_One]) -> Text:
    """Several, with the comma of the language between them."""
    return Text(template="{words}", values={"words": tuple(words)})


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
def _catalogue(language: str) -> Mapping[tuple[str | None, str], str]:
    source = catalogue_path(language)
    if not source.is_file():
        return {}
    # Read from the .po itself: a compiled catalogue in git would go stale unseen.
    from babel.messages.pofile import read_po

    with source.open("rb") as file:
        catalogue = read_po(file, locale=language)
    # Texts that the program no longer says still stand in workbenches that were made before.
    return {
        (entry.context, _first(entry.id)): _first(entry.string)
        for entry in (*catalogue.obsolete.values(), *catalogue)
        if entry.id and entry.string and not entry.fuzzy
    }


def _first(forms: str | Sequence[str]) -> str:
    # No language of ours but English has a plural form: one translation is for any count.
    return forms if isinstance(forms, str) else forms[0]
