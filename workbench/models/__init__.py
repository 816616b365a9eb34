"""Models: what they hold, taking them in from outside, converting them, the ones that ship."""
