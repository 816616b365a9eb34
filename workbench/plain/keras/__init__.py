"""Parts for models of Keras."""
