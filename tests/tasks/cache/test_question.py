"""The sampled engine, asked by Python, by kernels and by environments, against a reference written for reading."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from unseat.core.env import TaskEnv
from unseat.core.jit import jit, python
from unseat.core.outcome import Limits
from unseat.core.policy import Form, InvalidAnswer, Policy, Session, View
from unseat.core.task import Instance
from unseat.tasks.cache.challengers.linear import Linear
from unseat.tasks.cache.engine import sampled
from unseat.tasks.cache.engine.simulate import simulate
from unseat.tasks.cache.engine.trace import from_raw
from unseat.tasks.cache.env import CacheEnv
from unseat.tasks.cache.incumbents import FUSED
from unseat.tasks.cache.policies import Classical
from unseat.tasks.cache.problem import WINDOWS, Problem
from unseat.tasks.cache.task import CacheTask
from unseat.tasks.cache.vector_env import CacheVectorEnv

TASK, SIZED = CacheTask(sized=False), CacheTask(sized=True)
EVICT = TASK.questions["evict"]


def problem_of(keys: list[int], capacity: int, judged_from: int = 0, sizes: list[int] | None = None) -> Problem:
    raw = np.array(keys, np.uint64)
    per_request = None if sizes is None else np.array(sizes, np.int64)[raw.astype(np.int64)]
    return Problem(from_raw(raw, per_request), capacity, judged_from)


@dataclass(frozen=True)
class Chooser(Policy):
    """Answers by a rule on the observation's bytes, so that any slip in the features shows in the misses."""

    name: str = "chooser"
    answers: list[Any] = field(default_factory=list)

    def start(self, view: View, seed: int) -> Session:
        rest = list(self.answers)

        class Choosing(Session):
            def decide(self, observation: NDArray[np.float32]) -> Any:
                return rest.pop(0) if rest else int(abs(float(observation.sum())) * 7) % sampled.K

        return Choosing()


@dataclass(frozen=True, eq=False)
class Kernel(Policy):
    form = Form.KERNEL
    name: str = "kernel"

    def start(self, view: View, seed: int) -> Session:
        session = Session()
        session.kernel = (choose, (np.array([7.0]),))
        return session


@jit
def choose(features: Any, weights: Any) -> Any:
    return int(abs(float(np.sum(features))) * weights[0]) % sampled.K


class Slow:
    """The engine's rules, one dictionary each."""

    def __init__(self, capacity: int) -> None:
        self.capacity, self.now, self.evictions = capacity, 0, 0
        self.order: list[int] = []
        self.last: dict[int, int] = {}
        self.entry: dict[int, int] = {}
        self.times: dict[int, list[float]] = {}
        self.decayed: dict[int, list[float]] = {}
        self.requests: dict[int, int] = {}
        self.hits: dict[int, int] = {}
        self.left: dict[int, int] = {}
        self.departed: dict[tuple[int, bool], float] = defaultdict(float)
        self.returned: dict[tuple[int, bool], float] = defaultdict(float)

    def request(self, x: int) -> None:
        """Note a request; a miss comes after room was made."""
        places = max(len(self.order), 1)
        if x not in self.order and x in self.left and self.evictions - self.left[x] <= len(self.order):
            self.returned[self.state(x)] += 1
        if x not in self.order and x in self.left and self.evictions - self.left[x] > sampled.REACH * len(self.order):
            self.requests[x] = 0
        if not self.requests.get(x):
            self.times[x], self.decayed[x], self.requests[x] = [sampled.NEVER] * 3, [1.0, 1.0], 0
        else:
            gap = (self.now - self.last[x]) / places
            self.times[x] = [math.log2(gap), *self.times[x][:2]]
            self.decayed[x] = [1 + self.decayed[x][0] * 2**-gap, 1 + self.decayed[x][1] * 2 ** (-gap / 8)]
        self.last[x], self.requests[x] = self.now, self.requests[x] + 1
        if x in self.order:
            self.order.remove(x)
            self.hits[x] += 1
        else:
            self.entry[x], self.hits[x] = self.now, 0
        self.order.append(x)
        self.now += 1

    def state(self, x: int) -> tuple[int, bool]:
        return min(self.requests[x].bit_length(), 4), self.hits[x] > 0

    def features(self, x: int) -> list[float]:
        age = (self.now - self.last[x]) / len(self.order)
        stay = (self.now - self.entry[x]) / len(self.order)
        fast, slow = (math.log2(value) for value in self.decayed[x])
        regret = (self.returned[self.state(x)] + 0.5) / (self.departed[self.state(x)] + 1)
        return [math.log2(age), math.log2(stay), *self.times[x], math.log2(self.requests[x]), fast - age,
                slow - age / 8, math.log2(1 + self.hits[x]), 0.0, math.log2(regret)]  # fmt: skip

    def evict(self, x: int) -> None:
        for counts in (self.departed, self.returned):
            for each in counts:
                counts[each] *= 2 ** (-1 / (sampled.REACH * len(self.order)))
        self.departed[self.state(x)] += 1
        self.order.remove(x)
        self.left[x] = self.evictions
        self.evictions += 1


def drawn(seed: int, length: int, objects: int) -> list[int]:
    rng = np.random.default_rng(seed)
    return [int(x) for x in objects * rng.random(length) * rng.random(length)]


# Drawn by NumPy: lists of Hypothesis's own are too short for an object to be forgotten.
traces = st.builds(drawn, st.integers(0, 2**31), st.integers(1, 250), st.integers(1, 12))


@settings(max_examples=60, deadline=None)
@given(traces, st.integers(1, 7), st.integers(0, 2**31 - 1))
def test_features_are_what_they_say(keys: list[int], capacity: int, seed: int) -> None:
    """Red: a feature is not what its line in FEATURES says, or the recency list or a slot is wrong."""
    problem = problem_of(keys, capacity)
    state = sampled.init(problem.trace.n_objects, capacity, seed, False)
    counts, slow = np.zeros(4, np.int64), Slow(capacity)
    ids = problem.trace.ids
    while python(sampled.advance)(ids, problem.sizes, len(ids), capacity, state, counts):
        while slow.now < state[0][sampled.NEXT]:
            slow.request(int(ids[slow.now]))
        candidates = state[6].tolist()
        assert candidates[0] == slow.order[0]
        assert set(candidates) <= set(slow.order)
        np.testing.assert_allclose(state[7], [slow.features(x) for x in candidates], rtol=1e-4, atol=1e-4)
        choice = int(counts[1]) % sampled.K
        python(sampled.evict)(choice, problem.sizes, state, counts)
        slow.evict(candidates[choice])
    assert counts[0] == len(ids)


@settings(max_examples=40, deadline=None)
@given(traces, st.integers(1, 7), st.integers(0, 80))
def test_the_first_candidate_is_lru(keys: list[int], capacity: int, judged_from: int) -> None:
    """Red: the first candidate is not the least recently used, so that the engine cannot express LRU."""
    problem = problem_of(keys, capacity, min(judged_from, len(keys) - 1))
    age = Linear("age", np.eye(1, sampled.F, dtype=np.float32)[0])
    _, judged = simulate(FUSED["lru"], problem.trace, capacity, problem.judged_from)
    found = TASK.run(problem, age, seed=0, limits=Limits())
    assert found.metrics["judged_misses"] == judged.misses


@settings(max_examples=40, deadline=None)
@given(traces, st.integers(1, 7), st.integers(0, 2**31 - 1), st.booleans())
def test_every_door_gives_the_same_run(keys: list[int], capacity: int, seed: int, sized: bool) -> None:
    """Red: Python, kernel, derived or native environment do not run the same engine."""
    sizes = [1 + x % 3 for x in range(12)] if sized else None
    problem, task = problem_of(keys, capacity, len(keys) // 3, sizes), SIZED if sized else TASK
    asked = task.run(problem, Chooser(), seed=seed, limits=Limits())
    compiled = task.run(problem, Kernel(), seed=seed, limits=Limits())
    assert (asked.value, asked.decisions) == (compiled.value, compiled.decisions)
    if not asked.decisions:
        return
    env, total, done = CacheEnv(problem, EVICT), 0.0, False
    observation, _ = env.reset(seed=seed)
    vector = CacheVectorEnv([problem, problem], EVICT)
    rows, _ = vector.reset(seed=[seed, seed])
    while not done:
        assert np.array_equal(rows[0], observation) and np.array_equal(rows[1], observation)
        action = int(abs(float(observation.sum())) * 7) % sampled.K
        observation, reward, done, _, info = env.step(np.int64(action))
        rows, rewards, ended, _, infos = vector.step(np.array([action, action]))
        assert rewards.tolist() == [reward, reward] and ended.tolist() == [done, done]
        total += reward
    assert info["outcome"].value == infos["outcome"][1].value == asked.value
    assert total == pytest.approx(-asked.value) or total > -asked.value  # misses before the first question are nobody's


@pytest.fixture
def own(tmp_path: Any) -> tuple[CacheTask, Instance]:
    path = tmp_path / "own.txt"
    path.write_text("\n".join(str(x * x % 29) for x in range(300)))
    task = TASK.open(str(path), {"capacity": "5"})
    assert isinstance(task, CacheTask)
    return task, task.instances()[0]


def test_native_and_derived_environments_pass_the_checker(own: tuple[CacheTask, Instance]) -> None:
    """Red: an environment breaks Gymnasium's rules."""
    task, instance = own
    for env in (task.env(instance), TaskEnv(task, instance)):
        check_env(env, skip_render_check=True)
        env.close()


@pytest.mark.parametrize("answer", [-1, sampled.K, 0.5, float("nan"), None, "0"])
def test_answers_outside_are_refused(own: tuple[CacheTask, Instance], answer: Any) -> None:
    """Red: an answer that names no candidate is taken."""
    task, instance = own
    with pytest.raises(InvalidAnswer):
        task.run(task.load(instance), Chooser(answers=[answer]), seed=0, limits=Limits())


@jit
def outside(features: Any, weights: Any) -> Any:
    return features.shape[0]


def test_a_kernel_that_answers_outside_is_refused(own: tuple[CacheTask, Instance]) -> None:
    """Red: a compiled answer out of range reads memory that is not the cache's."""

    @dataclass(frozen=True)
    class Outside(Kernel):
        def start(self, view: View, seed: int) -> Session:
            session = Session()
            session.kernel = (outside, (np.zeros(1),))
            return session

    task, instance = own
    with pytest.raises(InvalidAnswer, match=str(sampled.K)):
        task.run(task.load(instance), Outside(), seed=0, limits=Limits())


def test_windows_are_the_objective_over_time() -> None:
    """Red: a stretch of time has another one's misses, or the stretches do not add up to the objective."""
    keys = drawn(3, 9_000, 400)
    problem = problem_of(keys, 40, 1_000)
    for policy in (Linear("age", np.eye(1, sampled.F, dtype=np.float32)[0]), Classical("LRU", "lru")):
        found = TASK.run(problem, policy, seed=0, limits=Limits())
        windows = [found.metrics[f"window.{place}"] for place in range(WINDOWS)]
        assert np.mean(windows) == pytest.approx(found.value)
        shorter = problem_of(keys[: problem.window_ends[0]], 40, 1_000)
        first = TASK.run(shorter, policy, seed=0, limits=Limits()).metrics["judged_misses"]
        assert windows[0] == pytest.approx(first * WINDOWS / problem.judged_total)
