"""Which sequences suit a program? Gradient-boosted trees say it from the program as it is before any pass."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseat.core.errors import LimitReached
from unseat.core.learner import Learner, Study
from unseat.core.policy import Policy, Session, View
from unseat.learn.trees import flattened, score
from unseat.tasks.llvm.passes.challengers.search import DEFAULT, Bench, Found, search, shipped
from unseat.tasks.llvm.passes.policies import Tries, Trying, fixed
from unseat.tasks.llvm.passes.question import FEATURES, RUN, observation

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

INPUTS = len(FEATURES) - len(RUN)
"""Numbers that describe a program."""

_ROUNDS = 40


def inputs(seen: NDArray[np.int64]) -> Float32:
    """float32 [INPUTS]: the logarithm of a program's instructions, and of each other count its share of them."""
    counts = seen[:INPUTS].astype(np.float64)
    return np.concatenate([np.log1p(counts[:1]), counts[1:] / max(1.0, counts[0])]).astype(np.float32)


@dataclass(frozen=True)
class Chooser(Policy):
    """Tries the few of its sequences that trees think best for the program.

    Attributes:
        sequences: The sequences.
        tries: How many are tried.
        feature, threshold, children, leaves, roots: The trees (`Forest`); their last input is a sequence's place.
    """

    name: str
    sequences: Sequence[Sequence[str]]
    tries: int
    feature: NDArray[np.int32]
    threshold: Float64
    children: NDArray[np.int32]
    leaves: Float64
    roots: NDArray[np.int32]

    def start(self, view: View, seed: int) -> Session:
        session = _Choosing(iter(()))
        session.policy = self
        return session

    def ranked(self, seen: NDArray[np.int64]) -> list[int]:
        """Places of the sequences, the one thought best first."""
        trees, row = (self.feature, self.threshold, self.children, self.leaves, self.roots), inputs(seen)
        guesses = [score(np.append(row, np.float32(place)), *trees) for place in range(len(self.sequences))]
        return [int(place) for place in np.argsort(guesses, kind="stable")]


class _Choosing(Trying):
    policy: Chooser

    def decide(self, observation: NDArray[np.int64]) -> Any:
        if not self.seen.any():
            self.tries = self._tries(observation)
        return super().decide(observation)

    def _tries(self, seen: NDArray[np.int64]) -> Tries:
        for place in self.policy.ranked(seen)[: self.policy.tries]:
            yield list(self.policy.sequences[place])


class TreeChooser(Learner):
    """Searches for sequences, then learns which of them suit which program.

    Args:
        name: Name of the learner and of what it finds.
        count: How many sequences there are to choose from.
        tries: How many the policy tries.
    """

    def __init__(self, name: str, count: int = 8, tries: int = 2) -> None:
        self.name, self.count, self.tries = name, count, tries

    def config(self) -> Mapping[str, Any]:
        """The learner's settings."""
        return {"count": self.count, "tries": self.tries, "rounds": _ROUNDS}

    def fit(self, study: Study) -> Policy:
        """Go on from the shipped portfolio where that may be, and grow trees after every round."""
        best: Policy = fixed(self.name, DEFAULT)
        study.propose(best)
        with contextlib.suppress(LimitReached), Bench(study) as bench:
            for found in search(study, bench, self.count, seeds=shipped(study)):
                # After every round: the time may be up before the next one is over.
                best = self._grown(study, found)
                study.propose(best)
        return best

    def _grown(self, study: Study, found: Found) -> Policy:
        import lightgbm

        shown = [inputs(observation(study.load(one).counts, (0,) * len(RUN))) for one in study.train]
        rows = [np.append(row, place) for place in range(len(found.members)) for row in shown]
        relative = np.minimum(found.logs - found.logs.min(0), 1.0)
        data = lightgbm.Dataset(np.array(rows), relative.ravel(), params={"verbose": -1, "min_data_in_bin": 1})
        options = {
            "num_leaves": 6, "min_data_in_leaf": 4, "learning_rate": 0.15, "verbose": -1, "seed": study.seed,
            "deterministic": True, "force_row_wise": True, "num_threads": 1, "feature_fraction": 0.5,
        }  # fmt: skip
        forest = flattened(lightgbm.train(options, data, _ROUNDS).dump_model())
        return Chooser(self.name, [list(member) for member in found.members], self.tries, *forest)
