"""PettingZoo environments, derived from engines that ask several agents, of one question or of several.

J. Terry et al., "PettingZoo: Gym for multi-agent reinforcement learning", NeurIPS 2021.
"""

from __future__ import annotations

import copy
from typing import Any

from gymnasium import Space, error
from gymnasium.utils.seeding import np_random
from pettingzoo import AECEnv

from unseat.core.env import Asked, PausedEngine, shown_mask
from unseat.core.errors import ContractError
from unseat.core.outcome import Limits, Outcome
from unseat.core.task import Instance, Task


class AgentsEnv(AECEnv):  # type: ignore[misc]  # PettingZoo is untyped
    """A task's instance as an environment of several agents, each named ``<question>_<agent>``.

    It is the turn of whomever the engine asks. Rewards are each agent's own (`Session.reward`); an engine that pays
    nothing gives all of them the objective at the end. Then every ``infos`` entry holds the run's ``outcome``. Before
    it is first asked, an agent observes an arbitrary, constant point of its space.

    Args:
        task: The task.
        instance: Its instance.
        limits: Limits of each run.
    """

    possible_agents: list[str]
    agents: list[str]
    agent_selection: str

    def __init__(self, task: Task, instance: Instance, limits: Limits | None = None) -> None:
        super().__init__()
        asked = {name: one for name, one in task.questions.items() if one.observation and one.action}
        if not asked:
            raise ContractError(f"task {task.card.id} asks without spaces, so it has no environment")
        self.metadata = {"render_modes": [], "is_parallelizable": False, "name": task.card.full_id}
        # Spaces draw from a generator of their own, so that agents must not share them.
        self._spaces = {f"{name}_{agent}": copy.deepcopy((one.observation, one.action))
                        for name, one in asked.items() for agent in range(one.agents)}  # fmt: skip
        self.possible_agents, self.agents = list(self._spaces), []
        self._engine = PausedEngine(task, task.load(instance), limits, tuple(asked))
        self._rng = np_random()[0]

    def observation_space(self, agent: str) -> Space[Any]:
        """What an agent observes."""
        return self._spaces[agent][0]  # type: ignore[return-value]

    def action_space(self, agent: str) -> Space[Any]:
        """What an agent answers."""
        return self._spaces[agent][1]  # type: ignore[return-value]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        """Begin a run; without a seed it is drawn from the environment's generator."""
        if seed is not None:
            self._rng = np_random(seed)[0]
        asked = self._engine.begin(int(self._rng.integers(2**31)) if seed is None else seed)
        self.agents = list(self.possible_agents)
        self.terminations, self.truncations = (dict.fromkeys(self.agents, False) for _ in range(2))
        self.rewards, self._cumulative_rewards = (dict.fromkeys(self.agents, 0.0) for _ in range(2))
        self.infos: dict[str, dict[str, Any]] = {agent: {} for agent in self.agents}
        self._paid = dict(self._engine.earned)
        self._seen: dict[str, Any] = {}
        self._turn(asked)

    def observe(self, agent: str) -> Any:
        """What an agent was last shown."""
        if agent not in self._seen:
            space = copy.deepcopy(self.observation_space(agent))
            space.seed(0)
            self._seen[agent] = space.sample()
        return self._seen[agent]

    def step(self, action: Any) -> None:
        """Answer as the agent whose turn it is."""
        agent = self.agent_selection
        if self.terminations[agent]:
            self._was_dead_step(action)
            return
        if not self.action_space(agent).contains(action):
            raise error.InvalidAction(f"{action!r} is not in {self.action_space(agent)}")
        self._cumulative_rewards[agent] = 0.0
        came = self._engine.answer(action)
        earned = self._engine.earned
        self.rewards = {one: earned.get(one, 0.0) - self._paid.get(one, 0.0) for one in self.agents}
        self._paid = dict(earned)
        if isinstance(came, Outcome):
            last = self._engine.reward(came)
            self.rewards = {one: reward + last for one, reward in self.rewards.items()}
            self.terminations = dict.fromkeys(self.agents, True)
            self.infos = {one: {**self.infos[one], "outcome": came} for one in self.agents}
            self.agent_selection = self.agents[0]
        else:
            self._turn(came)
        self._accumulate_rewards()

    def close(self) -> None:
        """End the engine's thread."""
        self._engine.stop()

    def _turn(self, asked: Asked) -> None:
        self.agent_selection, self._seen[asked.agent] = asked
        self.infos[asked.agent] = shown_mask(asked.observation)
