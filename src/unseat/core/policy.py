"""Policies: data that answers a question, and the sessions in which they are at work."""

from __future__ import annotations

import hashlib
import importlib
import json
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

import numpy as np
from numpy.typing import NDArray

from unseat.core.errors import ContractError, UserError

if TYPE_CHECKING:
    from gymnasium import Space

Observation = Any
Action = Any
Arrays = Mapping[str, NDArray[Any]]


class Form(StrEnum):
    """How a policy reaches the engine: see DESIGN, "Forms of a policy"."""

    DECIDE = "decide"
    KERNEL = "kernel"
    PROGRAM = "program"
    ANSWERS = "answers"
    FUSED = "fused"


class InvalidAnswer(Exception):
    """The policy's answer is outside what the question allows."""


class DeadlineReached(Exception):
    """The run's time is up."""


@dataclass(frozen=True)
class Signature:
    """A compiled policy's contract: ``kernel(*arguments, *arrays) -> result``.

    Attributes:
        arguments: Name to type and shape, in words a person can read (``float32[K, F]``).
        result: The result's type and meaning.
    """

    arguments: Mapping[str, str]
    result: str


@dataclass(frozen=True)
class Question:
    """What the engine asks during a run.

    Attributes:
        text: The question in plain words.
        observation: Gymnasium space of what the policy sees; None where there is none (a solver's answer).
        action: Gymnasium space of the answers.
        agents: How many agents are asked.
        kernel: What a compiled policy gets and gives.
    """

    text: str
    observation: Space[Any] | None = None
    action: Space[Any] | None = None
    agents: int = 1
    kernel: Signature | None = None


@dataclass
class View:
    """What a session is told when it starts: what a real system would know, and never the future.

    Attributes:
        question: Name of the question to answer.
        facts: What a real system knows before the first decision (a capacity, a number of executors), by name.
        agent: Which of the question's agents this session is.
        deadline: `time.monotonic()` at which the run ends; None without one.
        listener: Who hears reports; the platform sets it where the task takes whole answers.
    """

    question: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    agent: int = 0
    deadline: float | None = None
    listener: Callable[[Any], None] | None = None

    def report(self, answer: Any) -> None:
        """Publish the best answer so far, JSON whose leaves may be arrays, where the task takes whole answers.

        It is copied and stamped now, and checked and scored once the clock has stopped. If the time runs out, the last
        valid one counts.

        Raises:
            InvalidAnswer: It is something else.
        """
        if self.listener:
            self.listener(answer)


class Session:
    """One policy at work on one instance: all state lives here."""

    kernel: tuple[Callable[..., Any], tuple[NDArray[Any], ...]] | None = None

    def decide(self, observation: Observation) -> Action:
        """Answer the question for one observation."""
        raise ContractError(f"{type(self).__name__} has no decide(): this policy runs in another form")

    def learn(self, seen: Any) -> None:
        """Learn from the session's own past; `seen` holds past observations, own actions and measured feedback."""

    def reward(self, amount: float) -> None:
        """Be told of a part of the objective as it is realised, signed so that more is better."""


@dataclass(frozen=True)
class Artefact:
    """A policy as data: what is saved, hashed and shipped.

    Attributes:
        form: How it reaches the engine.
        name: The policy's name.
        source: Import path ``module:Class`` of the code that reads it.
        config: Plain JSON.
        arrays: Named NumPy arrays.
        fit: The record of the fit that made it; not part of its hash.
    """

    form: Form
    name: str
    source: str
    config: Mapping[str, Any] = field(default_factory=dict)
    arrays: Arrays = field(default_factory=dict)
    fit: Mapping[str, Any] | None = None

    @property
    def hash(self) -> str:
        """SHA-256 of all that decides, in hex: form, source, configuration and arrays, but not name or fit."""
        digest = hashlib.sha256()
        head = {"form": str(self.form), "source": self.source, "config": self.config}
        digest.update(json.dumps(head, sort_keys=True).encode())
        for name in sorted(self.arrays):
            array = np.ascontiguousarray(self.arrays[name])
            digest.update(f"\n{name} {array.dtype.str} {array.shape}\n".encode())
            digest.update(array.tobytes())
        return digest.hexdigest()

    @property
    def nbytes(self) -> int:
        """Bytes that the policy holds."""
        return sum(array.nbytes for array in self.arrays.values()) + len(json.dumps(self.config))

    def save(self, folder: Path) -> None:
        """Write ``manifest.json`` and ``arrays.safetensors`` into `folder`, which is made.

        Raises:
            OSError: The folder cannot be written.
        """
        from safetensors.numpy import save_file

        folder.mkdir(parents=True, exist_ok=True)
        if self.arrays:
            save_file({name: np.ascontiguousarray(array) for name, array in self.arrays.items()},
                      folder / "arrays.safetensors")  # fmt: skip
        manifest = {
            "form": str(self.form), "name": self.name, "source": self.source, "config": self.config,
            "arrays": sorted(self.arrays), "hash": self.hash, "fit": self.fit,
        }  # fmt: skip
        (folder / "manifest.json").write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            UserError: A file is missing or damaged, or the hash does not fit.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
            arrays = load_file(folder / "arrays.safetensors") if manifest["arrays"] else {}
            artefact = cls(Form(manifest["form"]), manifest["name"], manifest["source"], manifest["config"],
                           arrays, manifest["fit"])  # fmt: skip
            wanted = manifest["hash"]
            if not (isinstance(artefact.name, str) and isinstance(artefact.source, str)
                    and isinstance(artefact.config, dict) and isinstance(artefact.fit, dict | None)):  # fmt: skip
                raise TypeError("name and source must be texts, config and fit objects")
        except (OSError, ValueError, KeyError, TypeError, RecursionError, SafetensorError) as error:
            raise UserError(f"{folder}: not a readable artefact ({error}); make it again") from error
        if artefact.hash != wanted:
            raise UserError(f"{folder}: the artefact's contents do not fit its hash; make it again")
        return artefact

    def restore(self) -> Policy:
        """The policy itself.

        Raises:
            UserError: `source` names no policy, or one that cannot be made of this configuration and these arrays.
        """
        module, _, name = self.source.partition(":")
        try:
            made = getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError, ValueError, TypeError) as error:
            raise UserError(f"policy {self.name}: no {name!r} in {module!r}; is its package installed?") from error
        if not (isinstance(made, type) and issubclass(made, Policy)):
            raise UserError(f"policy {self.name}: {self.source} is not a Policy")
        try:
            policy = made.restore(self)
        except (TypeError, ValueError, KeyError) as error:
            raise UserError(f"policy {self.name}: {self.source} cannot be made of this artefact ({error}); "
                            "was it saved by another version?") from error  # fmt: skip
        # Policies are frozen dataclasses as a rule; the record travels beside the fields, not among them.
        object.__setattr__(policy, "fit_record", self.fit)
        return policy


class Policy(ABC):
    """Answers a question. It is data: immutable, never changed by running.

    A subclass that is a frozen dataclass is saved and restored by its fields: arrays as arrays, all else as JSON.

    Attributes:
        fit_record: The record of the fit that made it, where it was restored from an artefact that carries one.
        questions: Names of the questions that it answers; the task's first if empty.
    """

    form: ClassVar[Form] = Form.DECIDE
    fit_record: Mapping[str, Any] | None = None
    questions: tuple[str, ...] = ()
    name: str

    @abstractmethod
    def start(self, view: View, seed: int) -> Session:
        """Begin to work on one instance; the time it takes is charged."""

    @property
    def artefact(self) -> Artefact:
        """This policy as data."""
        if not is_dataclass(self):
            raise ContractError(f"{type(self).__name__} is not a dataclass, so it must define `artefact` itself")
        values = {part.name: getattr(self, part.name) for part in fields(self) if part.name != "name"}
        arrays = {name: value for name, value in values.items() if isinstance(value, np.ndarray)}
        config = {name: value for name, value in values.items() if name not in arrays}
        source = f"{type(self).__module__}:{type(self).__qualname__}"
        return Artefact(self.form, self.name, source, config, arrays, self.fit_record)

    @classmethod
    def restore(cls, artefact: Artefact) -> Policy:
        """The inverse of `artefact`."""
        make = cast(Callable[..., Policy], cls)
        return make(name=artefact.name, **artefact.config, **artefact.arrays)

    def renamed(self, name: str) -> Policy:
        """The same policy under another name."""
        return replace(self.artefact, name=name).restore()


class Asker:
    """Puts one question to one session, checks each answer, and counts and times them."""

    def __init__(self, session: Session, question: Question, deadline: float | None = None) -> None:
        self.session, self.question, self.deadline = session, question, deadline
        self.decisions, self.decide_s = 0, 0.0

    def __call__(self, observation: Observation) -> Action:
        """Ask once.

        Raises:
            InvalidAnswer: The answer is not in the question's action space.
            DeadlineReached: The time is up.
        """
        began = time.perf_counter()
        action = self.session.decide(observation)
        self.decide_s += time.perf_counter() - began
        self.decisions += 1
        if self.question.action is not None and not self.question.action.contains(action):
            raise InvalidAnswer(f"answer {self.decisions} is {action!r:.80}, not in {self.question.action}")
        if isinstance(action, float | np.floating) and math.isnan(action):
            raise InvalidAnswer(f"answer {self.decisions} is not a number")
        if self.deadline is not None and time.monotonic() > self.deadline:
            raise DeadlineReached(f"time was up after {self.decisions} decisions")
        return action
