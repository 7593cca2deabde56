"""Whether the arrays of a model that comes from outside are such that its kernel can read them.

Kernels do not check where they read. So what says where (sizes, offsets, tables of places) is checked here once: that
it fits the other arrays and the number of keys. What only says how near a place is may still be wrong, so some
lookups are tried too. A model that fails is not used; the keys are all that is needed to
build another.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseat.core.jit import jit
from unseat.structures.exact import bounds
from unseat.structures.lanes import LINE
from unseat.structures.locator import Locator
from unseat.structures.radix_spline import radix_table
from unseat.structures.rmi import LEAVES
from unseat.structures.roots import BITS, LOG, UNITS, as_codes, root_shape

Array = NDArray[Any]
PROBES = 1 << 15
"""Keys that are looked up: all of a small array, so that its answers are proven, and some of a large one."""
_SHIFTS = 64
"""A word cannot be shifted by so many bits."""
_FAR = 1 << 40
"""More than any error in ranks."""


def fits(locator: Locator, kernel: str, keys: Array, probe: bool) -> bool:
    """Whether a model can be searched with on these keys.

    Args:
        locator: It.
        kernel: The name of its kernel; see `unseat.structures.selection.name_of`.
        keys: What it was built on.
        probe: Compare some lookups, too, which reads some of the keys.
    """
    types, check = _KERNELS.get(kernel, ("unknown", None))
    names = {"key": keys.dtype.str[1:], "place": "u4" if len(keys) < 1 << 32 else "u8"}
    wanted = [np.dtype(names.get(each, each)) for each in types.split()] if kernel in _KERNELS else None
    if [array.dtype for array in locator.arrays] != wanted or any(array.ndim != 1 for array in locator.arrays):
        return False
    if not len(keys):
        return not locator.arrays
    return (check is None or bool(check(keys, *locator.arrays))) and (not probe or _answers(locator, keys))


def _answers(locator: Locator, keys: Array) -> bool:
    """Whether it finds some keys, and the places after them."""
    size = len(keys)
    some = keys if size <= PROBES else keys[np.random.default_rng(size).integers(size, size=PROBES)]
    queries = np.concatenate([some, bounds(some, keys.dtype, True)[0]])
    found = locator.lower_bound(keys, queries)
    if found.min() < 0 or found.max() > size:
        return False
    after = (found == 0) | (keys[np.maximum(found - 1, 0)] < queries)
    return bool((after & ((found == size) | (keys[np.minimum(found, size - 1)] >= queries))).all())


def _rising(array: Array) -> bool:
    return bool((array[1:] >= array[:-1]).all())


def _root(keys: Array, shape: Array, table: Array, most: int) -> bool:
    """Whether it is a root on the range of these keys that leads to places up to `most`."""
    if len(shape) != 5 or shape[LOG] > 1 or not 1 <= shape[BITS] <= 24:
        return False
    right = root_shape(as_codes(keys[[0, -1]]), bool(shape[LOG]), int(shape[BITS]))
    segments = 1 << int(shape[BITS])
    return bool((shape == right).all()) and len(table) == segments + 1 and _rising(table) and int(table[-1]) <= most


def _rmi_counts(keys: Array, shape: Array, table: Array, lines: Array) -> bool:
    leaves, left = divmod(len(lines), 8)
    within = not left and _root(keys, shape, table, leaves * UNITS - 1)
    return within and bool(_counts_within(lines, np.uint64(len(keys))))


@jit
def _counts_within(lines: NDArray[np.uint64], size: np.uint64) -> bool:
    """Whether all ranges of leaves of counts begin within the array, in ascending order."""
    ends = lines.view(np.uint8)
    wrong = False
    for line in range(len(lines) >> 3):
        base, scale = lines[line << 3] & np.uint64((1 << 50) - 1), lines[line << 3] >> np.uint64(50)
        first = (line << 6) + 8
        wrong |= scale > np.uint64(40) or base + (np.uint64(ends[first + LEAVES - 1]) << scale) > size
        for leaf in range(LEAVES - 1):
            wrong |= ends[first + leaf] > ends[first + leaf + 1]
    return not wrong


def _rmi_lines(keys: Array, shape: Array, table: Array, leaves: Array) -> bool:
    before = leaves[::2] & np.uint64((1 << 40) - 1)
    count, left = divmod(len(leaves), 2)
    if left or count < 2 or not _rising(before) or before[-1] != len(keys):
        return False
    return _root(keys, shape, table, (count - 1) * UNITS - 1)


def _pgm(keys: Array, shape: Array, origins: Array, models: Array) -> bool:
    levels, left = divmod(len(shape) - 2, 4)
    if left or levels < 1 or shape[1] != levels or len(origins) != len(models):
        return False
    end = 0
    for at, count, below, above in shape[2:].reshape(levels, 4).tolist():
        if at != end or not 1 <= count < len(origins) or not (0 <= below <= _FAR and 0 <= above <= _FAR):
            return False
        end = at + count + 1
    return end == len(origins)


def _radix_spline(keys: Array, shape: Array, table: Array, places: Array, ranks: Array, errors: Array) -> bool:
    if not len(places) == len(ranks) >= 2 or len(errors) != 2 or not 0 <= errors.min() <= errors.max() <= _FAR:
        return False
    if places[0] or not (_rising(places) and _rising(ranks) and _root(keys, shape, table, len(places))):
        return False
    # A query must get to the knots around it: what a line says far from them is no number of keys.
    return bool((table == radix_table(places, shape)).all())


def _radix_table(keys: Array, plan: Array, begins: Array, header: Array) -> bool:
    cells, left = divmod(len(plan), 2)
    if left or len(header) != 3 or header[1] >= _SHIFTS or header[2] >= cells or len(begins) < 2:
        return False
    packed = plan[1::2]
    last = (packed >> np.uint64(32)) + (packed >> np.uint64(8) & np.uint64(0xFFFFFF))
    shifts = packed & np.uint64(0xFF)
    return bool(last.max() < len(begins) - 1 and shifts.max() < _SHIFTS and begins[-1] <= len(keys) and _rising(begins))


def _static_btree(keys: Array, tree: Array, header: Array) -> bool:
    lanes = LINE // tree.itemsize
    bucket, first, *starts = header.tolist() if len(header) > 2 else (0, 0)
    if not lanes <= bucket <= _FAR or not 1 <= first <= lanes or starts[:1] != [0]:
        return False
    counts = [end - start for start, end in zip(starts, [*starts[1:], len(tree)], strict=True)]
    separators = len(range(first - 1, len(keys) - 1, bucket))
    if counts[0] != lanes or counts[-1] != lanes * max(1, -(-separators // lanes)):
        return False
    never = np.inf if tree.dtype.kind == "f" else np.iinfo(tree.dtype).max
    # No search goes past a node's last child: what would send it there is greater than every query.
    for start, count, below in zip(starts, counts, counts[1:], strict=False):
        children, left = divmod(below, lanes)
        if left or not 1 <= children <= count + 1 or (tree[start + children - 1 : start + count] != never).any():
            return False
    return True


def _eytzinger(keys: Array, tree: Array) -> bool:
    return len(tree) == len(keys) + 1


_KERNELS: dict[str, tuple[str, Callable[..., bool] | None]] = {
    "search:_numpy_search": ("", None),
    "search:plain_search": ("", None),
    "search:branchless_search": ("", None),
    "search:interleaved_search": ("", None),
    "interpolation:two_points": ("", None),
    "interpolation:three_points": ("", None),
    "interpolation:interleaved": ("", None),
    "rmi:search_counts": ("u8 u4 u8", _rmi_counts),
    "rmi:search_lines": ("u8 u4 u8", _rmi_lines),
    "pgm:search": ("i8 u8 i8", _pgm),
    "radix_spline:search": ("u8 u4 u8 u4 i8", _radix_spline),
    "radix_table:search": ("u8 place u8", _radix_table),
    "static_btree:search": ("key i8", _static_btree),
    "eytzinger:search": ("key", _eytzinger),
}
"""By a kernel's name the types of its arrays (`key`: the keys', `place`: the narrowest for places), and their check."""
