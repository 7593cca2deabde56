"""Tracks: a task, instances that nobody outside has seen, limits, and from when to when."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import sqlalchemy as sa
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from unseat.arena import entries, hidden, tables
from unseat.arena.database import Database, insert_once, moment
from unseat.core import registry
from unseat.core.errors import UserError
from unseat.core.outcome import Limits

if TYPE_CHECKING:
    from unseat.core.task import Instance, Task

Kind = Literal["policy", "program", "answers"]
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class Spec(BaseModel):
    """What an organiser says of a track.

    Attributes:
        slug: Its name in addresses.
        title: Its name for people.
        text: What it is about, in Markdown.
        task: Id of the task; on the command line also ``package.module:attribute``.
        options: The task's own options, for the hidden data.
        folder: Hidden instances: a folder that the task can open. Read once, when the track is made.
        seed: Or the seed of generated ones, for the tasks of `unseat.arena.drawing`.
        suite: Or the task's own instances, which everybody can see: a suite.
        split: And which of them.
        private_share: Share of the groups whose scores are shown only when the track has ended.
        takes: What may be submitted; by default all that the task can score, but no answers to hidden instances.
        wall_s: Seconds of one run.
        answer_s: Seconds of one answer.
        memory: Bytes that a policy may take.
        seeds: How many seeds each instance is run with.
        per_day: Submissions a participant may make in 24 hours.
        starts: From when submissions are taken.
        ends: Until when; then the private scores are shown.
        open: Whether everybody who has an account takes part; else those who were invited to this track.
        references: Contenders of the task to measure beside; by default the incumbents and bounds that need no fit.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    slug: str = Field(max_length=40)
    title: str = Field(min_length=1, max_length=120)
    text: str = Field("", max_length=20_000)
    task: str = Field(max_length=120)
    options: dict[str, str | int | float] = {}
    folder: str | None = None
    seed: int | None = Field(None, ge=0, lt=2**62)
    suite: str | None = None
    split: Literal["train", "valid", "test"] = "test"
    private_share: float = Field(0.5, ge=0, lt=1)
    takes: list[Kind] | None = None
    wall_s: float = Field(60.0, gt=0, le=3600)
    answer_s: float = Field(10.0, gt=0, le=3600)
    memory: int = Field(512 << 20, ge=64 << 20, le=64 << 30)
    seeds: int = Field(1, ge=1, le=20)
    per_day: int = Field(10, ge=1, le=100_000)
    starts: AwareDatetime
    ends: AwareDatetime
    open: bool = True
    references: list[str] | None = None

    @field_validator("slug")
    @classmethod
    def _slug(cls, value: str) -> str:
        if not SLUG.fullmatch(value):
            raise ValueError("small letters, digits and single hyphens only, such as cache-2025")
        return value

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.ends <= self.starts:
            raise ValueError("ends must be after starts")
        if sum(given is not None for given in (self.folder, self.seed, self.suite)) != 1:
            raise ValueError("give exactly one of folder, seed and suite")
        return self

    @property
    def limits(self) -> Limits:
        """Limits of one run; the memory is that of engine and policy together."""
        return Limits(wall_s=self.wall_s, memory=(4 << 30) + self.memory)

    @property
    def hidden(self) -> bool:
        """Whether nobody outside knows the instances."""
        return self.suite is None

    def begun(self, now: float) -> bool:
        """Whether it has started."""
        return now >= self.starts.timestamp()

    def over(self, now: float) -> bool:
        """Whether it has ended."""
        return now >= self.ends.timestamp()


@dataclass(frozen=True)
class Track:
    """A track as the database holds it."""

    id: int
    spec: Spec
    data: str | None
    changed: int

    @classmethod
    def of(cls, row: Any) -> Track:
        """From a row of `tables.tracks`."""
        return cls(row.id, Spec.model_validate_json(row.spec), row.data, row.changed)


def read_spec(path: Path) -> Spec:
    """Read a track from a TOML file; a folder in it is relative to it.

    Raises:
        UserError: The file does not hold one.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not TOML ({error})") from error
    if isinstance(content.get("folder"), str):
        content["folder"] = str(path.parent / content["folder"])
    return checked(content, str(path))


def checked(content: dict[str, Any], where: str) -> Spec:
    """A track from plain values.

    Raises:
        UserError: They do not say one; the first fault is named.
    """
    try:
        return Spec.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        raise UserError(f"{where}: {place + ': ' if place else ''}{message}") from error


def create(database: Database, spec: Spec) -> Track:
    """Make a track: its instances are read or drawn once and kept in the database, its references are queued.

    Raises:
        UserError: Its task or data cannot be opened, or there is a track of that name.
    """
    task, data = hidden.prepare(spec)
    if task.card.repeatability == "timed":
        raise UserError(f"task {task.card.id} is timed: only what ran in one sitting may be compared, and submissions "
                        "come one by one; choose a task whose values do not hang on the clock")  # fmt: skip
    # Nobody can answer instances that they do not know.
    usual = [one for one in entries.takes(task) if one != "answers" or not spec.hidden]
    chosen = usual if spec.takes is None else list(spec.takes)
    if not chosen:
        raise UserError(f"task {task.card.id} takes no submissions: no sandbox runs what its policies are")
    if unable := set(chosen) - set(entries.takes(task)):
        raise UserError(f"task {task.card.id} takes no {min(unable)}; it takes {', '.join(entries.takes(task))}")
    references = hidden.references(task) if spec.references is None else spec.references
    if unknown := sorted(set(references) - set(task.contenders())):
        raise UserError(f"task {task.card.id} has no contender {unknown[0]!r}")
    spec = spec.model_copy(update={"takes": chosen, "references": list(references), "folder": spec.folder and "given"})
    found = list(task.instances()) if spec.hidden else hidden.of_suite(task, spec)
    parts = divided(found, spec, data or b"")
    with database.write() as connection:
        now = moment(connection)
        digest = hashlib.sha256(data).hexdigest() if data else None
        if data:
            insert_once(connection, tables.blobs, {"hash": digest, "content": data})
        row = {"slug": spec.slug, "spec": spec.model_dump_json(), "data": digest, "changed": 0, "created": now}
        if not insert_once(connection, tables.tracks, row):
            raise UserError(f"there is a track {spec.slug!r} already")
        made = by_slug(connection, spec.slug)
        connection.execute(sa.insert(tables.instances), [
            {"track": made.id, "number": number, "name": one.id, "part": parts[one.group], "weight": one.weight}
            for number, one in enumerate(found)])  # fmt: skip
        from unseat.arena import queue

        for name in references:
            queue.add_reference(connection, made, name, str(task.contenders()[name].role), now)
    return made


def divided(found: Sequence[Instance], spec: Spec, data: bytes) -> dict[str, str]:
    """Which groups are private: a draw that nobody outside can repeat, for it hangs on the hidden data."""
    groups = sorted({one.group for one in found})
    many = round(spec.private_share * len(groups))
    seed = hashlib.sha256(f"{spec.seed} {spec.slug} {len(data)}".encode() + data).digest()
    order = np.random.default_rng(list(seed)).permutation(len(groups))
    return {groups[place]: "private" if rank < many else "public" for rank, place in enumerate(order)}


def by_slug(connection: sa.Connection, slug: str) -> Track:
    """The track of that name.

    Raises:
        UserError: There is none.
    """
    row = connection.execute(sa.select(tables.tracks).where(tables.tracks.c.slug == slug)).first()
    if row is None:
        raise UserError(f"there is no track {slug[:60]!r}")
    return Track.of(row)


def all_tracks(connection: sa.Connection) -> list[Track]:
    """All tracks, the newest first."""
    return [Track.of(row) for row in connection.execute(sa.select(tables.tracks).order_by(tables.tracks.c.id.desc()))]


def shown(spec: Spec, task: Task | None = None) -> dict[str, Any]:
    """What everybody may know of a track, as plain JSON: neither seed nor data."""
    content = json.loads(spec.model_dump_json(exclude={"seed", "folder"}))
    return {**content, "hidden": spec.hidden, "entry": entries.ENTRY}


def task_of(spec: Spec, folder: Path | None) -> Task:
    """The track's task, on its instances.

    Args:
        spec: The track.
        folder: Where its data lies unpacked; None for the task's own.
    """
    return registry.task(
        spec.task, data=str(folder) if folder else None, options=dict(spec.options) if folder else None
    )


def utc(seconds: float) -> datetime:
    """A moment of the database."""
    return datetime.fromtimestamp(seconds, UTC)
