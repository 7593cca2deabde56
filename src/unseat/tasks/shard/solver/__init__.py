"""The solver, a stage a file: reductions, dual bound, tree blocks, choice of moves, search."""
