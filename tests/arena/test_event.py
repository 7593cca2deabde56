"""The site of an event: its facts, its links, its calendar, and what `--check` finds."""

from __future__ import annotations

import datetime as dt
import re
import shutil
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("icalendar", reason="the arena needs its extra: pip install 'unseat[arena]'")

import icalendar

from unseat.arena.event import check, read, render
from unseat.arena.event.model import Site, time_of_day
from unseat.arena.event.render import outputs
from unseat.core import registry
from unseat.core.errors import UserError

EVENT = Path(__file__).parents[2] / "examples" / "event"
# As the event's own page has it: time, and words that stand there.
FACTS = [
    ("8:20 AM", "Keynote", "Jeff Dean", "Google", "Advances in Machine Learning for Systems"),
    ("9:15 AM", "Invited", "Natasha Jacques", "University of Washington",
     "Multi-Agent Reinforcement Learning for Systems"),
    ("9:55 AM", "Coffee Break"),
    ("10:10 AM", "Hardware", "Richard Ho", "OpenAI", "Navigating Scaling and Efficiency Challenges of ML Systems"),
    ("10:50 AM", "Contributed Talks", "Don't Transform the Code, Code the Transforms",
     "The Unreasonable Effectiveness of LLMs for Query Optimization"),
    ("11:10 AM", "Poster Session 1"),
    ("12:00 PM", "Lunch Break"),
    ("1:00 PM", "Retrospective", "Tim Kraska", "MIT, AWS"),
    ("1:50 PM", "Coffee Break"),
    ("2:00 PM", "CodeGen", "Ahmed El-Kishky", "OpenAI", "OpenAI's o1 Competing on IOI"),
    ("2:20 PM", "Contributed Talks", "WarpDrive: An Agentic Workflow for Ninja GPU Transformations",
     "Scalable RL for Systems via Offline Imitation from Multiple Baselines"),
    ("2:40 PM", "Q&A, TBD"),
    ("3:05 PM", "Poster Session 2"),
    ("4:00 PM", "Panel", "Jeff Dean", "Natasha Jacques", "Tim Kraska"),
]  # fmt: skip


@pytest.fixture(scope="module")
def site() -> Site:
    """The example."""
    return read(EVENT)


@pytest.fixture(scope="module")
def pages(site: Site) -> dict[str, str]:
    """Its files as texts."""
    return {one.path: one.content.decode() for one in outputs(site)}


def words(html: str) -> str:
    """What a reader sees of it."""
    import html as entities

    return " ".join(entities.unescape(re.sub(r"<[^>]*>", " ", html)).split())


def test_the_schedule_has_the_facts(pages: dict[str, str]) -> None:
    """Red: a time, a name or a title of the programme is wrong or missing, or a part does not end with the next."""
    rows = re.findall(r"<tr.*?</tr>", pages["2024/schedule.html"], re.DOTALL)[1:]
    assert len(rows) == len(FACTS)
    for place, (row, (time, *said)) in enumerate(zip(rows, FACTS, strict=True)):
        shown = words(row)
        assert shown.startswith(time)
        assert all(one in shown for one in said), (shown, said)
        if place + 1 < len(FACTS):
            assert shown.startswith(f"{time} – {FACTS[place + 1][0]}") or f"–{FACTS[place + 1][0]}" in shown.replace(
                "– ", "–"
            )
    assert "2024-12-15T08:20:00-08:00" in rows[0]


@pytest.mark.parametrize("anchor", ["dean_talk", "jacques_talk", "richardho_talk", "kraska_talk", "ahmed_talk"])
def test_links_of_the_table_lead_somewhere(pages: dict[str, str], anchor: str) -> None:
    """Red: a link of the programme's table leads nowhere, as it did on the page it comes from."""
    page = pages["2024/schedule.html"]
    assert f'href="#{anchor}"' in page and page.count(f'id="{anchor}"') == 1


def test_the_programmes_titles_stand(pages: dict[str, str]) -> None:
    """Red: the announcement shows a talk's title that the programme has changed since."""
    announced = pages["2024/index.html"]
    assert "Advances in Machine Learning for Systems" in announced and "Exciting Directions" not in announced
    assert "OpenAI's o1 Competing on IOI" in words(announced) and "TBD" not in announced


def test_nothing_of_the_example_is_wrong(site: Site) -> None:
    """Red: the example contradicts itself, has a dead link, or loads something from elsewhere."""
    missing = {"shard", "graphsched", "query", "dbindex"} - set(registry.names())
    assert [line for line in check(site) if not any(f"{task!r}" in line for task in missing)] == []


def test_the_calendar(pages: dict[str, str]) -> None:
    """Red: a calendar shows another programme than the page, or at another time of the world."""
    found = icalendar.Calendar.from_ical(pages["2024/schedule.ics"])
    events: list[Any] = list(found.walk("VEVENT"))
    assert [f"{one['dtstart'].dt:%-I:%M %p}" for one in events] == [fact[0] for fact in FACTS]
    assert all(one["dtstart"].dt.utcoffset() == dt.timedelta(hours=-8) for one in events)
    assert [one["dtend"].dt for one in events[:-1]] == [one["dtstart"].dt for one in events[1:]]
    assert "dtend" not in events[-1] and len({str(one["uid"]) for one in events}) == len(events)
    assert found.walk("VTIMEZONE")


def test_the_feed_is_one(pages: dict[str, str]) -> None:
    """Red: a reader of feeds cannot read the news."""
    root = ElementTree.fromstring(pages["2024/feed.xml"])
    atom = "{http://www.w3.org/2005/Atom}"
    assert root.tag == f"{atom}feed" and root.find(f"{atom}entry/{atom}title") is not None
    for one in root.iter(f"{atom}updated"):
        assert dt.datetime.fromisoformat(one.text or "").tzinfo


def test_rendering_twice_gives_the_same_and_spares_other_folders(site: Site, tmp_path: Path) -> None:
    """Red: a site that did not change is not the same bytes, or writing it removes somebody's files."""
    made = render(site, tmp_path / "site")
    first = {name: (tmp_path / "site" / name).read_bytes() for name in made}
    render(site, tmp_path / "site")
    assert {name: (tmp_path / "site" / name).read_bytes() for name in made} == first
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years of work")
    with pytest.raises(UserError, match="something else"):
        render(site, tmp_path / "mine")


@pytest.mark.parametrize(
    ("file", "before", "after", "said"),
    [
        ("event.yaml", "weekday: Sunday", "weekday: Monday", "is a Sunday"),
        ("event.yaml", "date: 2024-12-15", "date: 2023-12-15", "not of the year"),
        ("event.yaml", "    role: Keynote speaker", "    role: Keynote\n    talk: Exciting Directions", "which stands"),
        ("event.yaml", "references: [8]", "references: [80]", "not in the list"),
        ("event.yaml", "tasks: [schedule]", "tasks: [scheduling]", "no task 'scheduling'"),
        ("schedule.yaml", "9:15 AM", "7:15 AM", "stands after"),
        ("schedule.yaml", "speakers: [ho]", "speakers: [hoo]", "no speaker 'hoo'"),
        ("schedule.yaml", "speakers: [ho]", "speakers: [dean]", "is not in the programme"),
        ("schedule.yaml", "anchor: kraska_talk", "anchor: dean_talk", "two parts have the anchor"),
        ("schedule.yaml", "warpdrive", "warpdrives", "no paper 'warpdrives'"),
        ("schedule.yaml", '"8:20 AM", ', '"8:20 AM", end: "9:30 AM", ', "the next begins"),
        ("announcement.md", "(schedule.html)", "(programme.html)", "leads nowhere"),
        ("announcement.md", "(schedule.html)", "(schedule.html#nobody)", "anchor that is not there"),
    ],
)
def test_what_is_wrong_is_found(tmp_path: Path, file: str, before: str, after: str, said: str) -> None:
    """Red: a contradiction or a dead link in an event's folder is not told."""
    copy = tmp_path / "event"
    shutil.copytree(EVENT, copy)
    path = copy / "2024" / file
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after, 1))
    assert any(said in line for line in check(read(copy)))


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("schedule.yaml", "- {start: '25:00'}", "schedule.yaml: entry 1: start"),
        ("schedule.yaml", "- {start: 8:20 AM, colour: red}", "colour"),
        ("event.yaml", "title: [", "line 1: not YAML"),
        ("event.yaml", "title: x\nshort: x\ndate: 2024-12-15\ntimezone: Mars/Olympus", "timezone"),
        ("call_for_papers.md", "no front matter", "begin with a line ---"),
        ("competitions/cache.board.json", "{}", "not a board"),
    ],
)
def test_bad_files_get_a_line(tmp_path: Path, file: str, content: str, said: str) -> None:
    """Red: a mistake in a file is a traceback, or a line that does not say where."""
    copy = tmp_path / "event"
    shutil.copytree(EVENT, copy)
    (copy / "2024" / file).write_text(content)
    with pytest.raises(UserError, match=re.escape(said)):
        list(outputs(read(copy)))


def test_several_years(tmp_path: Path) -> None:
    """Red: an older year is no longer there when the next one comes, or the front page is not the newest."""
    copy = tmp_path / "event"
    shutil.copytree(EVENT, copy)
    shutil.copytree(copy / "2024", copy / "2023")
    path = copy / "2023" / "event.yaml"
    path.write_text(path.read_text().replace("2024-12-15", "2023-12-15").replace("NeurIPS 2024", "NeurIPS 2023")
                    .replace("weekday: Sunday", "weekday: Friday"))  # fmt: skip
    site = read(copy)
    made = {one.path: one.content.decode() for one in outputs(site)}
    assert "NeurIPS 2024" in made["index.html"] and "NeurIPS 2023" in made["2023/index.html"]
    assert "2023/index.html" in made["archive.html"] and not any(
        "2024/" in line or "html" in line for line in check(site)
    )


def test_html_in_a_name_is_text(tmp_path: Path) -> None:
    """Red: whoever writes a name or a bio can put scripts into the site."""
    copy = tmp_path / "event"
    shutil.copytree(EVENT, copy)
    path = copy / "2024" / "event.yaml"
    bad = "<script>alert(1)</script>"
    path.write_text(path.read_text().replace("name: Jeff Dean", f"name: {bad}").replace(
        "Chief Scientist at Google", f"{bad} [x](javascript:alert(1)) Chief Scientist"))  # fmt: skip
    for one in outputs(read(copy)):
        if one.path.endswith(".html"):
            page = one.content.decode()
            assert bad not in page and 'href="javascript' not in page


@given(hour=st.integers(0, 23), minute=st.integers(0, 59))
def test_times_of_day(hour: int, minute: int) -> None:
    """Red: noon or midnight is taken for the other, or a time is read wrongly."""
    time = dt.time(hour, minute)
    assert time_of_day(f"{time:%I:%M %p}") == time_of_day(f"{hour}:{minute:02}") == time
