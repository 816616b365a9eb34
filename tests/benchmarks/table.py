"""Prints a table while its rows are found."""

from __future__ import annotations


def heads(*names: str) -> None:
    """Prints the head of a table."""
    row(*names)
    print("|" + "---|" * len(names), flush=True)


def row(*cells: object) -> None:
    """Prints a row at once; what would end a cell is written otherwise."""
    print("| " + " | ".join(str(cell).replace("|", "/") for cell in cells) + " |", flush=True)
