"""A small task with two questions, one of them for two agents: a workshop that admits jobs and serves them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseat import (
    Card,
    Contender,
    Form,
    Instance,
    Limits,
    Objective,
    Outcome,
    Policy,
    Question,
    Role,
    Session,
    Task,
    View,
)
from unseat.core.policy import Asker
from unseat.learn.baselines import Constant

OLDEST, SHORTEST = 0, 1
SERVERS, REFUSAL = 2, 6.0


@dataclass(frozen=True)
class NotWhenFull(Policy):
    """Admits a job unless that many wait."""

    name: str
    most: int

    def start(self, view: View, seed: int) -> Session:
        return _NotWhenFull(self.most)


class _NotWhenFull(Session):
    def __init__(self, most: int) -> None:
        self.most = most

    def decide(self, observation: Any) -> int:
        return int(observation[1] < self.most)


class Workshop(Task):
    """A job comes each minute: admit it? Each of two servers, when it is free: which job next?"""

    card = Card(id="workshop", version=0, title="Admit, and serve which?", system="a workshop", problem="online",
                summary="Jobs come, wait and are served.", measured="minutes waited a job; a refusal counts as six",
                repeatability="exact", min_headroom=0.01)  # fmt: skip
    objective = Objective("waiting", "min", worst=lambda problem, limits: 1000.0)
    forms = frozenset({Form.DECIDE})
    pays = True

    @cached_property
    def questions(self) -> Mapping[str, Question]:
        from gymnasium.spaces import Box, Discrete

        return {
            "admit": Question("A job comes: admit it (1) or not?", Box(1, 99, (2,), np.float32), Discrete(2)),
            "serve": Question("Serve the oldest (0) or the shortest (1) job?", Box(0, 99, (3,), np.float32),
                              Discrete(2), agents=SERVERS),
        }  # fmt: skip

    def default(self, question: str) -> Policy:
        """Everyone is admitted, and served in order."""
        return Constant(question, {"admit": 1, "serve": OLDEST}[question], (question,))

    def instances(self) -> Sequence[Instance]:
        return [Instance(f"{split}-{number}", f"{split}-{number}", split, suites=frozenset({"quick", "full"}))
                for split in ("train", "valid", "test") for number in range(2)]  # fmt: skip

    def load(self, instance: Instance) -> NDArray[np.int64]:
        return np.random.default_rng(list(instance.id.encode())).integers(1, 5, 40)

    def run(self, problem: NDArray[np.int64], policy: Policy, *, seed: int, limits: Limits) -> Outcome:
        deadline = limits.deadline()

        def asker(name: str, agent: int = 0) -> Asker:
            session = self.player(policy, name).start(View(name, agent=agent, deadline=deadline), seed)
            return Asker(session, self.questions[name], deadline)

        admit, serve = asker("admit"), [asker("serve", agent) for agent in range(SERVERS)]
        cost, waiting, busy = 0.0, list[int](), [0] * SERVERS
        for size in problem.tolist():
            minute = float(len(waiting))
            if admit(np.array([size, 1 + len(waiting)], np.float32)):
                waiting.append(size)
            else:
                minute += REFUSAL
            for agent, ask in enumerate(serve):
                busy[agent] = max(0, busy[agent] - 1)
                if waiting and not busy[agent]:
                    seen = np.array([agent, len(waiting), min(waiting)], np.float32)
                    place = 0 if ask(seen) == OLDEST else waiting.index(min(waiting))
                    busy[agent] = waiting.pop(place)
                if self.pays:
                    ask.session.reward(-minute / SERVERS / len(problem))
            cost += minute
        return Outcome(cost / len(problem), decisions=admit.decisions + sum(ask.decisions for ask in serve))

    def contenders(self) -> Mapping[str, Contender]:
        listed = [
            Contender("open", Role.INCUMBENT, lambda: Constant("open", 1), paper="none"),
            Contender("short queue", Role.INCUMBENT, lambda: NotWhenFull("short queue", 4), paper="none"),
            Contender("shortest first", Role.CHALLENGER, lambda: Constant("shortest first", SHORTEST, ("serve",))),
            Contender("closed", Role.BASELINE, lambda: Constant("closed", 0)),
        ]  # fmt: skip
        return {contender.name: contender for contender in listed}
