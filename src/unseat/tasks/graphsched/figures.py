"""Pictures of a schedule: its subgraphs one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from unseat.core.policy import Policy
from unseat.tasks.graphsched.engine.problem import Problem
from unseat.tasks.graphsched.exporters import answered

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00")


def timeline(problem: Problem, policies: Mapping[str, Policy], seed: int) -> Figure:
    """A bar a subgraph, labelled with how many operators it holds; a row a policy.

    Args:
        problem: The problem.
        policies: By name.
        seed: Of their runs.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 0.9 + 0.7 * len(policies)))
    axes = figure.add_axes((0.18, 0.32, 0.8, 0.6))
    for row, policy in enumerate(policies.values()):
        answer, at = answered(policy, problem, seed), 0.0
        for number, (ops, took) in enumerate(zip(answer["subgraphs"], answer["subgraph_latencies"], strict=True)):
            axes.barh(row, took, left=at, height=0.7, color=_COLOURS[number % len(_COLOURS)], linewidth=0)
            axes.text(at + took / 2, row, str(len(ops)), ha="center", va="center", fontsize=7, color="white")
            at += took
    axes.set_yticks(range(len(policies)), list(policies))
    axes.invert_yaxis()
    axes.set_xlabel("time; a bar is a subgraph, its number how many operators it runs", loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    return figure
