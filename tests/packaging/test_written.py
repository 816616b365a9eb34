"""What a benchmark prints becomes the part of its page between two marks, and nothing else of it changes."""

from __future__ import annotations

import pytest

from tests.benchmarks.written import BEGIN, END, as_markdown, write

PRINTED = """
== speed ==
  made int8 in 3 s
| model | ms |
|---|---|
| one | 1.0 |
  made float16 in 2 s
| two | 2.0 |
| seeds | mean |
|---|---|
| 3 | 1.5 |
28 demands
- and a note
"""


def test_progress_is_left_out_and_tables_stay_tables():
    assert as_markdown(PRINTED) == (
        "| model | ms |\n|---|---|\n| one | 1.0 |\n| two | 2.0 |\n\n"
        "| seeds | mean |\n|---|---|\n| 3 | 1.5 |\n\n"
        "- 28 demands\n- and a note\n\n"
    )


def test_only_what_was_printed_is_replaced(tmp_path):
    page = tmp_path / "speed.md"
    page.write_text(f"# Speed\n\nWhy.\n\n{BEGIN}old\n{END}\nWhat it means.\n", encoding="utf-8")
    for _ in range(2):
        write("speed", "not the title", PRINTED, tmp_path)
    text = page.read_text("utf-8")
    assert text.startswith(f"# Speed\n\nWhy.\n\n{BEGIN}`python -m tests.benchmarks speed`, ")
    assert text.endswith(f"- and a note\n\n{END}\nWhat it means.\n")
    assert "old" not in text
    assert text.count("| one | 1.0 |") == 1


def test_a_new_page_gets_a_title_and_one_without_marks_is_left_alone(tmp_path):
    assert write("speed", "How fast", PRINTED, tmp_path).read_text("utf-8").startswith("# How fast\n")
    page = tmp_path / "old.md"
    page.write_text("# Old\n", encoding="utf-8")
    with pytest.raises(ValueError, match="has no line"):
        write("old", "Old", PRINTED, tmp_path)
    assert page.read_text("utf-8") == "# Old\n"
