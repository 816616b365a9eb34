"""From a click to a stored variant: checks, opening, making, measuring, queries, Find."""
