"""Everything that the task measures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from unseat.core.learner import Contender, Learner, Role
from unseat.core.policy import Artefact, Policy
from unseat.learn.baselines import Constant, Uniform
from unseat.tasks.llvm.passes.actions import LEVELS
from unseat.tasks.llvm.passes.policies import Climb, RandomSequences, fixed, make
from unseat.tasks.llvm.passes.question import STOP

SHIPPED = Path(__file__).parent / "shipped"
"""Policies that were fitted on the built-in training instances, with the records of their fits."""

CLIMBED, LATE = "portfolio-climb", 8
"""The climb from the portfolio, and how long it goes through what is larger; chosen on validation programs."""
TRIES = 80, 800
"""Sequences that it tries in all: some seconds of compiling, and a minute or two, which no suite can afford."""

LONGEST_RANDOM = 24
"""Passes of a sequence of the learner that draws them at random."""

_CLANG = "LLVM, lib/Passes/PassBuilderPipelines.cpp"
_CORESET = "Liang et al., Learning Compiler Pass Orders, ICML 2023"
_GYM = "Cummins et al., CompilerGym, CGO 2022"


def contenders() -> Mapping[str, Contender]:
    """By name: clang's pipelines, random search, learners, baselines."""
    found = [*_incumbents(), *_challengers(), *_baselines()]
    return {contender.name: contender for contender in found}


def _incumbents() -> Iterator[Contender]:
    for level in reversed(LEVELS):
        yield Contender(level, Role.INCUMBENT, lambda level=level: fixed(level, [level]), paper=_CLANG)  # type: ignore[misc]
    yield Contender("random search", Role.INCUMBENT, RandomSequences, paper=_GYM)


def _challengers() -> Iterator[Contender]:
    yield _fitted("portfolio", _search, _CORESET)
    yield Contender("climb", Role.CHALLENGER, Climb, paper=_GYM)
    for tries, name, suites in zip(TRIES, (CLIMBED, f"{CLIMBED}-{TRIES[1]}"), (("full",), ()), strict=True):
        made = partial(_climbing, name, tries), partial(_climbed, name, tries)
        yield Contender(name, Role.CHALLENGER, made[0], shipped=made[1], paper=_GYM, suites=frozenset(suites))
    yield _fitted("gbt", _chooser, "Ke et al., LightGBM, NeurIPS 2017")
    yield _fitted("clone", _cloner, "Pomerleau, ALVINN, NeurIPS 1988")
    yield _fitted("random sequence", _random, "Bergstra and Bengio, JMLR 13, 2012")


def _fitted(name: str, make: Callable[[], Learner], paper: str) -> Contender:
    """A learner, with the policy that ships with the package where there is one (see `shipped/`)."""
    folder = SHIPPED / "passes" / name
    shipped = (lambda: Artefact.load(folder).restore()) if folder.is_dir() else None
    return Contender(name, Role.CHALLENGER, make, shipped=shipped, paper=paper)


def _search() -> Learner:
    from unseat.tasks.llvm.passes.challengers.search import SequenceSearch

    return SequenceSearch("portfolio", 8)


def _climbing(name: str, tries: int) -> Learner:
    from unseat.tasks.llvm.passes.challengers.search import ClimbingSearch

    return ClimbingSearch(name, 8, tries, LATE)


def _climbed(name: str, tries: int) -> Policy:
    """From the sequences of the shipped portfolio, with the record of its fit: the search is the same."""
    artefact = Artefact.load(SHIPPED / "passes" / "portfolio")
    climb = Climb(name, artefact.config["sequences"], tries, LATE).artefact
    return replace(climb, fit=artefact.fit).restore()


def _chooser() -> Learner:
    from unseat.tasks.llvm.passes.challengers.chooser import TreeChooser

    return TreeChooser("gbt")


def _cloner() -> Learner:
    from unseat.tasks.llvm.passes.challengers.clone import Cloner

    return Cloner("clone")


def _random() -> Learner:
    from unseat.learn.tune import Parameter, RandomSearch
    from unseat.tasks.llvm.passes.policies import PASSES

    places = [f"{place:02d}" for place in range(LONGEST_RANDOM)]
    space = {place: Parameter(-1, len(PASSES) - 1, integer=True) for place in places}
    return RandomSearch("random sequence", make, space, default=dict.fromkeys(places, -1))


def _baselines() -> Iterator[Contender]:
    yield Contender("nothing", Role.BASELINE, lambda: Constant("nothing", STOP))
    yield Contender("uniform", Role.BASELINE, lambda: Uniform("uniform", STOP + 1))
