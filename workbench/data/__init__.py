"""Data sets: built-in ones, files and arrays, split into train, validation and test."""

from workbench.api.dataset import Dataset, DatasetInfo, Features, SplitName, sample_count, select

__all__ = ["Dataset", "DatasetInfo", "Features", "SplitName", "sample_count", "select"]
