"""Slow, obvious forms of what the cache engine does fast, written for reading and used by tests only."""
