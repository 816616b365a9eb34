"""The figures of the page: plain plotly dictionaries, made without importing plotly."""
