"""Search for the decisions of one module, by compiling it a few times.

A decision changes the function that makes the call, those into which that one is put, and the callee, and hardly
anything else. So a compilation turns over a dozen decisions at once that touch different functions, and the size of
each function tells which of them were good: many answers for the price of one. By turns all calls of a function are
decided alike, since a body goes only when the last of its calls is inlined, which no single decision shows. What is
kept was compiled as it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from unseat.tasks.llvm.engine import workplace
from unseat.tasks.llvm.engine.channel import Answer, Header
from unseat.tasks.llvm.engine.compiler import Compiler
from unseat.tasks.llvm.engine.elf import functions, text_bytes
from unseat.tasks.llvm.engine.process import Hung, ToolError
from unseat.tasks.llvm.engine.remarks import Call, calls
from unseat.tasks.llvm.inline.question import ADVICE, COST, FEATURES, reader
from unseat.tasks.llvm.inline.rules import OF_MODULE

Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]

RULES = (None, -12.0, -24.0)
"""What the search begins with: LLVM's advice, and cost thresholds. The first is always compiled, so that no module
becomes larger than clang makes it."""

Rank: TypeAlias = Callable[[Int64, Int64], Float64]
"""From observations [n, 39] and actions [n] to numbers [n]: the least is turned over first."""

Key: TypeAlias = tuple[bytes, int]
"""A call as it is recognised in another compilation: what is seen of it, and which of those that look alike it is."""

Turn: TypeAlias = Mapping[int, int]
"""New actions of decisions, by their numbers: of a single one, or of all calls of a function."""

Name: TypeAlias = tuple[frozenset[Key], int | None]
"""What a turn is known by: its decisions, and the action that many get; neither of a single one's is tried again."""

_AT_ONCE = 12
_SHIFTING = [*OF_MODULE, *(FEATURES.index(name) for name in (
    "last_call_to_static_bonus", "threshold", "cost_estimate", "inlining_default", "callee_users", "caller_users",
    "caller_basic_block_count", "caller_conditionally_executed_blocks"))]  # fmt: skip
"""Features that hang on what was decided about other calls, so that a call is not known again by them."""


@dataclass(frozen=True)
class Attempt:
    """A compilation.

    Attributes:
        keys: What each decision is known by.
        observations: int64 [n, 39].
        actions: int64 [n].
        calls: Whose call each decision was about.
        functions: Bytes of each function.
        nbytes: Bytes of machine code of the object.
    """

    keys: Sequence[Key]
    observations: Int64
    actions: Int64
    calls: Sequence[Call]
    functions: Mapping[str, int]
    nbytes: int

    @property
    def departures(self) -> list[int]:
        """The numbers of the decisions that are not LLVM's advice, which is how they are reported."""
        return [int(number) for number in np.flatnonzero(self.actions != self.observations[:, ADVICE])]

    def touched(self) -> Sequence[frozenset[str]]:
        """Functions that each decision can change."""
        into: dict[str, set[str]] = {}
        for call, action in zip(self.calls, self.actions, strict=True):
            if action:
                into.setdefault(call.callee, set()).add(call.caller)
        known: dict[str, frozenset[str]] = {}
        return [_holders(call.caller, into, known) | {call.callee} for call in self.calls]


def _holders(function: str, into: Mapping[str, set[str]], known: dict[str, frozenset[str]]) -> frozenset[str]:
    """A function and all that have its body in theirs."""
    if function not in known:
        found, more = {function}, [function]
        while more:
            new = into.get(more.pop(), set()) - found
            found |= new
            more += new
        known[function] = frozenset(found)
    return known[function]


def _name(found: Attempt, turn: Turn) -> Name:
    keys = frozenset(found.keys[number] for number in turn)
    return keys, next(iter(turn.values())) if len(turn) > 1 else None


def _apart(found: Attempt, turns: Iterable[Turn]) -> Sequence[tuple[Turn, frozenset[str]]]:
    """The first turns that touch different functions, and what they touch."""
    touched, taken = found.touched(), set[str]()
    batch: list[tuple[Turn, frozenset[str]]] = []
    for turn in turns:
        names = frozenset[str]().union(*(touched[number] for number in turn))
        if not names & taken:
            taken |= names
            batch.append((turn, names))
            if len(batch) == _AT_ONCE:
                break
    return batch


@dataclass
class Search:
    """A search in one module.

    Attributes:
        bitcode: The module.
        rank: Which decisions are turned over first.
        left: Compilations that are left.
        deadline: `time.monotonic()` at which the run ends.
        spend: Called before each compilation.
        report: Called with whatever is the smallest so far, from the first compilation on.
        learned: Observation, action and what turning it over changed, in bytes, of every decision that was tried.
    """

    bitcode: bytes
    rank: Rank
    left: int
    deadline: float | None = None
    spend: Callable[[], None] = lambda: None
    report: Callable[[Attempt], None] = lambda attempt: None
    learned: list[tuple[Int64, int, int]] = field(default_factory=list)

    def best(self) -> Attempt:
        """The smallest object that was found.

        Raises:
            ToolError: The module cannot be compiled even as LLVM advises.
            DeadlineReached: The time is up.
        """
        rule, found = RULES[0], self._compile(RULES[0], {})
        self.report(found)
        for other in RULES[1:]:
            attempt = self._tried(other, {})
            if attempt is not None and attempt.nbytes < found.nbytes:
                rule, found = other, attempt
                self.report(found)
        turned: dict[Key, int] = {}
        seen: set[Name] = set()
        kinds = [self._single, self._together]
        while self.left > 0:
            batch = next((batch for kind in kinds if (batch := _apart(found, kind(found, seen)))), [])
            if not batch:
                break
            kinds.reverse()
            seen |= {_name(found, turn) for turn, _ in batch}
            before = found
            turned, found = self._turn(rule, found, turned, batch)
            if found is not before:
                self.report(found)
        return found

    def _single(self, found: Attempt, seen: Set[Name]) -> Iterator[Turn]:
        """Single decisions, the most promising first."""
        untried = [number for number, key in enumerate(found.keys) if (frozenset([key]), None) not in seen]
        ranks = self.rank(found.observations[untried], found.actions[untried]) if untried else np.zeros(0)
        for place in np.argsort(ranks, kind="stable"):
            yield {untried[place]: 1 - int(found.actions[untried[place]])}

    def _together(self, found: Attempt, seen: Set[Name]) -> Iterator[Turn]:
        """All calls of a function, inlined or not, those of few calls first."""
        calls = defaultdict[str, list[int]](list)
        for number, call in enumerate(found.calls):
            calls[call.callee].append(number)
        for numbers in sorted(calls.values(), key=len):
            for action in (1, 0):
                turn = dict.fromkeys(numbers, action)
                changed = sum(int(found.actions[number]) != action for number in numbers)
                if changed > 1 and _name(found, turn) not in seen:
                    yield turn

    def _turn(
        self, rule: float | None, found: Attempt, turned: dict[Key, int],
        batch: Sequence[tuple[Turn, frozenset[str]]],
    ) -> tuple[dict[Key, int], Attempt]:  # fmt: skip
        """Turn decisions over, keep those that made their functions smaller."""
        new = [{found.keys[number]: action for number, action in turn.items()} for turn, _ in batch]
        every = dict(turned)
        for actions in new:
            every |= actions
        trial = self._tried(rule, every)
        if trial is None:
            return turned, found
        good = dict(turned)
        for (turn, names), actions in zip(batch, new, strict=True):
            change = sum(trial.functions.get(name, 0) - found.functions.get(name, 0) for name in names)
            if len(turn) == 1:
                (number,) = turn
                self.learned.append((found.observations[number], int(found.actions[number]), change))
            if change < 0:
                good |= actions
        candidates = [(turned, found), (every, trial)]
        if good not in (turned, every):
            second = self._tried(rule, good)
            candidates += [(good, second)] if second is not None else []
        return min(candidates, key=lambda pair: pair[1].nbytes)

    def _tried(self, rule: float | None, turned: Mapping[Key, int]) -> Attempt | None:
        """As `_compile`; None where there are no compilations left, or the compiler fails.

        Raises:
            Hung: It hangs, which may be the machine's fault, so that another search would find something else.
        """
        try:
            return self._compile(rule, turned) if self.left > 0 else None
        except Hung:
            raise
        except ToolError:
            return None

    def _compile(self, rule: float | None, turned: Mapping[Key, int]) -> Attempt:
        self.spend()
        self.left -= 1
        keys: list[Key] = []
        seen: list[Int64] = []
        acted: list[int] = []
        alike: dict[bytes, int] = {}

        def begin(header: Header) -> Answer:
            observe = reader(header)

            def answer(data: bytes) -> int:
                features = observe(data)
                blind = features.copy()
                blind[_SHIFTING] = 0
                look = blind.tobytes()
                alike[look] = alike.get(look, -1) + 1
                keys.append((look, alike[look]))
                advised = features[ADVICE] if rule is None else features[COST] < rule
                seen.append(features)
                acted.append(turned.get(keys[-1], int(advised)))
                return acted[-1]

            return answer

        with workplace.folder() as folder:
            source, made, remarks = (folder / name for name in ("module.bc", "module.o", "remarks.yaml"))
            source.write_bytes(self.bitcode)
            Compiler.here(self.deadline).asked(source, made, begin, remarks)
            rows = np.array(seen, np.int64).reshape(-1, len(FEATURES))
            told = calls(remarks)
            if len(told) != len(acted):
                raise ToolError(f"clang decided {len(acted)} times and tells of {len(told)}; install a newer LLVM")
            return Attempt(keys, rows, np.array(acted, np.int64), told, functions(made), text_bytes(made))
