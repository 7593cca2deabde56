"""What a person may say about keys of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from unseat.core.errors import UserError

KeyType = Literal["uint64", "int64", "float64", "uint32", "int32", "float32", "strings"]
Format = Literal["npy", "parquet", "csv", "sosd", "text"]


class Options(BaseModel):
    """Options of `unseat run index --data KEYS`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    memory: str | None = Field(
        default=None, description="budgets, as shares of the keys' bytes: 0.01%,0.1%,1%,10% as far as they are a page"
    )
    lookups: int = Field(default=100_000, gt=0, description="lookups in each timed pass")
    keys: int | None = Field(default=None, gt=0, description="take only so many, evenly from the sorted ones")
    column: str | None = Field(default=None, description="CSV, Parquet: the column of the keys")
    kind: KeyType | None = Field(default=None, description="type of the keys, where the file does not tell")
    format: Format | None = Field(default=None, description="format of the file, where its name does not tell")


LEAST = 4096
"""Bytes that every index may hold, however few the keys: below a page nobody counts."""


@dataclass(frozen=True)
class Budget:
    """Memory that an index may hold besides the keys, as it was asked for."""

    text: str
    share: float

    def of(self, nbytes: int) -> int:
        """Bytes, for keys of so many bytes; at least `LEAST`."""
        return max(int(self.share * nbytes), LEAST)


def budgets(text: str) -> list[Budget]:
    """Parse ``0.1%,10%``.

    Raises:
        UserError: One of them is no share, or comes twice.
    """
    found = []
    for part in (part.strip() for part in text.split(",")):
        try:
            share = float(part.removesuffix("%")) / 100
        except ValueError:
            share = -1.0
        if not part.endswith("%") or not 0 < share <= 10:
            raise UserError(f"--memory: {part!r} is no budget; write a share of the keys' bytes such as 1%")
        found.append(Budget(part, share))
    if len({budget.share for budget in found}) < len(found):
        raise UserError(f"--memory: {text} names one budget twice")
    return found


def enough(shares: Sequence[Budget], nbytes: int) -> list[Budget]:
    """Those that are more than every index may hold; all others come to the same."""
    return [budget for budget in shares if budget.share * nbytes >= LEAST]
