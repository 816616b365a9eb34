"""Keras models built again with other layers."""
