"""The task: binds engine, data, policies and bound to the contract."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

import unseat
from unseat import Card, Contender, Form, Instance, Limits, Objective, Outcome, Policy, Question, Role, View
from unseat.core.policy import Asker

from . import data
from .engine import LONGEST, Problem, serve


class SpinThenBlock(unseat.Task):
    """A thread finds a lock taken: spin on, or block?"""

    card = Card.read(Path(__file__).with_name("card.toml"))
    objective = Objective("cost of an acquisition", "slots", worst=lambda problem, limits: 2.0 * LONGEST)
    forms = frozenset({Form.DECIDE})

    @cached_property
    def questions(self) -> Mapping[str, Question]:
        from gymnasium.spaces import Box, Discrete

        seen = Box(0, LONGEST / min(data.BLOCK_COSTS), (4,))
        return {"spin or block": Question("The lock is taken: spin for a slot (0) or block (1)?", seen, Discrete(2))}

    def instances(self) -> Sequence[Instance]:
        return data.instances()

    def load(self, instance: Instance) -> Problem:
        return data.load(instance)

    def run(self, problem: Problem, policy: Policy, *, seed: int, limits: Limits) -> Outcome:
        began = time.perf_counter()
        deadline = time.monotonic() + limits.wall_s if limits.wall_s else None
        [(name, question)] = self.questions.items()
        session = policy.start(View(name, {"block_cost": problem.block_cost}, deadline=deadline), seed)
        start_s = time.perf_counter() - began
        asker = Asker(session, question, deadline)
        value = serve(problem, asker, session.reward)
        return Outcome(value, decisions=asker.decisions, start_s=start_s, decide_s=asker.decide_s)

    def contenders(self) -> Mapping[str, Contender]:
        from unseat.learn.baselines import Constant, Uniform
        from unseat.learn.tune import OptunaSearch, RandomSearch

        from .bounds import Offline
        from .challengers import DEFAULT, SPACE, foresight
        from .incumbents import Glibc, Randomised, SpinFor

        paper = self.card.papers[0].title
        listed = [
            Contender("block", Role.INCUMBENT, lambda: SpinFor("block", 0.0), paper="POSIX mutex"),
            Contender("break-even", Role.INCUMBENT, lambda: SpinFor("break-even", 1.0), paper="Karlin et al., 1988"),
            Contender("randomised", Role.INCUMBENT, lambda: Randomised("randomised"), paper=paper),
            Contender("glibc", Role.INCUMBENT, lambda: Glibc("glibc"), paper=self.card.versions["glibc"]),
            Contender("tuned", Role.CHALLENGER, lambda: OptunaSearch("tuned", foresight, SPACE, default=DEFAULT)),
            Contender("random search", Role.CHALLENGER,
                      lambda: RandomSearch("random search", foresight, SPACE, default=DEFAULT)),
            Contender("spin", Role.BASELINE, lambda: Constant("spin", 0)),
            Contender("coin", Role.BASELINE, lambda: Uniform("coin", 2)),
            Contender("offline optimum", Role.BOUND, Offline),
        ]  # fmt: skip
        return {contender.name: contender for contender in listed}
