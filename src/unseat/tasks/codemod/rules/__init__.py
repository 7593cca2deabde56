"""Rewrite rules: patterns of code with holes, what stands in their place, and when."""
