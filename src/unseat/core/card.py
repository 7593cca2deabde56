"""A task's card: what is decided, where it comes from and how it is measured."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from unseat.core.errors import ContractError


class Paper(BaseModel):
    """A publication that defines the task, a contender or the way it is measured."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    authors: str
    venue: str
    year: int
    link: str = ""


class Card(BaseModel):
    """What a person must know of a task before trusting its figures; read from ``card.toml``.

    Attributes:
        id: Name of the task, without a version.
        version: A change of behaviour is a new version; the full id is ``<id>-v<version>``.
        title: The decision, as a question.
        system: The system whose decision it is.
        problem: Class of problem (online, one decision, search over configurations).
        summary: A paragraph on what is decided and why it matters.
        measured: How the objective is measured, what is warm-up and what is judged.
        leaves_out: What the engine does not model.
        repeatability: ``exact``, ``answer`` or ``timed``.
        min_headroom: Instances with less headroom, in the objective's unit, leave the gap figures.
        level: What an instance's level is, for the axis of a figure.
        licences: Licences of the data.
        versions: Contender to the published version that it follows.
        papers: Publications.
        cells: Instance ids of the learning study, listed before training.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    version: int = Field(ge=0)
    title: str
    system: str
    problem: str
    summary: str
    measured: str
    leaves_out: str = ""
    repeatability: Literal["exact", "answer", "timed"]
    min_headroom: float = Field(ge=0)
    level: str = ""
    licences: list[str] = []
    versions: dict[str, str] = {}
    papers: list[Paper] = []
    cells: list[str] = []

    @property
    def full_id(self) -> str:
        """The versioned id, such as ``cache-v0``."""
        return f"{self.id}-v{self.version}"

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a card.

        Raises:
            ContractError: The file is not a valid card.
        """
        try:
            return cls.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ValidationError) as error:
            raise ContractError(f"{path}: not a valid card: {error}") from error
