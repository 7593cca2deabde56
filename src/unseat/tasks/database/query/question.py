"""What the engine asks about a query, and what a policy is told."""

from __future__ import annotations

import json
import string
from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import spaces

from unseat.core.policy import Question, View
from unseat.tasks.database.query.space import Space

LONGEST = 1_000_000
QUESTION = "hints"

Plan = Mapping[str, Any]


def question(space: Space) -> Question:
    """One question a query, put again after each plan that was asked for."""
    text = spaces.Text(LONGEST, min_length=0, charset=frozenset(string.printable))
    seen = spaces.Dict({
        "sql": text, "plans": spaces.Text(LONGEST, min_length=0, charset=frozenset(string.printable)),
        "action_mask": spaces.Box(0, 1, (2 * space.explain,), np.int8),
    })  # fmt: skip
    return Question(space.question, seen, spaces.Discrete(2 * space.explain))


def view_of(space: Space, queries: int, tables: Mapping[str, int], deadline: float | None = None) -> View:
    """What a session is told: the arms, how many queries there are, and the tables' rows as the planner thinks."""
    told = {"arms": list(space.names), "queries": queries, "tables": dict(tables)}
    return View(QUESTION, told, deadline=deadline)


def observation(space: Space, sql: str, plans: Mapping[int, Plan]) -> dict[str, Any]:
    """The query, the plans that were asked for so far (JSON, arm to plan), and which answers are allowed.

    A plan can be asked for once.
    """
    mask = np.ones(2 * space.explain, np.int8)
    for arm in plans:
        mask[space.explain + arm] = 0
    return {"sql": sql, "plans": json.dumps(plans) if plans else "", "action_mask": mask}


def plans_of(observation: Mapping[str, Any]) -> dict[int, Plan]:
    """The plans that an observation shows, by arm."""
    return {int(arm): plan for arm, plan in json.loads(observation["plans"] or "{}").items()}
