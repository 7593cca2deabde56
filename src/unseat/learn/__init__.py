"""Learners and policies that serve several tasks."""
