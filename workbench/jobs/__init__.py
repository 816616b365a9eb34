"""Where work runs: worker processes, progress, cancelling, limits and the machine's slot."""
