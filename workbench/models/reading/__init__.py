"""What a model file holds: inputs, outputs, layers, weights, operations."""
