"""Pictures of a solution: what memory it uses when, against the limit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from unseat.core.policy import Policy, View
from unseat.tasks.shard.engine.problem import NO_LIMIT, Problem

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLOURS = ("#0072b2", "#d55e00")
_MOST_STEPS = 2000


def memory(problem: Problem, policies: Mapping[str, Policy], seed: int) -> Figure:
    """Bytes in use over time under the answers of one or two policies, and the limit.

    Args:
        problem: The problem.
        policies: By name.
        seed: Of their runs.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 2.8))
    axes = figure.add_axes((0.1, 0.18, 0.87, 0.68))
    unit, name = _unit(problem)
    for colour, (label, policy) in zip(_COLOURS, policies.items(), strict=False):
        heard: list[object] = []
        answer = policy.start(View("strategies", problem.facts(), listener=heard.append), seed).decide(None)
        heard += [] if answer is None else [answer]
        if not heard:
            continue
        chosen = problem.checked(heard[-1])
        times, used = problem.profile(chosen)
        if len(times) > _MOST_STEPS:
            # The highest of each stretch, so that no peak is lost.
            cuts = np.unique(np.linspace(0, len(times) - 1, _MOST_STEPS).astype(np.int64))
            times, used = times[cuts], np.maximum.reduceat(np.array(used, np.float64), cuts).tolist()
        axes.step(times, [one / unit for one in used], where="post", color=colour, linewidth=1.2,
                  label=f"{label}: cost {problem.cost(chosen):.6g}")  # fmt: skip
    if problem.limit != NO_LIMIT:
        axes.axhline(problem.limit / unit, color="#888888", linewidth=1.0, linestyle="--", label="limit")
    axes.set_xlabel("time step", loc="left")
    axes.set_ylabel(f"{name} in use")
    axes.set_ylim(bottom=0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="upper right", frameon=False)
    axes.set_title(f"{problem.nodes} operators", loc="left", pad=5)
    return figure


def _unit(problem: Problem) -> tuple[float, str]:
    most = max(problem.limit, 1)
    return next(((2.0**power, name) for power, name in ((30, "GiB"), (20, "MiB"), (10, "KiB")) if most >= 2**power),
                (1.0, "bytes"))  # fmt: skip
