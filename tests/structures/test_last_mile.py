"""The last mile finds the lower bound in any window that holds it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numba import TypingError
from numpy.typing import NDArray

from unseat.core.jit import jit, python
from unseat.structures.codes import KEY_TYPES
from unseat.structures.lanes import LINE, count_less
from unseat.structures.last_mile import finish


@jit
def _finish(
    keys: NDArray[Any],
    queries: NDArray[Any],
    low: NDArray[np.int64],
    high: NDArray[np.int64],
    out: NDArray[np.int64],
) -> None:
    finish(keys, queries, 0, len(queries), low, high, out)


@jit
def _count(keys: NDArray[Any], start: int, query: Any) -> int:
    return count_less(keys, start, query)


@pytest.mark.parametrize("kind", KEY_TYPES)
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_every_window_that_holds_the_answer_gives_it(kind: str, data: st.DataObject) -> None:
    """Broken, some position of the window, the array's alignment or its ends gives a wrong rank."""
    elements: dict[str, Any] = {"allow_nan": False} if kind[0] == "f" else {}
    drawn = data.draw(hnp.arrays(np.dtype(kind), st.integers(1, 80), elements=elements))
    few = data.draw(st.booleans())
    keys = np.sort(drawn % 7 if few and kind[0] != "f" else drawn)[data.draw(st.integers(0, len(drawn) - 1)) :]
    queries = np.concatenate([keys, data.draw(hnp.arrays(keys.dtype, 5, elements=elements))])
    rank = np.searchsorted(keys, queries)
    below = data.draw(hnp.arrays(np.int64, len(queries), elements=st.integers(0, 90)))
    above = data.draw(hnp.arrays(np.int64, len(queries), elements=st.integers(0, 90)))
    for kernel in (_finish, python(_finish)):
        low, high = np.maximum(rank - below, 0), np.minimum(rank + above, len(keys))
        out = np.full(len(queries), -1)
        kernel(keys, queries, low, high, out)
        assert out.tolist() == rank.tolist()


@pytest.mark.parametrize("kind", KEY_TYPES)
def test_counting_compares_as_the_type_does(kind: str) -> None:
    """Broken, large unsigned or negative keys compare as the wrong type; compiled and plain code are held equal."""
    limits = np.finfo(kind) if kind[0] == "f" else np.iinfo(kind)
    width = LINE // np.dtype(kind).itemsize
    keys = np.sort(np.resize(np.array([limits.min, 0, 1, limits.max], kind), 2 * width))
    for start in range(width + 1):
        for query in keys[::3]:
            assert _count(keys, start, query) == python(_count)(keys, start, query)


def test_keys_with_gaps_between_them_are_refused() -> None:
    """Broken, the vector load would read the keys that a strided view leaves out."""
    with pytest.raises(TypingError, match="contiguous"):
        _count(np.arange(64)[::2], 0, np.int64(3))
