"""What a run looks like: who is on time at which rate, and how long requests take at one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from unseat.core.policy import Asker, Policy
from unseat.tasks.serving.engine import layout as at
from unseat.tasks.serving.engine.layout import Float64, State
from unseat.tasks.serving.incumbents import Default
from unseat.tasks.serving.policies import Fused
from unseat.tasks.serving.problem import Problem, sound
from unseat.tasks.serving.question import ask, questions

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS = ("#4477aa", "#ee6677", "#228833", "#ccbb44")
"""Of policies: P. Tol's bright scheme."""

POINTS = 9
"""Rates of a curve."""

_SIZE = (10.5, 3.2)


def player(problem: Problem, policy: Policy, seed: int) -> Callable[[State], None]:
    """What runs a state with a policy."""
    session = policy.start(problem.view("batch"), seed)
    if isinstance(session, Fused):
        return session.play
    mine, known = policy.questions or ("batch",), questions()
    answer = {name: policy if name in mine else Default("default", name) for name in known}
    askers = {name: Asker(one.start(problem.view(name), seed), known[name], None) for name, one in answer.items()}
    return lambda s: ask(s, askers)


def run(problem: Problem, policy: Policy, seed: int, rate: float) -> State:
    """A run at a rate, to its end."""
    s = problem.begin(seed, rate)
    player(problem, policy, seed)(s)
    sound(s)
    return s


def attainment(problem: Problem, policies: Mapping[str, Policy], seed: int) -> Figure:
    """The share of requests that are on time, over the rate, around where it falls below what is promised."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=_SIZE)
    axes = figure.subplots()
    most = max(problem.goodput(player(problem, one, seed), seed, problem.attainment) for one in policies.values())
    rates = np.linspace(0.4, 1.4, POINTS) * most
    for colour, (name, policy) in zip(COLOURS, policies.items(), strict=False):
        shares = [1 - float(run(problem, policy, seed, rate).g[at.MISSED]) / len(problem.requests.at_s)
                  for rate in rates.tolist()]  # fmt: skip
        axes.plot(rates, shares, "o-", color=colour, label=name, markersize=4)
    axes.axhline(problem.attainment, color="#888888", linewidth=0.8, linestyle="--")
    axes.set(xlabel="requests a second", ylabel="share on time", ylim=(0, 1.02))
    axes.legend(frameon=False)
    figure.tight_layout()
    return figure


def latencies(problem: Problem, policies: Mapping[str, Policy], seed: int) -> Figure:
    """Both times of all requests that were answered, as shares below, at 80% of the best goodput; the lines are what
    is promised."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=_SIZE)
    panels = figure.subplots(1, 2)
    most = max(problem.goodput(player(problem, one, seed), seed, problem.attainment) for one in policies.values())
    for colour, (name, policy) in zip(COLOURS, policies.items(), strict=False):
        ttft, tpot = times(run(problem, policy, seed, 0.8 * most))
        for axes, values in zip(panels, (ttft, tpot), strict=True):
            axes.plot(np.sort(values), np.linspace(0, 1, values.size), color=colour, label=name)
    promised = (problem.serving.ttft_s, problem.serving.tpot_s)
    for axes, said, limit in zip(panels, ("time to first token", "time per token"), promised, strict=True):
        axes.axvline(limit, color="#888888", linewidth=0.8, linestyle="--")
        axes.set(xlabel=f"{said}, s", ylabel="share of the answered", xlim=(0, 2 * limit), ylim=(0, 1.02))
    panels[0].legend(frameon=False)
    figure.tight_layout()
    return figure


def times(s: State) -> tuple[Float64, Float64]:
    """Time to first token of each request that was answered, and time per token of those of several."""
    done, output = s.q[:, at.STATE] == at.ENDED, s.fixed[:, at.OUTPUT]
    several = done & (output > 1)
    ttft = (s.when[:, at.FIRST] - s.when[:, at.ARRIVAL])[done]
    return ttft, (s.when[:, at.END] - s.when[:, at.FIRST])[several] / (output[several] - 1)
