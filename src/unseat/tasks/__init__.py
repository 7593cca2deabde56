"""The built-in tasks, one folder each; none imports another."""
