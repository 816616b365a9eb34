"""The models that ship: their architectures, their files, their training."""
