"""The sorted keys of an index, as numbers or as texts, behind the same operations."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from time import perf_counter_ns
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from unseat.core.errors import UserError
from unseat.structures.admission import (
    Kind,
    admit_numbers,
    admit_queries,
    first_disorder,
    is_text,
    one_number,
    query_bounds,
)
from unseat.structures.selection import Choice, choose, plain
from unseat.structures.strings import (
    Texts,
    admit_text_queries,
    admit_texts,
    shared_prefix,
    sorted_texts,
    text_codes,
    text_disorder,
)
from unseat.structures.text_search import Runs, settle, windows

C = TypeVar("C", bound="Contents")
TRIAL = 2048
"""Lookups by which codes of texts are tried against whole texts."""
LEAST, ROUNDS = 1000, 3
"""Fewer keys are not worth a trial; the best of so many rounds counts."""
Shape = tuple[int, ...]


class Contents(Protocol):
    """Sorted keys, equal ones included."""

    @property
    def kind(self) -> Kind:
        """The type of the keys."""

    def __len__(self) -> int: ...

    @property
    def nbytes(self) -> int:
        """Bytes of the keys themselves."""

    @property
    def extra(self) -> int:
        """Bytes held besides them."""

    @property
    def modelled(self) -> NDArray[Any]:
        """The sorted array that a locator searches."""

    def admit(self, queries: Any) -> tuple[Any, Shape]:
        """Queries as `rank` takes them, and their shape."""

    def rank(self, choice: Choice, queries: Any, strict: bool) -> NDArray[np.int64]:
        """For each query how many keys are less than it; `strict`: than it or equal to it."""

    def fitted(self: C, budget: float | None) -> tuple[C, Choice]:
        """These keys with what may be held besides them, and how they are searched."""

    def batch(self: C, keys: Any) -> C:
        """New keys of the same kind in any order, sorted."""

    def queries(self) -> Any:
        """These keys as `rank` takes them."""

    def merged(self: C, other: C, places: NDArray[np.int64]) -> C:
        """With the other's keys inserted before the places named."""

    def without(self: C, places: NDArray[np.int64]) -> C:
        """Without the keys at these places (ascending)."""

    def slice(self: C, start: int, stop: int) -> C:
        """The keys from `start` to before `stop`."""

    def values(self) -> Any:
        """As a user sees them: an array, or a list of texts."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What a file has to hold."""


@dataclass(frozen=True)
class Numbers:
    """Keys that are numbers or times, in their stored type."""

    kind: Kind
    modelled: NDArray[Any]

    def __len__(self) -> int:
        return len(self.modelled)

    @property
    def nbytes(self) -> int:
        return self.modelled.nbytes

    @property
    def extra(self) -> int:
        return 0

    def admit(self, queries: Any) -> tuple[NDArray[Any], Shape]:
        if type(queries) in (int, float) and self.kind.dtype.kind not in "mM":
            return one_number(queries, self.modelled.dtype), ()
        array = admit_queries(queries, self.kind)
        return array if array.ndim == 1 else array.reshape(-1), array.shape

    def rank(self, choice: Choice, queries: NDArray[Any], strict: bool) -> NDArray[np.int64]:
        return choice.rank(self.modelled, self.kind, queries, strict)

    def fitted(self, budget: float | None) -> tuple[Numbers, Choice]:
        return self, choose(self.modelled, budget)

    def batch(self, keys: Any) -> Numbers:
        if is_text(keys):
            raise UserError(f"text cannot be a key among {self.kind} keys")
        kind, array = admit_numbers(np.reshape(keys, -1) if np.ndim(keys) == 0 else keys, "keys")
        if len(array) and kind != self.kind:
            array = self._converted(kind, array)
        return Numbers(self.kind, np.sort(array.astype(self.kind.stored, copy=False)))

    def _converted(self, kind: Kind, array: NDArray[Any]) -> NDArray[Any]:
        """Keys of another type, where this one holds each of them exactly."""
        queries = admit_queries(array.view(kind.dtype), self.kind)
        values, beyond = query_bounds(queries, self.kind, False)
        successors, past = query_bounds(queries, self.kind, True)
        # A value that the type holds is its own bound, and its strict bound is another.
        holds = values != successors
        if past is not None:
            holds |= past
        if beyond is not None:
            holds &= ~beyond
        if not holds.all():
            wrong = array.view(kind.dtype)[np.flatnonzero(~holds)[0]]
            raise UserError(f"{wrong} cannot be a key among {self.kind} keys: that type does not hold it exactly")
        return values

    def queries(self) -> NDArray[Any]:
        return self.modelled.view(self.kind.dtype)

    def merged(self, other: Numbers, places: NDArray[np.int64]) -> Numbers:
        return Numbers(self.kind, np.insert(self.modelled, places, other.modelled))

    def without(self, places: NDArray[np.int64]) -> Numbers:
        return Numbers(self.kind, np.delete(self.modelled, places))

    def slice(self, start: int, stop: int) -> Numbers:
        return Numbers(self.kind, self.modelled[start:stop])

    def values(self) -> NDArray[Any]:
        seen = self.modelled.view(self.kind.dtype)
        seen.flags.writeable = False
        return seen

    def arrays(self) -> dict[str, NDArray[Any]]:
        return {"keys": self.modelled}


@dataclass(frozen=True)
class TextKeys:
    """Keys that are texts.

    Attributes:
        kind: Text or bytes.
        texts: The keys, sorted.
        modelled: Their codes past the prefix that all share; empty where there is no room for them, or no use.
        skip: How long that prefix is.
        most: How many further codes may tell apart keys of one code; -1 for as many as there are keys.
    """

    kind: Kind
    texts: Texts
    modelled: NDArray[np.uint64]
    skip: int
    most: int = -1

    @classmethod
    def of(cls, kind: Kind, texts: Texts) -> TextKeys:
        """Sorted texts."""
        skip = shared_prefix(texts)
        return cls(kind, texts, text_codes(texts, skip), skip)

    @cached_property
    def _runs(self) -> Runs:
        most = len(self.modelled) if self.most < 0 else self.most
        return Runs.of(self.texts.data, self.texts.ends, self.modelled, self.skip, most)

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def nbytes(self) -> int:
        return self.texts.nbytes if len(self) else 0

    @property
    def extra(self) -> int:
        return self.modelled.nbytes + self._runs.nbytes

    def admit(self, queries: Any) -> tuple[Texts, Shape]:
        return admit_text_queries(queries, self.kind)

    def rank(self, choice: Choice, queries: Texts, strict: bool) -> NDArray[np.int64]:
        low = np.zeros(len(queries), np.int64)
        if not len(self) or not len(queries):
            return low
        codes = text_codes(queries, self.skip)
        choice.lower_bound(self.modelled, codes, low)
        high, shared = np.empty_like(low), np.empty_like(low)
        keys, runs = self.texts, self._runs
        windows(keys.data, keys.ends, self.modelled, self.skip, runs.codes, runs.runs, runs.table, queries.data,
                queries.ends, codes, low, high, shared)  # fmt: skip
        settle(keys.data, keys.ends, queries.data, queries.ends, strict, low, high, shared)
        return low

    def fitted(self, budget: float | None) -> tuple[TextKeys, Choice]:
        whole = replace(self, modelled=self.modelled[:0], most=0), plain("whole texts are compared")
        if budget is None:
            coded = self, choose(self.modelled, None)
        else:
            room = int(budget * self.nbytes)
            keys = replace(self, modelled=self.modelled, most=-1)
            if keys.extra > room:
                keys = replace(keys, most=0)
            if keys.extra > room:
                return whole[0], plain("no room in the budget for codes: whole texts are compared")
            coded = keys, choose(keys.modelled, (room - keys.extra) / max(keys.modelled.nbytes, 1))
        if len(self) < LEAST:
            return coded
        queries = self._sample()
        times = [min(each._time(choice, queries) for _ in range(ROUNDS)) for each, choice in (coded, whole)]
        return coded if times[0] <= times[1] else whole

    def _sample(self) -> Texts:
        """Some keys, and as many less their last byte, absent as a rule, at random."""
        places = np.random.default_rng(len(self)).integers(len(self), size=min(TRIAL, 4 * len(self)))
        texts = self.texts.take(places).values("bytes")
        return admit_texts([text[: len(text) - i % 2] for i, text in enumerate(texts)], "bytes", "sample")

    def _time(self, choice: Choice, queries: Texts) -> int:
        start = perf_counter_ns()
        self.rank(choice, queries, False)
        return perf_counter_ns() - start

    def batch(self, keys: Any) -> TextKeys:
        texts, shape = admit_text_queries(keys, self.kind)
        if len(shape) > 1:
            raise UserError(f"keys must be one-dimensional, not of shape {shape}")
        return TextKeys.of(self.kind, sorted_texts(texts))

    def queries(self) -> Texts:
        return self.texts

    def merged(self, other: TextKeys, places: NDArray[np.int64]) -> TextKeys:
        order = np.insert(np.arange(len(self)), places, len(self) + np.arange(len(other)))
        return TextKeys.of(self.kind, self.texts.joined(other.texts).take(order))

    def without(self, places: NDArray[np.int64]) -> TextKeys:
        return TextKeys.of(self.kind, self.texts.take(np.delete(np.arange(len(self)), places)))

    def slice(self, start: int, stop: int) -> TextKeys:
        return TextKeys.of(self.kind, self.texts.slice(start, stop))

    def values(self) -> list[Any]:
        return self.texts.values(self.kind.text)

    def arrays(self) -> dict[str, NDArray[Any]]:
        return {"texts": self.texts.data, "ends": self.texts.ends, "codes": self.modelled}


def admit_keys(keys: Any, *, sort: bool = False) -> Contents:
    """The contents of an index over keys that a user gives.

    Args:
        keys: An array or a list; see `unseat.structures.LearnedIndex`.
        sort: Sort a copy, rather than refuse keys that are out of order.

    Raises:
        UserError: They are of no admitted type, hold NaN or NaT, or are not sorted.
    """
    text = is_text(keys)
    if isinstance(keys, np.ndarray) and text and keys.ndim != 1:
        raise UserError(f"keys must be one-dimensional, not of shape {keys.shape}")
    if isinstance(keys, (str, bytes, bytearray)):
        raise UserError(f"keys are one {text}: give a list or an array of them")
    contents: Contents
    if text:
        texts = admit_texts(keys, text, "keys")
        if sort:
            texts = sorted_texts(texts)
        place = text_disorder(texts)
        contents = TextKeys.of(Kind(np.dtype(object), text), texts)
    else:
        kind, array = admit_numbers(keys)
        if isinstance(keys, (list, tuple)) and not keys:
            kind = replace(kind, untyped=True)
        if sort:
            array = np.sort(array)
        place = first_disorder(array)
        contents = Numbers(kind, array)
    if place >= 0:
        first, second = (repr(key) if text else str(key) for key in contents.slice(place, place + 2).values())
        raise UserError(
            f"keys[{place}] = {first} is greater than keys[{place + 1}] = {second}: sort them, "
            "or give them to LearnedIndex.from_unsorted"
        )
    return contents
