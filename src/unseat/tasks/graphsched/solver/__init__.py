"""The solvers: greedy fusion, dynamic programming over an order, annealing."""
