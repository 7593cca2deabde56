"""Many clusters that are stepped together: one question is the learner's, a built-in policy answers the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseat.core.jit import jit
from unseat.core.lockstep import Bool, Int64, LockstepEnv
from unseat.core.outcome import Outcome
from unseat.core.policy import Question
from unseat.tasks.serving.engine import layout as at
from unseat.tasks.serving.engine.cluster import advance, answer_admit, answer_batch, answer_route
from unseat.tasks.serving.engine.features import F
from unseat.tasks.serving.engine.layout import Float64, State
from unseat.tasks.serving.engine.lengths import N_KNOWN
from unseat.tasks.serving.engine.play import MODE, WEIGHTS, answer_other, budget, expect, order
from unseat.tasks.serving.policies import RuleOf
from unseat.tasks.serving.problem import Problem, measured, sound
from unseat.tasks.serving.question import shown_replicas, shown_request

ASKS = {"route": at.ROUTE, "admit": at.ADMIT}
"""Questions that have numbers for answers."""


@jit
def go_on(s: State, p: Float64, w: Float64, lengths: Float64, mine: int, answer: int) -> bool:
    """Answer the open question, unless the answer is negative, and run to the next of that kind; False at the end."""
    x, known = np.zeros(F), np.zeros(N_KNOWN)
    if answer >= 0 and mine == at.ROUTE:
        answer_route(s, answer)
    elif answer >= 0:
        answer_admit(s, answer > 0)
    while True:
        asked = advance(s)
        if asked == at.OVER:
            return False
        if asked == mine:
            expect(s, lengths, known)
            return True
        if asked == at.BATCH:
            order(s, p, w, x)
            answer_batch(s, int(p[MODE]), budget(s, s.g[at.ASKED], p, w, x))
        else:
            answer_other(s, asked, p, w, lengths, x, known)


class ServingVectorEnv(LockstepEnv):
    """Routing or admission in clusters at a fixed rate; the rewards of an episode sum up to minus the share of misses.

    Args:
        problems: One a run.
        name: The question that is asked, `route` or `admit`.
        question: It.
        rate: Requests a second, as a share of each problem's capacity.
        policy: What answers the others.
    """

    def __init__(
        self,
        problems: Sequence[Problem],
        name: str,
        question: Question,
        rate: float = 1.0,
        policy: RuleOf | None = None,
    ) -> None:  # fmt: skip
        super().__init__(len(problems), question)
        self.problems, self.name, self.rate = list(problems), name, rate
        self.policy = policy or RuleOf("others", {})
        self.units = np.array([float(len(one.requests.at_s)) for one in problems])
        self._states: list[State] = [one.begin(0, rate * one.capacity) for one in problems]
        self._open = np.zeros(len(problems), np.bool_)

    def begin(self, run: int, seed: int) -> None:
        """The trace from its beginning."""
        problem = self.problems[run]
        self._states[run] = problem.begin(seed, self.rate * problem.capacity)
        self._open[run] = False

    def go(self, runs: Int64, actions: Int64) -> Bool:
        """Answer, and run on; each run by itself, in compiled code."""
        policy, asks = self.policy, np.zeros(len(runs), np.bool_)
        weights = policy.weights if policy.weights.size else np.zeros(WEIGHTS)
        for place, run in enumerate(runs.tolist()):
            answer = int(actions[place]) if self._open[run] else -1
            asks[place] = go_on(self._states[run], policy.vector, weights, policy.lengths, ASKS[self.name], answer)
            self._open[run] = asks[place]
        return asks

    def costs(self) -> NDArray[Any]:
        """Requests that have missed an objective."""
        return np.array([float(s.g[at.MISSED]) for s in self._states])

    def observations(self) -> Any:
        """What is asked, in all runs."""
        show = shown_replicas if self.name == "route" else shown_request
        shown = [show(s) for s in self._states]
        return {key: np.stack([one[key] for one in shown]) for key in shown[0]}

    def outcome(self, run: int) -> Outcome:
        """The share of requests that were on time, at this rate."""
        s = self._states[run]
        sound(s)
        told = measured(s)
        return Outcome(told["attainment"], decisions=int(s.g[at.DECISIONS]), metrics=told)
