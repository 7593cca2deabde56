"""Key sets and queries that an index can get wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray


@st.composite
def key_sets(draw: st.DrawFn, kind: str, most: int = 300) -> NDArray[Any]:
    """Sorted keys of a type, at least one: spread, dense, of few values, or clustered at the type's ends."""
    dtype = np.dtype(kind)
    elements: dict[str, Any] = {"allow_nan": False} if dtype.kind == "f" else {}
    drawn = draw(hnp.arrays(dtype, st.integers(1, 40), elements=elements))
    shape = draw(st.sampled_from(["as drawn", "repeated", "runs"]))
    if shape == "repeated":
        drawn = np.repeat(drawn, draw(st.integers(2, most // len(drawn))))
    elif shape == "runs":
        run = np.arange(draw(st.integers(2, most // len(drawn)))).astype(dtype)
        with np.errstate(over="ignore"):
            drawn = np.add.outer(drawn, run * draw(hnp.arrays(dtype, (), elements=st.integers(0, 9)))).ravel()
    return np.sort(drawn)


def close_queries(keys: NDArray[Any]) -> NDArray[Any]:
    """The keys, the values just below and above them, some between them, and the ends of the type."""
    if keys.dtype.kind == "f":
        ends = np.array([-np.inf, np.inf, 0.0, -0.0], keys.dtype)
        with np.errstate(over="ignore"):
            near = [np.nextafter(keys, end) for end in ends[:2]]
        middle = keys[:-1] / 2 + keys[1:] / 2
    else:
        limits = np.iinfo(keys.dtype)
        ends = np.array([limits.min, limits.max, 0], keys.dtype)
        near = [keys - (keys > limits.min).astype(keys.dtype), keys + (keys < limits.max).astype(keys.dtype)]
        middle = keys[:-1] // keys.dtype.type(2) + keys[1:] // keys.dtype.type(2)
    return np.concatenate([keys, *near, middle, ends])
