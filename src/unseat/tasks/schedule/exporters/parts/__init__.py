"""The parts of an exported scheduler. Each is plain Python 3.9 that imports nothing but NumPy and the parts before it.

They are written out, not translated from the compiled policies: a person reads them. A test holds each to the engine's
own answers, decision by decision.
"""
