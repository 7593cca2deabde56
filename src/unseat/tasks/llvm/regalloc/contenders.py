"""Everything that the task measures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from unseat.core.learner import Contender, Learner, Role
from unseat.core.policy import Artefact
from unseat.learn.baselines import Constant, Uniform
from unseat.tasks.llvm.regalloc.policies import Greedy, GreedyWeight, greedy, linear
from unseat.tasks.llvm.regalloc.question import NOTHING, ROWS

if TYPE_CHECKING:
    from unseat.learn.tune import Parameter

SHIPPED = Path(__file__).parent / "shipped"
"""Policies that were fitted on the built-in training instances, with the records of their fits."""

_LLVM = "LLVM, lib/CodeGen/RegAllocEvictionAdvisor.cpp"
_BERGSTRA = "Bergstra and Bengio, JMLR 13, 2012"
_SALIMANS = "Salimans et al., arXiv 1703.03864 (evolution strategies)"

KNOBS = ("nr_rematerializable", "liverange_size", "hottest_bb_freq_by_max")
"""Powers that the searches set, those that mattered most by hand; evolution sets those of all columns."""

BY_HAND = {"factor": 0.5, "nr_rematerializable": -0.6, "liverange_size": 0.6}
"""Found by trying some forty rules on the training and validation programs, one after the other. What can be computed
anew costs few bytes to spill; a long range costs as many as a short one of equal uses, though LLVM divides by its
length; and one evicts only what is much lighter."""


def contenders() -> Mapping[str, Contender]:
    """By name: incumbents, incumbents tuned, searches, evolution, baselines."""
    found = [*_incumbents(), *_challengers(), *_baselines()]
    return {contender.name: contender for contender in found}


def _incumbents() -> Iterator[Contender]:
    yield Contender("LLVM greedy", Role.INCUMBENT, Greedy, paper=_LLVM)
    yield Contender("greedy-weight", Role.INCUMBENT, lambda: GreedyWeight("greedy-weight"), paper=_LLVM)
    yield _fitted("greedy-weight-tuned", Role.INCUMBENT, _greedy_tuner, _LLVM)


def _challengers() -> Iterator[Contender]:
    yield Contender("linear-by-hand", Role.CHALLENGER, lambda: linear(BY_HAND).renamed("linear-by-hand"))
    yield _fitted("linear-tuned", Role.CHALLENGER, _tuner, "Akiba et al. (Optuna), KDD 2019")
    yield _fitted("linear-random", Role.CHALLENGER, _random, _BERGSTRA)
    yield _fitted("linear-evolved", Role.CHALLENGER, _evolution, _SALIMANS)


def _baselines() -> Iterator[Contender]:
    yield Contender("first", Role.BASELINE, lambda: Constant("first", 0))
    yield Contender("never", Role.BASELINE, lambda: Constant("never", NOTHING))
    yield Contender("random", Role.BASELINE, lambda: Uniform("random", ROWS))


def _fitted(name: str, role: Role, make: Callable[[], Learner], paper: str) -> Contender:
    """A learner, with the policy that ships with the package where there is one (see `shipped/`)."""
    folder = SHIPPED / "regalloc" / name
    shipped = (lambda: Artefact.load(folder).restore()) if folder.is_dir() else None
    return Contender(name, role, make, shipped=shipped, paper=paper)


def _greedy_tuner() -> Learner:
    """A tuned incumbent gets what a challenger gets: the same instances, the same limits."""
    from unseat.learn.tune import OptunaSearch, Parameter

    space = {"factor": _factor(), "hints": Parameter(1e-2, 1e6, log=True)}
    return OptunaSearch("greedy-weight-tuned", greedy, space, default={"factor": 1.0, "hints": 1e6})


def _factor() -> Parameter:
    from unseat.learn.tune import Parameter

    return Parameter(0.05, 4.0, log=True)


def _space() -> Mapping[str, Parameter]:
    from unseat.learn.tune import Parameter

    return {"factor": _factor(), **dict.fromkeys(KNOBS, Parameter(-1.0, 1.0))}


_LLVMS = {"factor": 1.0, **dict.fromkeys(KNOBS, 0.0)}


def _tuner() -> Learner:
    from unseat.learn.tune import OptunaSearch

    return OptunaSearch("linear-tuned", linear, _space(), default=_LLVMS)


def _random() -> Learner:
    from unseat.learn.tune import RandomSearch

    return RandomSearch("linear-random", linear, _space(), default=_LLVMS)


def _evolution() -> Learner:
    from unseat.tasks.llvm.regalloc.evolution import LinearByEvolution

    return LinearByEvolution("linear-evolved")
