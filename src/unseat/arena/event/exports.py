"""The programme as a calendar, the news as a feed."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from unseat.arena import markup
from unseat.arena.event.model import Edition, Site, Slot

if TYPE_CHECKING:
    import icalendar

_ATOM = "http://www.w3.org/2005/Atom"


def calendar(site: Site, edition: Edition) -> bytes:
    """An iCalendar file (RFC 5545) of the programme, with its time zone."""
    import icalendar

    made = icalendar.Calendar()
    made.add("prodid", "-//unseat//arena site//EN")
    made.add("version", "2.0")
    made.add("x-wr-calname", edition.about.title)
    for slot in edition.slots:
        made.add_component(_event(site, edition, slot))
    year = dt.timedelta(days=366)
    made.add_missing_timezones(edition.about.date - year, edition.about.date + year)
    return bytes(made.to_ical())


def summary(edition: Edition, slot: Slot) -> str:
    """A part of the programme in a line."""
    part = slot.part
    people = ", ".join(name_of(edition, one) for one in part.speakers)
    said = ": ".join(text for text in (part.label, people) if text)
    return " – ".join(text for text in (said, part.title) if text) or "Programme"


def name_of(edition: Edition, speaker: str) -> str:
    """The name that stands for a speaker's id; of somebody who is no speaker it is the name itself."""
    known = edition.speaker(speaker)
    return known.name if known else speaker


def feed(site: Site, edition: Edition) -> bytes:
    """An Atom feed (RFC 4287) of the news and of the dates of the call."""
    ElementTree.register_namespace("", _ATOM)
    home = f"{site.settings.url}{edition.year}/"
    entries = [(one.head.title, one.head.date, f"{home}news.html#{one.name}", one.body.strip()) for one in edition.news]
    if edition.call is not None:
        entries += [(f"{one.what}: {one.date:%-d %B %Y}", one.date, f"{home}call_for_papers.html#dates", one.what)
                    for one in edition.call.head.dates]  # fmt: skip
    entries.sort(key=lambda entry: entry[1], reverse=True)
    root = ElementTree.Element(f"{{{_ATOM}}}feed")
    _add(root, "title", edition.about.title)
    _add(root, "id", home)
    _add(root, "updated", _moment(edition, entries[0][1] if entries else edition.about.date))
    _add(root, "link", None, href=home, rel="alternate")
    _add(root, "link", None, href=f"{home}feed.xml", rel="self")
    _add(_add(root, "author", None), "name", edition.about.short)
    for title, date, link, text in entries:
        entry = _add(root, "entry", None)
        _add(entry, "title", title)
        _add(entry, "id", f"{link}{'-' if '#' in link else '#'}{date:%Y%m%d}")
        _add(entry, "updated", _moment(edition, date))
        _add(entry, "link", None, href=link, rel="alternate")
        _add(entry, "content", str(markup.html(text)), type="html")
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))


def _event(site: Site, edition: Edition, slot: Slot) -> icalendar.Event:
    import icalendar

    made = icalendar.Event()
    page = f"{site.settings.url}{edition.year}/schedule.html#{slot.anchor}"
    made.add("uid", f"{hashlib.sha256(page.encode()).hexdigest()[:24]}@unseat")
    # The same file for the same programme: no clock is looked at.
    made.add("dtstamp", dt.datetime.combine(edition.about.date, dt.time(), dt.UTC))
    made.add("dtstart", slot.start)
    if slot.end is not None:
        made.add("dtend", slot.end)
    made.add("summary", summary(edition, slot))
    papers = [paper.title for name in slot.part.talks if (paper := edition.paper(name))]
    if papers:
        made.add("description", "\n".join(papers))
    if place := ", ".join(text for text in (edition.about.venue, edition.about.city) if text):
        made.add("location", place)
    made.add("url", page)
    return made


def _moment(edition: Edition, date: dt.date) -> str:
    return dt.datetime.combine(date, dt.time(12), edition.zone).isoformat()


def _add(parent: ElementTree.Element, name: str, text: str | None, **attributes: str) -> ElementTree.Element:
    made = ElementTree.SubElement(parent, f"{{{_ATOM}}}{name}", attributes)
    made.text = text
    return made
