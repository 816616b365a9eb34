"""What the author of a technique or a runtime imports: the contracts, and nothing that does work."""
