"""Several questions and several agents: who answers what, and the PettingZoo environment of it."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import gymnasium
import pytest
from gymnasium import error
from pettingzoo.test import api_test, seed_test
from tests.core.workshop import OLDEST, SHORTEST, Workshop

from unseat import Instance, Limits, Outcome, Policy, Question, Session, View
from unseat.core.agents import AgentsEnv
from unseat.core.env import TaskEnv
from unseat.core.errors import ContractError, LimitReached
from unseat.lab.attempt import attempt
from unseat.lab.study import LocalStudy
from unseat.learn.baselines import Constant

TASK = Workshop()
INSTANCE = TASK.instances()[0]
AGENTS = ["admit_0", "serve_0", "serve_1"]


@pytest.fixture
def env() -> Iterator[AgentsEnv]:
    made = AgentsEnv(TASK, INSTANCE)
    yield made
    made.close()


def play(env: Any, actions: Mapping[str, int], seed: int = 0) -> tuple[dict[str, float], Outcome]:
    """One episode in which each question has one answer: the sums of rewards, and the outcome."""
    env.reset(seed=seed)
    total, outcome = dict.fromkeys(AGENTS, 0.0), None
    for agent in env.agent_iter():
        _, reward, ended, _, info = env.last()
        total[agent] += reward
        outcome = info.get("outcome")
        env.step(None if ended else actions[agent.rpartition("_")[0]])
    assert outcome is not None
    return total, outcome


def test_pettingzoo_accepts_it(env: AgentsEnv) -> None:
    """Red: the environment breaks PettingZoo's contract."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # The two questions have unlike observations, and engines draw nothing; that is all that it has to remark.
        for remark in ("Observations are different", "Agents have different", ".*render", "The class of observation"):
            warnings.filterwarnings("ignore", message=remark)
        api_test(env, num_cycles=200)
    seed_test(lambda: AgentsEnv(TASK, INSTANCE), num_cycles=50)


@pytest.mark.parametrize("serve", [OLDEST, SHORTEST])
def test_episode_is_the_run(env: AgentsEnv, serve: int) -> None:
    """Red: what agents are paid for is not the objective that they are judged by."""
    total, outcome = play(env, {"admit": 1, "serve": serve})
    run = attempt(TASK, INSTANCE, Constant("x", serve, ("serve",)), seed=0, limits=Limits())
    assert (outcome.value, outcome.decisions) == (run.value, run.decisions)
    assert total["serve_0"] == total["serve_1"] == pytest.approx(-run.value / 2) and total["admit_0"] == 0


def test_all_are_paid_the_objective_where_the_engine_pays_nothing() -> None:
    """Red: an engine that pays nothing on the way gives its agents nothing to learn from."""

    class Unpaid(Workshop):
        pays = False

    total, outcome = play(AgentsEnv(Unpaid(), INSTANCE), {"admit": 1, "serve": 0})
    assert total == dict.fromkeys(AGENTS, -outcome.value)


def test_turns_are_the_engines(env: AgentsEnv) -> None:
    """Red: an agent is asked out of turn, sees what another one was shown, or its wrong action reaches the engine."""
    env.reset(seed=0)
    assert env.agents == env.possible_agents == AGENTS and env.agent_selection == "admit_0"
    assert env.observation_space("serve_1").contains(env.observe("serve_1")), "before it is first asked"
    env.step(1)
    assert (env.agent_selection, env.observe("serve_0")[0]) == ("serve_0", 0)
    with pytest.raises(error.InvalidAction):
        env.step(7)
    env.step(0)
    env.step(1)
    assert (env.agent_selection, env.observe("serve_1")[0]) == ("serve_1", 1)


def test_threads_end_with_their_episodes() -> None:
    """Red: every reset or environment leaves a thread behind."""
    before = set(threading.enumerate())
    env = AgentsEnv(TASK, INSTANCE)
    for _ in range(3):
        env.reset()
    assert len(set(threading.enumerate()) - before) == 1
    env.close()
    play(env, {"admit": 1, "serve": 0})
    assert set(threading.enumerate()) == before


def test_a_question_left_to_nobody_is_answered_by_the_default() -> None:
    """Red: a policy is asked what it does not answer, or a question is answered by nobody."""

    class Watched(Constant):
        asked: list[tuple[str, int]] = []  # noqa: RUF012

        def start(self, view: View, seed: int) -> Session:
            self.asked.append((view.question, view.agent))
            return super().start(view, seed)

    def value(policy: Policy) -> float:
        outcome = attempt(TASK, INSTANCE, policy, seed=0, limits=Limits())
        assert not outcome.message
        return outcome.value

    assert value(Watched("x", 1)) == value(Watched("x", OLDEST, ("serve",))) != value(Watched("x", 1, ("serve",)))
    assert Watched.asked == [("admit", 0), ("serve", 0), ("serve", 1), ("serve", 0), ("serve", 1)]
    Watched.asked.clear()
    value(Watched("x", 1, ("serve", "admit")))
    assert Watched.asked == [("admit", 0), ("serve", 0), ("serve", 1)]


def test_questions_survive_the_disk() -> None:
    """Red: a saved policy answers another question than before."""
    again = Constant("x", 1, ("serve",)).artefact.restore()
    assert TASK.player(again, "serve") is again and TASK.player(again, "admit") is not again


def test_a_task_without_a_default_says_so() -> None:
    """Red: an engine with several questions and no default fails without a word why."""

    class Lacking(Workshop):
        def default(self, question: str) -> Policy:
            return super(Workshop, self).default(question)

    outcome = attempt(Lacking(), INSTANCE, Constant("x", 1), seed=0, limits=Limits())
    assert "task workshop has no default for question 'serve'" in outcome.message


def test_the_environment_fits_the_questions() -> None:
    """Red: a task with one agent gets PettingZoo's environment, or several agents are taken for one."""
    assert isinstance(TASK.env(INSTANCE), AgentsEnv)
    one = TaskEnv(TASK, INSTANCE)
    assert one.observation_space == TASK.questions["admit"].observation, "the others are answered by the defaults"
    one.reset(seed=0)
    total, ended = 0.0, False
    while not ended:
        _, reward, ended, _, info = one.step(1)
        total += reward
    run = attempt(TASK, INSTANCE, Constant("x", 1), seed=0, limits=Limits())
    assert info["outcome"].value == run.value == pytest.approx(-total)
    with pytest.raises(ContractError, match="asks 'serve' of 2 agents: use AgentsEnv"):
        TaskEnv(TASK, INSTANCE, question="serve")

    class Spaceless(Workshop):
        questions = {"admit": Question("?"), "serve": Question("?", agents=2)}  # noqa: RUF012

    with pytest.raises(ContractError, match="no environment"):
        AgentsEnv(Spaceless(), INSTANCE)


def test_gymnasium_is_not_given_several_agents() -> None:
    """Red: `gymnasium.make` of a task with several agents ends in an obscure failure."""
    from unseat.core.env import make

    with pytest.raises(gymnasium.error.Error, match="asks several agents, which is PettingZoo's"):
        make("tests.core.workshop:Workshop")


def test_episodes_of_agents_are_counted_as_runs() -> None:
    """Red: a learner of several agents gets more runs than its limit."""
    instances: dict[str, list[Instance]] = {"train": [INSTANCE], "valid": [TASK.instances()[2]]}
    study = LocalStudy(TASK, instances["train"], instances["valid"], Limits(runs=2), 0)
    env: Any = study.env(INSTANCE)
    play(env, {"admit": 1, "serve": 0})
    env.reset(seed=1)
    with pytest.raises(LimitReached):
        env.reset()
    env.close()
