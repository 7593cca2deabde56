"""Everything that the task measures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from unseat.core.learner import Contender, Learner, Role
from unseat.core.policy import Artefact
from unseat.tasks.shard.bounds import DualBound
from unseat.tasks.shard.policies import SECONDS, Rule, Solver

SHIPPED = Path(__file__).parent / "shipped"
"""Policies that were fitted on the generated training instances, with the records of their fits."""

_PAPERS = {
    "cheapest": "google/iopddl, solver.cc has a random one in its place", "least memory": "google/iopddl",
    "greedy": "Zheng et al. (Alpa), OSDI 2022, section 8 compares with such rules",
    "annealing": "Kirkpatrick et al., Science 220, 1983", "ILP": "Zheng et al. (Alpa), OSDI 2022, section 4.2",
}  # fmt: skip


def contenders(seconds: float = SECONDS) -> Mapping[str, Contender]:
    """By name: incumbents, challengers, the bound."""
    found = [*_incumbents(), *_challengers(seconds)]
    found.append(Contender(DualBound.name, Role.BOUND, lambda: DualBound(seconds), paper="Kolmogorov, TPAMI 28, 2006"))
    return {contender.name: contender for contender in found}


def _incumbents() -> Iterator[Contender]:
    for name, paper in _PAPERS.items():
        extra = "solvers" if name == "ILP" else None
        yield Contender(name, Role.INCUMBENT, lambda name=name: Rule(name, name), paper=paper, extra=extra)  # type: ignore[misc]


def _challengers(seconds: float) -> Iterator[Contender]:
    hamze = "Hamze and de Freitas, UAI 2004"
    yield Contender("blocks", Role.CHALLENGER, lambda: Solver("blocks", seconds), paper=hamze)
    yield Contender("blocks-bandit", Role.CHALLENGER, lambda: Solver("blocks-bandit", seconds, online=True),
                    paper="Auer et al., SIAM Journal on Computing 32(1), 2002")  # fmt: skip
    yield _fitted("blocks-tuned", lambda: _tuner("blocks-tuned", seconds), "Bergstra et al., NeurIPS 2011")
    yield _fitted("blocks-random", lambda: _random("blocks-random", seconds), "Bergstra and Bengio, JMLR 13, 2012")
    yield _fitted("blocks-moves", lambda: _moves(seconds), "Ropke and Pisinger, Transportation Science 40(4), 2006")


def _fitted(name: str, make: Callable[[], Learner], paper: str) -> Contender:
    """A learner, with the policy that ships with the package where there is one (see `shipped/`)."""
    folder = SHIPPED / "shard" / name
    shipped = (lambda: Artefact.load(folder).restore()) if folder.is_dir() else None
    # What a short search of settings gives differs little from the default, and each run takes all its time.
    suites = frozenset({"full"}) if name in ("blocks-tuned", "blocks-random") else None
    return Contender(name, Role.CHALLENGER, make, shipped=shipped, paper=paper, suites=suites)


def _tuner(name: str, seconds: float) -> Learner:
    from unseat.learn.tune import OptunaSearch
    from unseat.tasks.shard.challengers import DEFAULT, SPACE, Family

    return OptunaSearch(name, Family(seconds), SPACE, default=DEFAULT)


def _random(name: str, seconds: float) -> Learner:
    from unseat.learn.tune import RandomSearch
    from unseat.tasks.shard.challengers import DEFAULT, SPACE, Family

    return RandomSearch(name, Family(seconds), SPACE, default=DEFAULT)


def _moves(seconds: float) -> Learner:
    from unseat.tasks.shard.challengers import MoveLearner

    return MoveLearner("blocks-moves", seconds)
