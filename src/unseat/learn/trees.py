"""Gradient-boosted trees as plain arrays: fitted by LightGBM, walked without it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unseat.core.jit import jit

Float64 = NDArray[np.float64]
Int32 = NDArray[np.int32]


class Forest(NamedTuple):
    """Trees as arrays, so that they travel in an artefact and a kernel can walk them.

    Attributes:
        feature: int32 [n], what each of the n inner nodes of all trees looks at.
        threshold: float64 [n]; a value that is not above it goes left.
        children: int32 [n, 2], left and right: a node, or ``-1 - leaf``.
        leaves: float64 [m], what each leaf adds.
        roots: int32 [trees], where each tree begins, as in `children`.
    """

    feature: Int32
    threshold: Float64
    children: Int32
    leaves: Float64
    roots: Int32


@jit
def score(
    row: Any, feature: Int32, threshold: Float64, children: Int32, leaves: Float64, roots: Int32
) -> float:  # fmt: skip
    """The sum of the leaves that a row of features comes to, one a tree."""
    total = 0.0
    for root in roots:
        node = root
        while node >= 0:
            node = children[node, 0 if row[feature[node]] <= threshold[node] else 1]
        total += leaves[-1 - node]
    return total


def boost(
    rows: NDArray[Any], targets: Float64, weights: Float64, seed: int, *, objective: str = "regression",
    trees: int = 200, leaves: int = 15, rate: float = 0.05, smallest: int = 20,
) -> Forest:  # fmt: skip
    """Fit trees; equal arguments give equal trees.

    G. Ke et al., "LightGBM: A Highly Efficient Gradient Boosting Decision Tree", NeurIPS 2017.

    Args:
        rows: [n, F], numbers that are not missing.
        targets: float64 [n]; 0 or 1 where the objective is ``binary``, and then the scores are log-odds.
        weights: float64 [n], how much each row counts.
        seed: Of the samples of rows and features.
        objective: LightGBM's name of the loss.
        trees, leaves, rate, smallest: How many trees, leaves of each, shrinkage, and rows that a leaf needs.
    """
    import lightgbm

    options = {
        "objective": objective, "num_leaves": leaves, "learning_rate": rate, "min_data_in_leaf": smallest,
        "feature_fraction": 0.5, "bagging_fraction": 0.7, "bagging_freq": 1, "num_threads": 1, "seed": seed,
        "deterministic": True, "force_row_wise": True, "verbose": -1, "boost_from_average": False,
    }  # fmt: skip
    data = lightgbm.Dataset(np.asarray(rows, np.float64), targets, weight=weights, params={"verbose": -1})
    return flattened(lightgbm.train(options, data, trees).dump_model())


def flattened(model: Mapping[str, Any]) -> Forest:
    """LightGBM's `dump_model` as arrays; its splits must all be by ``<=``."""
    feature: list[int] = []
    threshold: list[float] = []
    children: list[list[int]] = []
    leaves: list[float] = []

    def write(node: Mapping[str, Any]) -> int:
        """Write a node and all below it; its number."""
        if "split_feature" not in node:
            leaves.append(float(node["leaf_value"]))
            return -len(leaves)
        here = len(feature)
        feature.append(int(node["split_feature"]))
        threshold.append(float(node["threshold"]))
        children.append([0, 0])
        children[here] = [write(node["left_child"]), write(node["right_child"])]
        return here

    roots = [write(tree["tree_structure"]) for tree in model["tree_info"]]
    return Forest(np.array(feature, np.int32), np.array(threshold, np.float64),
                  np.array(children, np.int32).reshape(-1, 2), np.array(leaves, np.float64),
                  np.array(roots, np.int32))  # fmt: skip
