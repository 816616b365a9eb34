"""How the same architecture is trained."""
