"""Smaller and cheaper layers: widths, channels, depth, ranks, sparsity, clusters."""
