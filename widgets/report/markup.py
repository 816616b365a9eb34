"""A document as a tree: what is text stays text, whatever it holds."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias
from xml.etree import ElementTree

from workbench.api.text import current_language

_STYLE = Path(__file__).with_name("report.css")

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


def page(title: str, *content: Child) -> str:
    """A file that needs no other one: it asks nobody for anything, and nothing in it runs.

    Args:
        title: Of the window.
        *content: What stands in it.
    """
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element(
            "meta",
            http_equiv="Content-Security-Policy",
            content="default-src 'none'; style-src 'unsafe-inline'; img-src data:",
        ),
        element("title", title),
        element("style", _STYLE.read_text(encoding="utf-8")),
    )
    body = element("body", element("main", *content))
    return written(element("html", head, body, lang=current_language().replace("_", "-")))


def written(root: ElementTree.Element) -> str:
    """The document as HTML."""
    return "<!DOCTYPE html>\n" + ElementTree.tostring(root, encoding="unicode", method="html")


def _plain(text: str) -> str:
    """Without what no document may hold."""
    return "".join(letter for letter in text if letter in "\n\t" or letter >= " ")
