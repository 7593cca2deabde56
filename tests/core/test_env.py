"""Environments that are derived from engines: episodes, rewards, threads and errors."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import gymnasium
import numpy as np
import pytest
from examples.tiny_answers.task import MachineScheduling
from examples.tiny_task.engine import BLOCK, SPIN
from examples.tiny_task.incumbents import SpinFor
from examples.tiny_task.task import SpinThenBlock
from gymnasium import error
from gymnasium.spaces import Discrete, MultiDiscrete
from gymnasium.utils.env_checker import check_env

from unseat import Instance, Limits, Outcome, Policy, Question, View
from unseat.core.env import TaskEnv
from unseat.core.errors import ContractError
from unseat.core.outcome import Status
from unseat.core.policy import InvalidAnswer

TASK = SpinThenBlock()
INSTANCE = TASK.instances()[0]


@pytest.fixture
def env() -> Iterator[TaskEnv]:
    made = TaskEnv(TASK, INSTANCE)
    yield made
    made.close()


def play(env: gymnasium.Env[Any, Any], action: int, seed: int = 0) -> tuple[float, Outcome]:
    """One episode of one action: the sum of rewards, and the outcome."""
    env.reset(seed=seed)
    total, ended = 0.0, False
    while not ended:
        _, reward, ended, truncated, info = env.step(action)
        assert not truncated
        total += float(reward)
    return total, info["outcome"]


def test_gymnasium_accepts_it(env: TaskEnv) -> None:
    """Red: the environment breaks Gymnasium's contract."""
    check_env(env, skip_render_check=True)


@pytest.mark.parametrize(("action", "policy"), [(BLOCK, SpinFor("block", 0.0)), (SPIN, SpinFor("spin", 1e9))])
def test_episode_is_the_run(env: TaskEnv, action: int, policy: Policy) -> None:
    """Red: what a learner is paid for is not the objective that it is judged by."""
    total, outcome = play(env, action)
    run = TASK.run(TASK.load(INSTANCE), policy, seed=0, limits=Limits())
    assert (outcome.value, outcome.decisions) == (run.value, run.decisions)
    assert total == pytest.approx(-run.value)


def test_reward_is_the_objective_where_the_engine_pays_nothing() -> None:
    """Red: an engine that pays nothing on the way gives its learner nothing to learn from, or the wrong sign."""

    class Unpaid(SpinThenBlock):
        def run(self, problem: Any, policy: Policy, *, seed: int, limits: Limits) -> Outcome:
            [(name, _)] = self.questions.items()
            session = policy.start(View(name), seed)
            for _ in range(3):
                session.decide(np.zeros(4, np.float32))
            return Outcome(7.0)

    assert play(TaskEnv(Unpaid(), INSTANCE), BLOCK)[0] == -7.0

    class Maximised(Unpaid):
        objective = type(TASK.objective)("gain", "", worst=lambda problem, limits: 0.0, minimise=False)

    assert play(TaskEnv(Maximised(), INSTANCE), BLOCK)[0] == 7.0


def threads() -> set[threading.Thread]:
    return set(threading.enumerate())


def test_a_whole_answer_is_paid_what_it_is_worth() -> None:
    """Red: an agent that gives a whole answer is paid not-a-number, for only a run of the laboratory scores it."""

    class Routes(MachineScheduling):
        questions: Mapping[str, Question] = {"assign": Question("?", Discrete(1), MultiDiscrete([3] * 60))}

    task = Routes()
    instance = task.instances()[0]
    made, answer = TaskEnv(task, instance), np.arange(60) % 3
    made.reset(seed=0)
    _, reward, ended, _, info = made.step(answer)
    assert ended and -reward == info["outcome"].value == task.score(task.load(instance), answer).value
    made.close()


def test_threads_end_with_their_episodes() -> None:
    """Red: every reset or environment leaves a thread behind, so a long training run dies of them."""
    before = threads()
    env = TaskEnv(TASK, INSTANCE)
    for _ in range(5):
        env.reset()
        env.step(SPIN)
    assert len(threads() - before) == 1
    env.close()
    env.close()
    assert threads() == before
    play(env, BLOCK)
    assert threads() == before


def test_step_needs_a_reset(env: TaskEnv) -> None:
    """Red: a step before the first reset, or after the last step, waits for ever."""
    with pytest.raises(error.ResetNeeded):
        env.step(SPIN)
    play(env, BLOCK)
    with pytest.raises(error.ResetNeeded):
        env.step(SPIN)


@pytest.mark.parametrize("action", [2, -1, 0.5, None, "spin"])
def test_invalid_action_is_refused_and_the_episode_goes_on(env: TaskEnv, action: Any) -> None:
    """Red: an action outside the space reaches the engine."""
    env.reset(seed=0)
    with pytest.raises(error.InvalidAction):
        env.step(action)
    env.step(SPIN)


def test_equal_seeds_give_equal_episodes() -> None:
    """Red: training cannot be repeated."""
    seeds: list[int] = []

    class Seeded(SpinThenBlock):
        def run(self, problem: Any, policy: Policy, *, seed: int, limits: Limits) -> Outcome:
            seeds.append(seed)
            return super().run(problem, policy, seed=seed, limits=limits)

    env = TaskEnv(Seeded(), INSTANCE)
    for seed in (3, None, None, 3, None, None):
        env.reset(seed=seed)
    env.close()
    assert seeds[0] == 3 and seeds[:3] == seeds[3:]
    assert len(set(seeds)) == 3


class Faulty(SpinThenBlock):
    """Raises at the given question; at none, it ends without asking."""

    at = 0

    def run(self, problem: Any, policy: Policy, *, seed: int, limits: Limits) -> Outcome:
        session = policy.start(View("spin or block"), seed)
        for _ in range(self.at):
            session.decide(np.zeros(4, np.float32))
        raise InvalidAnswer("the engine broke")


def test_errors_of_the_engine_surface() -> None:
    """Red: an engine that raises leaves its environment waiting, or ends the episode as if all were well."""
    before = threads()
    task = Faulty()
    task.at = 2
    env = TaskEnv(task, INSTANCE)
    env.reset()
    env.step(SPIN)
    with pytest.raises(InvalidAnswer, match="the engine broke"):
        env.step(SPIN)
    env.reset()
    env.close()
    assert threads() == before


def test_errors_before_the_first_question_surface() -> None:
    """Red: the cause of an engine that breaks at once is lost, or the environment cannot be reset again."""
    env = TaskEnv(Faulty(), INSTANCE)
    for _ in range(2):
        with pytest.raises(InvalidAnswer, match="the engine broke"):
            env.reset()
    env.close()


def test_a_failed_run_pays_the_failure_value() -> None:
    """Red: the last step pays NaN where the engine says that the run failed, and a learner learns nothing any more; or
    it hands out the observation of the step before once more, and who changes one changes both."""

    class Failing(SpinThenBlock):
        def run(self, problem: Any, policy: Policy, *, seed: int, limits: Limits) -> Outcome:
            policy.start(View("spin or block"), seed).decide(np.zeros(4, np.float32))
            return Outcome(float("nan"), Status.CRASHED)

    task = Failing()
    env = TaskEnv(task, INSTANCE)
    first, _ = env.reset()
    last, reward, ended, _, info = env.step(SPIN)
    worst = task.objective.failure(task.load(INSTANCE), Limits())
    assert ended and info["outcome"].value == worst and abs(reward) == abs(worst)
    assert last is not first and np.array_equal(last, first)


def test_run_without_a_question_is_an_error() -> None:
    """Red: an instance with nothing to decide makes reset() return something that is no observation."""

    class Idle(SpinThenBlock):
        def run(self, problem: Any, policy: Policy, *, seed: int, limits: Limits) -> Outcome:
            return Outcome(1.0)

    env = TaskEnv(Idle(), INSTANCE)
    with pytest.raises(error.Error, match="before the first decision"):
        env.reset()


def test_engine_that_catches_everything_still_ends() -> None:
    """Red: an engine that asks again after a policy's exception makes close() wait for ever."""

    class Stubborn(SpinThenBlock):
        def run(self, problem: Any, policy: Policy, *, seed: int, limits: Limits) -> Outcome:
            session = policy.start(View("spin or block"), seed)
            while True:
                with contextlib.suppress(Exception):
                    session.decide(np.zeros(4, np.float32))

    before = threads()
    env = TaskEnv(Stubborn(), INSTANCE)
    env.reset()
    env.close()
    assert threads() == before


def test_action_mask_is_handed_on() -> None:
    """Red: a learner is not told which actions are legal."""
    from gymnasium.spaces import Box, Dict, Discrete

    mask = np.array([0, 1], np.int8)

    class Masked(SpinThenBlock):
        @cached_property
        def questions(self) -> Mapping[str, Question]:
            return {"?": Question("?", Dict({"action_mask": Box(0, 1, (2,), np.int8)}), Discrete(2))}

        def run(self, problem: Any, policy: Policy, *, seed: int, limits: Limits) -> Outcome:
            policy.start(View("?"), seed).decide({"action_mask": mask})
            return Outcome(1.0)

    env = TaskEnv(Masked(), INSTANCE)
    _, info = env.reset()
    np.testing.assert_array_equal(info["action_mask"], mask)
    env.close()


def test_question_without_spaces_has_no_environment() -> None:
    """Red: a task whose answers have no space gives an environment that nobody can play."""

    class Spaceless(SpinThenBlock):
        @cached_property
        def questions(self) -> Mapping[str, Question]:
            return {"?": Question("?")}

    with pytest.raises(ContractError, match="no environment"):
        TaskEnv(Spaceless(), INSTANCE)


def test_registered_task_is_made_by_gymnasium() -> None:
    """Red: `gymnasium.make` does not know the tasks, or not the instance that one asks for."""
    from unseat import task

    first, *_, last = (one for one in task("cache").instances() if "quick" in one.suites)
    for chosen in (first, last):
        env = gymnasium.make("unseat/cache-v0", instance=chosen.id)
        seen, _ = env.reset(seed=0)
        assert env.observation_space.contains(seen)
        env.step(env.action_space.sample())
        env.close()


@pytest.mark.parametrize(
    "imports", ["import gymnasium, unseat", "import gymnasium, unseat.core.env", "import unseat.core.env, gymnasium"]
)
def test_environments_are_registered_by_the_import(imports: str) -> None:
    """Red: a script that imports Gymnasium and unseat is told that the namespace unseat is not found."""
    code = f"{imports}\nassert 'unseat/cache-v0' in gymnasium.registry"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_exit_of_the_engine_surfaces() -> None:
    """Red: an engine that calls sys.exit() leaves whoever steps its environment waiting for ever."""

    class Exits(SpinThenBlock):
        def run(self, problem: Any, policy: Policy, *, seed: int, limits: Limits) -> Outcome:
            sys.exit("the engine left")

    with pytest.raises(SystemExit, match="the engine left"):
        TaskEnv(Exits(), INSTANCE).reset()


def test_one_instance_serves_many_environments() -> None:
    """Red: environments of one task disturb each other."""
    instances: list[Instance] = list(TASK.instances()[:3])
    environments = [TaskEnv(TASK, instance) for instance in instances]
    alone = [play(env, BLOCK)[0] for env in environments]
    for env in environments:
        env.reset(seed=0)
    totals, open_ones = [0.0] * 3, set(range(3))
    while open_ones:
        for place in sorted(open_ones):
            _, reward, ended, _, _ = environments[place].step(BLOCK)
            totals[place] += float(reward)
            if ended:
                open_ones.discard(place)
    assert totals == alone
