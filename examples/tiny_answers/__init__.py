"""A complete task whose answers are whole solutions."""
