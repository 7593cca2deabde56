"""The one door to Numba: what is compiled does what the plain Python does."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from unseat.core.jit import jit, python


@jit
def ratios(values: NDArray[np.float64], by: float) -> float:
    """The sum of the values, each divided by `by`."""
    total = 0.0
    for value in values:
        total += value / by
    return total


@settings(deadline=None)
@given(st.lists(st.floats(-1e6, 1e6)), st.floats(0.5, 1e6))
def test_compiled_and_plain_kernels_agree(values: list[float], by: float) -> None:
    """Red: a kernel that is traced or tested in Python is not the kernel that is compiled."""
    array = np.array(values, np.float64)
    assert python(ratios) is not ratios
    assert ratios(array, by) == python(ratios)(array, by)


def test_division_by_zero_is_numpys() -> None:
    """Red: kernels pay for a check at every division, and raise where NumPy gives infinity."""
    assert ratios(np.ones(1), 0.0) == math.inf


def test_plain_function_is_its_own_python() -> None:
    """Red: a policy's plain Python function cannot be handed where a kernel is expected."""
    assert python(math.sqrt) is math.sqrt
