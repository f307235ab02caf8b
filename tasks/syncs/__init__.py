"""Syncs: the keys of a run fetched from their sources, each on its own, and written down by batches."""
