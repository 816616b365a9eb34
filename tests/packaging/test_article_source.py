"""The article's notebooks are what their one source gives, the same code in both languages."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


def load():
    spec = importlib.util.spec_from_file_location("article", REPOSITORY / "scripts" / "article.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_the_notebook_is_what_the_source_gives(language):
    article = load()
    notebook = REPOSITORY / "notebooks" / article.NOTEBOOKS[language]
    assert notebook.read_text("utf-8") == article.written(article.build(article.SOURCE, language))


def test_both_languages_have_the_same_code_but_for_strings_and_comments():
    article = load()
    english, chinese = (
        json.loads((REPOSITORY / "notebooks" / name).read_text("utf-8"))["cells"]
        for name in article.NOTEBOOKS.values()
    )
    assert [cell["cell_type"] for cell in english] == [cell["cell_type"] for cell in chinese]

    def plain(cell):
        code = re.sub(r'"(?:[^"\\]|\\.)*"', '""', "".join(cell["source"]))
        lines = [line.split("  #")[0] for line in code.splitlines()]
        return [line for line in lines if "use_language" not in line and line.strip()]

    for one, other in zip(english, chinese, strict=True):
        if one["cell_type"] == "code":
            assert plain(one) == plain(other)
        else:
            assert re.search(r"[\u4e00-\u9fff]", "".join(other["source"]))
            # No number stands in the text that no cell has printed.
            told = re.sub(
                r"^## \d\.|`[^`]*`|95 ?%|8[ -]?位|8-bit", "", "".join(one["source"]), flags=re.MULTILINE
            )
            assert not re.search(r"\d", told.replace("float32", "").replace("F1", "")), told
