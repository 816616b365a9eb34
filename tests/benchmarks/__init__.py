"""Prints the numbers of the README and of `docs/measured`. Nothing is asserted: times belong to a machine."""
