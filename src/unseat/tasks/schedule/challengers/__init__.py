"""Learners of this task: a compact scorer by evolution strategies, and Decima."""
