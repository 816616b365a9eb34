"""Models from outside: inspected, read in a process with limits, proved."""
