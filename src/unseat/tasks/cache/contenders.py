"""Everything that the cache tasks measure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from unseat.core.learner import Bounder, Contender, Kind, Role
from unseat.core.outcome import Limits, Outcome
from unseat.tasks.cache.incumbents import FUSED
from unseat.tasks.cache.policies import TITLES, Classical

if TYPE_CHECKING:
    from unseat.tasks.cache.engine.simulate import Counts
    from unseat.tasks.cache.problem import Problem


class Belady(Bounder):
    """The fewest misses any cache of equal sizes can have (Belady, IBM Systems Journal 5(2), 1966)."""

    name, kind = "Belady", Kind.OPTIMAL

    def solve(self, problem: Any, *, seed: int, limits: Limits) -> Outcome:
        """Run the offline optimum; see `unseat.tasks.cache.bounds.belady`."""
        from unseat.tasks.cache import bounds

        return _bound(problem, bounds.belady(problem.trace, problem.capacity, problem.judged_from))


class PfooL(Bounder):
    """Fewest missed bytes by relaxing space to a budget of space times time (Berger et al., SIGMETRICS 2018)."""

    name, kind = "PFOO-L", Kind.RELAXATION

    def solve(self, problem: Any, *, seed: int, limits: Limits) -> Outcome:
        """Fill the budget greedily; see `unseat.tasks.cache.bounds.pfoo_l`."""
        from unseat.tasks.cache import bounds

        return _bound(problem, bounds.pfoo_l(problem.trace, problem.capacity, problem.judged_from))


def _bound(problem: Problem, judged: Counts) -> Outcome:
    from unseat.tasks.cache.engine.simulate import Counts

    return problem.outcome(Counts(0, 0, 0, 0), judged, start_s=0.0, learn_s=0.0, serve_s=0.0)


def contenders(sized: bool) -> Mapping[str, Contender]:
    """By name: incumbents as published, incumbents tuned, challengers, bounds, baselines."""
    found = [*_incumbents(sized), *_baselines(sized), _bounder(sized)]
    return {contender.name: contender for contender in found}


def _incumbents(sized: bool) -> Iterator[Contender]:
    for key, title in TITLES.items():
        if key in FUSED and FUSED[key].sized == sized:
            yield _classical(title, key, Role.INCUMBENT)


def _classical(title: str, key: str, role: Role) -> Contender:
    return Contender(title, role, lambda: Classical(title, key), paper=FUSED[key].paper)


def _baselines(sized: bool) -> Iterator[Contender]:
    key = "random_sized" if sized else "random"
    if key in FUSED:
        yield _classical("random", key, Role.BASELINE)


def _bounder(sized: bool) -> Contender:
    if sized:
        return Contender("PFOO-L", Role.BOUND, PfooL, paper="Berger et al., SIGMETRICS 2018")
    return Contender("Belady", Role.BOUND, Belady, paper="Belady, IBM Systems Journal 5(2), 1966")
