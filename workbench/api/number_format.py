"""Numbers as readers see them, in one way on the page, in the terminal and in the doctor's notes.

A comma between thousands and a point before decimals in every language, since both are the custom in English
and in Chinese; three significant digits where nothing else is asked for; no exponents, which few read at a
glance, but for what is smaller than a ten-thousandth.
"""

from __future__ import annotations

import math
from typing import Protocol

_SMALLEST_EXPONENT = -4
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


class _Interval(Protocol):
    @property
    def value(self) -> float: ...
    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...


def count(number: int) -> str:
    """A whole number: ``82,634``."""
    return _minus(f"{number:,}")


def digits(value: float) -> str:
    """Three significant digits, and all before the point: ``0.0123``, ``12.3``, ``12,346``; zero is ``0``."""
    if not math.isfinite(value):
        return "–" if math.isnan(value) else _minus("∞" if value > 0 else "-∞")
    if not value:
        return "0"
    mantissa, _, power = f"{value:.2e}".partition("e")
    exponent = int(power)  # of the rounded value: 9.996 has two digits before the point
    if exponent < _SMALLEST_EXPONENT:
        return f"{_minus(mantissa)}×10{str(exponent).translate(_SUPERSCRIPT)}"
    return _minus(f"{value:,.{max(0, 2 - exponent)}f}")


def brief(value: float) -> str:
    """As :func:`digits`, and large numbers with a letter for thousands, where there is little room."""
    for letter, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if abs(value) >= 10_000 and abs(value) >= 0.9995 * size:
            return f"{digits(value / size)}{letter}"
    return digits(value)


def ratio(value: float) -> str:
    """How many times, without the sign: two decimals below ten, three digits from there on."""
    return f"{value:.2f}" if value < 9.995 else digits(value)


def times(value: float) -> str:
    """How many times: ``2.87×``."""
    return f"{ratio(value)}×"


def percent(fraction: float, decimals: int = 0) -> str:
    """A share: ``95%``."""
    return f"{_minus(f'{100 * fraction:,.{decimals}f}')}%"


def size(bytes_: int) -> str:
    """Bytes with a decimal unit: ``92.5 kB``."""
    if bytes_ < 1000:
        return f"{bytes_} B"
    value = float(bytes_)
    for unit in ("kB", "MB", "GB"):
        value /= 1000
        if value < 999.5 or unit == "GB":
            break
    return f"{digits(value)} {unit}"


def unit(milliseconds: float) -> tuple[float, str]:
    """The unit that suits a latency, and how many of it are a millisecond."""
    if milliseconds < 0.0995:
        return 1000.0, "µs"
    return (1.0, "ms") if milliseconds < 999.5 else (0.001, "s")


def time(milliseconds: float) -> str:
    """A latency in the unit that suits it: ``61.2 µs``."""
    factor, name = unit(milliseconds)
    return f"{digits(milliseconds * factor)} {name}"


def time_interval(interval: _Interval) -> str:
    """The ends of a latency's interval, in the unit of its value: ``[60.1, 62.3]``."""
    factor, _ = unit(interval.value)
    return f"[{digits(interval.low * factor)}, {digits(interval.high * factor)}]"


def score(value: float) -> str:
    """An F1 or accuracy: ``0.987``."""
    return f"{value:.3f}"


def score_interval(interval: _Interval) -> str:
    """The ends of a score's interval."""
    return f"[{score(interval.low)}, {score(interval.high)}]"


def points(fraction: float) -> str:
    """A change of a score in percentage points, with its sign; what rounds to nothing has none."""
    written = f"{100 * fraction:+.1f}"
    return "0.0" if written in ("+0.0", "-0.0") else _minus(written)


def points_end(fraction: float) -> str:
    """The end of an interval in percentage points.

    What rounds to nothing gets a second digit, so that no interval looks as if it had no width.
    """
    rounded = points(fraction)
    if rounded != "0.0" or abs(fraction) < 0.00005:
        return rounded
    return _minus(f"{100 * fraction:+.2f}")


def points_interval(interval: _Interval) -> str:
    """The ends of a change's interval: ``[−0.3, +0.1]``."""
    return f"[{points_end(interval.low)}, {points_end(interval.high)}]"


def signed(number: int) -> str:
    """A change of a count, with its sign."""
    return _minus(f"{number:+,d}") if number else "0"


def _minus(written: str) -> str:
    return written.replace("-", "\N{MINUS SIGN}")
