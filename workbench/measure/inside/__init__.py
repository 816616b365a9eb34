"""What is inside a file: the time, the bytes and the error of each of its layers."""
