"""Slow, obvious forms of the simulator and of its rules."""
