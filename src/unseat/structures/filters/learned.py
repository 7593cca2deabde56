"""Learned filters: a small classifier decides how many bits of fingerprint a string is checked against.

T. Kraska et al., "The Case for Learned Index Structures", SIGMOD 2018, section 5: what scores above a threshold passes,
the rest goes to a backup filter. M. Mitzenmacher, "A Model for Learned Bloom Filters, and Optimizing by Sandwiching",
NeurIPS 2018: a first filter before the classifier. K. Vaidya et al., "Partitioned Learned Bloom Filters", ICLR 2021:
many ranges of scores, each with the rate that suits it.

All three are one structure here: a level for each range of scores, and the layers of `fuse` below, which are cheaper
and more even than a filter for each range. Only the allowed bits differ: (0, b), (a, a + b), or any that fall with the
score. What the ranges are is chosen on non-keys that the classifier has not seen.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from unseat.core.jit import jit
from unseat.structures.filters import ngrams
from unseat.structures.filters.fuse import Layers, fuse_shape, stack
from unseat.structures.filters.ngrams import NO_LIMIT, Ngrams
from unseat.structures.filters.strings import Strings

Kind = Literal["learned", "sandwiched", "partitioned"]
KINDS: tuple[Kind, ...] = ("learned", "sandwiched", "partitioned")
Float = NDArray[np.float64]
LEAST_RATE = 2.0**-24
"""The lowest rate that can be built for, so that no layer is wider than 32 bits."""
HIGHEST = (1 << 31) - 1
"""Above every score."""
RANGES = 64
"""Ranges of scores among which the partition is chosen."""
STEPS = (1, 2, 3, 5)
"""Steps between the bits that ranges may have: the fewer kinds, the fewer layers, each of which costs a little."""
MODELS: tuple[Mapping[str, Any], ...] = tuple(
    {"log_size": log_size, "bits": bits, "longest": longest}
    for log_size, bits, longest in ((6, 4, 2), (8, 4, 3), (10, 4, 3), (11, 4, 3), (12, 4, 3), (12, 4, 4), (13, 4, 4))
)
"""Classifiers that are tried, from 32 bytes to 4 KiB."""


@dataclass(frozen=True, eq=False)
class LearnedFilter:
    """A classifier, the levels of its scores, and layers of fingerprints.

    Attributes:
        model: The classifier.
        cuts: int64, falling; a string's level is how many of them its score is below.
        layers: Layer l holds the keys whose level is above l.
        config: How it was built, as plain JSON.
    """

    model: Ngrams
    cuts: NDArray[np.int64]
    layers: Layers
    config: Mapping[str, Any]

    @property
    def nbytes(self) -> int:
        """Bytes of the classifier, the cuts and the layers."""
        return self.model.nbytes + 4 * len(self.cuts) + self.layers.nbytes

    def contains(self, strings: Strings) -> NDArray[np.bool_]:
        """Whether each string may be one of the keys; always True for a key."""
        return self.layers.contains(strings.hashes(), levels(self.model.scores(strings), self.cuts))


@jit
def levels(scores: NDArray[np.int64], cuts: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many of the cuts each score is below."""
    out = np.zeros(len(scores), np.int64)
    for i in range(len(scores)):
        for cut in cuts:
            out[i] += scores[i] < cut
    return out


@dataclass(frozen=True)
class Plan:
    """Bits for each range of scores.

    Attributes:
        edges: int64[ranges + 1], ascending; range r holds the scores from edges[r] to below edges[r + 1].
        bits: int64[ranges], never more for higher scores.
        cost: Bits of all layers, to be expected.
    """

    edges: NDArray[np.int64]
    bits: NDArray[np.int64]
    cost: float

    def layers(self) -> tuple[NDArray[np.int64], list[int]]:
        """The cuts, falling, and the widths of the layers between them, the one that most keys are in first."""
        steps = sorted(set(self.bits.tolist()) - {0})
        cuts = [self.edges[np.flatnonzero(self.bits >= step)[-1] + 1] for step in steps]
        return np.array(cuts, np.int64), np.diff([0, *steps]).tolist()


def build(
    keys: Strings, others: Strings, unseen: Strings, target: float, *, kinds: Sequence[Kind] = KINDS,
    models: Sequence[Mapping[str, Any]] = MODELS, head: int = NO_LIMIT, caution: float = 1.0, seed: int = 0,
) -> LearnedFilter:  # fmt: skip
    """Build the smallest learned filter for a rate of false positives.

    Args:
        keys: The set; at least one.
        others: Non-keys that the classifier learns from.
        unseen: Non-keys by which classifier, ranges and bits are chosen; the rate holds for strings like these.
        target: The rate.
        kinds: Which of the three may be chosen.
        models: Arguments of `ngrams.fit` to choose among.
        head: How many bytes of a string the classifier reads.
        caution: By how many standard errors of the rate on `unseen` what is aimed at lies below the target, since the
            ranges suit that sample better than others.
        seed: Of fit and hash.

    Raises:
        ValueError: The rate is below `LEAST_RATE` or not below 1, or there is nothing to choose among.
    """
    if not LEAST_RATE <= target < 1:
        raise ValueError(f"a rate of {target}: a learned filter takes {LEAST_RATE:.2g} to below 1")
    error = (target * (1 - target) / max(len(unseen), 1)) ** 0.5
    aim = max(target - caution * error, target / 4)
    best: tuple[float, Ngrams, Plan, Mapping[str, Any]] | None = None
    for arguments in models:
        model = ngrams.fit(keys, others, head=head, seed=seed, **arguments)
        scores = model.scores(keys), model.scores(unseen)
        for kind in kinds:
            found = plan(*scores, aim, kind)
            cost = 8 * model.nbytes + found.cost
            if best is None or cost < best[0]:
                best = cost, model, found, {"kind": kind, **arguments}
    if best is None:
        raise ValueError("no model or no kind to choose among")
    _, model, found, arguments = best
    cuts, widths = found.layers()
    own = levels(model.scores(keys), cuts)
    layers = stack(keys.hashes(), own, widths, 4, tight=True, seed=seed)
    held = np.count_nonzero(own[:, None] > np.arange(len(widths)), axis=0)
    config = {**arguments, "cuts": cuts.tolist(), "widths": widths, "keys": held.tolist()}
    return LearnedFilter(model, cuts, layers, config)


def plan(keys: NDArray[np.int64], others: NDArray[np.int64], target: float, kind: Kind) -> Plan:
    """The cheapest bits for ranges of scores that keep the expected rate of false positives at the target.

    The rate is taken on the non-keys and one more that has the fewest bits of all: for bits fixed but for one number,
    that keeps the rate of the next non-key, in the mean over samples (A. N. Angelopoulos et al., "Conformal Risk
    Control", ICLR 2024, theorem 1). Few non-keys thus leave few bits to be saved, and none at all leaves no bit.

    Args:
        keys: Scores of all keys.
        others: Scores of non-keys.
        target: The rate.
        kind: Which bits are allowed.
    """
    edges = _edges(keys, others)
    held, seen = (np.histogram(scores, edges)[0].astype(np.float64) for scores in (keys, others))
    # Bits never rise with the score.
    seen[-1] += 1
    seen /= seen.sum()
    most = bits_enough(target)
    if kind == "partitioned":
        options = [np.unique([0, *range(first, most + 1, step)]) for step in STEPS for first in range(1, step + 1)]
        found = [_partition(held, seen, target, one) for one in options]
        costs = [_cost(held, bits) for bits in found]
        return Plan(edges, found[int(np.argmin(costs))], min(costs))
    firsts = range(1) if kind == "learned" else range(most)
    choices = []
    for cut, first in product(range(len(held) + 1), firsts):
        rest, passed = float(seen[:cut].sum()), float(seen[cut:].sum())
        left = target - passed * 2.0**-first
        if left <= 0 and rest > 0:
            continue
        second = max(int(np.ceil(np.log2(rest / left))), first) if rest > 0 else first
        if second > 32 or (rest == 0 and passed * 2.0**-first > target):
            continue
        bits = np.where(np.arange(len(held)) < cut, second, first)
        choices.append((_cost(held, bits), cut, first, bits))
    cost, _, _, bits = min(choices, key=lambda choice: choice[:3])
    return Plan(edges, bits, cost)


def bits_enough(target: float) -> int:
    """Bits of which each range may have as many, so that whatever the step between them some keep the rate."""
    return math.ceil(-math.log2(target)) + max(STEPS)


def _edges(keys: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.int64]:
    """Ranges with about as many keys, and in their upper part also with as many non-keys."""
    shares = np.linspace(0, 1, RANGES // 2 + 1)[1:-1]
    inner = [np.quantile(keys, shares, method="higher")]
    if len(others):
        inner.append(np.quantile(others, 1 - shares**3, method="higher"))
    # The last range has no end: what scores above the whole sample must not pass for that.
    low = np.concatenate([keys, others]).min()
    return np.unique(np.concatenate([[low, HIGHEST], *inner])).astype(np.int64)


def _partition(held: Float, seen: Float, target: float, options: NDArray[np.int64]) -> NDArray[np.int64]:
    """Bits b of each range with least sum held * b where sum seen * 2^-b is at most the target, b falling, of options.

    Ranges are pooled until the ratio of non-keys to keys falls with the score; the optimum then falls by itself, and is
    found by a price on the rate, as in the relaxed problem of Vaidya et al., section 3.2.
    """
    ratio = _pooled(seen, held)

    def at(price: float) -> NDArray[np.int64]:
        costs = options + price * ratio[:, None] * 2.0**-options
        found: NDArray[np.int64] = options[costs.argmin(1)]
        return found

    low, high = 1e-9, 1e30
    for _ in range(90):
        middle = (low * high) ** 0.5
        low, high = (low, middle) if (seen * 2.0 ** -at(middle)).sum() <= target else (middle, high)
    return at(high)


def _pooled(seen: Float, held: Float) -> Float:
    """Non-keys a key in each range, made to fall by pooling neighbours (pool adjacent violators)."""
    pools: list[list[float]] = []
    for others, keys in zip(seen, held, strict=True):
        pools.append([others, keys, 1])
        while len(pools) > 1 and pools[-1][0] * pools[-2][1] > pools[-2][0] * pools[-1][1]:
            others, keys, count = pools.pop()
            pools[-1] = [pools[-1][0] + others, pools[-1][1] + keys, pools[-1][2] + count]
    counts = np.array([int(count) for _, _, count in pools])
    return np.repeat([others / max(keys, 1e-9) for others, keys, _ in pools], counts)


def _cost(held: Float, bits: NDArray[np.int64]) -> float:
    """Bits of the layers, their descriptions included."""
    total, below = 0.0, 0
    for step in sorted(set(bits.tolist()) - {0}):
        n = int(held[bits >= step].sum())
        total += fuse_shape(n, 4).places * (step - below) + 8 * 28 if n else 0
        below = step
    return total
