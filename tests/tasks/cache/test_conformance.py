"""Both cache tasks keep the whole contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from tests.tasks.cache.small import SmallCache, SmallCacheSized

from unseat.core.learner import Learner
from unseat.core.policy import Asker, Form, Policy, Session
from unseat.core.task import Task
from unseat.sandbox import bubblewrap
from unseat.tasks.cache.engine.trace import from_raw
from unseat.tasks.cache.problem import LEARN_EVERY, Problem, fused
from unseat.tasks.cache.question import asked, compiled, empty_cache
from unseat.tasks.cache.task import CacheTask
from unseat.testing import TaskSuite, check_instances

MOMENT = 2 * LEARN_EVERY + 5_000


def twins(sized: bool) -> tuple[Problem, Problem, int]:
    """Two traces that part after `MOMENT` requests, by when everything that learns has learned twice."""
    rng = np.random.default_rng(7)
    common, one, other = (rng.integers(0, 3_000, n) * rng.integers(0, 2, n) for n in (MOMENT, 5_000, 5_000))
    problems = []
    for rest in (one, other + 5_000):
        keys = np.concatenate([common, rest]).astype(np.uint64)
        sizes = (1 + keys % 97).astype(np.int64) if sized else None
        problems.append(Problem(from_raw(keys, sizes), 20_000 if sized else 300, MOMENT // 3))
    return problems[0], problems[1], MOMENT


class CacheSuite(TaskSuite):
    """What the two tasks share; the name keeps pytest from collecting it."""

    sized: bool

    @pytest.fixture
    def task(self) -> Task:
        return SmallCacheSized() if self.sized else SmallCache()

    def test_built_in_instances(self) -> None:
        """Red: a built-in trace is in two splits, or an id is there twice."""
        check_instances(CacheTask(self.sized))

    def learners(self, task: Task) -> Mapping[str, Learner]:
        """All of them; but program search only where there is a sandbox for it."""
        found = super().learners(task)
        return {name: one for name, one in found.items() if bubblewrap.found() or not name.startswith("evolved")}

    def twin_problems(self, task: Task) -> tuple[Any, Any, int]:
        return twins(self.sized)

    def decisions(self, task: Task, problem: Any, policy: Policy, moment: int) -> Sequence[Any]:
        """Hit or miss of each request, which no compiled loop can keep to itself."""
        session = policy.start(problem.view(), 0)
        if policy.form is Form.FUSED:
            advance = fused(problem, session)
        elif session.kernel:
            advance = compiled(problem, session, empty_cache(problem, 0))
        else:
            advance = asked(problem, Asker(session, task.questions["evict"]), empty_cache(problem, 0))
        counts, misses = np.zeros(4, np.int64), []
        for request in range(moment):
            advance(request, request + 1, counts)
            misses.append(int(counts[1]))
            if (request + 1) % LEARN_EVERY == 0 and type(session).learn is not Session.learn:
                session.learn(problem.seen(request + 1))
        return misses


class TestCache(CacheSuite):
    """The task for objects of one size."""

    sized = False


class TestCacheSized(CacheSuite):
    """The task for objects with sizes."""

    sized = True
