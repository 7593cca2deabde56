"""A linear scorer of the sampled candidates: the one with the highest score leaves.

A weighted sum of the logarithms of age, gaps and decayed frequencies contains LRU (the age alone), hyperbolic caching
(Blankstein, Sen and Freedman, USENIX ATC 2017: requests over time in the cache, a difference of two logarithms) and,
with sizes, the hit density per byte of GDSF. Random search and Optuna set the weights at the same budget.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from unseat.core.policy import Form, Policy, Session, View
from unseat.learn.tune import Parameter

NAMES = ("age", "stay", "gap1", "gap2", "gap3", "requests", "fast", "slow", "hits", "size", "regret")
"""Short names of the weights, in the order of `unseat.tasks.cache.engine.sampled.FEATURES`."""


@dataclass(frozen=True, eq=False)
class Linear(Policy):
    """Evict the candidate with the highest ``weights . features``.

    Attributes:
        name: Its name in tables.
        weights: float32[F].
    """

    form: ClassVar[Form] = Form.KERNEL
    name: str
    weights: NDArray[np.float32]

    def start(self, view: View, seed: int) -> Session:
        """The compiled scorer and its weights; nothing is learned on the way."""
        from unseat.tasks.cache.engine.sampled import best_linear

        session = Session()
        session.kernel = best_linear, (self.weights,)
        return session


def make(parameters: Mapping[str, float]) -> Linear:
    """The scorer of some weights; those not given are zero."""
    return Linear("linear", np.array([parameters.get(name, 0.0) for name in NAMES], np.float32))


def space(sized: bool) -> dict[str, Parameter]:
    """Ranges of the weights; the age's is fixed at one, since only the weights' ratios matter."""
    names = [name for name in NAMES if sized or name != "size"]
    return {name: Parameter(-2.0, 2.0) for name in names}


def lru(sized: bool) -> dict[str, float]:
    """Where the search begins: the age alone, which is LRU."""
    return {name: float(name == "age") for name in space(sized)}
