"""The contest's JSON, read as a stream: numbers go into arrays as they come, so that a gigabyte needs little memory."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, NoReturn, cast

import numpy as np
from numpy.typing import NDArray

from unseat.core.errors import UserError
from unseat.core.jit import jit
from unseat.tasks.shard.engine.problem import NO_LIMIT, Int64, Problem

_CHUNK = 1 << 22
_MOST = 2**63 - 1
_SPACE = b" \t\r\n"

# What the kernel tells of a chunk of a list of lists.
_MORE, _DONE, _NOT_A_NUMBER, _TOO_LARGE, _TOO_DEEP = range(5)
# Its state between chunks.
_DEPTH, _IN_NUMBER, _NEGATIVE, _VALUE, _WANTS, _AT = range(6)


@jit
def _rows(data: NDArray[np.uint8], at: int, state: Int64, out: Int64, ends: Int64, counts: Int64) -> int:
    """Numbers of a list of lists, from a byte on; `counts` are those of numbers and of rows so far in `out`, `ends`."""
    size = len(data)
    while at < size:
        char = data[at]
        if 48 <= char <= 57:
            digit = np.int64(char) - 48
            if state[0] != 2 or (state[1] == 0 and state[4] == 0):
                state[5] = at
                return 2
            if state[3] > 922337203685477580 or (state[3] == 922337203685477580 and digit > 7):
                state[5] = at
                return 3
            state[3] = 10 * state[3] + digit
            state[1] = 2
            at += 1
            continue
        if state[1] == 2:
            if counts[0] == len(out):
                break
            out[counts[0]] = -state[3] if state[2] else state[3]
            counts[0] += 1
            state[1] = state[2] = state[3] = state[4] = 0
        if char == 45 and state[0] == 2 and state[1] == 0 and state[4]:
            state[1] = state[2] = 1
        elif state[1] == 1:
            state[5] = at
            return 2
        elif char == 91:
            if state[0] == 2 or not state[4]:
                state[5] = at
                return 4
            if state[0] == 1 and counts[1] == len(ends):
                break
            state[0] += 1
            state[4] = 2
        elif char == 44:
            if state[4]:
                state[5] = at
                return 2
            state[4] = 1
        elif char == 93:
            if state[4] == 1:
                state[5] = at
                return 2
            state[4] = 0
            state[0] -= 1
            if state[0] == 1:
                ends[counts[1]] = counts[0]
                counts[1] += 1
            else:
                state[5] = at + 1
                return 1
        elif not (char == 32 or char == 9 or char == 10 or char == 13):
            state[5] = at
            return 2
        at += 1
    state[5] = at
    return 0


class _Stream:
    """A JSON document that is read once, from its beginning to its end."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path, self.file = path, file
        self.data, self.at, self.before = np.zeros(0, np.uint8), 0, 0

    def fail(self, what: str, at: int | None = None) -> NoReturn:
        """Raise an error that names the place."""
        raise UserError(f"{self.path}: byte {self.before + (self.at if at is None else at)}: {what}")

    def fill(self) -> bool:
        """The next chunk, once the last is used up; False at the end."""
        while self.at >= len(self.data):
            self.before += len(self.data)
            got = self.file.read(_CHUNK)
            self.data, self.at = np.frombuffer(got, np.uint8), 0
            if not got:
                return False
        return True

    def peek(self) -> str:
        """The next character that is no space, still to be taken."""
        while self.fill():
            if int(self.data[self.at]) not in _SPACE:
                return chr(self.data[self.at])
            self.at += 1
        self.fail("the file ends in the middle; it is truncated, get it again")

    def take(self, wanted: str) -> str:
        """Take one character of those that may stand here."""
        found = self.peek()
        if found not in wanted:
            self.fail(f"{found!r} where {' or '.join(wanted)} must stand; is this a contest instance?")
        self.at += 1
        return found

    def text(self) -> str:
        """A string."""
        self.take('"')
        found = bytearray()
        while self.fill():
            char = int(self.data[self.at])
            self.at += 1
            if char == ord('"') and not (found and found[-1] == ord("\\")):
                return found.decode("utf-8", "replace")
            found.append(char)
        self.fail("the file ends in a text; it is truncated, get it again")

    def number(self, what: str) -> int:
        """A whole number of 64 bits."""
        self.peek()
        found = ""
        while self.fill() and chr(self.data[self.at]) not in ",]} \t\r\n":
            found += chr(self.data[self.at])
            self.at += 1
            if len(found) > 40:
                break
        if not found.lstrip("-").isdecimal():
            self.fail(f"{what} is {found[:20]!r}, and must be a whole number")
        if abs(int(found)) > _MOST:
            self.fail(f"{what} is {found[:24]}, which does not fit into 64 bits")
        return int(found)

    def skip(self) -> None:
        """Step over any value."""
        depth = 0
        while True:
            char = self.peek()
            if char == '"':
                self.text()
            elif char in "[{":
                depth += 1
                self.at += 1
            elif char in "]}":
                depth -= 1
                self.at += 1
            else:
                self.at += 1
                while depth == 0 and self.fill() and chr(self.data[self.at]) not in ",]}":
                    self.at += 1
            if depth == 0:
                return

    def members(self, readers: dict[str, Callable[[], None]]) -> None:
        """An object: each known member by its reader, all else stepped over."""
        self.take("{")
        seen: set[str] = set()
        if self.peek() == "}":
            self.at += 1
            return
        while True:
            name = self.text()
            self.take(":")
            if name in seen:
                self.fail(f"{name!r} stands here twice")
            seen.add(name)
            readers.get(name, self.skip)()
            if self.take(",}") == "}":
                return

    def rows(self, what: str) -> tuple[Int64, Int64]:
        """A list of lists of whole numbers: all numbers, and where each list begins (one more at the end)."""
        state, counts = np.zeros(6, np.int64), np.zeros(2, np.int64)
        state[_WANTS] = 2
        out, ends = np.empty(1 << 12, np.int64), np.empty(1 << 12, np.int64)
        while True:
            if not self.fill():
                self.fail(f"the file ends in {what}, list {counts[1]}; it is truncated, get it again")
            said = _rows(self.data, self.at, state, out, ends, counts)
            self.at = int(state[_AT])
            if said == _DONE:
                break
            if said != _MORE:
                why = {_TOO_LARGE: "a number does not fit into 64 bits", _TOO_DEEP: "a list where none must stand"}
                self.fail(f"{what}, list {counts[1]}: {why.get(said, 'a whole number must stand here')}")
            out, ends = _grown(out, counts[0]), _grown(ends, counts[1])
        starts = np.concatenate([np.zeros(1, np.int64), ends[: counts[1]]])
        return out[: counts[0]].copy(), starts


def _grown(array: Int64, used: int) -> Int64:
    if used < len(array):
        return array
    larger = np.empty(2 * len(array), np.int64)
    larger[:used] = array
    return larger


def read_json(path: Path) -> Problem:
    """Read an instance of the contest, plain or gzipped.

    Raises:
        UserError: It cannot be read, or is none; the line names the place.
    """
    found: dict[str, tuple[Int64, Int64]] = {}
    facts: dict[str, str | int] = {"name": path.name.split(".")[0], "limit": NO_LIMIT}
    try:
        with path.open("rb") as raw:
            packed = raw.peek(2)[:2] == b"\x1f\x8b"
            with gzip.open(raw) if packed else raw as file:
                stream = _Stream(path, cast(BinaryIO, file))
                _read(stream, found, facts)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UserError(f"{path}: damaged or truncated gzip ({error}); get it again") from error
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror or error}); give a file of the contest") from error
    for name in ("nodes.intervals", "nodes.costs", "nodes.usages", "edges.nodes", "edges.costs"):
        if name not in found:
            raise UserError(f"{path}: there is no problem.{name}; give an instance of the contest")
    return _problem(path, found, str(facts["name"]), int(facts["limit"]))


def _read(stream: _Stream, found: dict[str, tuple[Int64, Int64]], facts: dict[str, str | int]) -> None:
    def rows(name: str) -> Callable[[], None]:
        return lambda: found.__setitem__(name, stream.rows(name))

    def limit() -> None:
        if stream.peek() == "n":
            stream.skip()
            return
        value = stream.number("usage_limit")
        if value < 0:
            stream.fail(f"usage_limit is {value}, and must be at least 0")
        facts["limit"] = value

    nodes = {name: rows(f"nodes.{name}") for name in ("intervals", "costs", "usages")}
    edges = {name: rows(f"edges.{name}") for name in ("nodes", "costs")}
    problem: dict[str, Callable[[], None]] = {
        "name": lambda: facts.__setitem__("name", stream.text()), "nodes": lambda: stream.members(nodes),
        "edges": lambda: stream.members(edges), "usage_limit": limit,
    }  # fmt: skip
    stream.members({"problem": lambda: stream.members(problem)})


def _problem(path: Path, found: dict[str, tuple[Int64, Int64]], name: str, limit: int) -> Problem:
    intervals, at = found["nodes.intervals"]
    _all_of(path, "nodes.intervals", at, 2)
    ends, edge_at = found["edges.nodes"]
    _all_of(path, "edges.nodes", edge_at, 2)
    costs, offsets = found["nodes.costs"]
    usages, usage_at = found["nodes.usages"]
    edge_costs, edge_offsets = found["edges.costs"]
    problem = Problem(name, intervals.reshape(-1, 2), offsets, costs, usages, ends.reshape(-1, 2), edge_offsets,
                      edge_costs, limit)  # fmt: skip
    if len(usage_at) != len(offsets):
        raise UserError(f"{path}: {len(offsets) - 1} nodes have costs and {len(usage_at) - 1} have usages")
    _first(path, np.diff(usage_at) != np.diff(offsets), "nodes.usages, list {}: not as long as the node's costs")
    if len(problem.intervals) != problem.nodes:
        raise UserError(f"{path}: {problem.nodes} nodes have costs and {len(problem.intervals)} have intervals")
    if len(edge_offsets) - 1 != len(problem.edges):
        raise UserError(f"{path}: {len(problem.edges)} edges have nodes and {len(edge_offsets) - 1} have costs")
    validated(problem, str(path))
    return problem


def _all_of(path: Path, what: str, at: Int64, size: int) -> None:
    _first(path, np.diff(at) != size, what + ", list {}: it must hold " + str(size) + " numbers")


def _first(where: object, wrong: NDArray[np.bool_], what: str) -> None:
    if wrong.any():
        raise UserError(f"{where}: {what.format(int(np.argmax(wrong)))}")


def validated(problem: Problem, where: str) -> None:
    """Refuse what is inconsistent.

    Raises:
        UserError: It is; the line names the list.
    """
    sizes = np.diff(problem.offsets)
    _first(where, sizes == 0, "nodes.costs, list {}: a node needs a strategy, and this one has none")
    starts, ends = problem.intervals[:, 0], problem.intervals[:, 1]
    _first(where, (starts < 0) | (ends < 0), "nodes.intervals, list {}: a time is negative")
    _first(where, starts > ends, "nodes.intervals, list {}: it ends before it begins")
    owner = np.repeat(np.arange(len(sizes)), sizes)
    for name, values, of in (("nodes.usages", problem.usages, owner), ("nodes.costs", problem.costs, owner)):
        if (values < 0).any():
            raise UserError(f"{where}: {name}, list {of[int(np.argmax(values < 0))]}: a negative number")
    if (problem.edge_costs < 0).any():
        edge = int(np.searchsorted(problem.edge_offsets, np.argmax(problem.edge_costs < 0), side="right")) - 1
        raise UserError(f"{where}: edges.costs, list {edge}: a negative number")
    outside = np.any((problem.edges < 0) | (problem.edges >= problem.nodes), axis=1)
    _first(where, outside, f"edges.nodes, list {{}}: there are {problem.nodes} nodes, numbered from 0")
    wanted = sizes[problem.edges[:, 0]] * sizes[problem.edges[:, 1]]
    _first(where, np.diff(problem.edge_offsets) != wanted,
           "edges.costs, list {}: it must hold a number for each pair of strategies of its nodes")  # fmt: skip
    _affordable(problem, where)


def _affordable(problem: Problem, where: str) -> None:
    """Refuse a limit that no choice of strategies keeps: the least usage of every node is the least everywhere."""
    if problem.limit == NO_LIMIT or not problem.nodes:
        return
    least = np.lexsort((problem.usages, np.repeat(np.arange(problem.nodes), np.diff(problem.offsets))))
    chosen = least[problem.offsets[:-1]] - problem.offsets[:-1]
    times, used = problem.profile(chosen)
    if used and max(used) > problem.limit:
        at = used.index(max(used))
        raise UserError(f"{where}: usage_limit {problem.limit} cannot be kept: at time {times[at]} the strategies that "
                        f"use least need {used[at]}")  # fmt: skip
