"""What a person may say about a trace of their own."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from unseat.core.errors import UserError

_UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}
_AMOUNT = re.compile(r"(?P<number>\d+(\.\d+)?)(?P<unit>%|[kmgt]?(i?b)?)", re.IGNORECASE)


class Options(BaseModel):
    """Options of `unseat run cache --data TRACE`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    capacity: str = Field("1%,10%", description="capacities: shares of the distinct objects (bytes), or amounts")
    warmup: str = Field("0%", description="share of the requests that warm the cache and are not judged")
    format: str | None = Field(None, description="format of the trace, where name and content do not tell")
    key: str | None = Field(None, description="CSV: the column of the key")
    size: str | None = Field(None, description="CSV: the column of the size in bytes")
    requests: int | None = Field(None, gt=0, description="read only so many requests")


@dataclass(frozen=True)
class Capacity:
    """A capacity as it was asked for: a share of the footprint, or an amount of objects or bytes."""

    text: str
    share: float | None
    amount: int | None

    def of(self, footprint: int, where: str) -> int:
        """The capacity in objects or bytes.

        Raises:
            UserError: It is zero, or larger than the footprint.
        """
        capacity = self.amount if self.amount is not None else round((self.share or 0.0) * footprint)
        if capacity < 1:
            raise UserError(
                f"{where}: a capacity of {self.text} is nothing; the footprint is {footprint}, ask for more"
            )
        if capacity > footprint:
            raise UserError(f"{where}: a capacity of {self.text} is over the footprint of {footprint}; ask for less")
        return capacity


def capacities(text: str) -> list[Capacity]:
    """Parse ``1%,10%`` or ``500,64MiB``; a unit counts in powers of 1024.

    Raises:
        UserError: One of them is no capacity.
    """
    found = []
    for part in (part.strip() for part in text.split(",")):
        match = _AMOUNT.fullmatch(part)
        if match is None:
            raise UserError(
                f"--capacity: {part!r} is no capacity; write a share such as 10% or an amount such as 500 or 64MiB"
            )
        number, unit = float(match["number"]), match["unit"].lower()
        if unit == "%":
            if not 0 < number <= 100:
                raise UserError(f"--capacity: {part} must be above 0% and at most 100%")
            found.append(Capacity(part, number / 100, None))
        else:
            amount = int(number * _UNITS[unit.removesuffix("b").removesuffix("i")])
            if amount < 1:
                raise UserError(f"--capacity: {part} holds nothing; ask for at least 1")
            found.append(Capacity(part, None, amount))
    if len({capacity.text for capacity in found}) < len(found):
        raise UserError(f"--capacity: {text} names one capacity twice")
    return found


def share(text: str, flag: str) -> float:
    """Parse ``30%`` or ``0.3``.

    Raises:
        UserError: It is no share below one.
    """
    try:
        value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1:
        raise UserError(f"{flag}: {text!r} is no share; write 30% (at least 0%, under 100%)")
    return value
