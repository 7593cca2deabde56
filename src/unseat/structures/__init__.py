"""Data structures that learn their layout from the keys: useful on their own, and what the index tasks measure."""
