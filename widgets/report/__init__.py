"""The report: one file for somebody who has no workbench."""
