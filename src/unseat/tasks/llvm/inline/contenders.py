"""Everything that the task measures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from unseat.core.learner import Bounder, Contender, Learner, Role
from unseat.core.policy import Artefact, Policy
from unseat.learn.baselines import Constant, Uniform
from unseat.tasks.llvm.inline.policies import CostThreshold, Default

SHIPPED = Path(__file__).parent / "shipped"
"""Policies that were fitted on the built-in training instances, with the records of their fits."""

MIN_SIZE_THRESHOLD = 5
"""LLVM's own threshold of the cost at ``-Oz`` (`InlineConstants::OptMinSizeThreshold`)."""

_SEARCH = "search by the sizes of functions (unseat)"
_MLGO = "Trofin et al. (MLGO), arXiv 2101.04808"
_INLINE_COST = "LLVM, lib/Analysis/InlineCost.cpp"


def contenders() -> Mapping[str, Contender]:
    """By name: incumbents, incumbents tuned, random search, challengers, baselines, the best that is known."""
    found = [*_incumbents(), *_challengers(), *_baselines(), Contender("best known", Role.BOUND, _best_known)]
    return {contender.name: contender for contender in found}


def _incumbents() -> Iterator[Contender]:
    yield Contender("LLVM default", Role.INCUMBENT, Default, paper=_INLINE_COST)
    threshold = {"threshold": MIN_SIZE_THRESHOLD}
    yield Contender("cost-threshold", Role.INCUMBENT, lambda: make(threshold), paper=_INLINE_COST)
    yield _fitted("cost-threshold-tuned", Role.INCUMBENT, _tuner, _INLINE_COST)
    bergstra = "Bergstra and Bengio, JMLR 13, 2012"
    yield _fitted("cost-threshold-random", Role.CHALLENGER, _random, bergstra)


def _fitted(name: str, role: Role, make: Callable[[], Learner], paper: str) -> Contender:
    """A learner, with the policy that ships with the package where there is one (see `shipped/`)."""
    folder = SHIPPED / "inline" / name
    shipped = (lambda: Artefact.load(folder).restore()) if folder.is_dir() else None
    return Contender(name, role, make, shipped=shipped, paper=paper)


def make(parameters: Mapping[str, float]) -> Policy:
    """The policy of a threshold."""
    return CostThreshold("cost-threshold", parameters["threshold"])


def _tuner() -> Learner:
    """A tuned incumbent gets what a challenger gets: the same instances, the same limits."""
    from unseat.learn.tune import OptunaSearch, Parameter

    space = {"threshold": Parameter(-100, 60, integer=True)}
    return OptunaSearch("cost-threshold-tuned", make, space, default={"threshold": MIN_SIZE_THRESHOLD})


def _random() -> Learner:
    from unseat.learn.tune import Parameter, RandomSearch

    space = {"threshold": Parameter(-100, 60, integer=True)}
    return RandomSearch("cost-threshold-random", make, space, default={"threshold": MIN_SIZE_THRESHOLD})


def _challengers() -> Iterator[Contender]:
    yield _fitted("BC-Max", Role.CHALLENGER, _bc_max, "Marinov, Agarwal and Trofin, arXiv 2403.19462")
    yield _fitted("flip-regression", Role.CHALLENGER, _flips, "regression on single decisions (unseat)")
    yield Contender("search-16", Role.CHALLENGER, partial(_search, 16), paper=_SEARCH)
    yield _fitted("guided-search-16", Role.CHALLENGER, partial(_guided, 16), _SEARCH)
    full = frozenset({"full"})
    yield Contender("search-40", Role.CHALLENGER, partial(_search, 40), paper=_SEARCH, suites=full)
    for many, suites in ((40, full), (100, frozenset[str]())):
        made = partial(_guided, many), partial(_guided_longer, many)
        yield Contender(
            f"guided-search-{many}", Role.CHALLENGER, made[0], shipped=made[1], paper=_SEARCH, suites=suites
        )
    yield _fitted("evolution", Role.CHALLENGER, _evolution, _MLGO)
    yield _fitted("PPO", Role.CHALLENGER, _ppo, _MLGO)


def _bc_max() -> Learner:
    from unseat.learn.imitate import BCMax
    from unseat.tasks.llvm.inline.learners import baselines, clone
    from unseat.tasks.llvm.inline.trials import play

    return BCMax("BC-Max", play, clone, baselines)


def _flips() -> Learner:
    from unseat.tasks.llvm.inline.learners import FlipRegression

    return FlipRegression()


def _search(compilations: int) -> Policy:
    from unseat.tasks.llvm.inline.searched import SearchRule

    return SearchRule(f"search-{compilations}", compilations)


def _guided(compilations: int) -> Learner:
    from unseat.tasks.llvm.inline.searched import GuidedSearch

    return GuidedSearch(f"guided-search-{compilations}", compilations)


def _guided_longer(compilations: int) -> Policy:
    """What was fitted for 16 compilations, with more: the learned order is the same."""
    artefact = Artefact.load(SHIPPED / "inline" / "guided-search-16")
    config = {**artefact.config, "compilations": compilations}
    return replace(artefact, name=f"guided-search-{compilations}", config=config).restore()


def _best_known() -> Bounder:
    from unseat.tasks.llvm.inline.best_known import BestKnown

    return BestKnown()


def _evolution() -> Learner:
    from unseat.tasks.llvm.inline.learners import Evolution

    return Evolution()


def _ppo() -> Learner:
    from unseat.tasks.llvm.inline.ppo import PPO

    return PPO()


def _baselines() -> Iterator[Contender]:
    yield Contender("never", Role.BASELINE, lambda: Constant("never", 0))
    yield Contender("always", Role.BASELINE, lambda: Constant("always", 1))
    yield Contender("random", Role.BASELINE, lambda: Uniform("random", 2))
