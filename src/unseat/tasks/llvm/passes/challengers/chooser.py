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
class Forest:
    """Regression trees as arrays; a leaf leads to itself.

    Attributes:
        roots: int32 [trees].
        column: int32 [nodes], the input that is compared.
        limit: float64 [nodes], up to which the left child is taken.
        children: int32 [nodes, 2].
        value: float64 [nodes], of leaves.
    """

    roots: NDArray[np.int32]
    column: NDArray[np.int32]
    limit: Float64
    children: NDArray[np.int32]
    value: Float64

    def __call__(self, row: Float32) -> float:
        """The sum of all trees."""
        at = self.roots
        while True:
            right = row[self.column[at]] > self.limit[at]
            following = self.children[at, right.astype(np.intp)]
            if (following == at).all():
                return float(self.value[at].sum())
            at = following

    @classmethod
    def of(cls, model: Mapping[str, Any]) -> Forest:
        """Flatten what LightGBM's ``dump_model`` gives; all inputs are numbers, and none is missing."""
        nodes: list[tuple[int, float, int, int, float]] = []

        def add(node: Mapping[str, Any]) -> int:
            place = len(nodes)
            nodes.append((0, 0.0, place, place, float(node.get("leaf_value", 0.0))))
            if "left_child" in node:
                left, right = add(node["left_child"]), add(node["right_child"])
                nodes[place] = (int(node["split_feature"]), float(node["threshold"]), left, right, 0.0)
            return place

        roots = np.array([add(tree["tree_structure"]) for tree in model["tree_info"]], np.int32)
        column, limit, left, right, value = (np.array(part) for part in zip(*nodes, strict=True))
        children = np.stack([left, right], 1).astype(np.int32)
        return cls(roots, column.astype(np.int32), limit.astype(np.float64), children, value.astype(np.float64))


@dataclass(frozen=True)
class Chooser(Policy):
    """Tries the few of its sequences that trees think best for the program.

    Attributes:
        sequences: The sequences.
        tries: How many are tried.
        roots, column, limit, children, value: The trees (`Forest`); their last input is a sequence's place.
    """

    name: str
    sequences: Sequence[Sequence[str]]
    tries: int
    roots: NDArray[np.int32]
    column: NDArray[np.int32]
    limit: Float64
    children: NDArray[np.int32]
    value: Float64

    def start(self, view: View, seed: int) -> Session:
        session = _Choosing(iter(()))
        session.policy = self
        return session

    def ranked(self, seen: NDArray[np.int64]) -> list[int]:
        """Places of the sequences, the one thought best first."""
        forest = Forest(self.roots, self.column, self.limit, self.children, self.value)
        row = inputs(seen)
        guesses = [forest(np.append(row, np.float32(place))) for place in range(len(self.sequences))]
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
        forest = Forest.of(lightgbm.train(options, data, _ROUNDS).dump_model())
        sequences = [list(member) for member in found.members]
        return Chooser(self.name, sequences, self.tries, forest.roots, forest.column, forest.limit, forest.children,
                       forest.value)  # fmt: skip
