"""Policies that the checks play: they act at random, watch, scribble and fail. None of them is a contender."""

from __future__ import annotations

import contextlib
import copy
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

import numpy as np

from unseat.core.policy import Policy, Question, Session, View
from unseat.learn.baselines import legal
from unseat.testing.base import content


@dataclass(frozen=True)
class Sampler(Policy):
    """Draws from the question's space of actions; a legal one where there is an action mask."""

    question: Question
    name: str = "sampler"

    def start(self, view: View, seed: int) -> Session:
        return _Sampler(self.question, seed)


class _Sampler(Session):
    def __init__(self, question: Question, seed: int) -> None:
        space: Any = copy.deepcopy(question.action)
        space.seed(seed)
        self.space = space

    def decide(self, observation: Any) -> Any:
        mask = legal(observation)
        return self.space.sample() if mask is None else self.space.sample(mask=np.asarray(mask, np.int8))


@dataclass(frozen=True)
class Wrapped(Policy):
    """Another policy, with something done at its start, before and after each of its decisions.

    Attributes:
        inner: The policy that decides.
        at_start: Gets the view.
        before: Gets the observation.
        after: Gets the observation and the answer, and gives the answer.
        questions: Those that it answers; the task's first if empty.
    """

    inner: Policy
    name: str = "wrapped"
    at_start: Callable[[View], None] = lambda view: None
    before: Callable[[Any], None] = lambda observation: None
    after: Callable[[Any, Any], Any] = lambda observation, answer: answer
    questions: tuple[str, ...] = ()

    def start(self, view: View, seed: int) -> Session:
        session = self.inner.start(view, seed)
        self.at_start(view)
        return _Wrapped(self, session)


class _Wrapped(Session):
    def __init__(self, policy: Wrapped, session: Session) -> None:
        self.policy, self.session = policy, session
        self.learn, self.reward = session.learn, session.reward  # type: ignore[method-assign]

    def decide(self, observation: Any) -> Any:
        self.policy.before(observation)
        return self.policy.after(observation, self.session.decide(observation))


@dataclass(frozen=True)
class Scripted(Policy):
    """Answers what is written, as every agent of its questions.

    Attributes:
        script: Answers of each agent ``<question>_<agent>``, in order; when they are at an end, so is the run.
    """

    script: Mapping[str, list[Any]]
    questions: tuple[str, ...] = ()
    name: str = "scripted"

    def start(self, view: View, seed: int) -> Session:
        return _Scripted(self.script.get(f"{view.question}_{view.agent}", []))


class _Scripted(Session):
    def __init__(self, lines: list[Any]) -> None:
        self.lines = iter(lines)

    def decide(self, observation: Any) -> Any:
        for line in self.lines:
            return line
        raise Enough


class Enough(BaseException):
    """Ends a run that has been watched for long enough; no engine may catch it."""


@dataclass
class Log:
    """What a policy was told and what it answered, as hashes, and the answers themselves.

    Attributes:
        most: After so many decisions the run is ended.
    """

    most: int
    facts: str = ""
    seen: list[str] = field(default_factory=list)
    answers: list[Any] = field(default_factory=list)

    def of(self, policy: Policy) -> Policy:
        """The policy, watched."""
        return Wrapped(policy, policy.name, self._start, self._before, self._after)

    def _start(self, view: View) -> None:
        self.facts = content(view.facts)

    def _before(self, observation: Any) -> None:
        if len(self.answers) == self.most:
            raise Enough
        self.seen.append(content(observation))

    def _after(self, observation: Any, answer: Any) -> Any:
        self.answers.append(copy.deepcopy(answer))
        return answer


def vandal(question: Question) -> Policy:
    """Writes over all that it is given, after it has drawn its answer from what it was given."""

    def scribble(observation: Any, answer: Any) -> Any:
        _overwrite(observation)
        return answer

    return Wrapped(Sampler(question), "vandal", lambda view: _overwrite(view.facts), after=scribble)


def scribbler(policy: Policy) -> Policy:
    """Of the same form and kind as a policy; it writes over all that it is told, and over what lies behind, and ends.

    It builds nothing of what it has spoilt: compiled code that trusts its arrays could end the process.
    """

    def start(self: Policy, view: View, seed: int) -> Session:
        _overwrite(view.facts)
        raise Mishap("it has written over all that it was told")

    made = copy.copy(policy)
    object.__setattr__(made, "__class__", type("Scribbler", (type(policy),), {"start": start}))
    return made


def _overwrite(thing: Any) -> None:
    if isinstance(thing, np.ndarray):
        # A view that must not be written to hands out the array that it is a view of.
        _overwrite(thing.base)
        with contextlib.suppress(ValueError):
            thing.flags.writeable = True
        if thing.flags.writeable:
            thing[...] = 1
    elif isinstance(thing, Mapping):
        for part in thing.values():
            _overwrite(part)
        if isinstance(thing, dict):
            thing.clear()
    elif isinstance(thing, list | tuple):
        for part in thing:
            _overwrite(part)
        if isinstance(thing, list):
            thing.clear()
    elif is_dataclass(thing) and not isinstance(thing, type):
        for part in fields(thing):
            _overwrite(getattr(thing, part.name))


def late(question: Question) -> Policy:
    """Answers only once the time is up."""
    deadlines: list[float | None] = []

    def wait(observation: Any) -> None:
        deadline = deadlines[-1]
        while deadline is not None and time.monotonic() <= deadline:
            pass

    return Wrapped(Sampler(question), "late", lambda view: deadlines.append(view.deadline), wait)


class Mishap(Exception):
    """What the failing policies raise."""


def failing(question: Question) -> dict[str, Policy]:
    """Policies that fail, by what they do."""

    def fails(*given: Any) -> Any:
        raise Mishap("this policy always fails")

    def answers(value: Any) -> Policy:
        return Wrapped(Sampler(question), "failing", after=lambda observation, answer: value)

    made = {
        "raises at the start": Wrapped(Sampler(question), "failing", at_start=fails),
        "raises in a decision": Wrapped(Sampler(question), "failing", before=fails),
        "answers NaN": answers(float("nan")),
        "answers None": answers(None),
        "answers a text": answers("an answer"),
    }
    outside = _outside(question)
    return made if outside is None else {**made, "answers out of range": answers(outside)}


def _outside(question: Question) -> Any:
    """An action just outside the space; None for spaces without an edge."""
    from gymnasium.spaces import Box, Discrete, MultiBinary, MultiDiscrete

    space = question.action
    if isinstance(space, Discrete):
        return int(space.start + space.n)
    if isinstance(space, MultiDiscrete):
        return np.asarray(space.start + space.nvec)
    if isinstance(space, MultiBinary):
        return np.full(space.shape, 2, space.dtype)
    if isinstance(space, Box) and np.isfinite(space.high).all():
        return np.asarray(space.high * 2 + 1, space.dtype)
    return None


def constants(question: Question) -> list[Any]:
    """A few actions over the space: its ends, and some of its inside."""
    from gymnasium.spaces import Box, Discrete

    space: Any = copy.deepcopy(question.action)
    if isinstance(space, Discrete):
        return sorted({int(space.start + step) for step in np.linspace(0, space.n - 1, 3).astype(int)})
    space.seed(0)
    inside = [space.sample() for _ in range(3)]
    if isinstance(space, Box) and np.isfinite(space.low).all() and np.isfinite(space.high).all():
        middle = (space.low / 2 + space.high / 2).astype(space.dtype)
        return [space.low, middle, space.high, *inside]
    return inside
