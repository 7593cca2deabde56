"""Everything that the task measures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from unseat.core.learner import Contender, Learner, Role
from unseat.core.policy import Artefact
from unseat.tasks.graphsched.bounds import Compulsory
from unseat.tasks.graphsched.policies import SECONDS, Annealing, Beam, Rule

SHIPPED = Path(__file__).parent / "shipped"
"""Policies that were fitted on the generated training graphs, with the records of their fits."""

_CONTEST = "MLSys 2026 contest, PROBLEM.md"


def contenders(seconds: float = SECONDS) -> Mapping[str, Contender]:
    """By name: incumbents, challengers, the bound."""
    found = [
        Contender("one by one", Role.INCUMBENT, lambda: Rule("one by one", "single"), paper=f"{_CONTEST}, example 1 A"),
        Contender("residency", Role.INCUMBENT, lambda: Rule("residency", "residency"),
                  paper=f"{_CONTEST}, example 3 C"),
        Contender("greedy fusion", Role.INCUMBENT, lambda: Rule("greedy fusion", "greedy fusion"),
                  paper="Chen et al. (TVM), OSDI 2018, section 3 fuses by such rules"),
        Contender("runs", Role.CHALLENGER, lambda: Rule("runs", "runs"), paper="Bellman, Dynamic Programming, 1957"),
        Contender("annealing", Role.CHALLENGER, lambda: Annealing("annealing", seconds),
                  paper="Kirkpatrick et al., Science 220, 1983"),
        Contender("beam", Role.CHALLENGER, lambda: Beam("beam", seconds), paper="Lowerre (Harpy), CMU 1976"),
        *_fitted(seconds),
        Contender(Compulsory.name, Role.BOUND, Compulsory, paper="Williams et al. (roofline), CACM 52(4), 2009"),
    ]  # fmt: skip
    return {contender.name: contender for contender in found}


def _fitted(seconds: float) -> Iterator[Contender]:
    makes: dict[str, tuple[Callable[[], Learner], str]] = {
        "annealing-tuned": (lambda: _search("annealing-tuned", seconds), "Bergstra et al., NeurIPS 2011"),
        "annealing-random": (lambda: _search("annealing-random", seconds), "Bergstra and Bengio, JMLR 13, 2012"),
        "annealing-moves": (lambda: _moves(seconds), "Ropke and Pisinger, Transportation Science 40(4), 2006"),
        "beam-value": (lambda: _value(seconds), "Steiner et al., arXiv 2011.14486"),
        "ordering-tuned": (lambda: _ordering("ordering-tuned"), "Graham, SIAM J. Appl. Math. 17(2), 1969"),
        "ordering-random": (lambda: _ordering("ordering-random"), "Bergstra and Bengio, JMLR 13, 2012"),
    }
    for name, (make, paper) in makes.items():
        folder = SHIPPED / "graphsched" / name
        shipped = (lambda folder=folder: Artefact.load(folder).restore()) if folder.is_dir() else None
        yield Contender(name, Role.CHALLENGER, make, shipped=shipped, paper=paper)


def _search(name: str, seconds: float) -> Learner:
    from unseat.learn.tune import OptunaSearch, RandomSearch
    from unseat.tasks.graphsched.challengers import DEFAULT, SPACE, Family

    kind = RandomSearch if name.endswith("random") else OptunaSearch
    return kind(name, Family(seconds), SPACE, default=DEFAULT)


def _ordering(name: str) -> Learner:
    from unseat.learn.tune import OptunaSearch, RandomSearch
    from unseat.tasks.graphsched.challengers import NUMBERED, PRIORITIES, ordering

    kind = RandomSearch if name.endswith("random") else OptunaSearch
    return kind(name, ordering, PRIORITIES, default=NUMBERED)


def _value(seconds: float) -> Learner:
    from unseat.tasks.graphsched.challengers import ValueLearner

    return ValueLearner("beam-value", seconds)


def _moves(seconds: float) -> Learner:
    from unseat.tasks.graphsched.challengers import MoveLearner

    return MoveLearner("annealing-moves", seconds)
