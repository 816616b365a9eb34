"""What techniques that write files for a runtime share: who may be converted, samples, what came out."""
