"""Where texts lie among sorted texts, from where their codes lie among the codes.

A code is 8 bytes of a text. Where many keys share one (addresses that begin alike), their texts are told apart by the
8 bytes past what *they* share, and where many share those too, by the next ones: a trie of runs whose branches are
found by binary search, as in the B-trie of tries of 8 bytes that Masstree is (Mao, Kohler and Morris, EuroSys 2012).
Runs of few keys, and what the trie has no room for, are searched by comparing whole texts. Every step takes a block of
queries together, as `unseat.structures.prefetch` explains.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unseat.core.jit import inlined, jit
from unseat.structures.prefetch import BLOCK, prefetch

Bytes = NDArray[np.uint8]
Words = NDArray[np.uint64]
Places = NDArray[np.int64]

ALIKE = 8
"""So many keys of one code, or more, have codes further on: fewer are compared in less time than that takes."""
WIDTH = 8
_MIX = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Runs:
    """What tells keys of the same code apart.

    Attributes:
        codes: uint64, the codes of each run's keys past what they share, run by run.
        runs: int64[r, 5], of each run: its first key, the key past its last, how many bytes they share, where its
            codes begin, and where it was found: at that key's code, or at ``len(keys)`` + that place in `codes`.
        table: int32, a power of two: a hash table from where a run was found to its number + 1; 0 for none.
    """

    codes: Words
    runs: Places
    table: NDArray[np.int32]

    @property
    def nbytes(self) -> int:
        """Bytes of all of it, if there is any."""
        return len(self.runs) and self.codes.nbytes + self.runs.nbytes + self.table.nbytes

    @classmethod
    def of(cls, data: Bytes, ends: Places, codes: Words, skip: int, most: int) -> Runs:
        """The runs of sorted texts.

        Args:
            data: Their bytes.
            ends: Where each ends; see `unseat.structures.strings.Texts`.
            codes: The code of each past its first `skip` bytes.
            skip: Bytes that all texts share.
            most: How many further codes may be held, so that texts that nest deeply cannot take any memory.
        """
        # Each run has ALIKE codes or more, so this is room for all.
        further, runs = _runs(
            data, ends, codes, skip, np.empty(most, np.uint64), np.empty((most // ALIKE, 5), np.int64)
        )
        table = np.zeros(1 << (2 * len(runs)).bit_length(), np.int32)
        _fill(runs, table)
        return cls(further, runs, table)


@inlined
def code_at(data: Bytes, start: int, end: int) -> np.uint64:
    """The next 8 bytes as a big-endian number, padded with zeros."""
    code = np.uint64(0)
    if start + WIDTH <= end:
        for j in range(WIDTH):
            code = (code << np.uint64(8)) | np.uint64(data[np.uint64(start + j)])
        return code
    for j in range(WIDTH):
        byte = np.uint64(data[start + j]) if start + j < end else np.uint64(0)
        code = (code << np.uint64(8)) | byte
    return code


@inlined
def compare(a: Bytes, a_start: int, a_end: int, b: Bytes, b_start: int, b_end: int) -> int:
    """Negative, zero or positive as a's text is less than, equal to or greater than b's."""
    for i in range(min(a_end - a_start, b_end - b_start)):
        left, right = a[np.uint64(a_start + i)], b[np.uint64(b_start + i)]
        if left != right:
            return -1 if left < right else 1
    return (a_end - a_start) - (b_end - b_start)


@jit
def _runs(data: Bytes, ends: Places, codes: Words, skip: int, further: Words, runs: Places) -> tuple[Words, Places]:
    made, used = _split(data, ends, codes, 0, len(codes), 0, skip, 0, further, runs, 0, 0)
    done = 0
    while done < made:
        first, past, shared, base = runs[done, 0], runs[done, 1], runs[done, 2], runs[done, 3]
        made, used = _split(
            data, ends, further, base, past - first, first, shared, len(codes) + base, further, runs, made, used
        )
        done += 1
    return further[:used].copy(), runs[:made].copy()


@jit
def _split(
    data: Bytes, ends: Places, codes: Words, base: int, size: int, first: int, shared: int, found: int, further: Words,
    runs: Places, made: int, used: int,
) -> tuple[int, int]:  # fmt: skip
    """Append the runs among keys whose codes are the `size` ones from `base`; the numbers of runs and codes then."""
    i = 0
    while i < size:
        j = i + 1
        while j < size and codes[base + j] == codes[base + i]:
            j += 1
        if j - i >= ALIKE and used + j - i <= len(further):
            low, high = ends[first + i], ends[first + j - 1]
            least = min(ends[first + i + 1] - low, ends[first + j] - high)
            alike = min(shared, least)
            while alike < least and data[low + alike] == data[high + alike]:
                alike += 1
            # Equal texts, and those that differ in zeros at their ends only, have nothing further on.
            if alike >= shared + WIDTH and high + alike < ends[first + j]:
                for k in range(i, j):
                    further[used + k - i] = code_at(data, ends[first + k] + alike, ends[first + k + 1])
                runs[made, 0], runs[made, 1], runs[made, 2] = first + i, first + j, alike
                runs[made, 3], runs[made, 4] = used, found + i
                made, used = made + 1, used + j - i
        i = j
    return made, used


@inlined
def _slot(found: int, size: int) -> int:
    return int((np.uint64(found) * _MIX) >> np.uint64(32)) & (size - 1)


@jit
def _fill(runs: Places, table: NDArray[np.int32]) -> None:
    for number in range(len(runs)):
        slot = _slot(runs[number, 4], len(table))
        while table[slot] != 0:
            slot = (slot + 1) & (len(table) - 1)
        table[slot] = number + 1


@inlined
def _run_at(runs: Places, table: NDArray[np.int32], found: int) -> int:
    """The number of the run found there, or -1."""
    slot = _slot(found, len(table))
    while table[slot] != 0:
        if runs[table[slot] - 1, 4] == found:
            return int(table[slot]) - 1
        slot = (slot + 1) & (len(table) - 1)
    return -1


@inlined
def _past(codes: Words, start: int, stop: int) -> int:
    """The first place after `start` whose code is greater: few share one as a rule, so it gallops."""
    code = codes[start]
    step = 1
    low, high = start + 1, start + 1
    while high < stop and codes[high] == code:
        low = high + 1
        high += step
        step *= 2
    high = min(high, stop)
    while low < high:
        middle = (low + high) // 2
        if codes[middle] == code:
            low = middle + 1
        else:
            high = middle
    return low


@jit
def windows(
    data: Bytes, ends: Places, codes: Words, skip: int, further: Words, runs: Places, table: NDArray[np.int32],
    query_data: Bytes, query_ends: Places, query_codes: Words, low: Places, high: Places, shared: Places,
) -> None:  # fmt: skip
    """Narrow each query's place down to keys that the codes cannot tell from it.

    Args:
        data: The keys' bytes, with `ends` as in `unseat.structures.strings.Texts`.
        ends: See `data`.
        codes: The keys' codes; none where only whole texts are to be compared.
        skip: Bytes that all keys share.
        further: `Runs.codes`.
        runs: `Runs.runs`.
        table: `Runs.table`.
        query_data: The queries' bytes.
        query_ends: See `query_data`.
        query_codes: The queries' codes.
        low: The lower bound of each query's code; updated to where the query's window begins.
        high: Gets where it ends.
        shared: Gets how many bytes the query shares with the keys of its window for certain.
    """
    size, count = len(ends) - 1, len(codes)
    todo, which = np.empty(BLOCK, np.int64), np.empty(BLOCK, np.int64)
    at, width, code = np.empty(BLOCK, np.int64), np.empty(BLOCK, np.int64), np.empty(BLOCK, np.uint64)
    for first in range(0, len(low), BLOCK):
        last = min(first + BLOCK, len(low))
        for i in range(first, last):
            prefetch(codes, low[i])
        open_ = 0
        for i in range(first, last):
            start, end = query_ends[i], query_ends[i + 1]
            shared[i] = skip
            side = compare(data, ends[0], ends[0] + skip, query_data, start, min(end, start + skip))
            if side != 0:
                low[i] = high[i] = 0 if side > 0 else size
            elif count == 0:
                low[i], high[i] = 0, size
            else:
                place = low[i]
                high[i] = place
                if place < count and codes[place] == query_codes[i]:
                    run = -1
                    if place + ALIKE <= count and codes[place + ALIKE - 1] == query_codes[i]:
                        run = _run_at(runs, table, place)
                    if run < 0:
                        high[i] = _past(codes, place, count)
                    else:
                        todo[open_], which[open_] = i, run
                        open_ += 1
        while open_:
            open_ = _enter(
                data, ends, runs, query_data, query_ends, todo, which, open_, at, width, code, low, high, shared
            )
            _narrow(further, code, open_, at, width)
            open_ = _leave(further, runs, table, count, todo, which, open_, at, code, low, high)


@inlined
def _enter(
    data: Bytes, ends: Places, runs: Places, query_data: Bytes, query_ends: Places, todo: Places, which: Places,
    open_: int, at: Places, width: Places, code: Words, low: Places, high: Places, shared: Places,
) -> int:  # fmt: skip
    """Compare queries with what their runs share; how many go on, with the windows of their codes."""
    kept = 0
    for j in range(open_):
        i, run = todo[j], which[j]
        start, end = query_ends[i], query_ends[i + 1]
        key, alike = ends[runs[run, 0]], runs[run, 2]
        side = compare(
            data, key + shared[i], key + alike, query_data, start + shared[i], min(end, start + alike)
        )  # fmt: skip
        if side != 0:
            low[i] = high[i] = runs[run, 0] if side > 0 else runs[run, 1]
            continue
        shared[i] = alike
        code[kept] = code_at(query_data, start + alike, end)
        todo[kept], which[kept] = i, run
        at[kept], width[kept] = runs[run, 3], runs[run, 1] - runs[run, 0]
        kept += 1
    return kept


@inlined
def _narrow(further: Words, code: Words, open_: int, at: Places, width: Places) -> None:
    """The lower bound of each code in its window."""
    widest = 0
    for j in range(open_):
        widest = max(widest, width[j])
    while widest > 1:
        for j in range(open_):
            half = width[j] >> 1
            # A window of one is probed at its only place, and stays.
            at[j] += half * (further[np.uint64(at[j] + max(half - 1, 0))] < code[j])
            width[j] -= half
            prefetch(further, at[j] + (width[j] >> 1) - 1)
        widest -= widest >> 1
    for j in range(open_):
        at[j] += int(further[np.uint64(at[j])] < code[j])


@inlined
def _leave(
    further: Words, runs: Places, table: NDArray[np.int32], count: int, todo: Places, which: Places, open_: int,
    at: Places, code: Words, low: Places, high: Places,
) -> int:  # fmt: skip
    """Windows of keys from where codes were found; how many go on into runs among those."""
    kept = 0
    for j in range(open_):
        i, run, place = todo[j], which[j], at[j]
        begin = runs[run, 3]
        stop = begin + runs[run, 1] - runs[run, 0]
        low[i] = high[i] = runs[run, 0] + place - begin
        if place < stop and further[place] == code[j]:
            inner = -1
            if place + ALIKE <= stop and further[place + ALIKE - 1] == code[j]:
                inner = _run_at(runs, table, count + place)
            if inner < 0:
                high[i] += _past(further, place, stop) - place
            else:
                todo[kept], which[kept] = i, inner
                kept += 1
    return kept


@jit
def settle(
    data: Bytes, ends: Places, query_data: Bytes, query_ends: Places, strict: bool, low: Places, high: Places,
    shared: Places,
) -> None:  # fmt: skip
    """Binary search among whole texts in windows, a block of queries in step.

    Args:
        data: The keys' bytes, with `ends` as in `unseat.structures.strings.Texts`.
        ends: See `data`.
        query_data: The queries' bytes.
        query_ends: See `query_data`.
        strict: Find the first key greater than the query, rather than the first not less.
        low: Where each window begins; updated to the answer.
        high: Where it ends; the answer may be there too.
        shared: Bytes that a query and the keys of its window begin with alike.
    """
    below = 0 if strict else -1
    todo = np.empty(BLOCK, np.int64)
    for first in range(0, len(low), BLOCK):
        open_ = 0
        for i in range(first, min(first + BLOCK, len(low))):
            if low[i] < high[i]:
                todo[open_] = i
                open_ += 1
                prefetch(ends, (low[i] + high[i]) >> 1)
        while open_:
            for j in range(open_):
                i = todo[j]
                prefetch(data, ends[(low[i] + high[i]) >> 1] + shared[i])
            kept = 0
            for j in range(open_):
                i = todo[j]
                middle = (low[i] + high[i]) >> 1
                side = compare(
                    data, ends[middle] + shared[i], ends[middle + 1],
                    query_data, query_ends[i] + shared[i], query_ends[i + 1],
                )  # fmt: skip
                if side <= below:
                    low[i] = middle + 1
                else:
                    high[i] = middle
                if low[i] < high[i]:
                    todo[kept] = i
                    kept += 1
                    prefetch(ends, (low[i] + high[i]) >> 1)
            open_ = kept
