"""Code that needs NumPy, Keras, TensorFlow or a runtime and nothing else: it runs wherever it is copied."""
