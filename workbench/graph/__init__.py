"""The dependency graph of a Keras model, and what it takes to remove channels from the model."""
