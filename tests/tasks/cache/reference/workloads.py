"""Requests for property tests.

Hypothesis draws short lists: most examples of `st.lists` would end before a cache of ten places is full. So what is
drawn here is a length and a seed, and the requests follow from them: a skewed choice, a loop and new objects in turn.
"""

from __future__ import annotations

import random

from hypothesis import strategies as st


def requests_of(length: int, objects: int, seed: int) -> list[int]:
    """``length`` requests for about ``objects`` objects and some that come once."""
    rng = random.Random(seed)
    loop, fresh = rng.randrange(1, objects + 1), objects
    requests = []
    for t in range(length):
        kind = rng.random()
        if kind < 0.1:
            fresh += 1
            requests.append(fresh)
        elif kind < 0.4:
            requests.append(t % loop)
        else:
            requests.append(int(objects * rng.random() ** 2))
    return requests


def workloads(most: int, objects: int) -> st.SearchStrategy[list[int]]:
    """Up to ``most`` requests; most examples come near that."""
    lengths = st.one_of(st.integers(1, most), st.just(most), st.just(most))
    return st.builds(requests_of, lengths, st.integers(1, objects), st.integers(0, 2**32 - 1))
