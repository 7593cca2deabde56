"""A sorted array that finds its keys with a model of where they lie."""

from __future__ import annotations

import operator
import os
from pathlib import Path
from threading import Lock
from typing import Any, Literal, overload
from weakref import WeakSet

import numpy as np

from unseat.core.errors import UserError
from unseat.structures.admission import check_budget
from unseat.structures.contents import Contents, admit_keys
from unseat.structures.pending import State, most_pending

Side = Literal["left", "right"]


class LearnedIndex:
    """Where keys lie in a sorted array, found faster than by searching it.

    It answers exactly what `numpy.searchsorted` answers on the same keys, and stays exact when keys are inserted and
    deleted. How it searches is decided when it is built: models of the keys and plain searches are tried on a sample of
    lookups, and the fastest is kept (`explain` tells). An array of contiguous 32- or 64-bit keys of the machine's byte
    order is used in place and not copied: do not change it. Other keys are copied once.

    Keys are numbers (integers and floats of up to 64 bits; 8 and 16 bits are widened), ``datetime64``, ``timedelta64``,
    ``str`` or ``bytes``, in an array or a list; equal keys may repeat. Queries may be of another number type, or of
    another unit of time: they are compared exactly, not through floats. Text is ordered by code points, as Python does.

    Any number of threads may search one index. One may insert or delete at the same time: each search sees all of a
    change or nothing of it.

    Args:
        keys: Sorted, ascending.
        budget: Bytes that may be held besides the keys to find them, as a share of the keys' bytes. By default a tenth,
            or 4 KB where that is more. A budget that is given counts all, the codes of texts included (8 bytes a key,
            and up to 8 more where many begin alike), and texts are searched without them where it has no room for them;
            by default, those are held besides, and the tenth is of them.

    Raises:
        UserError: The keys are not sorted, hold NaN or NaT, or are of a type that is not admitted.
    """

    def __init__(self, keys: Any, *, budget: float | None = None) -> None:
        self._start(admit_keys(keys), budget)

    def _start(self, contents: Contents, budget: float | None) -> None:
        checked = check_budget(budget)
        self._hold(State.of(*contents.fitted(checked)), checked)

    def _hold(self, state: State, budget: float | None) -> None:
        self._state, self._budget = state, budget
        self._changing = Lock()
        _ALIVE.add(self)

    def __getstate__(self) -> tuple[Any, Any]:
        """For `copy` and `pickle`: what a file would hold."""
        from unseat.structures.saved import parts

        return parts(self._state, self._budget)

    def __setstate__(self, parts: tuple[Any, Any]) -> None:
        from unseat.structures.saved import restored

        self._hold(*restored(*parts, verify=False))

    @classmethod
    def from_unsorted(cls, keys: Any, *, budget: float | None = None) -> LearnedIndex:
        """An index over a sorted copy of the keys; positions are those in the sorted order (`keys`)."""
        index = cls.__new__(cls)
        index._start(admit_keys(keys, sort=True), budget)
        return index

    def search(self, queries: Any, side: Side = "left") -> Any:
        """Where each query belongs among the keys.

        Args:
            queries: One query or an array of them, of any shape.
            side: "left" for the number of keys less than the query, "right" for those less or equal.

        Returns:
            Positions from 0 to ``len(index)``, int64 of the queries' shape; an `int` for a single query.

        Raises:
            UserError: A query is NaN, or cannot be compared with the keys.
        """
        if side not in ("left", "right"):
            raise UserError(f"side = {side!r}: give 'left' or 'right'")
        return _search(self._state, queries, side == "right")

    def range(self, low: Any, high: Any) -> tuple[Any, Any]:
        """Where the keys from `low` to before `high` lie, ``low <= key < high``.

        The keys themselves are ``index[start:stop]``, their number is ``stop - start``.

        Args:
            low: One key or an array.
            high: One key or an array of the same shape.

        Returns:
            The first position and the one past the last, as `search` gives them; equal where there is no such key.
        """
        state = self._state
        start = _search(state, low, False)
        stop = _search(state, high, False)
        return start, np.maximum(start, stop) if isinstance(start, np.ndarray) else max(start, stop)

    def insert(self, keys: Any) -> int:
        """Insert one key or many, in any order; keys that are there already are there once more.

        Returns:
            How many were inserted.

        Raises:
            UserError: The type of the keys here does not hold one of them exactly; then none is inserted.
        """
        with self._changing:
            if self._state.base.kind.untyped and not len(self._state.base):
                single = isinstance(keys, (str, bytes, bytearray)) or np.ndim(keys) == 0
                first = admit_keys([keys] if single else keys, sort=True)
                self._state = State.of(*first.fitted(self._budget))
                return len(first)
            batch = self._state.base.batch(keys)
            if len(batch):
                self._keep(self._state.inserted(batch))
            return len(batch)

    def delete(self, keys: Any, *, missing: Literal["raise", "ignore"] = "raise") -> int:
        """Delete one of the equal keys for each key given (in any order; give a key twice to delete two).

        Returns:
            How many were deleted.

        Raises:
            KeyError: One is not there, or not so often, and `missing` is "raise"; then none is deleted.
        """
        with self._changing:
            state = self._state
            batch = state.base.batch(keys)
            after, found = state.deleted(batch)
            if missing == "raise" and not found.all():
                place = int(np.flatnonzero(~found)[0])
                raise KeyError(batch.slice(place, place + 1).values()[0])
            if found.any():
                self._keep(after)
            return int(found.sum())

    def _keep(self, state: State) -> None:
        if state.pending > most_pending(len(state.base)):
            contents = state.folded()
            state = State.of(*contents.fitted(self._budget))
        self._state = state

    def compact(self) -> None:
        """Rebuild with what was inserted and deleted, rather than wait until there is enough of it."""
        with self._changing:
            if self._state.pending:
                contents = self._state.folded()
                self._state = State.of(*contents.fitted(self._budget))

    @property
    def keys(self) -> Any:
        """All keys, sorted: an array that must not be written, or a list of texts."""
        return self._state.folded().values()

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the keys; `object` for texts."""
        return self._state.base.kind.dtype

    @property
    def nbytes(self) -> int:
        """Bytes held besides the sorted keys: the model, codes of texts, and what is pending.

        The keys are a copy where yours could not be used in place.
        """
        state = self._state
        pending = state.added.nbytes + state.added.extra + state.removed.nbytes
        return state.choice.locator.nbytes + state.base.extra + pending

    def __len__(self) -> int:
        return len(self._state)

    def __contains__(self, key: Any) -> bool:
        state = self._state
        return bool(_search(state, key, False) != _search(state, key, True))

    @overload
    def __getitem__(self, place: int) -> Any: ...
    @overload
    def __getitem__(self, place: slice) -> Any: ...
    def __getitem__(self, place: Any) -> Any:
        """The key of a rank, or the keys of a slice of ranks (without steps)."""
        state = self._state
        if isinstance(place, slice):
            start, stop, step = place.indices(len(state))
            if step != 1:
                raise UserError(f"a step of {step}: take the keys of a whole range, and every so manieth of those")
            return state.slice(start, max(start, stop)).values()
        rank = operator.index(place)
        rank += len(state) if rank < 0 else 0
        if not 0 <= rank < len(state):
            raise IndexError(f"rank {place} of {len(state)} keys")
        return state.slice(rank, rank + 1).values()[0]

    def __repr__(self) -> str:
        state = self._state
        return (
            f"LearnedIndex({len(state):,} {state.base.kind} keys, {state.choice.locator.name}, {self.nbytes:,} bytes)"
        )

    def explain(self) -> str:
        """What was chosen to search with and why, in a few lines for people."""
        state = self._state
        base, choice = state.base, state.choice
        lines = [
            f"{len(state):,} keys of type {base.kind} in {base.nbytes:,} bytes, {self.nbytes:,} bytes besides them",
            f"search: {choice.locator.name}: {choice.reason}",
        ]
        lines += [f"  {name:<20}{time:8.1f} ns a lookup" for name, time in sorted(choice.measured.items(), key=_time)]
        lines += [f"  {name} = {value}" for name, value in choice.locator.config.items()]
        if choice.few:
            lines.append(f"up to {choice.few} queries at once: numpy.searchsorted, which starts sooner")
        if state.pending:
            most = most_pending(len(base))
            lines.append(f"pending: {len(state.added):,} inserted, {len(state.removed):,} deleted of at most {most:,}")
        return "\n".join(lines)

    def save(self, path: str | Path) -> None:
        """Write one file that `load` opens; an existing file is replaced at once, never half.

        Raises:
            OSError: The file cannot be written.
        """
        from unseat.structures.saved import write

        write(Path(path), self._state, self._budget)

    @classmethod
    def load(cls, path: str | Path, *, verify: bool = True) -> LearnedIndex:
        """Open a saved index by mapping its file: keys are read from it as they are needed.

        Args:
            path: What `save` wrote. Do not write to it while it is open; `save` over it is fine.
            verify: Check the sum of the keys too, which reads the whole file; those of all else are always checked.

        Raises:
            UserError: It is not such a file, was damaged, or comes from another version; the message says which.
        """
        from unseat.structures.saved import read

        index = cls.__new__(cls)
        index._hold(*read(Path(path), verify))
        return index

    def export(self, path: str | Path, *, name: str = "unseat_index") -> list[Path]:
        """Write a C++17 header with a class that answers as `search` does, over the same keys given by pointer.

        What is pending is merged first (`compact`). A large model goes into a file of its own, ``<header>.model``.

        Args:
            path: The header to write.
            name: The namespace of what it declares.

        Returns:
            The files written.

        Raises:
            UserError: The name is no C++ name, or a file that is no such export would be written over.
            OSError: A file cannot be written.
        """
        from unseat.structures.cpp_header import export

        self.compact()
        return export(self._state.base, self._state.choice, Path(path), name)


_ALIVE: WeakSet[LearnedIndex] = WeakSet()


def _unlock() -> None:
    """After a fork no thread goes on that held a lock, and every state is whole: changes replace it at once."""
    for index in _ALIVE:
        index._changing = Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_unlock)


def _time(measured: tuple[str, float]) -> float:
    return measured[1]


def _search(state: State, queries: Any, strict: bool) -> Any:
    answer = state.few(queries, strict)
    if answer is not None:
        return answer
    flat, shape = state.base.admit(queries)
    ranks = state.rank(flat, strict)
    return ranks.reshape(shape) if shape else int(ranks[0])


__all__ = ["LearnedIndex", "Side"]
