"""What a kernel holds, however it holds it."""

from __future__ import annotations

import functools
from typing import Any

import numba
import numpy as np
import pytest

from unseat.core.policy import InvalidAnswer
from unseat.structures import codes as module
from unseat.tasks.index import structures
from unseat.tasks.index.footprint import footprint
from unseat.tasks.index.structures import STRUCTURES

TABLE = np.zeros(100)
PAIRS = ((1, 2), (3, 4.5))
NUMBER = 7
TEXT = b"0123456789"


class Holder:
    """An object of which nobody can tell what it holds."""


HOLDER = Holder()


def table() -> Any:
    return TABLE[NUMBER]


def pairs() -> Any:
    return PAIRS, TEXT


def default(part: Any = TABLE) -> Any:
    return part


def keyword(*, part: Any = TABLE) -> Any:
    return part


def literal() -> Any:
    return (1, 2, 3, 4)


def nested() -> Any:
    return [TABLE for _ in range(2)]


def calling() -> Any:
    return table() + compiled()


def recursive() -> Any:
    return recursive() + TABLE


def holding() -> Any:
    return HOLDER


def of_module() -> Any:
    return structures.TABLE  # type: ignore[attr-defined]


@numba.njit
def compiled() -> Any:
    return TABLE[0]


@pytest.mark.parametrize(
    ("kernel", "nbytes"),
    [
        (table, 800), (pairs, 42), (default, 800), (keyword, 800), (literal, 32), (nested, 800), (calling, 800),
        (recursive, 800), (compiled, 800),
    ],
)  # fmt: skip
def test_constants_count_once(kernel: Any, nbytes: int) -> None:
    """Red: there is a way to hold a table that nobody counts, or one table is counted twice."""
    assert footprint(kernel, ()) == nbytes
    assert footprint(kernel, (np.zeros(3),)) == nbytes + 24


def test_a_modules_table_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Red: a table is free if it lies in another module."""
    monkeypatch.setattr(structures, "TABLE", np.zeros(10), raising=False)
    assert footprint(of_module, ()) == 80


def test_what_cannot_be_counted_is_refused() -> None:
    """Red: an object that holds anything is free."""
    kernels: list[Any] = [functools.partial(table), [1].append, HOLDER]
    for kernel in kernels:
        with pytest.raises(InvalidAnswer, match="cannot be counted"):
            footprint(kernel, ())
    with pytest.raises(InvalidAnswer, match="reads HOLDER, a Holder"):
        footprint(holding, ())
    with pytest.raises(InvalidAnswer, match="NumPy arrays"):
        footprint(literal, (HOLDER,))


def test_a_part_of_an_array_counts_as_the_whole() -> None:
    """Red: a kernel is charged for the first key of an array that it reads beyond, or padding is charged."""
    keys = np.zeros(10_000)
    none = module.code
    assert footprint(none, (keys[:1],)) == keys.nbytes
    assert footprint(none, (keys[:5000], keys[5000:])) == keys.nbytes
    assert footprint(none, (np.frombuffer(bytes(10_000), count=1),)) == 10_000
    assert footprint(none, (keys[8:],)) == keys.nbytes - 64


def test_structures_hold_their_arrays_and_no_more() -> None:
    """Red: constants of the built-in kernels are charged, or one of them reads what cannot be counted."""
    keys = (np.arange(20_000) ** 2).astype(np.uint64)
    for key, one in STRUCTURES.items():
        made = one.build(keys, 16_000, {})
        assert footprint(made.run, made.arrays) - made.nbytes in range(0, 65), key
