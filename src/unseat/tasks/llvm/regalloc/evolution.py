"""A linear scorer by evolution strategies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseat.core.errors import LimitReached
from unseat.core.learner import Learner, Study
from unseat.core.policy import Policy
from unseat.core.task import Instance
from unseat.learn.evolution import EvolutionStrategy
from unseat.tasks.llvm.regalloc.policies import COLUMNS, Linear


class LinearByEvolution(Learner):
    """Evolution strategies from LLVM's own rule, a training program for each mirrored pair of samples.

    The pair is compared by its programs' sizes as shares of what clang makes. Every few generations the weights are run
    on the validation instances (not their running mean, which lags too far behind in so few generations); what was
    smallest there is the result, LLVM's own rule if nothing is smaller.

    Args:
        name: Its name.
        sigma, pairs: See `EvolutionStrategy`; the parameters are powers.
        rate: Adam's step.
        every: Generations between two looks at the validation instances.
        generations: At most.
    """

    def __init__(
        self, name: str, sigma: float = 0.3, pairs: int = 4, rate: float = 0.1, every: int = 10, generations: int = 500
    ) -> None:
        self.name, self.sigma, self.pairs = name, sigma, pairs
        self.rate, self.every, self.generations = rate, every, generations

    def config(self) -> Mapping[str, Any]:
        """All of its parameters."""
        return {key: value for key, value in vars(self).items() if key != "name"}

    def fit(self, study: Study) -> Policy:
        """Search until the limit."""
        best = self._policy(begin())
        study.propose(best)
        # A study of few runs gets few pairs and early looks, so that there are any.
        few = study.limits.runs or 2**30
        pairs = max(1, min(self.pairs, few // 16))
        strategy = EvolutionStrategy(begin(), self.sigma, pairs, study.seed)
        valid = list(study.valid)[: max(1, few // 8)]
        rng = np.random.default_rng(study.seed)
        try:
            least = _sizes(study, valid, [best] * len(valid)).mean()
            for generation in range(1, self.generations + 1):
                drawn = [study.train[int(rng.integers(len(study.train)))] for _ in range(pairs)]
                values = _sizes(study, 2 * drawn, [self._policy(theta) for theta in strategy.ask()])
                strategy.tell(values, self.rate)
                if generation % min(self.every, max(1, few // (8 * pairs))) == 0:
                    found = self._policy(strategy.theta)
                    size = _sizes(study, valid, [found] * len(valid)).mean()
                    if size < least:
                        best, least = found, size
                        study.propose(best)
        except LimitReached:
            pass
        return best

    def _policy(self, theta: NDArray[np.float32]) -> Policy:
        return Linear(self.name, theta[:-1].astype(np.float32), float(np.exp(theta[-1])))


def begin() -> NDArray[np.float32]:
    """float32 [22], where the search begins: LLVM's own rule. The last number is the logarithm of the factor."""
    return np.zeros(len(COLUMNS) + 1, np.float32)


def _sizes(study: Study, instances: Sequence[Instance], policies: Sequence[Policy]) -> NDArray[np.float64]:
    """float64 [runs], each program's size over that of clang's; that of a failed run is its failure value's."""
    runs = zip(instances, policies, strict=True)
    return np.array([study.run(instance, policy).value / study.load(instance).default_bytes
                     for instance, policy in runs])  # fmt: skip
