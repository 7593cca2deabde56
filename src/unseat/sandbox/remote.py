"""A stranger's policy as an ordinary one: its sessions live in a sandbox, and the engine stays outside."""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, ClassVar

from unseat.core.errors import ContractError
from unseat.core.policy import Form, InvalidAnswer, Policy, Session, View
from unseat.sandbox.box import Job, Sandbox
from unseat.sandbox.inside.wire import WireError
from unseat.sandbox.limits import Cage
from unseat.sandbox.listening import SandboxError, Talk

PRELOAD = ("unseat.core.policy", "numpy")


@dataclass(frozen=True)
class Remote(Policy):
    """A policy in Python whose source nobody has read.

    The source defines `entry`: a class, or a function, that makes the policy of `config`; it may import NumPy and
    ``unseat.core.policy``, and nothing of unseat besides. It never sees the engine, the clock or other instances.

    Attributes:
        name: Its name in tables.
        source: The Python.
        entry: What makes the policy.
        config: Arguments of that, JSON.
        limits: Fields of `Cage` that differ from its defaults; `wall_s` is for one answer.
    """

    form: ClassVar[Form] = Form.DECIDE
    name: str
    source: str
    entry: str
    config: Mapping[str, Any] = field(default_factory=dict)
    limits: Mapping[str, Any] = field(default_factory=dict)

    def start(self, view: View, seed: int) -> Session:
        """One session in a sandbox of its own.

        Raises:
            InvalidAnswer: It does not start.
            UserError: There is no sandbox here.
        """
        return self.lanes([view], [seed])[0]

    def lanes(self, views: Sequence[View], seeds: Sequence[int]) -> list[RemoteSession]:
        """Sessions side by side in one process, for engines that go in lockstep (`decide_all`).

        What one lane is shown another could tell of: never put two instances of a group into one call.

        Raises:
            InvalidAnswer: It does not start.
        """
        box = Sandbox(Cage(**{"cpu_s": 3600.0, **self.limits}), preload=PRELOAD)
        talk = box.talk(Job(self.entry, self.source, self.config, talks=True))
        line = _Line(box, talk)
        told = [{"question": view.question, "facts": dict(view.facts), "agent": view.agent, "seed": seed}
                for view, seed in zip(views, seeds, strict=True)]  # fmt: skip
        hears = line.ask("start", told)
        if not isinstance(hears, list) or len(hears) != len(views):
            line.end()
            raise InvalidAnswer("the policy in the sandbox did not start a session for each view")
        return [(_Learning if "learn" in own else RemoteSession)(line, lane, "reward" in own)
                for lane, own in enumerate(map(str, hears))]  # fmt: skip


class RemoteSession(Session):
    """A session whose policy is elsewhere; what it would not listen to is not sent."""

    def __init__(self, line: _Line, lane: int, hears_rewards: bool) -> None:
        self.line, self.lane, self.hears_rewards = line, lane, hears_rewards

    def decide(self, observation: Any) -> Any:
        """Ask for one answer.

        Raises:
            InvalidAnswer: There is none that can be read, in time.
        """
        return self.line.answers([(self.lane, observation)])[0]

    def reward(self, amount: float) -> None:
        """Tell it of a part of the objective."""
        if self.hears_rewards:
            self.line.ask("reward", [(self.lane, float(amount))])


class _Learning(RemoteSession):
    """One that learns from its own past; engines look at the class whether a session does."""

    def learn(self, seen: Any) -> None:
        """Tell it of its past, where that is JSON and arrays; a record of several comes as a dictionary."""
        told = {one.name: getattr(seen, one.name) for one in fields(seen)} if is_dataclass(seen) else seen
        self.line.ask("learn", [(self.lane, told)])


def decide_all(sessions: Sequence[RemoteSession], observations: Sequence[Any]) -> list[Any]:
    """One round of lanes that share a process: one message, however many they are.

    Raises:
        InvalidAnswer: There is no answer for each.
        ContractError: They do not share a process.
    """
    if len({id(session.line) for session in sessions}) != 1:
        raise ContractError("these sessions were not started together by Remote.lanes")
    lanes = [session.lane for session in sessions]
    return sessions[0].line.answers(list(zip(lanes, observations, strict=True)))


class _Line:
    """What the lanes of a sandbox share; when the last of them is gone, so is the sandbox."""

    def __init__(self, box: Sandbox, talk: Talk) -> None:
        self.talk = talk
        self.end = weakref.finalize(self, _close, box, talk)

    def ask(self, kind: str, content: Any) -> Any:
        try:
            return self.talk.ask(kind, content)
        except (SandboxError, WireError) as error:
            self.end()
            raise InvalidAnswer(f"the policy in the sandbox: {error}") from None

    def answers(self, seen: list[tuple[int, Any]]) -> list[Any]:
        found = self.ask("decide", seen)
        if not isinstance(found, list) or len(found) != len(seen):
            raise InvalidAnswer("the policy in the sandbox gave no answer to each observation")
        return found


def _close(box: Sandbox, talk: Talk) -> None:
    talk.close()
    box.close()
