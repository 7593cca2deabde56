"""Graphs drawn by seed."""
