"""What came out: one row for each variant, its timings, verdicts, and the doctor's advice."""
