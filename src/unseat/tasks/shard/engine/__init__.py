"""The problem and its exact evaluation; readable on its own."""
