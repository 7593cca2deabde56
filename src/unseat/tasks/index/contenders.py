"""Everything that the task measures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from unseat.core.learner import Bounder, Contender, Kind, Learner, Role
from unseat.core.outcome import Limits, Outcome
from unseat.core.policy import Artefact, Policy
from unseat.tasks.index.policies import Built, Library, Whole
from unseat.tasks.index.structures import STRUCTURES

SHIPPED = Path(__file__).parent / "shipped"
"""Policies that were fitted on the built-in training instances, with the records of their fits."""

NEAREST_BYTES = 1 << 15
"""Bytes that the nearest cache of every processor in use holds."""
CYCLE_NS = 0.2


class MemoryFloor(Bounder):
    """One read of the key array a lookup, all reads independent of each other and asked for well ahead.

    Any index that must touch the key array once takes at least that, unless its lookups find the keys in the cache more
    often than places drawn at random do. Of keys that all lie in the nearest cache it proves no more than a cycle, as
    nothing waits for memory there, and counting a few keys may take less than drawing a place.
    """

    name, kind = "memory floor", Kind.RELAXATION

    def solve(self, problem: Any, *, seed: int, limits: Limits) -> Outcome:
        """Time it in this block, as the contenders are timed, answers left unchecked."""
        from unseat.structures.memory_floor import build
        from unseat.tasks.index.engine import floor

        if problem.keys.nbytes <= NEAREST_BYTES:
            return Outcome(CYCLE_NS)
        return floor(problem, build(problem.keys), seed)


def contenders() -> Mapping[str, Contender]:
    """By name: incumbents as published, incumbents tuned, challengers, baseline, bound."""
    found = [*_structures(Role.INCUMBENT), *_structures(Role.CHALLENGER)]
    found.append(Contender("LearnedIndex", Role.CHALLENGER, lambda: Library("LearnedIndex"), paper="this library"))
    found.append(Contender("no index", Role.BASELINE, lambda: Whole("no index")))
    found.append(Contender(MemoryFloor.name, Role.BOUND, MemoryFloor, paper="measured in the same block"))
    return {contender.name: contender for contender in found}


def _structures(role: Role) -> Iterator[Contender]:
    """A role's structures with their defaults, then those that can be tuned, tuned."""
    chosen = {key: one for key, one in STRUCTURES.items() if one.role is role}
    for key, one in chosen.items():
        yield Contender(one.title, role, partial(Built, one.title, key), paper=one.paper)
    for key, one in chosen.items():
        if one.parameters:
            yield _fitted(f"{one.title}-tuned", role, partial(_tuner, key, "tuned"), one.paper)
        if one.parameters and role is Role.CHALLENGER:
            yield _fitted(f"{one.title}-random", role, partial(_tuner, key, "random"), one.paper)


def _fitted(name: str, role: Role, make: Callable[[], Learner], paper: str) -> Contender:
    """A learner, with the policy that ships with the package where there is one (see `shipped/`)."""
    folder = SHIPPED / "index" / name
    shipped = (lambda: Artefact.load(folder).restore()) if folder.is_dir() else None
    return Contender(name, role, make, shipped=shipped, paper=paper)


def _tuner(key: str, how: str) -> Learner:
    """Incumbents and challengers are tuned alike: the same sampler, the same limits."""
    from unseat.learn.tune import OptunaSearch, Parameter, RandomSearch

    one = STRUCTURES[key]
    space = {name: Parameter(part.low, part.high, part.log, True) for name, part in one.parameters.items()}
    search = RandomSearch if how == "random" else OptunaSearch
    default = {name: part.default for name, part in one.parameters.items()}
    return search(f"{one.title}-{how}", Family(key), space, default=default)


class Family:
    """The policies of one structure, by parameters; its qualified name is part of the ledger's key."""

    def __init__(self, key: str) -> None:
        self.key, self.__qualname__ = key, f"Family({key!r})"

    def __call__(self, parameters: Mapping[str, float]) -> Policy:
        whole = {name: round(value) for name, value in parameters.items()}
        return Built(STRUCTURES[self.key].title, self.key, whole)
