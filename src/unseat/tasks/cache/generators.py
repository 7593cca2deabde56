"""Seeded synthetic traces whose popularity moves: what stationary Zipf cannot tell apart, these can.

(On a stationary independent-reference stream SIEVE and in-cache LFU miss alike until the hand first wraps.) All draws
come from NumPy's PCG64 by its raw uniform doubles, so that a seed gives the same trace on every platform.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from unseat.core.errors import UserError
from unseat.tasks.cache.data.trace import RawTrace

Kind = Literal["zipf", "drift", "scan", "loop", "churn", "phases"]
SizeKind = Literal["lognormal", "pareto"]
KINDS: tuple[Kind, ...] = get_args(Kind)


def generate(
    kind: Kind, requests: int, objects: int, seed: int, *, alpha: float = 0.9, sizes: SizeKind | None = None
) -> RawTrace:
    """A synthetic trace.

    Args:
        kind: "zipf": stationary, popularity of rank r proportional to r**-alpha. "drift": each rank slowly passes to
            another object, half of them over the trace. "scan": Zipf with one-time sequential scans of cold objects.
            "loop": Zipf mixed with loops over a fixed range. "churn": new objects enter at the popular end and age.
            "phases": stretches of all of these, one after the other, over the same objects.
        requests: length, at least 1.
        objects: objects of the popular set, at least 1; scans, churn and phases bring more.
        seed: any non-negative integer.
        alpha: exponent of the popularity, at least 0.
        sizes: a size in bytes for each object: "lognormal" (median 8 KiB, sigma 1.5) or "pareto" (shape 1.2, from
            1 KiB), both at most 1 GiB; None for equal sizes.

    Raises:
        UserError: an unknown kind, or a number out of its range.
    """
    if kind not in KINDS:
        raise UserError(f"no generator {kind}; known are {', '.join(KINDS)}")
    if requests < 1 or objects < 1 or seed < 0 or not 0 <= alpha < 100:
        raise UserError(
            f"generator {kind}: requests {requests}, objects {objects}, seed {seed}, alpha {alpha}; "
            "requests and objects are at least 1, seed and alpha not negative"
        )
    rng = np.random.Generator(np.random.PCG64([seed, KINDS.index(kind)]))
    keys = _MAKERS[kind](rng, requests, objects, alpha)
    name = f"{kind}-n{requests}-m{objects}-a{alpha:g}-s{seed}"
    if sizes is None:
        return RawTrace(name, keys.astype(np.uint64))
    return RawTrace(f"{name}-{sizes}", keys.astype(np.uint64), _object_sizes(rng, keys, sizes))


def zipf_ranks(requests: int, objects: int, alpha: float, *, seed: int) -> NDArray[np.int64]:
    """Ranks (int64, shape (requests,), 0 the most popular) drawn with probability (r+1)**-alpha / sum."""
    return _ranks(np.random.Generator(np.random.PCG64([seed])), requests, objects, alpha)


def _ranks(rng: np.random.Generator, requests: int, objects: int, alpha: float) -> NDArray[np.int64]:
    """By inversion: the first rank whose cumulative weight exceeds a uniform share of the whole weight."""
    cumulative = np.cumsum(np.arange(1, objects + 1, dtype=np.float64) ** -alpha)
    drawn: NDArray[np.int64] = np.searchsorted(cumulative, rng.random(requests) * cumulative[-1], side="right")
    return np.minimum(drawn, objects - 1)


def _below(rng: np.random.Generator, bound: int, count: int) -> NDArray[np.int64]:
    drawn: NDArray[np.int64] = (rng.random(count) * bound).astype(np.int64)
    return drawn


def _shuffled(rng: np.random.Generator, objects: int) -> NDArray[np.int64]:
    return np.argsort(rng.random(objects), kind="stable")


def _zipf(rng: np.random.Generator, requests: int, objects: int, alpha: float) -> NDArray[np.int64]:
    keys: NDArray[np.int64] = _shuffled(rng, objects)[_ranks(rng, requests, objects, alpha)]
    return keys


def _drift(rng: np.random.Generator, requests: int, objects: int, alpha: float) -> NDArray[np.int64]:
    ranks = _ranks(rng, requests, objects, alpha)
    holder = _shuffled(rng, objects)
    swaps = max(objects // 2, 1)
    pairs = _below(rng, objects, 2 * swaps).reshape(swaps, 2)
    keys = np.empty(requests, dtype=np.int64)
    cuts = np.linspace(0, requests, swaps + 1).astype(np.int64)
    for (one, other), begin, end in zip(pairs.tolist(), cuts[:-1].tolist(), cuts[1:].tolist(), strict=True):
        keys[begin:end] = holder[ranks[begin:end]]
        holder[one], holder[other] = holder[other], holder[one]
    return keys


def _scan(rng: np.random.Generator, requests: int, objects: int, alpha: float) -> NDArray[np.int64]:
    """A fifth of the requests are scans: each over `objects`/4 neighbours that nothing else asks for."""
    keys = _zipf(rng, requests, objects, alpha)
    length = max(objects // 4, 1)
    count = requests // (5 * length)
    if count:
        starts = np.sort(_below(rng, max(requests - count * length, 1), count)) + np.arange(count) * length
        at = (starts[:, None] + np.arange(length)).ravel()
        keys[at] = objects + np.arange(count * length)
    return keys


def _loop(rng: np.random.Generator, requests: int, objects: int, alpha: float) -> NDArray[np.int64]:
    """Half of the requests go round and round over half of the objects, in runs between Zipf requests."""
    hot = max(objects - objects // 2, 1)
    keys = _zipf(rng, requests, hot, alpha)
    loop = max(objects // 2, 1)
    turns = np.repeat(rng.random(-(-requests // 16)) < 0.5, 16)[:requests]
    keys[turns] = hot + np.arange(int(turns.sum())) % loop
    return keys


def _churn(rng: np.random.Generator, requests: int, objects: int, alpha: float) -> NDArray[np.int64]:
    """The newest object is the most popular; one is born every 20 requests, so each falls through the ranks."""
    born = objects + np.arange(requests) // 20
    return np.subtract(born - 1, _ranks(rng, requests, objects, alpha))


def _phases(rng: np.random.Generator, requests: int, objects: int, alpha: float) -> NDArray[np.int64]:
    makers = (_zipf, _loop, _churn, _scan, _drift)
    cuts = np.linspace(0, requests, 2 * len(makers) + 1).astype(np.int64)
    parts = []
    for turn, length in enumerate(np.diff(cuts).tolist()):
        if length:
            parts.append(makers[turn % len(makers)](rng, length, objects, alpha))
    return np.concatenate(parts)


def _object_sizes(rng: np.random.Generator, keys: NDArray[np.int64], kind: SizeKind) -> NDArray[np.int64]:
    """One size an object, drawn by key; rounded to whole bytes, so that the last bit of a logarithm does not show."""
    if kind not in get_args(SizeKind):
        raise UserError(f"no sizes {kind}; known are {', '.join(get_args(SizeKind))}")
    one, other = rng.random((2, int(keys.max()) + 1))
    if kind == "pareto":
        drawn = 1024 * (1 - one) ** (-1 / 1.2)
    else:
        normal = np.sqrt(-2 * np.log1p(-one)) * np.cos(2 * np.pi * other)
        drawn = 8192 * np.exp(1.5 * normal)
    sizes: NDArray[np.int64] = np.clip(np.rint(drawn), 1, 2**30).astype(np.int64)[keys]
    return sizes


_Maker = Callable[[np.random.Generator, int, int, float], NDArray[np.int64]]
_MAKERS: dict[str, _Maker] = {
    "zipf": _zipf,
    "drift": _drift,
    "scan": _scan,
    "loop": _loop,
    "churn": _churn,
    "phases": _phases,
}
