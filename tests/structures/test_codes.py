"""Codes keep the order of keys."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from unseat.structures.codes import KEY_TYPES, code, codes


@pytest.mark.parametrize("kind", KEY_TYPES)
@settings(deadline=None)
@given(data=st.data())
def test_codes_are_ordered_as_the_keys(kind: str, data: st.DataObject) -> None:
    """Broken, a model would look for a key where it cannot be; compiled and plain code are held equal."""
    elements = {"allow_nan": False} if kind[0] == "f" else {}
    keys = data.draw(hnp.arrays(np.dtype(kind), st.integers(1, 20), elements=elements))
    found = codes(keys)
    assert found.tolist() == [int(code(key)) for key in keys]
    for i in range(len(keys)):
        for j in range(len(keys)):
            assert (keys[i] < keys[j]) == (found[i] < found[j])


def test_extremes_have_the_extreme_codes() -> None:
    """Broken at the ends of a type, the smallest key would sort after the largest."""
    assert codes(np.array([-(1 << 63), (1 << 63) - 1])).tolist() == [0, (1 << 64) - 1]
    minus, plus, zero, negative_zero = codes(np.array([-np.inf, np.inf, 0.0, -0.0])).tolist()
    assert minus < zero == negative_zero < plus
