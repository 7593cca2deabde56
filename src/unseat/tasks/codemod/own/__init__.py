"""This project's own transforms: pairs of small programs, drawn at random and run before and after."""
