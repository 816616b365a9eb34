"""How a small model learns from larger ones."""
