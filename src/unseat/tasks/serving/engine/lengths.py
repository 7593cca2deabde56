"""How long will the answer be? From the prompt's length, and from the answers to those before that were like it.

`past` holds running means of log2(output) and how many they are of: of all requests, of prompts of about the same
length, and of each chunk that prompts begin with. It is written when a request ends, so nothing is known too early.
"""

from __future__ import annotations

import math

from unseat.core.jit import jit
from unseat.tasks.serving.engine.layout import Float64, Int64

BUCKETS = 20
FIRST_CHUNK = BUCKETS + 1
DEPTH = 64
"""Chunks of a prompt that are looked at."""

KNOWN = ("one", "prompt, log", "prompt, log, squared", "mean of all", "mean of its length", "mean of its prefix",
         "prefix known")  # fmt: skip
N_KNOWN = len(KNOWN)
PRIOR = 8.0
"""log2 of the output that is expected before any has been seen."""

MEMORY_OF = 500.0
"""A mean is of about so many of the last ones, as use changes over the day."""


@jit
def remember(past: Float64, prompt: int, output: int, hashes: Int64, first: int, last: int) -> None:
    """A request has ended."""
    value = math.log2(1.0 + output)
    note(past, 0, value)
    note(past, 1 + bucket(prompt), value)
    for place in range(first, min(last, first + DEPTH)):
        note(past, FIRST_CHUNK + hashes[place], value)


@jit
def note(past: Float64, row: int, value: float) -> None:
    """One more value of a mean."""
    past[row, 1] = min(past[row, 1] + 1.0, MEMORY_OF)
    past[row, 0] += (value - past[row, 0]) / past[row, 1]


@jit
def bucket(prompt: int) -> int:
    """Prompts of about the same length: half a power of two."""
    return min(int(math.log2(1.0 + prompt)), BUCKETS - 1)


@jit
def shrunk(past: Float64, row: int, to: float, weight: float) -> float:
    """A mean, drawn to another one as if that were of so many values."""
    count = past[row, 1]
    return float((past[row, 0] * count + to * weight) / (count + weight))


@jit
def known(past: Float64, prompt: int, hashes: Int64, first: int, last: int, out: Float64) -> None:
    """Write `KNOWN` of a request that comes."""
    length = math.log2(1.0 + prompt)
    of_all = shrunk(past, 0, PRIOR, 2.0)
    of_length = shrunk(past, 1 + bucket(prompt), of_all, 8.0)
    of_prefix, found = of_length, 0.0
    for place in range(first, min(last, first + DEPTH)):
        row = FIRST_CHUNK + hashes[place]
        if past[row, 1] == 0.0:
            break
        # The longer the prefix, the more like are those that share it.
        of_prefix, found = shrunk(past, row, of_prefix, 2.0), 1.0
    out[0], out[1], out[2] = 1.0, length / 16.0, length * length / 256.0
    out[3], out[4], out[5], out[6] = of_all, of_length, of_prefix, found


@jit
def expected(past: Float64, prompt: int, hashes: Int64, first: int, last: int, weights: Float64, x: Float64) -> float:
    """Tokens that the answer is expected to have."""
    known(past, prompt, hashes, first, last, x)
    total = 0.0
    for k in range(N_KNOWN):
        total += weights[k] * x[k]
    return float(2.0 ** min(max(total, 0.0), 16.0) - 1.0 if total < 16.0 else 65535.0)
