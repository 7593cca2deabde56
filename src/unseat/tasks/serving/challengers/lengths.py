"""Fitting the length prediction: least squares on what the engine would have known of each training request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from unseat.core.jit import jit
from unseat.core.learner import Learner, Study
from unseat.core.policy import Policy
from unseat.tasks.serving.engine import lengths as of
from unseat.tasks.serving.engine import play
from unseat.tasks.serving.engine.layout import Float64, Int64
from unseat.tasks.serving.policies import RuleOf
from unseat.tasks.serving.problem import Requests

LAG = 50
"""Requests that are on their way: of those that came later than so many before, nothing is known yet."""

RIDGE = 3.0
"""Weight of the prior, which is the mean of prompts of about the same length."""


@jit
def history(prompt: Int64, output: Int64, first: Int64, hashes: Int64, past: Float64, lag: int, out: Float64) -> None:
    """Write what is known of each request when it comes, `lengths.KNOWN`: float64 [n, N_KNOWN]."""
    for i in range(prompt.size):
        j = i - lag
        if j >= 0:
            of.remember(past, prompt[j], output[j], hashes, first[j], first[j + 1])
        of.known(past, prompt[i], hashes, first[i], first[i + 1], out[i])


def known(requests: Requests, lag: int = LAG) -> Float64:
    """float64 [n, N_KNOWN], what is known of each request when it comes."""
    out = np.zeros((len(requests.at_s), of.N_KNOWN))
    past = np.zeros((of.FIRST_CHUNK + int(requests.hashes.max(initial=-1)) + 1, 2))
    history(requests.prompt, requests.output, requests.first, requests.hashes, past, lag, out)
    return out


def predicted(requests: Requests, weights: Float64, lag: int = LAG) -> Float64:
    """float64 [n], the tokens that are expected of each request."""
    return np.exp2(np.clip(known(requests, lag) @ weights, 0.0, 16.0)) - 1.0


def fit(several: Sequence[Requests]) -> Float64:
    """float64 [N_KNOWN], the weights: least squares of log2(1 + output), every workload counting alike."""
    square, right = np.zeros((of.N_KNOWN, of.N_KNOWN)), np.zeros(of.N_KNOWN)
    for requests in several:
        x, y = known(requests), np.log2(1.0 + requests.output)
        square += x.T @ x / len(y)
        right += x.T @ y / len(y)
    prior = np.zeros(of.N_KNOWN)
    prior[of.KNOWN.index("mean of its length")] = 1.0
    size = RIDGE * 1e-2 * np.eye(of.N_KNOWN)
    return np.asarray(np.linalg.solve(square + size, right + size @ prior))


class ShortestLeft(Learner):
    """Shortest predicted remaining time first (aging is the engine's); prediction is fitted, and charged as a run each.

    Args:
        name: Its name.
        settings: Of the policy beside the order.
    """

    def __init__(self, name: str, settings: Mapping[str, float]) -> None:
        self.name, self.settings = name, dict(settings)

    def config(self) -> Mapping[str, Any]:
        """The settings."""
        return {"settings": self.settings}

    def fit(self, study: Study) -> Policy:
        """Without a run to pay for the reading, the prior is the policy."""
        prior = np.zeros(of.N_KNOWN)
        prior[of.KNOWN.index("mean of its length")] = 1.0
        settings = {**self.settings, "order": play.SHORTEST_LEFT, "long": 1.0}
        study.propose(RuleOf(self.name, settings, lengths=prior))
        best = RuleOf(self.name, settings, lengths=fit([study.load(one).requests for one in study.train]))
        study.propose(best)
        return best
