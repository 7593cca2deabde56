"""How well the length of an answer is predicted in `serving`, and what that is worth.

    python -m benchmarks.serving_lengths

For each test instance: the rank correlation (Spearman) of the predicted and the true lengths, of what the engine knows
when a request comes; and the goodput and the mean time to an answer (at 80% of it) of the shortest predicted remaining
time first, with the prediction, with a constant in its place, and with the truth. No goal but that all are printed.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import spearmanr

import unseat
from unseat.tasks.serving.challengers.lengths import predicted
from unseat.tasks.serving.engine import layout as at
from unseat.tasks.serving.engine.layout import State
from unseat.tasks.serving.policies import RuleOf
from unseat.tasks.serving.problem import Problem


def worth(problem: Problem, policy: RuleOf, rate: float = 0.0, oracle: bool = False) -> tuple[float, float]:
    """Goodput, and the mean time from coming to the end, in seconds, at a rate."""

    def play(s: State) -> None:
        if oracle:
            s.when[:, at.GUESS] = s.fixed[:, at.OUTPUT]
        policy.play(s)

    goodput = problem.goodput(play, 0, 0.9)
    s = problem.begin(0, rate or 0.8 * goodput)
    play(s)
    return goodput, float(np.nanmean(s.when[:, at.END] - s.when[:, at.ARRIVAL]))


def main() -> None:
    """Print the table."""
    task = unseat.task("serving")
    contender = task.contenders()["shortest-left"]
    assert contender.shipped is not None, "fit it first: python -m benchmarks.ship serving --only shortest-left"
    policy = contender.shipped()
    assert isinstance(policy, RuleOf)
    constant = RuleOf("constant", policy.settings)
    rows = []
    for one in task.instances():
        if one.split != "test":
            continue
        problem = task.load(one)
        rank = float(spearmanr(predicted(problem.requests, policy.lengths), problem.requests.output).statistic)
        told = [worth(problem, constant)]
        rate = 0.8 * told[0][0]
        told += [worth(problem, policy, rate), worth(problem, constant, rate, oracle=True)]
        rows.append(
            [rank, *(value / told[0][0] for value, _ in told[1:]), *(mean / told[0][1] for _, mean in told[1:])]
        )
        print(f"{one.id:30s} rank correlation {rank:.2f}   goodput over a constant's: predicted {rows[-1][1]:.3f}, "
              f"true {rows[-1][2]:.3f}   mean latency: predicted {rows[-1][3]:.3f}, true {rows[-1][4]:.3f}",
              flush=True)  # fmt: skip
    table = np.array(rows)
    means = np.exp(np.log(table[:, 1:]).mean(axis=0))
    print(f"{'all':30s} rank correlation {table[:, 0].mean():.2f}   goodput over a constant's: predicted "
          f"{means[0]:.3f}, true {means[1]:.3f}   "
          f"mean latency: predicted {means[2]:.3f}, true {means[3]:.3f}")  # fmt: skip


if __name__ == "__main__":
    main()
