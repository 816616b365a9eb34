"""Random small models and data in every form that people bring, opened and judged against plain Keras.

``python -m tests.openings 300`` tries that many; ``tests/openings/test_openings.py`` a part of them.
"""
