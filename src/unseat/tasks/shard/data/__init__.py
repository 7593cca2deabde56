"""Instances: read as a stream, kept as arrays, and drawn by seed."""
