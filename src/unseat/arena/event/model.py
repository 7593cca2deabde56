"""An event as its folder says it: people, programme, papers, calls, competitions, one folder a year."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from unseat.core.errors import UserError

Name = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_TIME = re.compile(r"(\d{1,2}):(\d{2})\s*(AM|PM)?", re.IGNORECASE)
_FRONT = re.compile(r"\A---\n(.*?)\n---\n(.*)\Z", re.DOTALL)
Read = TypeVar("Read", bound=BaseModel)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Link(_Strict):
    """Something elsewhere."""

    text: str
    url: str


class Person(_Strict):
    """An organiser or a member of the steering committee."""

    name: str
    affiliation: str = ""
    link: Link | None = None


class Speaker(_Strict):
    """Somebody who is invited to speak.

    Attributes:
        role: What they are there for, such as ``Keynote``.
        talk: The talk's title as it was announced; where the programme has another, the programme's stands.
        bio: About them, in Markdown.
        photo: A file beside the YAML; not needed.
    """

    id: str
    name: str
    affiliation: str = ""
    role: str = ""
    talk: str = ""
    bio: str = ""
    photo: str = ""


class Part(_Strict):
    """A part of the programme; it ends where the next begins, unless it says when.

    Attributes:
        start: Time of day where the event is, such as ``8:20 AM``.
        speakers: Ids of speakers, or names of others.
        talks: Ids of papers, for contributed talks.
        anchor: Its name in addresses.
    """

    start: dt.time
    end: dt.time | None = None
    kind: Literal["talk", "contributed", "poster", "break", "panel", "questions", "other"] = "other"
    label: str = ""
    title: str = ""
    speakers: tuple[str, ...] = ()
    affiliation: str = ""
    talks: tuple[str, ...] = ()
    anchor: str = ""
    abstract: str = ""

    @field_validator("start", "end", mode="before")
    @classmethod
    def _time(cls, value: Any) -> Any:
        return time_of_day(value) if isinstance(value, str) else value


class Reference(_Strict):
    """A numbered reference."""

    number: int
    url: str
    text: str = ""
    tasks: tuple[str, ...] = ()


class Topic(_Strict):
    """A topic, its references, and the platform's tasks that work on the same problem."""

    text: str
    references: tuple[int, ...] = ()
    tasks: tuple[str, ...] = ()


class Paper(_Strict):
    """An accepted paper or a poster."""

    id: str
    title: str
    authors: tuple[str, ...] = ()
    kind: Literal["talk", "poster"] = "poster"
    session: str = ""
    abstract: str = ""
    link: Link | None = None


class Deadline(_Strict):
    """A date of a call."""

    what: str
    date: dt.date


class Call(_Strict):
    """A call for papers; its text is the rest of the file."""

    title: str = "Call for papers"
    dates: tuple[Deadline, ...] = ()
    closed: bool = False


class Board(_Strict):
    """Where a leaderboard comes from: a frozen file, or a server that is asked when the site is made."""

    file: str | None = None
    server: str | None = None
    track: str = ""


class Competition(_Strict):
    """A competition; its text is the rest of the file."""

    title: str
    task: str = ""
    board: Board | None = None


class News(_Strict):
    """Something to tell; its text is the rest of the file."""

    title: str
    date: dt.date


class About(_Strict):
    """The event itself (``event.yaml``)."""

    title: str
    short: str
    date: dt.date
    weekday: str = ""
    timezone: str
    venue: str = ""
    city: str = ""
    contact: str = ""
    speakers: tuple[Speaker, ...] = ()
    topics: tuple[Topic, ...] = ()
    references: tuple[Reference, ...] = ()
    organisers: tuple[Person, ...] = ()
    steering: tuple[Person, ...] = ()

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"there is no time zone {value!r}; write one such as America/Vancouver") from error
        return value


@dataclass(frozen=True)
class Text:
    """A file of Markdown with what stands before it."""

    name: str
    head: Any
    body: str


@dataclass(frozen=True)
class Slot:
    """A part of the programme at its moments."""

    part: Part
    start: dt.datetime
    end: dt.datetime | None
    anchor: str


@dataclass(frozen=True)
class Edition:
    """One year's event."""

    year: str
    folder: Path
    about: About
    announcement: str
    programme: Sequence[Part]
    papers: Sequence[Paper]
    call: Text | None
    competitions: Sequence[Text]
    news: Sequence[Text]

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the place."""
        return ZoneInfo(self.about.timezone)

    @cached_property
    def slots(self) -> list[Slot]:
        """The programme with beginnings and ends."""
        found: list[Slot] = []
        for place, part in enumerate(self.programme):
            following = self.programme[place + 1].start if place + 1 < len(self.programme) else None
            end = part.end or following
            found.append(
                Slot(part, self.at(part.start), self.at(end) if end else None, part.anchor or f"part-{place + 1}")
            )
        return found

    def at(self, time: dt.time) -> dt.datetime:
        """A time of the event's day."""
        return dt.datetime.combine(self.about.date, time, self.zone)

    def speaker(self, name: str) -> Speaker | None:
        """The speaker of that id."""
        return next((one for one in self.about.speakers if one.id == name), None)

    def paper(self, name: str) -> Paper | None:
        """The paper of that id."""
        return next((one for one in self.papers if one.id == name), None)

    def talk_of(self, speaker: Speaker) -> Slot | None:
        """Where a speaker talks; a panel is no talk."""
        return next((one for one in self.slots if speaker.id in one.part.speakers and one.part.kind == "talk"), None)

    def title_of(self, speaker: Speaker) -> str:
        """The title of a speaker's talk: the programme's, where it has one."""
        slot = self.talk_of(speaker)
        return (slot.part.title if slot else "") or speaker.talk


class Settings(_Strict):
    """What all years share (``site.yaml``)."""

    title: str
    url: str = Field(pattern=r"^https?://\S+/$")
    language: str = "en"


@dataclass(frozen=True)
class Site:
    """The whole site; the newest year first."""

    folder: Path
    settings: Settings
    editions: Sequence[Edition] = field(default_factory=list)


def read(folder: Path) -> Site:
    """Read an event's folder: ``site.yaml``, and a folder for each year.

    Raises:
        UserError: Something in it cannot be read; the line names file and place.
    """
    settings = _yaml(folder / "site.yaml", Settings)
    years = sorted((one for one in folder.iterdir() if one.is_dir() and re.fullmatch(r"\d{4}", one.name)), reverse=True)
    if not years:
        raise UserError(f"{folder}: there is no folder of a year in it, such as 2024")
    return Site(folder, settings, [_edition(year) for year in years])


def time_of_day(text: str) -> dt.time:
    """A time such as ``8:20 AM`` or ``14:00``.

    Raises:
        ValueError: It is none.
    """
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no time; write 8:20 AM or 14:00")
    hour, minute, half = int(match[1]), int(match[2]), (match[3] or "").upper()
    if half and not 1 <= hour <= 12:
        raise ValueError(f"{text!r} is no time: with AM and PM the hour is 1 to 12")
    return dt.time(hour % 12 + (12 if half == "PM" else 0) if half else hour, minute)


def _edition(folder: Path) -> Edition:
    call = next(_texts(folder, "call_for_papers.md", Call), None)
    return Edition(
        folder.name, folder, _yaml(folder / "event.yaml", About), _plain(folder / "announcement.md"),
        _list(folder / "schedule.yaml", Part), _list(folder / "papers.yaml", Paper),
        call, list(_texts(folder / "competitions", "*.md", Competition)),
        sorted(_texts(folder / "news", "*.md", News), key=lambda one: one.head.date, reverse=True),
    )  # fmt: skip


def _texts(folder: Path, pattern: str, kind: type[Read]) -> Iterator[Text]:
    for path in sorted(folder.glob(pattern)):
        match = _FRONT.match(_plain(path))
        if match is None:
            raise UserError(f"{path}: begin with a line ---, then YAML, then a line ---, then Markdown")
        yield Text(path.stem, _checked(path, match[1], kind), match[2])


def _yaml(path: Path, kind: type[Read]) -> Read:
    return _checked(path, _plain(path), kind)


def _list(path: Path, kind: type[Read]) -> list[Read]:
    if not path.exists():
        return []
    content = _parsed(path, _plain(path))
    if not isinstance(content, list):
        raise UserError(f"{path}: this must be a list")
    return [_valid(path, one, kind, f"entry {place}: ") for place, one in enumerate(content, 1)]


def _checked(path: Path, text: str, kind: type[Read]) -> Read:
    return _valid(path, _parsed(path, text), kind, "")


def _parsed(path: Path, text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise UserError(f"{path}{where}: not YAML ({getattr(error, 'problem', None) or error})") from error


def _valid(path: Path, content: Any, kind: type[Read], where: str) -> Read:
    try:
        return kind.model_validate(content if content is not None else {})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise UserError(f"{path}: {where}{place}: {first['msg'].removeprefix('Value error, ')}") from error


def _plain(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not text in UTF-8 ({error.reason})") from error


def duplicates(names: Sequence[str]) -> list[str]:
    """Names that are there more than once."""
    counts: Mapping[str, int] = {name: names.count(name) for name in names}
    return sorted(name for name, count in counts.items() if count > 1)
