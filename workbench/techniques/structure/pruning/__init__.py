"""Channel pruning."""
