"""What a reader sees of a board: sorted, filtered, page by page; the anytime view; who fits the public half only."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from tests.arena.conftest import archive, end
from tests.arena.test_server import scored, sign_in

from unseat.arena import board, queue
from unseat.arena.accounts import User
from unseat.arena.anytime import curve
from unseat.arena.database import Database
from unseat.arena.server import view
from unseat.arena.server.app import create_app
from unseat.arena.tracks import Track, by_slug
from unseat.core.learner import Role
from unseat.core.outcome import Outcome, Status
from unseat.lab.records import Run

figures = st.one_of(st.none(), st.floats(-9, 9))
rows = st.builds(
    lambda who, name, role, value, gap, cost, size: {
        "id": name, "who": who, "name": name, "role": role, "tries": size, "bytes": size, "created": size,
        "cpu_s": cost or 0.0, "start_s": -(cost or 0.0), "decide_ns": cost,
        "public": None if value is None else {"value": value, "order": value, "versus": None if gap is None else {
            "difference": {"point": -gap}, "gap": {"point": gap}}},
        "private": None if gap is None else {"value": gap}},
    st.sampled_from(["Ada", "bob", ""]), st.text("ab ", max_size=4),
    st.sampled_from(["challenger", "incumbent", "bound"]), figures, figures, figures, st.integers(0, 9))  # fmt: skip
FIGURE: dict[str, Callable[[Any], Any]] = {
    "rank": lambda row: row["public"] and row["public"]["order"], "who": lambda row: (row["who"].lower(), row["name"]),
    "value": lambda row: row["public"] and row["public"]["value"],
    "gap": lambda row: row["public"] and row["public"]["versus"] and -row["public"]["versus"]["gap"]["point"],
    "hidden": lambda row: row["private"] and row["private"]["value"], "decide": lambda row: row["decide_ns"],
    "cpu": lambda row: row["cpu_s"], "start": lambda row: row["start_s"], "bytes": lambda row: row["bytes"],
    "tries": lambda row: row["tries"], "when": lambda row: row["created"],
    "change": lambda row: row["public"] and row["public"]["versus"] and row["public"]["versus"]["difference"]["point"],
}  # fmt: skip


@given(st.lists(rows, max_size=12), st.sampled_from(view.SORTS), st.booleans(), st.sampled_from(view.KINDS),
       st.sampled_from(["", "a", "ADA", "b a"]), st.integers(1, 9))  # fmt: skip
def test_lines_as_they_were_asked_for(
    lines: list[dict[str, Any]], sort: str, down: bool, kind: str, words: str, page: int
) -> None:
    """Red: a line is missing, stands twice, or in the wrong place; what has no figure stands before what has one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(view, "PAGE", 3)
        asked = view.Query(sort, down, kind, words, page)
        every = [view.page(lines, view.Query(sort, down, kind, words, at), True) for at in range(1, 6)]
        shown = view.page(lines, asked, True)
    wanted = [row for row in lines if kind == "all" or (row["role"] == "challenger") == (kind == "submissions")]
    wanted = [
        row for row in wanted if all(word in f"{row['who']} {row['name']}".lower() for word in words.lower().split())
    ]
    assert shown.found == len(wanted) and shown.pages == max(1, -(-len(wanted) // 3))
    assert shown.page == min(page, shown.pages)
    seen = [row for one in every[: shown.pages] for row in one.rows]
    assert sorted(map(id, seen)) == sorted(map(id, wanted))
    got = [FIGURE[sort](row) for row in seen]
    known = [figure for figure in got if figure is not None]
    assert known == sorted(known, reverse=down) and got[len(known) :] == [None] * (len(got) - len(known))


def run(progress: list[tuple[float, float]], weight: float, ok: bool) -> Run:
    """A run that reported as it went."""
    outcome = Outcome(
        progress[-1][1] if progress else 5.0, Status.OK if ok else Status.CRASHED, progress=tuple(progress)
    )
    return Run("k", "tiny-v0", "x", Role.CHALLENGER, "i", "g", "test", None, "i", weight, 0, outcome, None, {}, {})


@given(st.lists(st.builds(run, st.lists(st.floats(0, 9), max_size=4, unique=True).map(sorted).flatmap(
    lambda at: st.tuples(*(st.tuples(st.just(one), st.integers(-9, 9)) for one in at)).map(list)),
    st.sampled_from([1.0, 2.0]), st.booleans()), min_size=1, max_size=4))  # fmt: skip
def test_the_anytime_view_is_a_mean_of_what_was_held(runs: list[Run]) -> None:
    """Red: the anytime view shows an answer before it was there, forgets one, or leaves failures out of its mean."""
    points = curve(runs)
    for second, value in points:
        total = weight = 0.0
        for one in runs:
            held = one.outcome.value
            if one.outcome.status is Status.OK and one.outcome.progress:
                held = [value for at, value in one.outcome.progress if max(at, 1e-4) <= second][-1]
            total, weight = total + one.weight * held, weight + one.weight
        assert value == pytest.approx(total / weight)
    reported = [one for one in runs if one.outcome.progress]
    begins = [one.outcome.progress[0][0] for one in reported if one.outcome.status is Status.OK]
    # From where the last of them has an answer.
    assert bool(points) == bool(reported)
    if begins and points:
        assert points[0][0] >= max(begins)


def test_who_fits_the_public_half_is_seen_to(
    database: Database, make_user: Callable[..., User], make_track: Callable[..., Track]
) -> None:
    """Red: at the end nobody sees who fits the public half only, or comparisons that were kept are of other scores."""
    track = make_track(references=[])
    parts = {}
    with database.read() as connection:
        parts = board._parts(connection, track)
    levels = {"fits": {"public": 0.1, "private": 0.9}, "holds": {"public": 0.3, "private": 0.2}}
    for name, level in levels.items():
        made = queue.submit(database, make_user(name).id, "tiny", name, archive())
        scored(database, made, {number: level[part] + number / 1000 for number, part in parts.items()})
        board.refresh(database)
    with database.read() as connection:
        track = by_slug(connection, "tiny")
    kept = board.make(database, track)
    board._made.clear()
    assert board.make(database, track) == kept
    end(database, track)
    page = re.sub(r"\s+", " ", TestClient(create_app(database)).get("/tracks/tiny").text)
    fits, holds = page.index(">fits<"), page.index(">holds<")
    assert fits < page.index("▼ 1") < holds < page.index("▲ 1")


def test_a_board_is_sent_as_it_is_needed(
    database: Database, make_user: Callable[..., User], make_track: Callable[..., Track]
) -> None:
    """Red: a board is sent unpacked, again to a browser that has it, an old one for a new one, or to somebody else."""
    make_track(references=[])
    client = TestClient(create_app(database))
    plain = client.get("/tracks/tiny", headers={"accept-encoding": "identity"})
    packed = client.get("/tracks/tiny", headers={"accept-encoding": "gzip, br"})
    refused = client.get("/tracks/tiny", headers={"accept-encoding": "gzip;q=0"})
    assert plain.text == packed.text == refused.text
    assert {"content-encoding"} & packed.headers.keys() and not {"content-encoding"} & {
        *plain.headers,
        *refused.headers,
    }
    assert "cookie" in packed.headers["vary"] and packed.headers["cache-control"] == "no-cache"
    have = {"if-none-match": plain.headers["etag"]}
    again = client.get("/tracks/tiny", headers=have)
    assert again.status_code == 304 and again.content == b"" and "content-security-policy" in again.headers
    assert client.get("/tracks/tiny?q=x", headers=have).status_code == 200
    user = make_user("Ada")
    scored(database, queue.submit(database, user.id, "tiny", "mine", archive()), dict.fromkeys(range(14), 0.5))
    board.refresh(database)
    with TestClient(create_app(database)) as other:
        assert "mine" in other.get("/tracks/tiny", headers=have).text
        sign_in(other, "Ada")
        own = other.get("/tracks/tiny")
        assert "Sign out" in own.text and "etag" not in own.headers and own.headers["cache-control"] == "no-store"
