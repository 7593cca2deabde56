"""The problem, and what a schedule of it takes; readable on its own."""
