"""Parts for files of OpenVINO."""
