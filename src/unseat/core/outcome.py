"""What a run may cost, and what it measured."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Self


class Status(StrEnum):
    """How a run ended. Only `OK` has a value of its own; any other counts as the objective's failure value."""

    OK = "ok"
    INVALID = "invalid"
    TIMEOUT = "timeout"
    CRASHED = "crashed"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a run or a fit may use; None is unlimited.

    Attributes:
        wall_s: Seconds of wall time.
        cpu_s: Seconds of CPU time, of all threads together.
        memory: Bytes of resident memory, of the whole process.
        threads: Threads that a library may start.
        policy_bytes: Bytes that a policy's artefact may hold.
        runs: Runs of the engine that a fit may ask for.
        tokens: Tokens that a fit may exchange with a language model.
        dollars: Money that a fit may spend.
    """

    wall_s: float | None = None
    cpu_s: float | None = None
    memory: int | None = None
    threads: int | None = 1
    policy_bytes: int | None = None
    runs: int | None = None
    tokens: int | None = None
    dollars: float | None = None

    def __post_init__(self) -> None:
        for name in self.__slots__:
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ValueError(f"limit {name} is {value}; it must be above zero")

    def deadline(self) -> float | None:
        """`time.monotonic()` at which a run that begins now must end; None without a limit of wall time."""
        return None if self.wall_s is None else time.monotonic() + self.wall_s

    def within(self, wall_s: float) -> Limits:
        """The same with at most so many seconds of wall time; infinity changes nothing."""
        return replace(self, wall_s=wall_s) if wall_s < (self.wall_s or math.inf) else self

    def to_json(self) -> dict[str, Any]:
        """The limits that are set, as plain JSON."""
        return {name: value for name in self.__slots__ if (value := getattr(self, name)) is not None}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        return cls(**{"threads": None, **data})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run measured.

    Attributes:
        value: The objective, in its unit and direction; the failure value unless `status` is ok.
        status: How the run ended.
        decisions: How often the policy was asked.
        start_s: Seconds the policy took to get ready for the instance (charged).
        decide_s: Seconds spent in decisions; None where engine and policy are one loop and cannot be told apart.
        learn_s: Seconds the session took to learn from its own past during the run (charged).
        wall_s: Seconds of wall time of the whole run.
        cpu_s: Seconds of CPU time of the whole run.
        metrics: Everything else, by name; numbers only.
        progress: The anytime curve: (seconds, value) of every answer that was reported and valid.
        message: One line for a person, where the run did not end well.
        answer: The answer that counts, where the task takes whole answers; it is stored by itself, not in the JSON.
    """

    value: float
    status: Status = Status.OK
    decisions: int = 0
    start_s: float = 0.0
    decide_s: float | None = None
    learn_s: float = 0.0
    wall_s: float = 0.0
    cpu_s: float = 0.0
    metrics: Mapping[str, float] = field(default_factory=dict)
    progress: tuple[tuple[float, float], ...] = ()
    message: str = ""
    answer: Any = field(default=None, compare=False, repr=False)

    @property
    def decide_ns(self) -> float | None:
        """Nanoseconds a decision took in the mean."""
        if self.decide_s is None or not self.decisions:
            return None
        return 1e9 * self.decide_s / self.decisions

    def to_json(self) -> dict[str, Any]:
        """The outcome as plain JSON."""
        plain = {name: getattr(self, name) for name in self.__slots__ if name != "answer"}
        return {**plain, "status": str(self.status), "metrics": dict(self.metrics)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        progress = tuple((float(second), float(value)) for second, value in data["progress"])
        return cls(**{**data, "status": Status(data["status"]), "progress": progress})
