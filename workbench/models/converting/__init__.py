"""From a Keras model to the files of the other runtimes."""
