"""Filters: is this key one of the set? Never a wrong "no", and a wrong "yes" at a rate that was asked for.

`bloom`, `xor` and `fuse` are built from 64-bit hashes of the keys and know nothing else of them. `learned` also looks
at the keys themselves, and spends fewer bits on those that no non-key resembles.
"""
