"""How long an iteration takes: measured kernels, interpolated.

The vector `cost` holds the grids and the values of `unseat.tasks.serving.costs`, one behind the other, in seconds.
"""

from __future__ import annotations

from unseat.core.jit import inlined, jit
from unseat.tasks.serving.engine.layout import Float64

N_TOKENS, N_CONTEXTS, N_BATCHES, N_LENGTHS = 23, 15, 10, 11
X_TOKENS = 0
LINEAR = X_TOKENS + N_TOKENS
SAMPLED = LINEAR + N_TOKENS
X_CONTEXTS = SAMPLED + N_TOKENS
CONTEXT = X_CONTEXTS + N_CONTEXTS
X_BATCHES = CONTEXT + N_CONTEXTS
X_LENGTHS = X_BATCHES + N_BATCHES
DECODE = X_LENGTHS + N_LENGTHS
SIZE = DECODE + N_BATCHES * N_LENGTHS


@inlined
def place(cost: Float64, grid: int, points: int, x: float) -> int:
    """The grid's interval for x; the last one for what lies beyond, which is extrapolated."""
    low, high = 0, points - 2
    while low < high:
        middle = (low + high + 1) // 2
        if cost[grid + middle] <= x:
            low = middle
        else:
            high = middle - 1
    return low


@jit
def line(cost: Float64, grid: int, points: int, values: int, x: float) -> float:
    """Linear between the points."""
    if x <= cost[grid]:
        return float(cost[values])
    i = place(cost, grid, points, x)
    left, right = cost[grid + i], cost[grid + i + 1]
    below, above = cost[values + i], cost[values + i + 1]
    return float(below + (above - below) * (x - left) / (right - left))


@jit
def linear(cost: Float64, tokens: float) -> float:
    """Dense layers, experts and all-reduce of so many tokens."""
    return float(line(cost, X_TOKENS, N_TOKENS, LINEAR, tokens))


@jit
def sampled(cost: Float64, sequences: float) -> float:
    """The output layer of so many sequences."""
    return float(line(cost, X_TOKENS, N_TOKENS, SAMPLED, sequences))


@jit
def whole(cost: Float64, length: float) -> float:
    """Attention of a prompt that is computed at once; beyond the longest measured it grows with the square."""
    if length <= 0.0:
        return 0.0
    last = cost[X_CONTEXTS + N_CONTEXTS - 1]
    if length > last:
        return float(cost[CONTEXT + N_CONTEXTS - 1] * (length / last) * (length / last))
    return float(line(cost, X_CONTEXTS, N_CONTEXTS, CONTEXT, length))


@jit
def chunk(cost: Float64, before: float, tokens: float) -> float:
    """Attention of a part of a prompt: what the whole takes up to its end, less what it takes up to its beginning.

    Work in causal attention grows with the area, so that parts add up to the whole; a part costs a kernel at least.
    """
    return float(max(whole(cost, before + tokens) - whole(cost, before), whole(cost, 1.0)))


@jit
def decode(cost: Float64, batch: float, context: float) -> float:
    """Attention of so many requests that decode, with so many tokens in the cache all together."""
    if batch <= 0.0:
        return 0.0
    length = context / batch
    b = place(cost, X_BATCHES, N_BATCHES, batch)
    base = DECODE + b * N_LENGTHS
    low = line(cost, X_LENGTHS, N_LENGTHS, base, length)
    high = line(cost, X_LENGTHS, N_LENGTHS, base + N_LENGTHS, length)
    left, right = cost[X_BATCHES + b], cost[X_BATCHES + b + 1]
    return float(low + (high - low) * (batch - left) / (right - left))
