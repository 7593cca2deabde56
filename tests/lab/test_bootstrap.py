"""Many intervals at once, beside one at a time."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from unseat.lab.statistics import bootstrap


@given(st.lists(st.lists(st.integers(-9, 9), min_size=3, max_size=3), min_size=1, max_size=60), st.integers(5, 40))
def test_counting_says_what_the_interval_says(rows: list[list[int]], groups: int) -> None:
    """Red: ranks of many contenders, which are counted, are others than their intervals give."""
    drawn = np.array(rows) / 7
    known = [bootstrap.interval(column, groups)[1] < 0 for column in drawn.T]
    assert bootstrap.below_zero(drawn, groups).tolist() == known
