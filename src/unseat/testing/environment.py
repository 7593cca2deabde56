"""The environment check: Gymnasium's own checker, and an episode that is equal to a run."""

from __future__ import annotations

import contextlib
import math
import warnings
from typing import Any

from unseat.core.outcome import Outcome
from unseat.core.task import Instance, Task
from unseat.testing import base
from unseat.testing.base import FREE, content, decided, require
from unseat.testing.players import Enough, Log, Sampler

# Remarks on how a space suits learning, not on whether the environment keeps Gymnasium's contract.
_TASTE = (".*infinity.*", ".*symmetric and normalized.*", ".*looks like an image.*", ".*is not registered.*")


def check_environment(task: Task, instances: list[Instance] | None = None, most: int = 20_000) -> None:
    """The environment passes Gymnasium's checker, and its episode is the run with the same actions.

    Args:
        task: The task; one without spaces has no environment, and passes.
        instances: The first of these is played.
        most: Decisions after which the comparison with the run ends.
    """
    questions = list(task.questions.values())
    if questions[0].observation is None or not base.asks_python(task):
        return
    instance = (base.some(task) if instances is None else instances)[0]
    from unseat.core.env import TaskEnv

    one = len(questions) == 1 and questions[0].agents == 1
    environments: dict[str, Any] = {"derived": TaskEnv(task, instance)} if one else {}
    own = task.env(instance)
    if type(own) is not TaskEnv:
        environments["native"] = own
    for kind, env in environments.items():
        _check_with_gymnasium(kind, env)
        _check_episode(task, instance, kind, env, most)
        env.close()


def _check_with_gymnasium(kind: str, env: Any) -> None:
    from gymnasium.utils.env_checker import check_env

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
