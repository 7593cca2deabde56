"""Learners that are special to the cache tasks, each with the paper that it follows."""
