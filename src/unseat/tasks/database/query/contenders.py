"""Everything that the task measures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Literal

from unseat.core.learner import Bounder, Contender, Learner, Role
from unseat.core.policy import Artefact, Policy
from unseat.learn.baselines import Constant, Uniform
from unseat.tasks.database.query.encoder import require
from unseat.tasks.database.query.policies import Fixed
from unseat.tasks.database.query.space import Space

SHIPPED = Path(__file__).parent / "shipped"
"""Policies that were fitted on the built-in training instances, with the records of their fits."""

Reader = Literal["minilm", "tfidf"]

READERS: Mapping[str, Reader] = {"LLMSteer": "minilm", "TF-IDF steer": "tfidf"}
BEST, CAUTIOUS = "best arm", ", cautious"
MARGIN, STEER_MARGIN, CAUTION = 0.2, 0.5, 0.25
"""What a cautious challenger wants before it leaves the default; set before anything was fitted, and the standard
deviations of the process by leaving training graphs out in turn."""

_POSTGRES = "PostgreSQL, src/backend/optimizer"
_ENGINES = {"query": _POSTGRES, "query-orders": _POSTGRES, "query-duckdb": "DuckDB, src/optimizer"}
_BAO = "Marcus et al., Bao, SIGMOD 2021"
_PLANS = "Vasilenko et al., Plan Similarity, arXiv 2506.05853"
_GP = "Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006"
_STEER = "Akioyamen, Yi and Marcus, LLMSteer, arXiv 2411.02862"


def contenders(space: Space) -> Mapping[str, Contender]:
    """By name: the optimizer, fixed arms, learners, baselines, the best known."""
    found = [*_incumbents(space), *_challengers(space), *_baselines(space)]
    found.append(Contender(BEST, Role.BOUND, _best, paper="measured in the same block"))
    return {contender.name: contender for contender in found}


def _incumbents(space: Space) -> Iterator[Contender]:
    yield Contender("default", Role.INCUMBENT, lambda: Fixed("default"), paper=_ENGINES[space.id])
    for arm in space.fixed:
        yield Contender(space.names[arm], Role.INCUMBENT, partial(Fixed, space.names[arm], arm), paper=_BAO)
    yield _fitted(space, "best fixed", Role.INCUMBENT, partial(_best_fixed, "best fixed", False), _BAO)
    always = "always the alternative"
    yield _fitted(space, always, Role.INCUMBENT, partial(_best_fixed, always, True), _STEER)


def _challengers(space: Space) -> Iterator[Contender]:
    _challenger = partial(_fitted, space, role=Role.CHALLENGER)
    for name, reader in READERS.items():
        if reader == "minilm" and space.id != "query":
            # Reading takes longer than what is left to gain there.
            continue
        for suffix, margin in (("", 0.0), (CAUTIOUS, STEER_MARGIN)):
            extra = "postgres" if reader == "minilm" else None
            yield _challenger(name=name + suffix, make=partial(_steer, name + suffix, reader, margin), paper=_STEER,
                              extra=extra)  # fmt: skip
    for suffix, margin in (("", 0.0), (CAUTIOUS, MARGIN)):
        yield _challenger(name="Bao" + suffix, make=partial(_trees, "Bao" + suffix, True, margin), paper=_BAO)
        yield _challenger(name="default plan" + suffix, make=partial(_trees, "default plan" + suffix, False, margin),
                          paper=_BAO)  # fmt: skip
        yield _challenger(name="neighbours" + suffix, make=partial(_neighbours, "neighbours" + suffix, margin),
                          paper=_PLANS)  # fmt: skip
    for suffix, caution in (("", 0.0), (CAUTIOUS, CAUTION)):
        yield _challenger(name="process" + suffix, make=partial(_process, "process" + suffix, caution), paper=_GP)
    yield _challenger(name="guarded", make=_guarded, paper="this library")


def _best() -> Bounder:
    from unseat.tasks.database.query.bounds import BestArm

    return BestArm()


def _best_fixed(name: str, alternative: bool) -> Learner:
    from unseat.tasks.database.query.challengers.fixed import BestFixed

    return BestFixed(name, alternative=alternative)


def _steer(name: str, reader: Reader, margin: float) -> Learner:
    from unseat.tasks.database.query.challengers.steer import SteerLearner

    if reader == "minilm":
        require()
    return SteerLearner(name, reader, margin)


def _trees(name: str, every: bool, margin: float) -> Learner:
    from unseat.tasks.database.query.challengers.plans import TreesLearner

    return TreesLearner(name, every=every, margin=margin)


def _neighbours(name: str, margin: float) -> Learner:
    from unseat.tasks.database.query.challengers.plans import NeighboursLearner

    return NeighboursLearner(name, margin)


def _process(name: str, caution: float) -> Learner:
    from unseat.tasks.database.query.challengers.process import ProcessLearner

    return ProcessLearner(name, caution)


def _guarded() -> Learner:
    from unseat.tasks.database.query.challengers.plans import GuardedLearner

    return GuardedLearner("guarded")


def _fitted(
    space: Space, name: str, role: Role, make: Callable[[], Learner], paper: str, extra: str | None = None
) -> Contender:
    """A learner, with the policy that ships with the package where there is one (see `shipped/`)."""
    folder = SHIPPED / space.id / name
    shipped = partial(_shipped, folder, extra) if folder.is_dir() else None
    # Time is short in a quick suite: one of each kind does where nothing ships.
    rest = space.id != "query" and (name.endswith(CAUTIOUS) or name == "default plan")
    suites = frozenset({"full"}) if rest else None
    return Contender(name, role, make, shipped=shipped, extra=extra, paper=paper, suites=suites)


def _shipped(folder: Path, extra: str | None) -> Policy:
    if extra:
        require()
    return Artefact.load(folder).restore()


def _random(arms: int) -> Learner:
    from unseat.learn.tune import Parameter, RandomSearch

    space = {"arm": Parameter(0, arms - 1, integer=True)}
    return RandomSearch("random search", _drawn, space, default={"arm": 0})


def _drawn(parameters: Mapping[str, float]) -> Fixed:
    return Fixed("random search", int(parameters["arm"]))


def _baselines(space: Space) -> Iterator[Contender]:
    arms = len(space.names)
    yield _fitted(space, "random search", Role.BASELINE, partial(_random, arms), "Bergstra and Bengio, JMLR 13, 2012")
    yield Contender("uniform", Role.BASELINE, lambda: Uniform("uniform", arms))
    yield Contender("constant", Role.BASELINE, lambda: Constant("constant", 0))
