"""Which stack of techniques meets what is demanded: predicts what is known, asks to measure what is not."""
