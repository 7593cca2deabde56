"""What a person may say about a cluster of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from unseat.core.errors import UserError
from unseat.tasks.schedule.engine.memory import Machines

_DIGITS, _SHOWN = 9, 40


class Options(BaseModel):
    """Options of `unseat run schedule --data JOBS`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    executors: str = Field("50", description="executors; several numbers, each an instance: 10,50")
    memory: str = Field("", description="classes of memory instead: 20:0.5,10:1 (executors:share of the largest)")
    moving: float = Field(2.0, ge=0, le=86_400, description="seconds an executor needs to move to another job")
    warmup: float = Field(1.0, ge=0, le=86_400, description="seconds a first task takes longer, where not measured")


def parsed(options: Mapping[str, Any]) -> tuple[Options, list[Machines]]:
    """The options, and the clusters that they name.

    Raises:
        UserError: One of them is wrong.
    """
    try:
        chosen = Options(**options)
    except ValidationError as error:
        first = error.errors()[0]
        raise UserError(f"--{first['loc'][0]}: {first['msg']}") from error
    moving, warm_up = round(1000 * chosen.moving), round(1000 * chosen.warmup)
    if chosen.memory:
        if "executors" in chosen.model_fields_set:
            raise UserError("--executors beside --memory: its classes are all executors there are; give one of both")
        return chosen, [classes(chosen.memory, "--memory", moving, warm_up)]
    numbers = [_whole(part, "--executors") for part in chosen.executors.split(",")]
    if len(set(numbers)) < len(numbers):
        raise UserError(f"--executors: {chosen.executors[:_SHOWN]} names one number twice")
    return chosen, [_machines("--executors", (number,), (1.0,), moving, warm_up) for number in numbers]


def classes(text: str, flag: str = "", moving_ms: int = 2000, warm_up_ms: int = 1000) -> Machines:
    """``20:0.25,20:0.5,10:1`` as machines; with several classes idle executors are offered whenever a stage is ready.

    Raises:
        UserError: It names no classes.
    """
    counts, shares = [], []
    for part in text.split(","):
        number, colon, share = part.partition(":")
        try:
            shares.append(float(share) if colon else 1.0)
        except ValueError as error:
            raise UserError(f"{flag}: {part[:_SHOWN]!r} is no class; write executors:memory, such as 20:0.5") from error
        counts.append(_whole(number, flag))
    return _machines(flag, tuple(counts), tuple(shares), moving_ms, warm_up_ms)


def _machines(
    flag: str, counts: tuple[int, ...], shares: tuple[float, ...], moving_ms: int, warm_up_ms: int
) -> Machines:
    """The machines; what is wrong with them is said of the flag."""
    try:
        return Machines(counts, shares, moving_ms, warm_up_ms, reoffer=len(counts) > 1)
    except UserError as error:
        raise UserError(f"{flag}: {error}") from error


def _whole(text: str, flag: str) -> int:
    found = text.strip()
    # Python reads no number of more than some thousand digits.
    if not found.isdecimal() or len(found) > _DIGITS:
        shown = found if len(found) <= _SHOWN else f"{found[:_SHOWN]}..."
        raise UserError(f"{flag}: {shown!r} is no number of executors; write one such as 50")
    return int(found)
