"""Gymnasium environments, derived from engines: a task that has spaces has an environment, with no work of its own."""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass
from typing import Any

import gymnasium
from gymnasium import error

from unseat.core.errors import ContractError
from unseat.core.outcome import Limits, Outcome
from unseat.core.policy import Policy, Session, View
from unseat.core.task import Instance, Task


class _Closed(BaseException):
    """Unwinds an engine whose environment was reset or closed; no policy code may catch it as an Exception."""


class _Puppet(Session):
    """A session whose decisions are taken by whoever steps the environment."""

    def __init__(self) -> None:
        self.observations: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.actions: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.earned, self.paid_as_it_goes = 0.0, False

    def decide(self, observation: Any) -> Any:
        self.observations.put(("ask", observation))
        action = self.actions.get()
        if action is _Closed:
            raise _Closed
        return action

    def reward(self, amount: float) -> None:
        self.earned += amount
        self.paid_as_it_goes = True


@dataclass
class _Strings(Policy):
    """The policy that hands an engine the puppet."""

    puppet: _Puppet
    name: str = "environment"

    def start(self, view: View, seed: int) -> Session:
        return self.puppet


class TaskEnv(gymnasium.Env[Any, Any]):
    """A task's instance as an environment: the engine runs in a thread and blocks where it asks.

    An episode is one run. The reward is what the engine pays out on the way (`Session.reward`); an engine that pays
    nothing gives the whole objective at the end, signed so that more is better. After the last step ``info`` holds
    the run's ``outcome``. Where the observation has an ``action_mask`` it is given in ``info`` too.
    """

    def __init__(self, task: Task, instance: Instance, limits: Limits | None = None) -> None:
        question_name, question = next(iter(task.questions.items()))
        if question.observation is None or question.action is None:
            raise ContractError(f"task {task.card.id} asks {question_name!r} without spaces, so it has no environment")
        if len(task.questions) > 1 or question.agents > 1:
            raise ContractError(f"task {task.card.id} asks several questions or agents; override its `env`, since this "
                                "environment steps one agent through one question")  # fmt: skip
        self.task, self.instance, self.limits = task, instance, limits or Limits()
        self.observation_space, self.action_space = question.observation, question.action
        self.problem = task.load(instance)
        self._thread: threading.Thread | None = None
        self._puppet = _Puppet()
        self._last: Any = None

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin a run; its seed is drawn from the environment's generator."""
        super().reset(seed=seed)
        self._stop()
        run_seed = int(self.np_random.integers(2**31)) if seed is None else seed
        self._puppet = puppet = _Puppet()
        self._thread = threading.Thread(target=self._run, args=(puppet, run_seed), daemon=True)
        self._thread.start()
        kind, content = puppet.observations.get()
        if kind != "ask":
            self._ended()
            if kind == "raised":
                raise content
            raise error.Error(f"{self.instance.id}: the run ended before the first decision: {content}")
        self._last = content
        return content, self._info(content)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Answer the engine's question, and wait for its next one."""
        if self._thread is None:
            raise error.ResetNeeded("call reset() before step()")
        if not self.action_space.contains(action):
            raise error.InvalidAction(f"{action!r} is not in {self.action_space}")
        puppet, before = self._puppet, self._puppet.earned
        puppet.actions.put(action)
        kind, content = puppet.observations.get()
        if kind == "ask":
            self._last = content
            return content, puppet.earned - before, False, False, self._info(content)
        self._ended()
        if kind == "raised":
            raise content
        outcome: Outcome = content
        sign = -1.0 if self.task.objective.minimise else 1.0
        reward = puppet.earned - before if puppet.paid_as_it_goes else sign * outcome.value
        return self._last, reward, True, False, {"outcome": outcome, **self._info(self._last)}

    def close(self) -> None:
        """End the engine's thread."""
        self._stop()

    def _run(self, puppet: _Puppet, seed: int) -> None:
        try:
            outcome = self.task.run(self.problem, _Strings(puppet), seed=seed, limits=self.limits)
        except _Closed:
            return
        except BaseException as raised:
            # Whatever ends the engine must reach the one who waits for its next question.
            puppet.observations.put(("raised", raised))
            return
        puppet.observations.put(("done", outcome))

    def _stop(self) -> None:
        if self._thread is not None:
            self._puppet.actions.put(_Closed)
            self._ended()

    def _ended(self) -> None:
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    @staticmethod
    def _info(observation: Any) -> dict[str, Any]:
        if isinstance(observation, dict) and "action_mask" in observation:
            return {"action_mask": observation["action_mask"]}
        return {}


def make(task: str, instance: str | None = None, **options: Any) -> gymnasium.Env[Any, Any]:
    """What `gymnasium.make("unseat/<task>-v<n>", instance=...)` calls; without an instance, the first for training."""
    from unseat.core import registry

    found = registry.task(task)
    chosen = found.instance(instance) if instance else next(i for i in found.instances() if i.split == "train")
    return found.env(chosen, **options)


def register() -> None:
    """Register every task with Gymnasium, which has no plug-ins of its own since 1.0.

    Runs when this module is imported, and with unseat where Gymnasium was imported before it. Tasks are cheap to make,
    so this reads their cards and nothing else.
    """
    from unseat.core import registry

    for name in registry.names():
        try:
            full_id = f"unseat/{registry.task(name).card.full_id}"
        except Exception:
            # A plug-in that is broken says so when it is asked for by name, not to whoever imports unseat.
            continue
        if full_id not in gymnasium.registry:
            gymnasium.register(
                full_id, entry_point="unseat.core.env:make", kwargs={"task": name}, disable_env_checker=True
            )


register()
