"""How the same model is run."""
