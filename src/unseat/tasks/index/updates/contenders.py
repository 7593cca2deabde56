"""Everything that the task measures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unseat.core.learner import Contender, Learner, Role
from unseat.core.policy import Artefact, Policy
from unseat.tasks.index.updates.policies import Built

if TYPE_CHECKING:
    from unseat.learn.tune import Parameter

SHIPPED = Path(__file__).parent / "shipped"
"""Policies that were fitted on the built-in training instances, with the records of their fits."""

TITLES = {"bplustree": "B+-tree", "gapped": "gapped index"}
PAPERS = {
    "bplustree": "D. Comer, The Ubiquitous B-Tree, Computing Surveys 11(2), 1979; node size as in STX and TLX",
    "gapped": "J. Ding et al. (ALEX), SIGMOD 2020; J. Wu et al. (LIPP), PVLDB 14(8), 2021",
}
ROLES = {"bplustree": Role.INCUMBENT, "gapped": Role.CHALLENGER}
DEFAULTS: Mapping[str, Mapping[str, float]] = {
    "bplustree": {"leaf_lines": 1, "inner_lines": 1, "fill": 0.8},
    "gapped": {"leaf_keys": 256, "fill": 4.5},
}


def contenders() -> Mapping[str, Contender]:
    """By name: incumbent, incumbent tuned, challenger, challenger tuned, by random search too."""
    return {contender.name: contender for contender in (*_of("bplustree"), *_of("gapped"))}


def _of(key: str) -> Iterator[Contender]:
    title, role, paper = TITLES[key], ROLES[key], PAPERS[key]
    yield Contender(title, role, partial(Built, title, key), paper=paper)
    yield _fitted(f"{title}-tuned", role, partial(_tuner, key, "tuned"), paper)
    if role is Role.CHALLENGER:
        yield _fitted(f"{title}-random", role, partial(_tuner, key, "random"), paper)


def _fitted(name: str, role: Role, make: Callable[[], Learner], paper: str) -> Contender:
    """A learner, with the policy that ships with the package where there is one (see `shipped/`)."""
    folder = SHIPPED / "index-updates" / name
    shipped = (lambda: Artefact.load(folder).restore()) if folder.is_dir() else None
    return Contender(name, role, make, shipped=shipped, paper=paper)


def _space(key: str) -> Mapping[str, Parameter]:
    from unseat.learn.tune import Parameter

    if key == "gapped":
        return {"leaf_keys": Parameter(32, 4096, log=True, integer=True), "fill": Parameter(2.5, 5.5)}
    return {
        "leaf_lines": Parameter(1, 8, log=True, integer=True), "inner_lines": Parameter(1, 8, log=True, integer=True),
        "fill": Parameter(0.5, 1.0),
    }  # fmt: skip


def _tuner(key: str, how: str) -> Learner:
    """Incumbent and challenger are tuned alike: the same sampler, the same limits."""
    from unseat.learn.tune import OptunaSearch, RandomSearch

    search = RandomSearch if how == "random" else OptunaSearch
    return search(f"{TITLES[key]}-{how}", Family(key), _space(key), default=DEFAULTS[key])


class Family:
    """The policies of one structure, by parameters; its qualified name is part of the ledger's key."""

    def __init__(self, key: str) -> None:
        self.key, self.__qualname__ = key, f"Family({key!r})"

    def __call__(self, parameters: Mapping[str, float]) -> Policy:
        found: dict[str, Any] = {"fill": float(parameters["fill"])}
        if self.key == "gapped":
            found["leaf_keys"] = round(parameters["leaf_keys"])
        else:
            # A node's codes take whole pairs of cache lines.
            found |= {f"{part}_keys": 16 * round(parameters[f"{part}_lines"]) for part in ("leaf", "inner")}
        return Built(TITLES[self.key], self.key, found)
