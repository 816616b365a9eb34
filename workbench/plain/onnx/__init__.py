"""Parts for files of ONNX."""
