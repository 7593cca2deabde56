"""Whole answers: a question that is put once, and solutions as data, which are scored like a policy's own."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseat.core.outcome import Limits, Outcome
from unseat.core.policy import Artefact, Asker, Form, InvalidAnswer, Policy, Question, Session, View

_ARRAY = "__array__"


@dataclass(frozen=True)
class Answers(Policy):
    """A solution file: whole answers of named instances. No policy is at work; the task scores what is there.

    Attributes:
        answers: Id of the instance to its answer: JSON whose leaves may be arrays, as `Task.score` takes it.
    """

    form = Form.ANSWERS
    name: str
    answers: Mapping[str, Any] = field(default_factory=dict)

    def of(self, instance: str) -> Any:
        """The answer of an instance.

        Raises:
            InvalidAnswer: There is none.
        """
        if instance not in self.answers:
            raise InvalidAnswer(f"{self.name} holds no answer for {instance}")
        return self.answers[instance]

    def start(self, view: View, seed: int) -> Session:
        """There is nothing to start."""
        raise InvalidAnswer(f"{self.name} is a solution file, and this engine asks")

    @property
    def artefact(self) -> Artefact:
        """The answers as data: arrays as arrays, all else as JSON.

        Raises:
            InvalidAnswer: An answer is something else.
        """
        arrays: dict[str, NDArray[Any]] = {}
        plain = to_plain(self.answers, arrays)
        source = f"{type(self).__module__}:{type(self).__qualname__}"
        return Artefact(self.form, self.name, source, {"answers": plain}, arrays, self.fit_record)

    @classmethod
    def restore(cls, artefact: Artefact) -> Policy:
        """The inverse of `artefact`."""
        return cls(artefact.name, from_plain(artefact.config["answers"], artefact.arrays))


def solve(
    policy: Policy, name: str, question: Question, facts: Mapping[str, Any], *, seed: int, limits: Limits
) -> Outcome:
    """Put one question once, for a whole answer: the `Task.run` of a task that does nothing else.

    What `decide` gives counts like a last report; it may give None if it has reported. The outcome has no value yet:
    the platform scores the answer by `Task.score` when the clock has stopped.

    Args:
        policy: Who answers.
        name: The question's name.
        question: The question.
        facts: All that the policy is told, arrays as copies; `decide` gets None.
        seed: The run's seed.
        limits: The run's limits.

    Raises:
        InvalidAnswer: The answer is not in the question's space of actions, or not JSON with arrays.
        DeadlineReached: The time was up.
    """
    # A problem's array that must not be written to can be made writable by whoever holds it.
    told = {key: fact.copy() if isinstance(fact, np.ndarray) else fact for key, fact in facts.items()}
    began = time.perf_counter()
    view = View(name, told, deadline=limits.deadline())
    session = policy.start(view, seed)
    start_s = time.perf_counter() - began
    asker = Asker(session, question, view.deadline)
    answer = asker(None)
    if answer is not None:
        view.report(answer)
    return Outcome(float("nan"), decisions=asker.decisions, start_s=start_s, decide_s=asker.decide_s)


def to_plain(tree: Any, arrays: dict[str, NDArray[Any]]) -> Any:
    """An answer as plain JSON, its arrays moved to `arrays`.

    Raises:
        InvalidAnswer: A part of it is neither.
    """
    if isinstance(tree, np.ndarray) and tree.ndim and tree.dtype.kind in "biuf":
        name = str(len(arrays))
        arrays[name] = np.array(tree, dtype=tree.dtype.newbyteorder("="), order="C")
        return {_ARRAY: name}
    if isinstance(tree, np.generic) or (isinstance(tree, np.ndarray) and not tree.ndim):
        tree = tree.item()
    if isinstance(tree, Mapping) and _ARRAY not in tree and all(isinstance(key, str) for key in tree):
        return {key: to_plain(part, arrays) for key, part in tree.items()}
    if isinstance(tree, list | tuple):
        return [to_plain(part, arrays) for part in tree]
    if tree is None or isinstance(tree, str | bool | int | float):
        return tree
    raise InvalidAnswer(f"an answer is JSON and arrays of numbers, and {tree!r:.80} is neither")


def from_plain(tree: Any, arrays: Mapping[str, NDArray[Any]]) -> Any:
    """The inverse of `to_plain`; but tuples have become lists."""
    if isinstance(tree, dict):
        return arrays[tree[_ARRAY]] if _ARRAY in tree else {key: from_plain(part, arrays) for key, part in tree.items()}
    return [from_plain(part, arrays) for part in tree] if isinstance(tree, list) else tree
