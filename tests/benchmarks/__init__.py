"""Prints the numbers of the README. Nothing is asserted: times belong to a machine."""
