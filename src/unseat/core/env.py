"""Gymnasium environments, derived from engines: a task that has spaces has an environment, with no work of its own.

Where a task asks several agents, `unseat.core.agents` makes a PettingZoo environment of the same engine.
"""

from __future__ import annotations

import copy
import math
import queue
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import gymnasium
from gymnasium import error

from unseat.core.answers import from_plain, to_plain
from unseat.core.errors import ContractError
from unseat.core.outcome import Limits, Outcome, Status
from unseat.core.policy import Form, Policy, Session, View
from unseat.core.task import Instance, Task

if TYPE_CHECKING:
    from unseat.core.agents import AgentsEnv

    Environment: TypeAlias = gymnasium.Env[Any, Any] | AgentsEnv


class _Closed(BaseException):
    """Unwinds an engine whose environment was reset or closed; no policy code may catch it as an Exception."""


class Asked(NamedTuple):
    """What an engine waits for: who is to answer, and what that agent is shown."""

    agent: str
    observation: Any


class PausedEngine(Policy):
    """An engine in a thread, which blocks wherever it asks; also the policy that it asks.

    Args:
        task: The task.
        problem: The problem.
        limits: Limits of a run.
        questions: Those that are answered from outside; the task's defaults answer the others.
    """

    name = "environment"

    def __init__(self, task: Task, problem: Any, limits: Limits | None, questions: tuple[str, ...]) -> None:
        self.task, self.problem, self.limits, self.questions = task, problem, limits or Limits(), questions
        self.earned: dict[str, float] = {}
        self._answer: list[Any] = []
        self._events: queue.SimpleQueue[Asked | Outcome | BaseException] = queue.SimpleQueue()
        self._actions: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def start(self, view: View, seed: int) -> Session:
        """Begin to answer one question as one agent."""
        if Form.ANSWERS in self.task.forms:
            view.listener = self._hear
        return _Puppet(self, f"{view.question}_{view.agent}")

    @property
    def running(self) -> bool:
        """Whether an engine waits for an answer."""
        return self._thread is not None

    def begin(self, seed: int) -> Asked:
        """Begin a run, and wait for its first question."""
        self.stop()
        self.earned, self._answer = {}, []
        self._events, self._actions = queue.SimpleQueue(), queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, args=(seed,), daemon=True)
        self._thread.start()
        first = self._next()
        if isinstance(first, Outcome):
            raise error.Error(f"the run ended before the first decision: {first}")
        return first

    def answer(self, action: Any) -> Asked | Outcome:
        """Answer the engine's question, and wait for its next one or its end."""
        self._actions.put(action)
        return self._next()

    def ask(self, agent: str, observation: Any) -> Any:
        """What the engine's thread calls: hand out a question, and wait for its answer."""
        self._events.put(Asked(agent, observation))
        action = self._actions.get()
        if action is _Closed:
            raise _Closed
        return action

    def stop(self) -> None:
        """End the engine's thread."""
        if self._thread is not None:
            self._actions.put(_Closed)
            self._thread.join()
            self._thread = None

    def reward(self, outcome: Outcome) -> float:
        """What the end pays, if nothing was paid on the way: the objective, signed so that more is better."""
        return 0.0 if self.earned else (-outcome.value if self.task.objective.minimise else outcome.value)

    def _next(self) -> Asked | Outcome:
        event = self._events.get()
        if isinstance(event, Asked):
            return event
        self.stop()
        if isinstance(event, BaseException):
            raise event
        return event

    def _run(self, seed: int) -> None:
        events = self._events
        try:
            events.put(self._scored(self.task.run(self.problem, self, seed=seed, limits=self.limits)))
        except _Closed:
            return
        except BaseException as raised:
            # Whatever ends the engine must reach the one who waits for its next question.
            events.put(raised)

    def _hear(self, answer: Any) -> None:
        arrays: dict[str, Any] = {}
        self._answer = [from_plain(to_plain(answer, arrays), arrays)]

    def _scored(self, outcome: Outcome) -> Outcome:
        """The outcome with its value, where it has failed, or the engine leaves that to the score of a whole answer."""
        failed = outcome.status not in ((Status.OK, Status.TIMEOUT) if self._answer else (Status.OK,))
        if failed or (not self._answer and Form.ANSWERS in self.task.forms and math.isnan(outcome.value)):
            return replace(outcome, value=self.task.objective.failure(self.problem, self.limits))
        if not self._answer:
            return outcome
        got = self.task.score(self.problem, *self._answer)
        return replace(outcome, value=got.value, metrics={**outcome.metrics, **got.metrics})


class _Puppet(Session):
    """A session whose decisions are taken by whoever steps the environment."""

    def __init__(self, engine: PausedEngine, agent: str) -> None:
        self.engine, self.agent = engine, agent

    def decide(self, observation: Any) -> Any:
        return self.engine.ask(self.agent, observation)

    def reward(self, amount: float) -> None:
        self.engine.earned[self.agent] = self.engine.earned.get(self.agent, 0.0) + amount


class TaskEnv(gymnasium.Env[Any, Any]):
    """A task's instance as an environment: the engine runs in a thread and blocks where it asks.

    An episode is one run. The reward is what the engine pays out on the way (`Session.reward`); an engine that pays
    nothing gives the whole objective at the end, signed so that more is better. After the last step ``info`` holds
    the run's ``outcome``. Where the observation has an ``action_mask`` it is given in ``info`` too.

    Args:
        task: The task.
        instance: Its instance.
        limits: Limits of each run.
        question: The question that is answered; the task's first if None. Its defaults answer the others.
    """

    def __init__(
        self, task: Task, instance: Instance, limits: Limits | None = None, question: str | None = None
    ) -> None:
        name = question or next(iter(task.questions))
        asked = task.questions[name]
        if asked.observation is None or asked.action is None:
            raise ContractError(f"task {task.card.id} asks {name!r} without spaces, so it has no environment")
        if asked.agents > 1:
            raise ContractError(f"task {task.card.id} asks {name!r} of {asked.agents} agents: use AgentsEnv")
        # Spaces draw from a generator of their own, so that environments must not share them.
        self.observation_space, self.action_space = copy.deepcopy((asked.observation, asked.action))
        self.task, self.instance = task, instance
        self._engine = PausedEngine(task, task.load(instance), limits, (name,))
        self._paid, self._last = 0.0, None

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin a run; its seed is drawn from the environment's generator."""
        super().reset(seed=seed)
        asked = self._engine.begin(int(self.np_random.integers(2**31)) if seed is None else seed)
        self._paid, self._last = sum(self._engine.earned.values()), asked.observation
        return self._last, shown_mask(self._last)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Answer the engine's question, and wait for its next one."""
        if not self._engine.running:
            raise error.ResetNeeded("call reset() before step()")
        if not self.action_space.contains(action):
            raise error.InvalidAction(f"{action!r} is not in {self.action_space}")
        came = self._engine.answer(action)
        before, self._paid = self._paid, sum(self._engine.earned.values())
        if isinstance(came, Outcome):
            reward = self._paid - before + self._engine.reward(came)
            # What was handed out before is its reader's own.
            self._last = copy.deepcopy(self._last)
            return self._last, reward, True, False, {"outcome": came, **shown_mask(self._last)}
        self._last = came.observation
        return self._last, self._paid - before, False, False, shown_mask(self._last)

    def close(self) -> None:
        """End the engine's thread."""
        self._engine.stop()


def derived(task: Task, instance: Instance) -> Environment:
    """The environment that a task's questions give: of one agent or of several."""
    if sum(one.agents for one in task.questions.values() if one.observation and one.action) > 1:
        from unseat.core.agents import AgentsEnv

        return AgentsEnv(task, instance)
    return TaskEnv(task, instance)


def make(task: str, instance: str | None = None, **options: Any) -> gymnasium.Env[Any, Any]:
    """What `gymnasium.make("unseat/<task>-v<n>", instance=...)` calls; without an instance, the first for training."""
    from unseat.core import registry

    found = registry.task(task)
    chosen = found.instance(instance) if instance else next(i for i in found.instances() if i.split == "train")
    env = found.env(chosen, **options)
    if not isinstance(env, gymnasium.Env):
        raise error.Error(f"task {task} asks several agents, which is PettingZoo's; use unseat.task({task!r}).env()")
    return env


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


def shown_mask(observation: Any) -> dict[str, Any]:
    """The ``info`` of an observation: its action mask, where it has one."""
    if isinstance(observation, dict) and "action_mask" in observation:
        return {"action_mask": observation["action_mask"]}
    return {}


register()
