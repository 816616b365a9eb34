"""Numbers as readers see them: what is written is the number, in one form."""

from __future__ import annotations

import math
import random
import re

import pytest

from workbench.api import number_format
from workbench.api.text import say
from workbench.measure.records import Interval

DRAWN = random.Random(7)
VALUES = [sign * 10 ** DRAWN.uniform(-9, 11) for _ in range(2000) for sign in (1, -1)] + [
    near * 10.0**power
    for power in range(-9, 11)
    for near in (0.9994, 0.9996, 0.99949, 1.0, 9.994, 9.995, 9.996)
]
SUPERSCRIPT = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


def read(written: str) -> float:
    plain = written.replace("\N{MINUS SIGN}", "-").replace(",", "").translate(SUPERSCRIPT)
    return float(plain.replace("×10", "e"))


def test_three_digits_are_the_number():
    for value in VALUES:
        written = number_format.digits(value)
        assert read(written) == pytest.approx(value, rel=0.00501)
        assert "e" not in written
        assert "-" not in written
        if abs(value) >= 1e-4:
            assert re.fullmatch(r"−?\d{1,3}(,\d{3})*(\.\d+)?", written)
            significant = re.sub(r"[−.,]", "", written).lstrip("0")
            assert len(significant) == 3 or abs(value) >= 999.5


def test_counts_sizes_and_brief_numbers_are_the_number():
    units = {"B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9}
    for value in VALUES:
        whole = round(value)
        assert read(number_format.count(whole)) == whole
        assert read(number_format.signed(whole)) == whole
        letter = number_format.brief(value)[-1]
        scale = {"k": 1e3, "M": 1e6, "G": 1e9}.get(letter, 1)
        assert read(number_format.brief(value).rstrip("kMG")) * scale == pytest.approx(value, rel=0.00501)
        if whole > 0:
            number, unit = number_format.size(whole).split(" ")
            assert read(number) * units[unit] == pytest.approx(whole, rel=0.00501)


def test_a_larger_time_is_never_written_as_a_smaller_one():
    factors = {"µs": 1e-3, "ms": 1.0, "s": 1e3}
    before = 0.0
    for ms in sorted(value for value in VALUES if 1e-6 < value < 1e7):
        number, unit = number_format.time(ms).split(" ")
        assert read(number) * factors[unit] >= before * 0.9999
        before = read(number) * factors[unit]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.0123, "0.0123"),
        (0.5, "0.500"),
        (9.996, "10.0"),
        (12_345.6, "12,346"),
        (-3.2, "−3.20"),
        (0.0000123, "1.23×10⁻⁵"),
        (math.inf, "∞"),
        (math.nan, "–"),
    ],
)
def test_digits(value, text):
    assert number_format.digits(value) == text


def test_one_form_for_one_thing():
    assert number_format.times(2.8749) == "2.87×"
    assert number_format.times(18.06) == "18.1×"
    assert number_format.times(0.2704) == "0.27×"
    assert number_format.percent(0.95) == "95%"
    assert number_format.percent(0.12345, 1) == "12.3%"
    assert number_format.points(-0.007) == "−0.7"
    assert number_format.points_interval(Interval(value=0, low=-0.0004, high=0.012)) == "[−0.04, +1.2]"
    assert number_format.time_interval(Interval(value=0.09, low=0.08, high=0.12)) == "[80.0, 120]"


def test_whole_numbers_in_texts_have_commas_and_those_that_name_something_have_none():
    text = say(
        "{count} weights, seed {seed}, {width}x{height}", count=82_634, seed=12_345, width=1920, height=1080
    )
    assert str(text) == "82,634 weights, seed 12345, 1920x1080"
    assert str(say("{on} {exact:.1f} {limit:,}", on=True, exact=1234.56, limit=5000)) == "True 1234.6 5,000"
