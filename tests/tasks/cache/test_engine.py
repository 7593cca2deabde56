"""Dense ids, next accesses and traces against dictionaries."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tasks.cache.reference.workloads import workloads

from unseat.core.errors import UserError
from unseat.core.jit import python
from unseat.tasks.cache.engine import dense
from unseat.tasks.cache.engine.dense import _number, dense_ids, first_requests, next_access, table_bytes
from unseat.tasks.cache.engine.trace import from_raw

# Keys that differ in all bits, in the low bits only, or in the high bits only: no hash may rest on some of them.
KEYS = st.builds(
    lambda requests, stretch: [x * stretch % 2**64 for x in requests],
    workloads(1500, 900),
    st.sampled_from([1, 2**56, 2**40, 0x9E3779B97F4A7C15]),
)


def expected_ids(keys: list[int]) -> list[int]:
    seen: dict[int, int] = {}
    return [seen.setdefault(key, len(seen)) for key in keys]


@settings(max_examples=40, deadline=None)
@given(keys=KEYS)
def test_dense_ids_are_in_order_of_first_appearance(keys: list[int]) -> None:
    """Red: two keys share an id, one key has two, or ids are not numbered by first appearance."""
    ids, n_objects = dense_ids(np.array(keys, np.uint64))
    assert ids.tolist() == expected_ids(keys)
    assert n_objects == len(set(keys))
    following = next_access(ids, n_objects).tolist()
    for t, key in enumerate(keys):
        assert following[t] == (keys.index(key, t + 1) if key in keys[t + 1 :] else len(keys))
    assert first_requests(ids, n_objects).tolist() == [keys.index(key) for key in dict.fromkeys(keys)]


def test_table_grows_and_reads_any_integer_layout() -> None:
    """Red: growing the hash table loses keys, or a strided, signed or narrow key array is misread."""
    keys = np.arange(50_000, dtype=np.int64)[::-1] * -977
    ids, n_objects = dense_ids(np.concatenate([keys, keys]))
    assert n_objects == 50_000
    assert np.array_equal(ids, np.tile(np.arange(50_000), 2))
    record = np.zeros(1000, np.dtype([("time", "<u4"), ("key", "<u8"), ("size", "<u4")]))
    record["key"] = np.arange(1000) % 70
    assert dense_ids(record["key"])[0].tolist() == [t % 70 for t in range(1000)]
    assert dense_ids(np.array([3, -1, 3, 7], np.int32))[0].tolist() == [0, 1, 0, 2]
    assert dense_ids(np.array([3, 1, 3], ">i8"))[0].tolist() == [0, 1, 0]
    with pytest.raises(UserError, match="1-D integer array"):
        dense_ids(np.array([0.5]))


def test_table_bytes_is_what_the_table_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Red: the memory figure of the speed benchmark is not what the hash table really allocates."""
    keys = np.arange(1500, dtype=np.uint64) * np.uint64(3)
    ids = np.empty(keys.size, np.int32)
    for helper in ("_slot", "_longer", "_slots_of"):  # in plain Python every array is NumPy's and is traced
        monkeypatch.setattr(dense, helper, python(getattr(dense, helper)))
    with np.errstate(over="ignore"):
        python(_number)(keys, ids)  # whatever is imported or cached once
        tracemalloc.start()
        python(_number)(keys, ids)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert 0 <= peak - table_bytes(1500) < 4000
    assert all(table_bytes(n) <= 48 * n for n in (600, 1023, 1024, 5000, 2**20, 2**20 + 1))


def test_sizes_are_those_of_the_first_request() -> None:
    """Red: an object's size comes from another request than its first, or a prefix keeps objects it lacks."""
    trace = from_raw(np.array([9, 4, 9, 5]), np.array([10, 20, 99, 30]), name="t")
    assert trace.sizes is not None
    assert trace.sizes.tolist() == [10, 20, 30]
    assert trace.footprint == 60
    prefix = trace.prefix(3)
    assert (prefix.n_requests, prefix.n_objects, prefix.footprint) == (3, 2, 30)
