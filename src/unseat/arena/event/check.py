"""What is wrong with a site: contradictions in what its folder says, and links that lead nowhere."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from posixpath import dirname, join, normpath
from urllib.parse import unquote, urlsplit

from unseat.arena.event.model import Edition, Name, Site, duplicates
from unseat.arena.event.render import Output, outputs
from unseat.core import registry


def check(site: Site) -> list[str]:
    """Everything that is wrong, a line each; nothing is written."""
    found = [line for edition in site.editions for line in _contradictions(edition)]
    return found + list(_dead(list(outputs(site))))


def _contradictions(edition: Edition) -> Iterator[str]:
    where = edition.folder.name
    for parts in (_dates, _programme, _people, _papers, _references):
        for line in parts(edition):
            yield f"{where}/{line}"


def _dates(edition: Edition) -> Iterator[str]:
    about = edition.about
    if str(about.date.year) != edition.year:
        yield f"event.yaml: the date {about.date} is not of the year {edition.year}"
    if about.weekday and about.weekday.casefold() != f"{about.date:%A}".casefold():
        yield f"event.yaml: {about.date} is a {about.date:%A}, not a {about.weekday}"
    if edition.call is None:
        return
    before: dt.date | None = None
    for one in edition.call.head.dates:
        if before is not None and one.date < before:
            yield f"call_for_papers.md: {one.what!r} on {one.date} stands after a later date, {before}"
        if one.date > about.date:
            yield f"call_for_papers.md: {one.what!r} on {one.date} is after the event, {about.date}"
        before = one.date


def _programme(edition: Edition) -> Iterator[str]:
    for slot, following in zip(edition.slots, edition.slots[1:], strict=False):
        if following.start <= slot.start:
            yield f"schedule.yaml: {following.part.start:%H:%M} stands after {slot.part.start:%H:%M}"
        elif slot.end is not None and slot.end > following.start:
            yield (f"schedule.yaml: what begins at {slot.part.start:%H:%M} ends at {slot.end:%H:%M}, and the next "
                   f"begins at {following.part.start:%H:%M}")  # fmt: skip
    for slot in edition.slots:
        at = f"schedule.yaml: {slot.part.start:%H:%M}"
        if slot.end is not None and slot.end <= slot.start:
            yield f"{at} ends before it begins"
        if not Name.fullmatch(slot.anchor):
            yield f"{at}: anchor {slot.anchor!r} must be letters, digits, - and _"
        if slot.part.kind == "talk" and not slot.part.speakers:
            yield f"{at}: a talk without a speaker"
        for paper in slot.part.talks:
            if edition.paper(paper) is None:
                yield f"{at}: there is no paper {paper!r} in papers.yaml"
    for anchor in duplicates([slot.anchor for slot in edition.slots]):
        yield f"schedule.yaml: two parts have the anchor {anchor!r}"


def _people(edition: Edition) -> Iterator[str]:
    speakers = edition.about.speakers
    for name in duplicates([one.id for one in speakers]):
        yield f"event.yaml: two speakers have the id {name!r}"
    names = {one.name for one in speakers}
    for speaker in speakers:
        slot = edition.talk_of(speaker)
        if not Name.fullmatch(speaker.id):
            yield f"event.yaml: the id {speaker.id!r} must be letters, digits, - and _"
        if slot is None:
            yield f"event.yaml: {speaker.name} speaks, and is not in the programme"
        elif speaker.talk and slot.part.title and speaker.talk != slot.part.title:
            yield (f"event.yaml: the talk of {speaker.name} is {speaker.talk!r} here and {slot.part.title!r} in the "
                   "programme, which stands")  # fmt: skip
    for slot in edition.slots:
        for one in slot.part.speakers:
            if edition.speaker(one) is None and (one in names or slot.part.kind == "talk"):
                yield f"schedule.yaml: {slot.part.start:%H:%M}: there is no speaker {one!r} in event.yaml"


def _papers(edition: Edition) -> Iterator[str]:
    for name in duplicates([one.id for one in edition.papers]):
        yield f"papers.yaml: two papers have the id {name!r}"
    given = [name for slot in edition.slots for name in slot.part.talks]
    for name in duplicates(given):
        yield f"schedule.yaml: the paper {name!r} is given twice"
    for paper in edition.papers:
        if not Name.fullmatch(paper.id):
            yield f"papers.yaml: the id {paper.id!r} must be letters, digits, - and _"
        if paper.kind == "talk" and paper.id not in given:
            yield f"papers.yaml: {paper.title!r} is a talk, and is not in the programme"


def _references(edition: Edition) -> Iterator[str]:
    about, known = edition.about, set(registry.names())
    numbers = [one.number for one in about.references]
    for twice in duplicates([str(one) for one in numbers]):
        yield f"event.yaml: two references have the number {twice}"
    for topic in about.topics:
        for number in topic.references:
            if number not in numbers:
                yield f"event.yaml: topic {topic.text!r} refers to {number}, which is not in the list"
    tasks = [task for topic in about.topics for task in topic.tasks]
    tasks += [task for reference in about.references for task in reference.tasks]
    tasks += [one.head.task for one in edition.competitions if one.head.task]
    for task in sorted(set(tasks) - known):
        yield f"event.yaml: unseat has no task {task!r}"


class _Links(HTMLParser):
    """What a page refers to, and what can be referred to in it."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        if said.get("id"):
            self.ids.append(str(said["id"]))
        if tag == "a" and said.get("href") is not None:
            self.links.append(str(said["href"]))
        for name in ("src", "srcset", "data", "poster", "background"):
            if said.get(name):
                self.loaded.append(str(said[name]))
        if tag == "link" and said.get("href") and said.get("rel") != "canonical":
            self.loaded.append(str(said["href"]))


def _dead(made: list[Output]) -> Iterator[str]:
    pages: Mapping[str, _Links] = {one.path: _parsed(one) for one in made if one.path.endswith(".html")}
    there = {one.path for one in made}
    for path, page in pages.items():
        for name in duplicates(page.ids):
            yield f"{path}: the anchor #{name} is there twice"
        for link in sorted(set(page.links + page.loaded)):
            split = urlsplit(link)
            if split.scheme or split.netloc:
                if link in page.loaded:
                    yield f"{path}: loads {link} from elsewhere"
                continue
            target = normpath(join(dirname(path), unquote(split.path))) if split.path else path
            if target not in there:
                yield f"{path}: {link} leads nowhere"
            elif split.fragment and target in pages and unquote(split.fragment) not in pages[target].ids:
                yield f"{path}: {link} leads to an anchor that is not there"


def _parsed(page: Output) -> _Links:
    found = _Links()
    found.feed(page.content.decode())
    return found
