"""An answer is judged by its value; a typical wrong one is met by its hint."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.course.judging import judge

HINTS = [(0.25, "Upside down."), (lambda answer: answer > 100, "Those are per cent.")]


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (4, None),
        (4.01, None),
        (np.float32(4), None),
        (0.25, "Upside down."),
        (400, "Those are per cent."),
        (7, "That is not it. Look at the numbers above once more."),
        (..., "There is no answer yet: put yours in place of the dots."),
        (None, "There is no answer yet: put yours in place of the dots."),
        ("4", "A number is expected here. Received: str."),
        (True, "A number is expected here. Received: bool."),
        (float("nan"), "That is not it. Look at the numbers above once more."),
    ],
)
def test_numbers(answer, hint):
    judged = judge(answer, 4.0, HINTS)
    assert judged.passed is (hint is None)
    assert (None if judged.hint is None else str(judged.hint)) == hint


def test_texts_truths_and_functions():
    assert judge(" Kept", "kept").passed
    assert not judge(3, "kept").passed
    assert judge(True, True).passed
    assert not judge(1, True).passed
    right = lambda answer: np.shape(answer) == (2,)  # noqa: E731
    assert judge(np.zeros(2), right).passed
    assert not judge(np.zeros(3), right, [(lambda answer: answer.nothing, "no")]).passed
