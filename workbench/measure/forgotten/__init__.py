"""What a variant has forgotten: samples, and what it looks at in them."""
