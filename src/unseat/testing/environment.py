"""The environment check: Gymnasium's or PettingZoo's own checker, and an episode that is equal to a run."""

from __future__ import annotations

import contextlib
import io
import math
import warnings
from typing import Any

import numpy as np

from unseat.core.outcome import Outcome
from unseat.core.policy import Form
from unseat.core.task import Instance, Task
from unseat.learn.baselines import legal
from unseat.testing import base
from unseat.testing.base import FREE, content, decided, require
from unseat.testing.players import Enough, Log, Sampler, Scripted

# Remarks on how a space suits learning, not on whether the environment keeps Gymnasium's contract.
_TASTE = (".*infinity.*", ".*symmetric and normalized.*", ".*looks like an image.*", ".*is not registered.*")


def check_environment(task: Task, instances: list[Instance] | None = None, most: int = 20_000) -> None:
    """The environment passes Gymnasium's or PettingZoo's checker, and its episode is the run with the same actions.

    Args:
        task: The task; one without spaces has no environment, and passes.
        instances: The first of these is played.
        most: Decisions after which the comparison with the run ends.
    """
    asked = [one for one in task.questions.values() if one.observation is not None and one.action is not None]
    if Form.DECIDE not in task.forms or not asked:
        return
    instance = (base.some(task) if instances is None else instances)[0]
    import gymnasium

    from unseat.core.env import derived

    environments: dict[str, Any] = {"derived": derived(task, instance)}
    own = task.env(instance)
    if type(own) is not type(environments["derived"]):
        environments["native"] = own
    for kind, env in environments.items():
        if isinstance(env, gymnasium.Env):
            _check_with_gymnasium(task, kind, env)
            _check_episode(task, instance, kind, env, most)
        else:
            _check_with_pettingzoo(kind, env)
            _check_agents(task, instance, kind, env, most)
        env.close()


def _check_with_pettingzoo(kind: str, env: Any) -> None:
    from pettingzoo.test import api_test

    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        # All of its warnings are remarks on taste.
        warnings.simplefilter("ignore")
        try:
            api_test(env, num_cycles=100)
        except Exception as error:
            require(False, "an environment keeps PettingZoo's contract", f"{kind}: {type(error).__name__}: {error}")


def _check_agents(task: Task, instance: Instance, kind: str, env: Any, most: int) -> None:
    clause, seed = "an episode is the run with the same actions", 5
    env.reset(seed=seed)
    script: dict[str, list[Any]] = {agent: [] for agent in env.possible_agents}
    players = {agent: np.random.default_rng([seed, place]) for place, agent in enumerate(script)}
    for agent, rng in players.items():
        env.action_space(agent).seed(int(rng.integers(2**31)))
    decisions = 0
    for agent in env.agent_iter(most):
        seen, reward, ended, _, info = env.last()
        if ended:
            break
        require(math.isfinite(reward), "a reward is a number", f"{kind}: {agent} is paid {reward}")
        mask = legal(seen)
        space = env.action_space(agent)
        script[agent].append(space.sample() if mask is None else space.sample(mask=np.asarray(mask, np.int8)))
        env.step(script[agent][-1])
        decisions += 1
    outcome = None
    with contextlib.suppress(Enough):
        player = Scripted(script, tuple(task.questions))
        outcome = task.run(task.load(instance), player, seed=seed, limits=FREE)
    if decisions == most:
        return
    last = info.get("outcome")
    require(isinstance(last, Outcome), "the last step's info holds the outcome", f"{kind}: it holds {sorted(info)}")
    require(outcome is not None, clause, f"{kind}: the run asks on where the episode has ended")
    if isinstance(last, Outcome) and outcome is not None and task.card.repeatability == "exact":
        require(decided(last) == decided(outcome), clause, f"{kind}: it ends with {last.value}, not {outcome.value}")


def _check_with_gymnasium(task: Task, kind: str, env: Any) -> None:
    from gymnasium.envs.registration import EnvSpec
    from gymnasium.utils.env_checker import check_env

    if task.card.repeatability == "timed":
        # Rewards are times, which no two episodes share.
        env.spec = EnvSpec(f"unseat/{task.card.full_id}", entry_point=lambda **options: env, nondeterministic=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for remark in _TASTE:
            warnings.filterwarnings("ignore", message=remark)
        try:
            check_env(env, skip_render_check=True)
        except Exception as error:
            # Whatever the checker raises or warns of is its finding.
            require(False, "an environment keeps Gymnasium's contract", f"{kind}: {type(error).__name__}: {error}")


def _check_episode(task: Task, instance: Instance, kind: str, env: Any, most: int) -> None:
    clause, seed = "an episode is the run with the same actions", 5
    log, outcome = Log(most), None
    player = log.of(Sampler(next(iter(task.questions.values()))))
    with contextlib.suppress(Enough):
        outcome = task.run(task.load(instance), player, seed=seed, limits=FREE)
    observation, info = env.reset(seed=seed)
    ended = False
    for place, (seen, action) in enumerate(zip(log.seen, log.answers, strict=True)):
        require(not ended, clause, f"{kind}: the episode ends after {place} of {len(log.answers)} decisions")
        require(content(observation) == seen, clause, f"{kind}: observation {place} differs on {instance.id}")
        observation, reward, ended, _, info = env.step(action)
        require(math.isfinite(reward), "a reward is a number", f"{kind}: step {place} pays {reward}")
    if outcome is None:
        return
    require(ended, clause, f"{kind}: the run ended after {len(log.answers)} decisions, the episode did not")
    last = info.get("outcome")
    require(isinstance(last, Outcome), "the last step's info holds the outcome", f"{kind}: it holds {sorted(info)}")
    if isinstance(last, Outcome) and task.card.repeatability == "exact":
        require(decided(last) == decided(outcome), clause, f"{kind}: it ends with {last.value}, not {outcome.value}")
