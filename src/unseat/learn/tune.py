"""Setting the parameters of a family of policies: random search, and Optuna's samplers, within a study's limits."""

from __future__ import annotations

import math
import time
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from unseat.core.errors import ContractError, LimitReached
from unseat.core.learner import Learner, Study
from unseat.core.policy import Policy
from unseat.core.task import Instance

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler
    from optuna.trial import Trial

Parameters = Mapping[str, float]
Make = Callable[[Parameters], Policy]


@dataclass(frozen=True)
class Parameter:
    """The range of one parameter, both ends included.

    Attributes:
        low: The smallest value.
        high: The largest value.
        log: Whether it is searched on a logarithmic scale.
        integer: Whether it is a whole number.
    """

    low: float
    high: float
    log: bool = False
    integer: bool = False

    def __post_init__(self) -> None:
        if not self.low < self.high or (self.log and self.low <= 0):
            raise ContractError(f"{self} is no range: low must be below high, and above zero on a logarithmic scale")

    @property
    def middle(self) -> float:
        """The middle of the range, on its scale."""
        middle = math.sqrt(self.low) * math.sqrt(self.high) if self.log else self.low / 2 + self.high / 2
        # Rounding may step over an end.
        middle = min(max(middle, self.low), self.high)
        return round(middle) if self.integer else middle

    def distribution(self) -> BaseDistribution:
        """The range as Optuna has it."""
        from optuna.distributions import FloatDistribution, IntDistribution

        if self.integer:
            return IntDistribution(int(self.low), int(self.high), log=self.log)
        return FloatDistribution(self.low, self.high, log=self.log)


class Search(Learner):
    """Looks for the parameters that improve most on the family's default.

    A candidate's score is its mean improvement over the default on training instances, as a share of the default's
    value, so that instances of unlike size count alike. The best few are run on the validation instances, and the
    best of these is the result. The default is always among them: a search that finds nothing returns it.

    A quarter of the runs is kept for validation, and a candidate is run on as many training instances as leave at
    least `candidates` of them; both are spread over groups. How many runs there are is `limits.runs`, or what a limit
    in seconds pays for. Equal seed and limit in runs give an equal policy.

    Args:
        name: Name of the learner and of what it finds.
        make: Gives the policy of some parameters; a function of a module, as it is part of the ledger's key.
        space: Range of each parameter.
        default: Where the search begins; the middle of each range, if not given.
        minimise: The objective's direction.
        trials: Most candidates tried; 100 if neither this nor a limit of the study says when to stop.
        top: How many are run on the validation instances.
        candidates: How many are tried at least, where the runs allow it.
        prune: Give a candidate up once its mean is below the median of earlier ones at the same instance
            (D. Golovin et al., "Google Vizier", KDD 2017, section 3.1.2).
    """

    def __init__(
        self, name: str, make: Make, space: Mapping[str, Parameter], *, default: Parameters | None = None,
        minimise: bool = True, trials: int | None = None, top: int = 5, candidates: int = 20, prune: bool = False,
    ) -> None:  # fmt: skip
        self.name, self.make, self.space, self.prune = name, make, dict(space), prune
        self.default = dict(default or {key: part.middle for key, part in space.items()})
        self.sign = 1.0 if minimise else -1.0
        self.trials, self.top, self.candidates = trials, top, candidates
        outside = {key for key, part in space.items() if not part.low <= self.default.get(key, np.nan) <= part.high}
        if outside or set(self.default) - set(space):
            raise ContractError(f"learner {name}: the default {self.default} does not lie in the space {self.space}")

    @abstractmethod
    def sampler(self, seed: int) -> BaseSampler:
        """Where the candidates come from."""

    def config(self) -> Mapping[str, Any]:
        """Everything that tells this search from another."""
        return {
            "make": f"{self.make.__module__}:{self.make.__qualname__}", "default": self.default, "sign": self.sign,
            "space": {key: asdict(part) for key, part in self.space.items()}, "trials": self.trials,
            "top": self.top, "candidates": self.candidates, "prune": self.prune,
        }  # fmt: skip

    def fit(self, study: Study) -> Policy:
        """Search until the limit; whatever is best so far is always proposed."""
        best = self._policy(self.default)
        study.propose(best)
        try:
            for parameters in self._improve(study):
                best = self._policy(parameters)
                study.propose(best)
        except LimitReached:
            pass
        return best

    def _policy(self, parameters: Parameters) -> Policy:
        return self.make(parameters).renamed(self.name)

    def _improve(self, study: Study) -> Iterator[Parameters]:
        """The best parameters so far, each time that there are better ones."""
        budget = _Budget(self, study)
        train = _Judge(self, study, budget.train)
        scores: dict[tuple[float, ...], float] = {tuple(self.default.values()): 0.0}
        for values, score in self._search(study, train, budget):
            if score > max(scores.values()):
                yield dict(zip(self.space, values, strict=True))
            scores[values] = score
        ranked = sorted(scores, key=lambda values: -scores[values])[: self.top]
        if not budget.valid or len(ranked) < 2:
            return
        valid, best = _Judge(self, study, budget.valid), -np.inf
        for values in ranked:
            parameters = dict(zip(self.space, values, strict=True))
            score = 0.0 if parameters == self.default else valid.improvement(parameters)
            if score > best:
                best = score
                yield parameters

    def _search(self, study: Study, train: _Judge, budget: _Budget) -> Iterator[tuple[tuple[float, ...], float]]:
        """Candidates that were tried on all training instances, and their scores."""
        import optuna
        from optuna.trial import TrialState, create_trial

        distributions = {key: part.distribution() for key, part in self.space.items()}
        pruner = optuna.pruners.MedianPruner(n_warmup_steps=1) if self.prune else optuna.pruners.NopPruner()
        with _quiet():
            search = optuna.create_study(direction="maximize", sampler=self.sampler(study.seed), pruner=pruner)
        steps = dict.fromkeys(range(len(budget.train)), 0.0)
        search.add_trial(create_trial(params=self.default, distributions=distributions, value=0.0,
                                      intermediate_values=steps))  # fmt: skip
        seen, repeats = {tuple(self.default.values()): 0.0}, 0
        # A small space of whole numbers is exhausted sooner than the budget; repeats cost no runs.
        while budget.allows(train, len(seen) - 1) and repeats < 50:
            trial = search.ask(distributions)
            values = tuple(trial.params[key] for key in self.space)
            repeats = repeats + 1 if values in seen else 0
            pruned = False
            if values not in seen:
                seen[values] = train.improvement(trial.params, trial if self.prune else None)
                pruned = train.pruned
                if not pruned:
                    yield values, seen[values]
            search.tell(trial, None if pruned else seen[values], TrialState.PRUNED if pruned else None)


class RandomSearch(Search):
    """Candidates drawn at random: the contender that every learner must beat within the same limits.

    J. Bergstra, Y. Bengio, "Random search for hyper-parameter optimization", JMLR 13, 2012.
    """

    def sampler(self, seed: int) -> BaseSampler:
        """Uniform over the space, each parameter on its scale."""
        from optuna.samplers import RandomSampler

        return RandomSampler(seed=seed)


class OptunaSearch(Search):
    """Candidates of the tree-structured Parzen estimator.

    J. Bergstra et al., "Algorithms for hyper-parameter optimization", NeurIPS 2011, as in T. Akiba et al., "Optuna",
    KDD 2019; parameters are modelled together (S. Falkner et al., "BOHB", ICML 2018).
    """

    def sampler(self, seed: int) -> BaseSampler:
        """The estimator."""
        from optuna.samplers import TPESampler

        return TPESampler(seed=seed, multivariate=True)


class _Judge:
    """Runs candidates on fixed instances and compares them with the default."""

    def __init__(self, search: Search, study: Study, instances: Sequence[Instance]) -> None:
        self.search, self.study, self.instances = search, study, instances
        self.runs, self.pruned = 0, False
        self.reference = [self._value(instance, search.default) for instance in instances]

    def improvement(self, parameters: Parameters, trial: Trial | None = None) -> float:
        """Weighted mean improvement over the default, as a share of it; of the instances so far, if pruned."""
        total = weight = 0.0
        self.pruned = False
        for step, (instance, reference) in enumerate(zip(self.instances, self.reference, strict=True)):
            value = self._value(instance, parameters)
            gain = self.search.sign * (reference - value) / (abs(reference) or 1.0)
            total += instance.weight * gain
            weight += instance.weight
            if trial is not None and step + 1 < len(self.instances):
                trial.report(total / weight, step)
                self.pruned = trial.should_prune()
                if self.pruned:
                    break
        return total / weight

    def _value(self, instance: Instance, parameters: Parameters) -> float:
        value = self.study.run(instance, self.search.make(parameters)).value
        self.runs += 1
        # Optuna takes no NaN, and a policy whose objective is none must not be the best.
        return value if np.isfinite(value) else 1e18 * self.search.sign


class _Budget:
    """How the study's limits are shared between training and validation."""

    def __init__(self, search: Search, study: Study) -> None:
        self.limits, self.trials = study.limits, search.trials
        self.wall, self.cpu = time.monotonic(), time.process_time()
        runs, judged = self.limits.runs or self._affordable(search, study), search.top + 1
        n, m = len(study.train), len(study.valid)
        if runs is not None:
            m = min(m, runs // 4 // judged)
            n = min(n, max(1, (runs - m * judged) // search.candidates))
        elif self.trials is None:
            self.trials = 100
        self.kept = m * judged
        self.train, self.valid = _spread(study.train, n, study.seed), _spread(study.valid, m, study.seed)
        self.begun = self._spent()

    def allows(self, train: _Judge, tried: int) -> bool:
        """Whether one more candidate fits before the validation must begin."""
        if self.trials is not None and tried >= self.trials:
            return False
        if self.limits.runs is not None and train.runs + len(self.train) + self.kept > self.limits.runs:
            return False
        spent = self._spent()
        return spent + (spent - self.begun) * (len(self.train) + self.kept) / train.runs <= 1

    def _affordable(self, search: Search, study: Study) -> int | None:
        """How many runs a limit in seconds pays for, going by the first few; None without one.

        The median of these speaks for all: one of them may have compiled something, or met a busy machine.
        """
        if self.limits.wall_s is None and self.limits.cpu_s is None:
            return None
        took = []
        for instance in _spread(study.train, 3, study.seed):
            before = self._spent()
            study.run(instance, search.make(search.default))
            took.append(self._spent() - before)
        return max(1, int((1 - self._spent()) / max(float(np.median(took)), 1e-9)))

    def _spent(self) -> float:
        """The share of the limit in seconds that is gone."""
        wall, cpu = time.monotonic() - self.wall, time.process_time() - self.cpu
        return max(wall / (self.limits.wall_s or np.inf), cpu / (self.limits.cpu_s or np.inf))


def _spread(instances: Sequence[Instance], count: int, seed: int) -> list[Instance]:
    """As many instances, taken in turn from each group."""
    order = np.random.default_rng(seed).permutation(len(instances))
    turn: dict[str, int] = {}
    keyed = []
    for place in order:
        group = instances[place].group
        turn[group] = turn.get(group, 0) + 1
        keyed.append((turn[group], instances[place]))
    return [instance for _, instance in sorted(keyed, key=lambda pair: pair[0])[:count]]


@contextmanager
def _quiet() -> Iterator[None]:
    """Optuna reports each study on standard error; here the laboratory reports."""
    import optuna

    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(level)
