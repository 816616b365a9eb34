"""Measurements: size, latency, quality and energy of a variant, and the machine behind the numbers."""
