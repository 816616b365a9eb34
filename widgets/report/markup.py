"""A document as a tree: what is text stays text, whatever it holds."""

from __future__ import annotations

from typing import TypeAlias
from xml.etree import ElementTree

Child: TypeAlias = "ElementTree.Element | str | None"


def element(tag: str, *children: Child, **attributes: object) -> ElementTree.Element:
    """An element with its content.

    Args:
        tag: Its name.
        *children: Elements and text, in their order; None is left out.
        **attributes: With ``_`` for ``-``, and ``class_`` for ``class``.
    """
    made = ElementTree.Element(
        tag,
        {name.rstrip("_").replace("_", "-"): _plain(str(value)) for name, value in attributes.items()},
    )
    last: ElementTree.Element | None = None
    for child in children:
        if child is None:
            continue
        if isinstance(child, ElementTree.Element):
            made.append(child)
            last = child
        elif last is None:
            made.text = (made.text or "") + _plain(child)
        else:
            last.tail = (last.tail or "") + _plain(child)
    return made


def written(root: ElementTree.Element) -> str:
    """The document as HTML."""
    return "<!DOCTYPE html>\n" + ElementTree.tostring(root, encoding="unicode", method="html")


def _plain(text: str) -> str:
    """Without what no document may hold."""
    return "".join(letter for letter in text if letter in "\n\t" or letter >= " ")
