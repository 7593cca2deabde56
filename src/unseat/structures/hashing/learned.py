"""A learned hash function: the share of the keys that are less than a key, scaled to the table.

T. Kraska et al., "The Case for Learned Index Structures", SIGMOD 2018, section 4. With the true distribution each key
has a slot of its own; what is learned is that distribution, by a recursive model index of two layers (theirs) or by a
linear spline over evenly filled intervals, found through a table of the key's leading bits (as in A. Kipf et al.,
"RadixSpline", aiDM 2020). I. Sabek et al., "Can Learned Models Replace Hash Functions?", PVLDB 16(3), 2022, found that
it wins where the gaps between keys are even, and loses elsewhere.

A model may be as wrong as it likes: it decides where a key is looked for, and the same place is where it was put.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from unseat.core.jit import inlined, jit
from unseat.structures.hashing.functions import HashFunction, Slots, Words

Float = NDArray[np.float64]


@inlined
def clipped(place: float, slots: int) -> int:
    """A real position as a slot; anything outside goes to the first or the last one."""
    return int(np.int64(min(max(place, 0.0), slots - 1.0)))


@inlined
def offset(key: np.uint64, low: np.uint64) -> float:
    """How far a key is above the lowest one, as a real number; zero below it."""
    return np.float64(key - low) if key > low else 0.0


@jit
def rmi_slots(keys: Words, out: Slots, slots: int, low: Words, root: Float, leaves: Float) -> None:
    """The root's cubic chooses a leaf, the leaf's line gives the share of the keys below.

    Args:
        keys: The keys.
        out: Their slots.
        slots: How many there are.
        low: uint64[1], the lowest key.
        root: float64[5]: the cubic's coefficients over the offset's share of the range, and that range's inverse.
        leaves: float64[leaves, 2], intercept and slope over that share, with the share of the keys as result.
    """
    last = np.float64(len(leaves) - 1)
    for i in range(len(keys)):
        x = offset(keys[i], low[0]) * root[4]
        leaf = np.int64(min(max(root[0] + x * (root[1] + x * (root[2] + x * root[3])), 0.0), last))
        out[i] = clipped((leaves[leaf, 0] + x * leaves[leaf, 1]) * slots, slots)


@jit
def spline_slots(
    keys: Words, out: Slots, slots: int, low: Words, table: NDArray[np.int32], knots: Words, lines: Float
) -> None:
    """The leading bits give the first interval that can hold the key, a search the interval, its line the share.

    Args:
        keys: The keys.
        out: Their slots.
        slots: How many there are.
        low: uint64[2], the lowest key, and by how many bits an offset is shifted for the table.
        table: int32[entries + 1], the first interval that can begin in each cell.
        knots: uint64[intervals + 1], where the intervals begin, as offsets, and where the last one ends.
        lines: float64[intervals, 2], share of the keys below the interval, and slope.
    """
    top = np.uint64(len(table) - 2)
    for i in range(len(keys)):
        above = keys[i] - low[0] if keys[i] > low[0] else np.uint64(0)
        cell = np.int64(min(above >> low[1], top))
        first, last = np.int64(table[cell]), np.int64(table[cell + 1])
        while first < last:
            middle = (first + last + 1) >> 1
            if knots[middle] <= above:
                first = middle
            else:
                last = middle - 1
        inside = np.float64(min(above, knots[first + 1]) - knots[first])
        out[i] = clipped((lines[first, 0] + inside * lines[first, 1]) * slots, slots)


def rmi(keys: Words, nbytes: int) -> HashFunction:
    """A recursive model index of two layers in about so many bytes.

    The root is the cubic or the line that leaves less squared error; both are fitted by least squares, as each leaf is
    on the keys that the root sends there.

    Args:
        keys: Sorted keys, at least one.
        nbytes: Bytes for the leaves, 16 each.
    """
    count = max(1, nbytes // 16)
    low, span = keys[0], max(float(keys[-1] - keys[0]), 1.0)
    share = (np.arange(len(keys)) + 0.5) / len(keys)
    x = (keys - low).astype(np.float64) / span
    line, cubic = (_fitted(x, share, degree) for degree in (1, 3))
    errors = [float(np.square(np.polynomial.polynomial.polyval(x, part) - share).sum()) for part in (line, cubic)]
    rising = bool(np.all(np.diff(np.polynomial.polynomial.polyval(np.linspace(0, 1, 1025), cubic)) >= 0))
    # A cubic that turns back sends keys from far apart to one leaf.
    chosen = cubic if rising and errors[1] < errors[0] else line
    root = np.zeros(5)
    root[: len(chosen)] = chosen * count
    root[4] = 1 / span
    predicted = root[0] + x * (root[1] + x * (root[2] + x * root[3]))
    leaf = np.clip(predicted, 0, count - 1).astype(np.int64)
    leaves = _leaves(x, share, leaf, count)
    config = {"leaves": count, "root": "cubic" if chosen is cubic else "linear"}
    return HashFunction("rmi", rmi_slots, (np.array([low]), root, leaves), config)


def _fitted(x: Float, share: Float, degree: int) -> Float:
    """Least squares of the share over x, on a sample if there are many keys."""
    step = max(1, len(x) // 100_000)
    if len(np.unique(x[::step])) <= 2 * degree:
        return np.array([float(share.mean())])
    with warnings.catch_warnings():
        # Lumped keys do not determine a cubic; the one that is found fits them as well as any.
        warnings.simplefilter("ignore", np.exceptions.RankWarning)
        return np.asarray(np.polynomial.Polynomial.fit(x[::step], share[::step], degree).convert().coef)


def _leaves(x: Float, share: Float, leaf: NDArray[np.int64], count: int) -> Float:
    """Intercept and slope of each leaf by least squares; one without keys answers what its left neighbour ends at."""
    n = np.bincount(leaf, minlength=count).astype(np.float64)
    safe = np.maximum(n, 1)
    mean_x, mean_y = (np.bincount(leaf, part, count) / safe for part in (x, share))
    dx, dy = x - mean_x[leaf], share - mean_y[leaf]
    squares, products = np.bincount(leaf, dx * dx, count), np.bincount(leaf, dx * dy, count)
    slope = np.divide(products, squares, out=np.zeros(count), where=squares > 0)
    intercept = mean_y - slope * mean_x
    filled = np.maximum.accumulate(np.where(n > 0, np.arange(count), 0))
    ends = np.bincount(leaf, minlength=count).cumsum() / len(x)
    empty = (n == 0) | (n[filled] == 0)
    return np.column_stack([np.where(empty, ends, intercept), np.where(empty, 0.0, slope)])


def spline(keys: Words, nbytes: int) -> HashFunction:
    """A linear spline over intervals with equally many keys, and a table to find them, in about so many bytes.

    Args:
        keys: Sorted keys, at least one.
        nbytes: Bytes for knots, lines and table, about 28 an interval.
    """
    count = min(max(1, nbytes // 28), len(keys))
    above = keys - keys[0]
    starts = np.unique(np.linspace(0, len(keys), count, endpoint=False).astype(np.int64))
    knots, first = np.unique(above[starts], return_index=True)
    starts = starts[first]
    # Half a key is added, so that rounding does not throw a key back into its neighbour's slot.
    ends = np.append(knots[1:], above[-1])
    rises = np.diff(np.append(starts, len(keys) - 1)) / len(keys)
    widths = np.maximum((ends - knots).astype(np.float64), 1.0)
    lines = np.column_stack([(starts + 0.5) / len(keys), rises / widths])
    bits = max(0, int(above[-1]).bit_length() - max(1, (len(knots) - 1).bit_length()))
    cells = (int(above[-1]) >> bits) + 1
    borders = np.arange(cells + 1, dtype=np.uint64) << np.uint64(bits)
    borders[-1] = max(borders[-1], above[-1])
    table = np.maximum(np.searchsorted(knots, borders, side="right") - 1, 0).astype(np.int32)
    table[-1] = len(knots) - 1
    arrays = np.array([keys[0], bits], np.uint64), table, np.append(knots, ends[-1]), lines
    return HashFunction("spline", spline_slots, arrays, {"intervals": len(knots), "table": cells})


MODELS: Mapping[str, Callable[[Words, int], HashFunction]] = {"rmi": rmi, "spline": spline}
"""The learned functions by name, each made from sorted keys within so many bytes."""
