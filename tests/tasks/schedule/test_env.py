"""The environments: native, derived and vectorised ones give the same episodes, and keep Gymnasium's rules."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gymnasium import error
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tasks.schedule import small
from tests.tasks.schedule.small_task import SmallSchedule

from unseat.core.env import TaskEnv
from unseat.core.outcome import Outcome
from unseat.tasks.schedule.engine.graphs import Arrivals
from unseat.tasks.schedule.engine.memory import Machines
from unseat.tasks.schedule.env import ScheduleEnv
from unseat.tasks.schedule.problem import Problem
from unseat.tasks.schedule.question import ACTIONS, LEVELS, ROWS
from unseat.tasks.schedule.vector_env import ScheduleVectorEnv

SEEDS = st.integers(0, 2**32 - 1)
TASK = SmallSchedule()
ASSIGN = TASK.questions["assign"]

Step = tuple[dict[str, Any], float, bool]


def hashed(shown: dict[str, Any]) -> int:
    """Any action, by what is shown."""
    legal = np.flatnonzero(shown["action_mask"])
    return int(legal[int(abs(float(shown["stages"].sum(dtype=np.float64))) * 997) % len(legal)])


def episode(env: Any, seed: int | None) -> tuple[list[Step], Outcome]:
    """All observations, rewards and ends, and the outcome."""
    shown, info = env.reset(seed=seed)
    assert np.array_equal(info["action_mask"], shown["action_mask"])
    steps, done = [(shown, 0.0, False)], False
    while not done:
        shown, reward, done, cut, info = env.step(np.int64(hashed(shown)))
        assert not cut and ("outcome" in info) == done
        steps.append((shown, float(reward), bool(done)))
    return steps, info["outcome"]


def assert_same(one: list[Step], other: list[Step]) -> None:
    assert len(one) == len(other)
    for (shown, reward, done), (again, reward_again, done_again) in zip(one, other, strict=True):
        assert np.array_equal(shown["stages"], again["stages"])
        assert np.array_equal(shown["action_mask"], again["action_mask"])
        assert reward == pytest.approx(reward_again, abs=1e-12) and done == done_again


@pytest.mark.parametrize("name", ["batch-test-0", "stream-train-1", "memory"])
def test_native_and_derived_environments_agree(name: str) -> None:
    """Red: the engine that pauses and the one that is asked in a thread show, take or pay something else."""
    instance = TASK.instance(name)
    native, derived = TASK.env(instance), TaskEnv(TASK, instance)
    for seed in (3, 4):
        steps, outcome = episode(native, seed)
        others, expected = episode(derived, seed)
        assert_same(steps, others)
        assert (outcome.value, outcome.decisions, outcome.metrics) == (
            expected.value, expected.decisions, expected.metrics
        )  # fmt: skip
        assert sum(reward for _, reward, _ in steps) == pytest.approx(-outcome.value)
    derived.close()


@pytest.mark.parametrize("name", ["batch-test-0", "memory"])
def test_environments_pass_the_checker(name: str) -> None:
    """Red: an environment breaks Gymnasium's rules."""
    instance = TASK.instance(name)
    for env in (TASK.env(instance), TaskEnv(TASK, instance)):
        check_env(env, skip_render_check=True)
        env.close()


def test_environments_share_nothing() -> None:
    """Red: to seed the actions of one environment seeds those of another."""
    instance = TASK.instance("batch-test-0")
    one, two, many = TASK.env(instance), TASK.env(instance), TASK.vector_env([instance])
    spaces = [one.action_space, two.action_space, many.action_space, many.single_action_space,
              one.observation_space, two.observation_space, TASK.questions["assign"].action]  # fmt: skip
    assert len({id(space.np_random) for space in spaces if space is not None}) == len(spaces)


def test_the_last_step_tells_what_the_others_do() -> None:
    """Red: whoever reads the mask of actions from the last step fails."""
    env = TASK.env(TASK.instance("batch-test-0"))
    _, info = env.reset(seed=0)
    ended = False
    while not ended:
        _, _, ended, _, info = env.step(np.int64(np.flatnonzero(info["action_mask"])[-1]))
        assert "action_mask" in info
    assert "outcome" in info


def test_episodes_need_a_reset_and_actions_of_the_space() -> None:
    """Red: a step without an episode, or an action that is none, reaches the engine."""
    env = TASK.env(TASK.instance("batch-test-0"))
    with pytest.raises(error.ResetNeeded):
        env.step(np.int64(0))
    env.reset(seed=0)
    for action in (-1, ACTIONS, 0.5, None):
        with pytest.raises(error.InvalidAction):
            env.step(action)  # type: ignore[arg-type]
    episode(env, 0)
    with pytest.raises(error.ResetNeeded):
        env.step(np.int64(0))


def test_a_seed_is_the_run_s_own_and_without_one_it_is_drawn() -> None:
    """Red: an environment's episode is not the run of that seed, or all episodes after a reset are the same one."""
    env = TASK.env(TASK.instance("batch-test-0"))
    _, first = episode(env, 5)
    values = [episode(env, None)[1].value for _ in range(4)]
    assert len({first.value, *values}) == 5
    assert episode(env, 5)[1].value == first.value
    assert [episode(env, None)[1].value for _ in range(4)] == values


# Many at once.


def alone(problem: Problem, seed: int) -> tuple[list[Step], Outcome]:
    return episode(ScheduleEnv(problem, ASSIGN), seed)


def episodes(problems: list[Problem], seeds: list[int]) -> list[tuple[list[Step], Outcome]]:
    """The first episode of each environment, of which those that end early begin anew while others go on."""
    env = ScheduleVectorEnv(problems, ASSIGN)
    shown, _ = env.reset(seed=seeds)
    steps: list[list[Step]] = [[(row(shown, b), 0.0, False)] for b in range(len(problems))]
    outcomes = dict[int, Outcome]()
    while len(outcomes) < len(problems):
        actions = np.array([hashed(row(shown, b)) for b in range(len(problems))])
        shown, rewards, ended, cut, info = env.step(actions)
        assert not cut.any() and bool(info) == bool(ended.any())
        for b in range(len(problems)):
            if b in outcomes:
                continue
            if ended[b]:
                assert info["_outcome"][b] and info["_final_obs"][b]
                outcomes[b] = info["outcome"][b]
            last = info["final_obs"][b] if ended[b] else row(shown, b)
            steps[b].append((last, float(rewards[b]), bool(ended[b])))
    return [(steps[b], outcomes[b]) for b in range(len(problems))]


def row(shown: dict[str, Any], b: int) -> dict[str, Any]:
    return {name: part[b] for name, part in shown.items()}


def assert_alone(problems: list[Problem], seeds: list[int]) -> None:
    for problem, seed, (steps, outcome) in zip(problems, seeds, episodes(problems, seeds), strict=True):
        expected, wanted = alone(problem, seed)
        assert_same(steps, expected)
        assert (outcome.value, outcome.decisions, outcome.metrics) == (wanted.value, wanted.decisions, wanted.metrics)


def test_vector_episodes_are_single_ones() -> None:
    """Red: clusters of one vector environment disturb each other, or are shown or paid another one's."""
    names = ["batch-test-0", "stream-test-1", "memory", "batch-test-0", "batch-test-1"]
    assert_alone([TASK.load(TASK.instance(name)) for name in names], [7, 1, 2, 8, 7])


@settings(max_examples=20, deadline=None)
@given(SEEDS)
def test_vector_episodes_of_unlike_clusters(seed: int) -> None:
    """Red: as above, where clusters of all sizes and classes end at different times and begin anew."""
    rng = np.random.default_rng(seed)
    arrivals = small.some_arrivals(rng, memory=True)
    some = [Arrivals(arrivals.graphs, arrivals.jobs[:count], arrivals.at_ms[:count])
            for count in rng.integers(1, len(arrivals.jobs) + 1, 4).tolist()]  # fmt: skip
    assert_alone([Problem(one, small.some_machines(rng)) for one in some], rng.integers(0, 2**31, 4).tolist())


def test_more_candidates_than_rows_at_once() -> None:
    """Red: a cluster with more candidates than are shown writes into its neighbour's observation."""
    graphs = tuple(small.steady(f"job-{place}", (2, (), 10 + place)) for place in range(ROWS + 9))
    large = Problem(Arrivals(graphs, tuple(range(ROWS + 9)), (0,) * (ROWS + 9)), Machines((5,), moving_ms=1))
    little = Problem(Arrivals(graphs, (0, 1), (0, 0)), Machines((2,), moving_ms=1))
    assert_alone([little, large, little], [0, 1, 2])


def test_an_episode_that_ends_begins_anew_in_the_same_step() -> None:
    """Red: what is shown after an end belongs to the old episode, later episodes are not runs, or all are the same."""
    problem = TASK.load(TASK.instance("batch-test-0"))
    env = ScheduleVectorEnv([problem, TASK.load(TASK.instance("stream-test-0"))], ASSIGN)
    shown, _ = env.reset(seed=11)
    seeds, drawn = [11], np.random.default_rng(11)  # the environments' generator draws the later seeds, in turn
    steps: list[Step] = [(row(shown, 0), 0.0, False)]
    found = list[tuple[list[Step], Outcome]]()
    while len(found) < 3:
        shown, rewards, ended, _, info = env.step(np.array([hashed(row(shown, b)) for b in range(2)]))
        last = info["final_obs"][0] if ended[0] else row(shown, 0)
        steps.append((last, float(rewards[0]), bool(ended[0])))
        for b in np.flatnonzero(ended).tolist():
            own = int(drawn.integers(2**31))
            if b == 0:
                seeds.append(own)
        if ended[0]:
            assert info["outcome"][1] is None or ended[1]
            found.append((steps, info["outcome"][0]))
            steps = [(row(shown, 0), 0.0, False)]
    for (episode_steps, outcome), seed in zip(found, seeds, strict=False):
        expected, wanted = alone(problem, seed)
        assert_same(episode_steps, expected)
        assert outcome.value == wanted.value
    assert len({outcome.value for _, outcome in found}) == 3


def test_seeds_of_a_vector_environment() -> None:
    """Red: one seed makes all clusters the same, or a reset with the same seed is another episode."""
    problem = TASK.load(TASK.instance("batch-test-0"))

    def values(**options: Any) -> list[float]:
        env = ScheduleVectorEnv([problem] * 3, ASSIGN)
        shown, _ = env.reset(**options)
        found = dict[int, float]()
        while len(found) < 3:
            shown, _, ended, _, info = env.step(np.array([hashed(row(shown, b)) for b in range(3)]))
            for b in np.flatnonzero(ended).tolist():
                found.setdefault(b, info["outcome"][b].value)
        return [found[b] for b in range(3)]

    expected = [alone(problem, seed)[1].value for seed in (4, 5, 6)]
    assert values(seed=4) == values(seed=[4, 5, 6]) == expected
    assert len(set(expected)) == 3
    assert values(seed=[4, None, 6])[0::2] == expected[0::2]


def test_what_a_vector_environment_refuses() -> None:
    """Red: a step without a reset, or answers that are none, reach the compiled loop and the memory behind it."""
    problem = TASK.load(TASK.instance("batch-test-0"))
    env = ScheduleVectorEnv([problem, problem], ASSIGN)
    with pytest.raises(error.ResetNeeded):
        env.step(np.zeros(2, np.int64))
    env.reset(seed=0)
    for actions in ([0], [0, 0, 0], [0, -1], [0, ACTIONS], [[0, 0]]):
        with pytest.raises(error.InvalidAction, match=f"give 2 answers from 0 to {ACTIONS - 1}"):
            env.step(np.array(actions))
    env.step(np.array([0, 1 + (ROWS - 1) * LEVELS]))
    with pytest.raises(ValueError, match="at least one problem"):
        ScheduleVectorEnv([], ASSIGN)
    graph = small.steady("a", (1, (), 10))
    other = Problem(Arrivals((graph,), (0,), (0,)), Machines((3,)))
    with pytest.raises(ValueError, match="measured with the same numbers of executors"):
        ScheduleVectorEnv([problem, other], ASSIGN)


def test_what_was_shown_is_not_written_again() -> None:
    """Red: an observation that a learner keeps changes under its hands with the next step."""
    env = ScheduleVectorEnv([TASK.load(TASK.instance("batch-test-0"))], ASSIGN)
    shown, _ = env.reset(seed=0)
    kept = {name: part.copy() for name, part in shown.items()}
    for _ in range(3):
        env.step(np.array([1]))
    assert all(np.array_equal(shown[name], kept[name]) for name in kept)
