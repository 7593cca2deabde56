"""Policies that fail or cheat; none of them may pass."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from unseat.core.jit import jit
from unseat.core.policy import Form, Policy, Session, View
from unseat.structures.codes import codes


@dataclass(frozen=True)
class Playing(Policy):
    """Answers by a function of the keys and the queries."""

    answer: Callable[[NDArray[Any], NDArray[Any]], Any]
    name: str = "playing"
    nbytes: int = 0

    def start(self, view: View, seed: int) -> Session:
        keys, policy = view.facts["keys"], self

        class Mine(Session):
            nbytes = policy.nbytes

            def decide(self, observation: Any) -> Any:
                return policy.answer(keys, observation)

        return Mine()


def honest(keys: NDArray[Any], queries: NDArray[Any]) -> Any:
    return np.searchsorted(keys, queries)


def off_by_one(keys: NDArray[Any], queries: NDArray[Any]) -> Any:
    found = np.searchsorted(keys, queries)
    found[-1] += 1
    return found


def floats(keys: NDArray[Any], queries: NDArray[Any]) -> Any:
    return np.searchsorted(keys, queries).astype(float)


def short(keys: NDArray[Any], queries: NDArray[Any]) -> Any:
    return np.searchsorted(keys, queries)[:-1]


def nothing(keys: NDArray[Any], queries: NDArray[Any]) -> Any:
    return None


def sorting_queries(keys: NDArray[Any], queries: NDArray[Any]) -> Any:
    """Writes over the queries that it is given, to answer for others that are easier."""
    queries[:] = queries[0]
    return np.searchsorted(keys, queries)


def raising(keys: NDArray[Any], queries: NDArray[Any]) -> Any:
    raise RuntimeError("as it may happen")


def late(keys: NDArray[Any], queries: NDArray[Any]) -> Any:
    time.sleep(0.02)
    return np.searchsorted(keys, queries)


def writing_keys(keys: NDArray[Any], queries: NDArray[Any]) -> Any:
    """Makes the array one that is easy to search."""
    keys[:] = keys[0]
    return np.zeros(len(queries), np.int64)


@dataclass(frozen=True)
class Behind(Policy):
    """Answers honestly for keys that it has made easy, in the array behind those that it was given."""

    name: str = "behind"

    def start(self, view: View, seed: int) -> Session:
        keys = view.facts["keys"]
        keys.base[:] = 0
        return Playing(honest).start(view, seed)


def writing_given(keys: NDArray[Any], queries: NDArray[Any], out: NDArray[np.int64]) -> None:
    """A kernel of a fused policy that leaves the keys easier than it found them."""
    keys[:] = 0
    out[:] = np.searchsorted(keys, queries)


def sampling(keys: NDArray[Any], every: int) -> Any:
    """A window between sampled keys, which it has compiled into it."""
    at = codes(keys)[::every].copy()

    @numba.njit
    def window(code: Any, none: NDArray[np.int64]) -> tuple[int, int]:
        low, high = 0, len(at)
        while low < high:
            middle = (low + high) // 2
            if at[middle] < code:
                low = middle + 1
            else:
                high = middle
        return (low - 1) * every, low * every

    return window


@numba.njit
def outer(code: Any, none: NDArray[np.int64]) -> tuple[int, int]:
    """Its table is that of a function that it calls."""
    low, high = inner(code)
    return low, high


TABLE = np.zeros(1000, np.int64)


@numba.njit
def inner(code: Any) -> tuple[int, int]:
    return TABLE[0], 10**9


class Remembering:
    """Keeps the answers to the first batch for the next, as a cache of answers would."""

    def __init__(self) -> None:
        self.kept: Any = None

    def __call__(self, keys: NDArray[Any], queries: NDArray[Any]) -> Any:
        if self.kept is None or len(self.kept) != len(queries):
            self.kept = np.searchsorted(keys, queries)
        return self.kept


@jit
def narrow(code: Any, bounds: NDArray[np.int64]) -> tuple[int, int]:
    """A window that leaves most answers out."""
    return bounds[0], bounds[1]


@jit
def steps(code: Any, at: NDArray[np.uint64], every: NDArray[np.int64]) -> tuple[int, int]:
    """Between two of the sampled keys: a B-tree of one level."""
    low, high = 0, len(at)
    while low < high:
        middle = (low + high) // 2
        if at[middle] < code:
            low = middle + 1
        else:
            high = middle
    return (low - 1) * every[0], low * every[0]


@dataclass(frozen=True)
class Windowed(Policy):
    """A stranger's compiled policy."""

    kernel: Any
    make: Callable[[View], tuple[NDArray[Any], ...]]
    form = Form.KERNEL
    name: str = "windowed"

    def start(self, view: View, seed: int) -> Session:
        session = Session()
        session.kernel = self.kernel, self.make(view)
        return session
