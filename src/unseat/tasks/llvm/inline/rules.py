"""Policies that were learned: trees that say what inlining is worth, and a small network beside a threshold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from unseat.core.policy import Form, Policy, Session, View
from unseat.tasks.llvm.inline.question import COST, FEATURES

if TYPE_CHECKING:
    from unseat.learn.trees import Forest

Float64 = NDArray[np.float64]
Int32 = NDArray[np.int32]

OF_MODULE = tuple(FEATURES.index(name) for name in ("node_count", "edge_count"))
"""Features of the module as a whole: the same all over it, so that a learner would know modules by them."""


@dataclass(frozen=True, eq=False)
class TreeRule(Policy):
    """Inlines what trees expect to make the module smaller, and does what a cost threshold says where they are unsure.

    Attributes:
        feature, threshold, children, leaves, roots: The trees, see `Forest`; their score is the bytes that a call adds
            by being inlined.
        rule: float64 [2], the cost threshold, and the score, up or down, under which it decides.
    """

    form = Form.KERNEL
    name: str
    feature: Int32
    threshold: Float64
    children: Int32
    leaves: Float64
    roots: Int32
    rule: Float64

    @classmethod
    def of(cls, name: str, forest: Forest, threshold: float, margin: float) -> TreeRule:
        """Of trees and the rule beside them."""
        return cls(name, *forest, np.array([threshold, margin], np.float64))

    def start(self, view: View, seed: int) -> Session:
        return _ByTrees(self)


@dataclass(frozen=True, eq=False)
class NetworkRule(Policy):
    """A cost threshold that a small network moves from call to call.

    The network sees the logarithms of the features; before it has learned anything, the rule is the threshold.

    Attributes:
        hidden: float64 [F + 1, H], weights of the hidden units, the last row their biases.
        output: float64 [H], weights of the output, by how much the threshold moves.
        rule: float64 [2], the threshold, and the cost that the output counts in.
    """

    form = Form.KERNEL
    name: str
    hidden: Float64
    output: Float64
    rule: Float64

    def start(self, view: View, seed: int) -> Session:
        return _ByNetwork(self)


class _ByTrees(Session):
    def __init__(self, rule: TreeRule) -> None:
        self.rule = rule

    @property
    def kernel(self) -> Any:  # type: ignore[override]  # only a session that is asked for it loads it
        from unseat.tasks.llvm.inline.kernels import by_trees

        rule = self.rule
        return by_trees, (rule.feature, rule.threshold, rule.children, rule.leaves, rule.roots, rule.rule)

    def decide(self, observation: NDArray[np.int64]) -> int:
        """What the kernel says, all trees at a time."""
        rule, node = self.rule, self.rule.roots.copy()
        while (inner := node >= 0).any():
            at = node[inner]
            right = ~(observation[rule.feature[at]] <= rule.threshold[at])
            node[inner] = rule.children[at, right.astype(np.intp)]
        # One after the other, as the kernel adds; `sum` goes another way, and ends at another number.
        expected = float(np.add.accumulate(rule.leaves[-1 - node])[-1]) if node.size else 0.0
        threshold, margin = rule.rule
        if abs(expected) > margin:
            return int(expected < 0)
        return int(observation[COST] < threshold)


class _ByNetwork(Session):
    def __init__(self, rule: NetworkRule) -> None:
        self.rule = rule

    @property
    def kernel(self) -> Any:  # type: ignore[override]  # only a session that is asked for it loads it
        from unseat.tasks.llvm.inline.kernels import by_network

        return by_network, (self.rule.hidden, self.rule.output, self.rule.rule)

    def decide(self, observation: NDArray[np.int64]) -> int:
        """What the kernel says."""
        return int(margin(observation, self.rule.hidden, self.rule.output, self.rule.rule) > 0.0)


def margin(features: Any, hidden: Float64, output: Float64, rule: Float64) -> float:
    """By how much a call's cost is under the threshold that the network has moved; `kernels` compiles this."""
    seen = np.log1p(np.abs(features).astype(np.float64)) * np.sign(features) / 4.0
    seen[OF_MODULE[0]] = seen[OF_MODULE[1]] = 0.0
    moved = 0.0
    for unit in range(output.size):
        total = hidden[seen.size, unit]
        for number in range(seen.size):
            total += hidden[number, unit] * seen[number]
        moved += output[unit] * np.tanh(total)
    return float(rule[0] + rule[1] * moved - features[COST])
