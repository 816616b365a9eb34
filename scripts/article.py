"""Writes the notebooks of the article from their source, in each language: ``make course-notebooks``."""

from __future__ import annotations

from pathlib import Path

from workbench.course.notebooks import build, written

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "lessons" / "article" / "article.py"
NOTEBOOKS = {"en": "article.ipynb", "zh_CN": "article-zh.ipynb"}


def main() -> None:
    """Writes them."""
    for language, name in NOTEBOOKS.items():
        (ROOT / "notebooks" / name).write_text(written(build(SOURCE, language)), encoding="utf-8")


if __name__ == "__main__":
    main()
