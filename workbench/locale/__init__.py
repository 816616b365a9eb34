"""The catalogues of translations, and what collects the texts for them."""
