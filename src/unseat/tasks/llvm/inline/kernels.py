"""The rules of `rules` as kernels; apart from them, so that who asks a rule's Python imports no Numba."""

from __future__ import annotations

from typing import Any

from unseat.core.jit import jit
from unseat.learn.trees import score
from unseat.tasks.llvm.inline.question import COST
from unseat.tasks.llvm.inline.rules import Float64, Int32, margin

__all__ = ["by_network", "by_trees"]

_margin = jit(margin)


@jit
def by_network(features: Any, hidden: Float64, output: Float64, rule: Float64) -> int:
    """See `NetworkRule`."""
    return 1 if _margin(features, hidden, output, rule) > 0.0 else 0


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
