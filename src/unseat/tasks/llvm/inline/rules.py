"""Policies that were learned: trees that say what inlining is worth, and a small network beside a threshold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseat.core.jit import jit
from unseat.core.policy import Form, Policy, Session, View
from unseat.learn.trees import Forest, score
from unseat.tasks.llvm.inline.question import COST, FEATURES

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
        session = Session()
        trees = (self.feature, self.threshold, self.children, self.leaves, self.roots)
        session.kernel = (by_trees, (*trees, self.rule))
        return session


@jit
def by_trees(
    features: Any, feature: Int32, threshold: Float64, children: Int32, leaves: Float64, roots: Int32, rule: Float64
) -> int:
    """See `TreeRule`."""
    expected = score(features, feature, threshold, children, leaves, roots)
    if expected < -rule[1]:
        return 1
    if expected > rule[1]:
        return 0
    return 1 if features[COST] < rule[0] else 0


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
        session = Session()
        session.kernel = (by_network, (self.hidden, self.output, self.rule))
        return session


@jit
def by_network(features: Any, hidden: Float64, output: Float64, rule: Float64) -> int:
    """See `NetworkRule`."""
    seen = np.log1p(np.abs(features).astype(np.float64)) * np.sign(features) / 4.0
    seen[OF_MODULE[0]] = seen[OF_MODULE[1]] = 0.0
    moved = 0.0
    for unit in range(output.size):
        total = hidden[seen.size, unit]
        for number in range(seen.size):
            total += hidden[number, unit] * seen[number]
        moved += output[unit] * np.tanh(total)
    return 1 if features[COST] < rule[0] + rule[1] * moved else 0
