"""Parts for files of LiteRT."""
