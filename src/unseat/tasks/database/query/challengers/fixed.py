"""What is learned without looking at a query: the best hint set for all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from unseat.core.learner import Learner, Study
from unseat.core.policy import Policy
from unseat.tasks.database.query.arms import DEFAULT
from unseat.tasks.database.query.labels import Labelled, best_fixed, labelled
from unseat.tasks.database.query.policies import Fixed


class BestFixed(Learner):
    """The hint set with the least total on the training queries; the tuned incumbent.

    Args:
        name: Its name.
        alternative: Whether the default is no choice: LLMSteer's data fell for "always the alternative".
    """

    def __init__(self, name: str, *, alternative: bool = False) -> None:
        self.name, self.alternative = name, alternative

    def config(self) -> dict[str, Any]:
        return {"alternative": self.alternative}

    def fit(self, study: Study) -> Policy:
        rows = []
        policy = Fixed(self.name, 1 if self.alternative else DEFAULT)
        study.propose(policy)
        for row in labelled(study, study.train):
            rows.append(row)
        if rows:
            policy = Fixed(self.name, alternative(rows) if self.alternative else best_fixed(rows))
        return policy


def alternative(rows: Sequence[Labelled]) -> int:
    """The arm with the least total among all but the default."""
    totals = np.sum([row.cpu_ms for row in rows], axis=0)
    return 1 + int(totals[1:].argmin())
