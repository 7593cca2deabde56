"""The pages: plain files that open anywhere, and ask nobody for anything."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from unseat.arena import markup
from unseat.arena.event import exports
from unseat.arena.event.model import Board, Edition, Site, Slot
from unseat.core.errors import UserError
from unseat.report import digits

DOCS = "https://unseat.readthedocs.io/en/latest/"
"""Where the pages of the platform's tasks are."""
_CITED = re.compile(r"\[(\d+(?:,\s*\d+)*)\](?!\()")
_OWN = re.compile(r'href="(?![a-z]+:|[#/]|\.\./)')
_PAGES = (("index", "Announcement"), ("schedule", "Schedule"), ("call_for_papers", "Call for papers"),
          ("papers", "Papers"), ("competitions", "Competitions"), ("news", "News"))  # fmt: skip


@dataclass(frozen=True)
class Output:
    """A file of the site."""

    path: str
    content: bytes


def render(site: Site, folder: Path) -> list[str]:
    """Write the site into a folder; what an earlier run left there is replaced.

    Returns:
        The files, relative to the folder.

    Raises:
        UserError: The folder is not one that a site was written to, or a board cannot be had.
    """
    mark = folder / ".unseat-site"
    if folder.exists() and any(folder.iterdir()) and not mark.exists():
        raise UserError(f"{folder}: there is something else in it; give another folder with -o")
    made = list(outputs(site))
    if folder.exists():
        shutil.rmtree(folder)
    for one in made:
        path = folder / one.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(one.content)
    mark.write_text("written by unseat arena site\n")
    return [one.path for one in made]


def outputs(site: Site) -> Iterator[Output]:
    """The files of the site."""
    for name in ("site.css", "site.js"):
        yield Output(name, (files("unseat.arena.event") / "templates" / name).read_bytes())
    for edition in site.editions:
        pages = _Pages(site, edition)
        yield from pages.all()
    newest = site.editions[0]
    yield Output("index.html", _Pages(site, newest, inside=f"{newest.year}/").page("index"))
    yield Output("archive.html", _Pages(site, newest, inside=f"{newest.year}/").page("archive"))


class _Pages:
    """The pages of a year.

    Args:
        site: The site.
        edition: The year.
        inside: Path from the page to the year's folder, for pages that lie outside of it.
    """

    def __init__(self, site: Site, edition: Edition, inside: str = "") -> None:
        self.site, self.edition, self.inside = site, edition, inside
        self.environment = Environment(loader=PackageLoader("unseat.arena.event"), autoescape=True, trim_blocks=True,
                                       lstrip_blocks=True, undefined=StrictUndefined)  # fmt: skip
        self.environment.filters |= {"clock": _clock, "number": digits.number, "markdown": self.prose,
                                     "text": lambda text: self.prose(self.cited(text))}  # fmt: skip

    def all(self) -> Iterator[Output]:
        """Every file of the year."""
        edition, year = self.edition, self.edition.year
        for name, _ in self.menu():
            yield Output(f"{year}/{name}.html", self.page(name))
        for paper in edition.papers:
            yield Output(f"{year}/paper-{paper.id}.html", self.page("paper", name=f"paper-{paper.id}", paper=paper))
        for one in edition.competitions:
            board = board_of(one.head.board, edition.folder / "competitions") if one.head.board else None
            yield Output(f"{year}/competition-{one.name}.html",
                         self.page("competition", name=f"competition-{one.name}", one=one, board=board))  # fmt: skip
        yield Output(f"{year}/schedule.ics", exports.calendar(self.site, edition))
        yield Output(f"{year}/feed.xml", exports.feed(self.site, edition))
        for speaker in edition.about.speakers:
            if speaker.photo:
                yield Output(f"{year}/{Path(speaker.photo).name}", self.file(speaker.photo))

    def prose(self, text: str) -> Markup:
        """Markdown whose links to the year's own pages hold wherever the page lies."""
        return Markup(_OWN.sub(f'href="{self.inside}', markup.html(text)))

    def page(self, template: str, name: str | None = None, **content: Any) -> bytes:
        """A page."""
        root = "" if self.inside else "../"
        shown = self.environment.get_template(f"{template}.html.j2").render(
            site=self.site, edition=self.edition, about=self.edition.about, menu=self.menu(), here=name or template,
            root=root, inside=self.inside, person=lambda one: exports.name_of(self.edition, one),
            summary=lambda slot: exports.summary(self.edition, slot), heading=self.heading, docs=task_page,
            papers=self.papers_of, **content)  # fmt: skip
        return shown.encode()

    def menu(self) -> list[tuple[str, str]]:
        """The pages that this year has."""
        edition = self.edition
        there = {"index": True, "schedule": edition.programme, "call_for_papers": edition.call,
                 "papers": edition.papers, "competitions": edition.competitions, "news": edition.news}  # fmt: skip
        return [(name, text) for name, text in _PAGES if there[name]]

    def heading(self, slot: Slot) -> str:
        """What a part of the programme is called where its title stands alone."""
        return slot.part.title or slot.part.label or "Programme"

    def papers_of(self, slot: Slot) -> list[tuple[str, str]]:
        """The contributed talks of a part: title, and address where there is a page."""
        known = [(name, self.edition.paper(name)) for name in slot.part.talks]
        return [(paper.title, f"paper-{paper.id}.html") if paper else (name, "") for name, paper in known]

    def cited(self, text: str) -> str:
        """References such as ``[8]`` as links to the list."""
        known = {one.number for one in self.edition.about.references}

        def link(match: re.Match[str]) -> str:
            numbers = [int(number) for number in match[1].split(",")]
            return "[" + ", ".join(f"[{one}](#ref-{one})" if one in known else str(one) for one in numbers) + "]"

        return _CITED.sub(link, text)

    def file(self, name: str) -> bytes:
        """A file beside the YAML.

        Raises:
            UserError: It is not there.
        """
        path = (self.edition.folder / name).resolve()
        if not path.is_relative_to(self.edition.folder.resolve()) or not path.is_file():
            raise UserError(f"{self.edition.folder / name}: there is no such file")
        return path.read_bytes()


def board_of(board: Board, folder: Path) -> dict[str, Any]:
    """A leaderboard: what the arena's API told when it was frozen, or tells now.

    Raises:
        UserError: It cannot be had.
    """
    if board.server:
        from unseat.arena.client import Client

        content = Client(board.server, None).board(board.track)
        return {**content, "live": f"{board.server.rstrip('/')}/tracks/{board.track}"}
    path = folder / (board.file or "")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {**content, "live": "", "rows": list(content["rows"]), "objective": dict(content["objective"])}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path}: not a board ({error}); save what /api/tracks/TRACK/board answers") from error


def task_page(task: str) -> str:
    """The address of the page of one of the platform's tasks."""
    pages = {"index": "task-index/", "index-updates": "index-others/", "index-hash": "index-others/",
             "index-filter": "index-others/", "cache-sized": "cache/"}  # fmt: skip
    return DOCS + pages.get(task, f"{task}/")


def _clock(moment: Any) -> str:
    return f"{moment:%-I:%M %p}"
