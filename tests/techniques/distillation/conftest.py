"""Fixtures of tests that train."""

from tests.digits import digits, odd_digits, recorder

__all__ = ["digits", "odd_digits", "recorder"]
