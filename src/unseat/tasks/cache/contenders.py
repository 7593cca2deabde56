"""Everything that the cache tasks measure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from unseat.core.learner import Bounder, Contender, Kind, Learner, Role
from unseat.core.outcome import Limits, Outcome
from unseat.core.policy import Artefact, Policy
from unseat.tasks.cache.incumbents import FUSED
from unseat.tasks.cache.policies import TITLES, Classical

SHIPPED = Path(__file__).parent / "shipped"
"""Policies that were fitted on the built-in training instances, with the records of their fits."""


class Belady(Bounder):
    """The fewest misses any cache of equal sizes can have (Belady, IBM Systems Journal 5(2), 1966)."""

    name, kind = "Belady", Kind.OPTIMAL

    def solve(self, problem: Any, *, seed: int, limits: Limits) -> Outcome:
        """Run the offline optimum; see `unseat.tasks.cache.bounds.belady`."""
        from unseat.tasks.cache import bounds

        where = problem.trace, problem.capacity, problem.judged_from
        if not problem.window_ends:
            return Outcome(bounds.belady(*where).misses / problem.judged_total)
        missed = bounds.belady_over_time(*where, len(problem.window_ends))
        return Outcome(int(missed.sum()) / problem.judged_total, metrics=problem.windows(missed.tolist()))


class Flow(Bounder):
    """Fewest missed bytes when objects may be kept in part, at prices (Berger et al., SIGMETRICS 2018)."""

    name, kind = "flow relaxation", Kind.RELAXATION

    def solve(self, problem: Any, *, seed: int, limits: Limits) -> Outcome:
        """Search prices; see `unseat.tasks.cache.bounds.flow_relaxation`."""
        from unseat.tasks.cache import bounds

        missed = bounds.flow_relaxation(problem.trace, problem.capacity, problem.judged_from)
        return Outcome(missed / problem.judged_total)


class IndependentReference(Bounder):
    """The best fixed set of objects in hindsight (A0; Aho, Denning and Ullman, JACM 18(1), 1971).

    No bound: policies that use the order of requests can miss less.
    """

    name, kind = "popularity", Kind.BEST_KNOWN

    def solve(self, problem: Any, *, seed: int, limits: Limits) -> Outcome:
        """Keep the most requested; see `unseat.tasks.cache.bounds.independent_reference`."""
        from unseat.tasks.cache import bounds

        missed = bounds.independent_reference(problem.trace, problem.capacity, problem.judged_from)
        return Outcome(missed / problem.judged_total)


def contenders(sized: bool) -> Mapping[str, Contender]:
    """By name: incumbents as published, incumbents tuned, challengers, bounds, baselines."""
    found = [*_incumbents(sized), *_challengers(sized), *_baselines(sized), *_bounders(sized)]
    return {contender.name: contender for contender in found}


def _incumbents(sized: bool) -> Iterator[Contender]:
    for key, title in TITLES.items():
        if FUSED[key].sized == sized:
            yield _classical(title, key, Role.INCUMBENT)
    for key, title in TITLES.items():
        if FUSED[key].sized == sized and FUSED[key].parameters:
            yield _fitted(f"{title}-tuned", sized, Role.INCUMBENT, partial(_tuner, key, title), FUSED[key].paper)


def _classical(title: str, key: str, role: Role) -> Contender:
    return Contender(title, role, lambda: Classical(title, key), paper=FUSED[key].paper)


def _fitted(name: str, sized: bool, role: Role, make: Callable[[], Learner], paper: str) -> Contender:
    """A learner, with the policy that ships with the package where there is one (see `shipped/`)."""
    folder = SHIPPED / ("cache-sized" if sized else "cache") / name
    shipped = (lambda: Artefact.load(folder).restore()) if folder.is_dir() else None
    return Contender(name, role, make, shipped=shipped, paper=paper)


def _tuner(key: str, title: str) -> Learner:
    """A tuned incumbent gets what a challenger gets: the same sampler, the same limits."""
    from unseat.learn.tune import OptunaSearch, Parameter

    parameters = FUSED[key].parameters
    space = {
        name: Parameter(part.low, part.high, part.log, isinstance(part.default, int))
        for name, part in parameters.items()
    }
    default = {name: part.default for name, part in parameters.items()}
    return OptunaSearch(f"{title}-tuned", Family(key), space, default=default)


class Family:
    """The policies of one algorithm, by parameters; its qualified name is part of the ledger's key."""

    def __init__(self, key: str) -> None:
        self.key, self.__qualname__ = key, f"Family({key!r})"

    def __call__(self, parameters: Mapping[str, float]) -> Policy:
        return Classical(TITLES[self.key], self.key, dict(parameters))


def _challengers(sized: bool) -> Iterator[Contender]:
    blankstein = "Blankstein, Sen and Freedman, USENIX ATC 2017 (hyperbolic caching is in the family)"
    for name in ("linear-random", "linear-optuna"):
        yield _fitted(name, sized, Role.CHALLENGER, partial(_linear, name, sized), blankstein)
    yield _fitted("imitation", sized, Role.CHALLENGER, _imitation, "Liu et al. (Parrot), ICML 2020")
    if not sized:
        for name in ("evolved", "evolved-random"):
            yield _fitted(
                name, sized, Role.CHALLENGER, partial(_evolved, name), "Koza, MIT Press 1992; FunSearch, 2024"
            )
        cacheus = "Vietri et al. (LeCaR), HotStorage 2018; Rodriguez et al. (Cacheus), FAST 2021"
        yield Contender("lrb", Role.CHALLENGER, _lrb, paper="Song et al. (LRB), NSDI 2020")
        yield Contender("mixture", Role.CHALLENGER, _mixture, paper=cacheus)
        waldspurger = (
            "Waldspurger et al., USENIX ATC 2017 (miniature simulation); Waldspurger et al. (SHARDS), FAST 2015"
        )
        yield Contender("miniature", Role.CHALLENGER, _miniature, paper=waldspurger)
        yield Contender("lrb-mixture", Role.CHALLENGER, _lrb_mixture, paper=f"{cacheus}; Song et al., NSDI 2020")


def _lrb() -> Policy:
    from unseat.tasks.cache.challengers.lrb import RelaxedBelady

    return RelaxedBelady()


def _mixture() -> Policy:
    from unseat.tasks.cache.challengers.mixture import Mixture

    return Mixture()


def _miniature() -> Policy:
    from unseat.tasks.cache.challengers.miniature import Miniature

    return Miniature()


def _lrb_mixture() -> Policy:
    from unseat.tasks.cache.challengers.mixture import LearningMixture

    return LearningMixture()


def _linear(name: str, sized: bool) -> Learner:
    from unseat.learn.tune import OptunaSearch, RandomSearch
    from unseat.tasks.cache.challengers import linear

    search = RandomSearch if name == "linear-random" else OptunaSearch
    return search(name, linear.make, linear.space(sized), default=linear.lru(sized))


def _evolved(name: str) -> Learner:
    """Program search, and programs drawn from its grammar at the same budget; a language model's is no contender."""
    from unseat.learn.evolve import Evolve, GrammarProposer, RandomProposer
    from unseat.tasks.cache.challengers.programs import offer

    proposer = GrammarProposer() if name == "evolved" else RandomProposer()
    return Evolve(name, offer(False), proposer, candidates=600)


def _imitation() -> Learner:
    from unseat.tasks.cache.challengers.imitation import Imitation

    return Imitation("imitation")


def _baselines(sized: bool) -> Iterator[Contender]:
    yield _classical("random", "random-sized" if sized else "random", Role.BASELINE)


def _bounders(sized: bool) -> Iterator[Contender]:
    if sized:
        yield Contender(Flow.name, Role.BOUND, Flow, paper="Berger, Beckmann and Harchol-Balter, SIGMETRICS 2018")
    else:
        yield Contender(Belady.name, Role.BOUND, Belady, paper="Belady, IBM Systems Journal 5(2), 1966")
        name, paper = IndependentReference.name, "Aho, Denning and Ullman, JACM 18(1), 1971"
        yield Contender(name, Role.BOUND, IndependentReference, paper=paper)
