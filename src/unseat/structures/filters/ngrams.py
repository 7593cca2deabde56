"""A classifier of strings in a few kilobytes: a linear model on hashed n-grams with weights of a few bits.

Scores are whole numbers, so a key has the same score on every machine and at every time, which is what keeps a learned
filter from ever denying a key. Feature hashing: Weinberger et al., ICML 2009; the fit is logistic regression by
Adagrad (Duchi, Hazan and Singer, JMLR 12, 2011).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unseat.core.jit import inlined, jit
from unseat.structures.filters.strings import Strings
from unseat.structures.hashing.mixing import GOLDEN

EDGE = np.uint64(256)
"""The symbol before the first byte and after the last one."""
NO_LIMIT = 1 << 30


@dataclass(frozen=True, eq=False)
class Ngrams:
    """The fitted model.

    Attributes:
        words: uint64, the weights, packed `bits` to a weight from the low end.
        log_size: There are 2 to the power of this many weights.
        bits: Bits of a weight: 2, 4 or 8.
        longest: n-grams of 1 to so many bytes count.
        head: Only so many bytes from the beginning are read.
    """

    words: NDArray[np.uint64]
    log_size: int
    bits: int
    longest: int
    head: int

    @property
    def nbytes(self) -> int:
        """Bytes of the weights and of the four numbers beside them."""
        return self.words.nbytes + 4

    def scores(self, strings: Strings) -> NDArray[np.int64]:
        """The score of each string; higher is more like a key."""
        out = np.empty(len(strings), np.int64)
        shape = self.log_size, self.bits, self.longest, self.head
        score(strings.data, strings.offsets, out, self.words, *shape)
        return out


@inlined
def slot(gram: np.uint64, log_size: int) -> int:
    """Where an n-gram's weight lies."""
    mixed = (gram ^ (gram >> np.uint64(29))) * GOLDEN
    return int(np.int64(mixed >> np.uint64(64 - log_size)))


@inlined
def symbol(data: NDArray[np.uint8], place: int, stop: int) -> np.uint64:
    """A byte, or the edge behind the last one."""
    return np.uint64(data[place]) if place < stop else EDGE


@jit
def score(
    data: NDArray[np.uint8], offsets: NDArray[np.int64], out: NDArray[np.int64], words: NDArray[np.uint64],
    log_size: int, bits: int, longest: int, head: int,
) -> None:  # fmt: skip
    """out[i] becomes the sum of the weights of string i's n-grams."""
    half, full = np.int64(1) << np.int64(bits - 1), np.int64(1) << np.int64(bits)
    mask = np.uint64(full - 1)
    for i in range(len(out)):
        start, stop = offsets[i], min(offsets[i + 1], offsets[i] + head)
        total = np.int64(0)
        for place in range(start - 1, stop + 1):
            gram = np.uint64(0)
            for length in range(min(longest, stop + 1 - place)):
                at = place + length
                part = EDGE if at < start else symbol(data, at, stop)
                gram = gram * np.uint64(0x100000001B3) + part + np.uint64(1)
                bit = slot(gram, log_size) * bits
                weight = np.int64((words[bit >> 6] >> np.uint64(bit & 63)) & mask)
                total += weight - full if weight >= half else weight
        out[i] = total


@jit
def features(
    data: NDArray[np.uint8], offsets: NDArray[np.int64], i: int, found: NDArray[np.int64],
    log_size: int, longest: int, head: int,
) -> int:  # fmt: skip
    """Write where the weights of string i's n-grams lie into `found`; how many there are."""
    start, stop = offsets[i], min(offsets[i + 1], offsets[i] + head)
    count = 0
    for place in range(start - 1, stop + 1):
        gram = np.uint64(0)
        for length in range(min(longest, stop + 1 - place)):
            at = place + length
            part = EDGE if at < start else symbol(data, at, stop)
            gram = gram * np.uint64(0x100000001B3) + part + np.uint64(1)
            found[count] = slot(gram, log_size)
            count += 1
    return count


@jit
def descend(
    data: NDArray[np.uint8], offsets: NDArray[np.int64], labels: NDArray[np.float64], order: NDArray[np.int64],
    weights: NDArray[np.float64], squares: NDArray[np.float64], log_size: int, longest: int, head: int,
    rate: float, decay: float,
) -> None:  # fmt: skip
    """One pass of Adagrad over the strings in this order; the last weight is the intercept."""
    found = np.empty(longest * (min(head, np.max(np.diff(offsets))) + 2), np.int64)
    for i in order:
        count = features(data, offsets, i, found, log_size, longest, head)
        total = weights[-1]
        for k in range(count):
            total += weights[found[k]]
        error = 1.0 / (1.0 + np.exp(-total)) - labels[i]
        squares[-1] += error * error
        weights[-1] -= rate * error / np.sqrt(squares[-1])
        for k in range(count):
            slope = error + decay * weights[found[k]]
            squares[found[k]] += slope * slope
            weights[found[k]] -= rate * slope / np.sqrt(squares[found[k]])


def fit(
    keys: Strings, others: Strings, *, log_size: int, bits: int = 4, longest: int = 3, head: int = NO_LIMIT,
    passes: int = 8, rate: float = 0.1, decay: float = 1e-5, spread: float = 2.0, seed: int = 0,
) -> Ngrams:  # fmt: skip
    """Fit the model to tell keys from others.

    Args:
        keys: All keys of the set.
        others: Non-keys to learn from; not those by which the filter is judged.
        log_size: Base-2 logarithm of the number of weights.
        bits: Bits of a weight.
        longest: Longest n-gram, in bytes.
        head: How many bytes of each string are read.
        passes: Passes over all strings.
        rate: Adagrad's step.
        decay: Weight of the squared norm.
        spread: The largest weight that can be told apart, in standard deviations of the weights.
        seed: Of the order in which strings are seen.
    """
    data = np.concatenate([keys.data, others.data])
    offsets = np.concatenate([keys.offsets, keys.offsets[-1] + others.offsets[1:]])
    labels = np.repeat([1.0, 0.0], [len(keys), len(others)])
    weights, squares = np.zeros((1 << log_size) + 1), np.full((1 << log_size) + 1, 1e-3)
    rng = np.random.default_rng(seed)
    for _ in range(passes if len(labels) else 0):
        order = rng.permutation(len(labels))
        descend(data, offsets, labels, order, weights, squares, log_size, longest, head, rate, decay)
    top = (1 << (bits - 1)) - 1
    scale = spread * float(weights[:-1].std()) or 1.0
    whole = np.clip(np.rint(weights[:-1] / scale * max(top, 1)), -top - 1, top).astype(np.int64)
    return Ngrams(packed(whole, bits), log_size, bits, longest, head)


def packed(weights: NDArray[np.int64], bits: int) -> NDArray[np.uint64]:
    """Signed numbers of a few bits each, the first in the low bits of the first word."""
    per_word = 64 // bits
    fields = (weights & ((1 << bits) - 1)).astype(np.uint64)
    fields = np.concatenate([fields, np.zeros(-len(fields) % per_word, np.uint64)]).reshape(-1, per_word)
    shifts = np.arange(per_word, dtype=np.uint64) * np.uint64(bits)
    return np.asarray(np.bitwise_or.reduce(fields << shifts, axis=1), np.uint64)
