"""Decisions inside LLVM: which calls to inline, and others to come, taken by a policy in an unmodified compiler.

`engine` runs the compiler and talks to it; `data` reads programs; each task has a folder of its own.
"""
