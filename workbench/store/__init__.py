"""Where variants, measurements and jobs live: a folder that survives any crash."""

from workbench.store.store import Store

__all__ = ["Store"]
