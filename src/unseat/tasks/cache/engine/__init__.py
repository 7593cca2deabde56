"""The cache itself: traces on dense ids, the kernels' shared parts, and one way to run a policy over a trace.

Importing this package is cheap; `trace` needs NumPy only, the other modules import Numba.
"""
