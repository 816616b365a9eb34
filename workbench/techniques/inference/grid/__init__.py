"""The grid of runtimes, precisions, threads and batches."""
