"""The contract between engines, policies and the laboratory. Imports nothing else of unseat.

To be read in this order: `outcome`, `policy`, `learner`, `task` and `card` are the contract itself; `answers` is for
questions that are put once; `env` and `agents` derive environments; `registry`, `jit` and `errors` are small helpers.
"""
