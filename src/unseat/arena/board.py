"""The leaderboard: the platform's own statistics on the scores, made by a worker and kept until a score comes."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import sqlalchemy as sa

from unseat.arena import tables
from unseat.arena.anytime import curve
from unseat.arena.database import Database, moment
from unseat.arena.tracks import Track
from unseat.core import registry
from unseat.core.learner import Kind, Role
from unseat.core.outcome import Status
from unseat.core.task import Objective
from unseat.lab.records import Comparison, Run
from unseat.lab.statistics import choose_incumbent, compare, holm, mean_values, ranks_with_ties, violations

PARTS = ("public", "private")
MOST_RANKED = 400
"""Participants that are ranked by intervals, the best by mean; those beyond have a place, not a rank of their own."""
_RESAMPLES = 2000
_REST = 5.0
"""A board that took a second to make is not made again for five, while scores keep coming."""

_submissions, _scores = tables.submissions, tables.scores
_spent: dict[int, float] = {}
_made: dict[tuple[str | None, ...], Comparison] = {}


def refresh(database: Database, *, patient: bool = False) -> int:
    """Make the boards anew whose tracks have new scores; returns how many.

    Args:
        database: The arena's.
        patient: Leave alone those that were made a moment ago: more scores are coming.
    """
    with database.read() as connection:
        rows = connection.execute(
            sa.select(tables.tracks, tables.boards.c.changed.label("seen"), tables.boards.c.made).outerjoin(
                tables.boards, tables.boards.c.track == tables.tracks.c.id
            )
        ).all()
        now = moment(connection)
    made = 0
    for row in rows:
        if row.seen == row.changed:
            continue
        if patient and row.made is not None and now - row.made < 1.0 + _REST * _spent.get(row.id, 0.0):
            continue
        began = time.monotonic()
        _keep(database, Track.of(row))
        _spent[row.id] = time.monotonic() - began
        made += 1
    return made


def of_track(connection: sa.Connection, track: int) -> tuple[int, dict[str, Any]] | None:
    """A track's board and its number; None where none has been made."""
    row = connection.execute(sa.select(tables.boards).where(tables.boards.c.track == track)).first()
    return None if row is None else (row.changed, json.loads(row.body))


def make(database: Database, track: Track) -> dict[str, Any]:
    """A track's board as plain JSON, with both parts; who may see which is for the server to say."""
    objective = registry.task(track.spec.task).objective
    with database.read() as connection:
        entries = _entries(connection, track, objective)
        parts = _parts(connection, track)
        runs = _runs(connection, [one.id for one in entries])
        history = _history(connection, track, objective)
    rows = {one.id: _row(one, runs[one.id], parts) for one in entries}
    known = {part: _judged(entries, runs, parts, part, objective, track) for part in PARTS}
    for part in PARTS:
        for name, figures in known[part].items():
            rows[name][part] = figures
    ordered = sorted(rows.values(), key=lambda row: (row["public"] or {}).get("order", len(rows)))
    return {
        "objective": {"name": objective.name, "unit": objective.unit, "minimise": objective.minimise},
        "instances": {part: sum(own == part for own in parts.values()) for part in PARTS},
        "rows": ordered, "history": history,
        "beaten": _beaten(track, entries, runs, objective),
        "anytime": {one.id: points for one in entries[:40] if (points := _curve(runs[one.id], parts))},
    }  # fmt: skip


@dataclass(frozen=True)
class _Entry:
    """A line of the board: a participant's best submission, or a contender of the task's own."""

    id: str
    who: str
    name: str
    role: str
    kind: str
    bytes: int
    created: float
    tries: int


def _keep(database: Database, track: Track) -> None:
    body = json.dumps(make(database, track))
    with database.write() as connection:
        there = sa.select(tables.boards.c.changed).where(tables.boards.c.track == track.id)
        row = {"changed": track.changed, "made": moment(connection), "body": body}
        have = connection.scalar(there)
        if have is None:
            connection.execute(sa.insert(tables.boards), {"track": track.id, **row})
        elif have <= track.changed:
            # Of two workers that make it at once the newer one counts.
            connection.execute(sa.update(tables.boards).where(tables.boards.c.track == track.id).values(**row))


def _means(track: Track, part: str) -> sa.Subquery:
    """The weighted mean of each scored submission over one part of the instances."""
    own = tables.instances
    return (
        sa.select(_scores.c.submission,
                  (sa.func.sum(_scores.c.value * own.c.weight) / sa.func.sum(own.c.weight)).label("mean"))
        .join(_submissions, _submissions.c.id == _scores.c.submission)
        .join(own, sa.and_(own.c.track == _submissions.c.track, own.c.number == _scores.c.number))
        .where(_submissions.c.track == track.id, own.c.part == part)
        .group_by(_scores.c.submission)
        .subquery()
    )  # fmt: skip


def _entries(connection: sa.Connection, track: Track, objective: Objective) -> list[_Entry]:
    """Each participant's best submission on the public part (the older of equals), and the task's contenders."""
    means = _means(track, "public")
    rows = connection.execute(
        sa.select(_submissions, tables.users.c.name.label("who"), means.c.mean)
        .outerjoin(tables.users, tables.users.c.id == _submissions.c.user)
        .join(means, means.c.submission == _submissions.c.id)
        .where(_submissions.c.track == track.id, _submissions.c.state == "scored")
    ).all()
    turn = 1 if objective.minimise else -1
    best: dict[Any, Any] = {}
    tries: dict[Any, int] = {}
    for row in sorted(rows, key=lambda row: (turn * row.mean, row.created, row.id)):
        owner = row.user if row.user is not None else row.id
        tries[owner] = tries.get(owner, 0) + 1
        best.setdefault(owner, row)
    return [_Entry(row.id, row.who or "", row.name, row.role, row.kind, row.bytes, row.created, tries[owner])
            for owner, row in best.items()]  # fmt: skip


def _parts(connection: sa.Connection, track: Track) -> dict[int, str]:
    asked = sa.select(tables.instances.c.number, tables.instances.c.part).where(tables.instances.c.track == track.id)
    return {row.number: row.part for row in connection.execute(asked.order_by(tables.instances.c.number))}


def _runs(connection: sa.Connection, wanted: Sequence[str]) -> dict[str, list[tuple[int, Run]]]:
    found: dict[str, list[tuple[int, Run]]] = {name: [] for name in wanted}
    for start in range(0, len(wanted), 400):
        chunk = wanted[start : start + 400]
        asked = sa.select(_scores.c.submission, _scores.c.number, _scores.c.run).where(_scores.c.submission.in_(chunk))
        for row in connection.execute(asked.order_by(_scores.c.number, _scores.c.seed)):
            # Two participants may give their submissions one name.
            run = replace(Run.from_record(json.loads(row.run)), contender=row.submission)
            found[row.submission].append((row.number, run))
    return found


def _judged(
    entries: Sequence[_Entry], runs: Mapping[str, list[tuple[int, Run]]], parts: Mapping[int, str], part: str,
    objective: Objective, track: Track,
) -> dict[str, dict[str, Any]]:  # fmt: skip
    """Value, rank and comparison of each line on one part of the instances."""
    own = {one.id: [run for number, run in runs[one.id] if parts[number] == part] for one in entries}
    own = {name: found for name, found in own.items() if found}
    if not own:
        return {}
    means = mean_values([run for found in own.values() for run in found], objective)
    turn = 1 if objective.minimise else -1
    order = sorted(own, key=lambda name: (turn * means[name], name))
    role = {one.id: one.role for one in entries}
    ranked = [name for name in order if role[name] != Role.BOUND][:MOST_RANKED]
    ranks = ranks_with_ties([run for name in ranked for run in own[name]], objective, resamples=_RESAMPLES)
    rest = {name: place for place, name in enumerate((name for name in order if role[name] != Role.BOUND), 1)}
    against = _against(own, role, ranked, objective, track)
    # As the ranks have it: a line may be worse in the mean, and still not be parted from better ones.
    placed = sorted(order, key=_behind(order, {**rest, **ranks}).__getitem__)
    return {
        name: {"value": means[name], "order": place, "versus": against.get(name),
               "rank": None if role[name] == Role.BOUND else ranks.get(name, rest[name])}
        for place, name in enumerate(placed)
    }  # fmt: skip


def _behind(order: Sequence[str], ranks: Mapping[str, int]) -> dict[str, int]:
    """A rank to sort by for each line; a bound, which has none, stands behind all that are better in the mean."""
    found, last = {}, 0
    for name in order:
        last = max(last, ranks.get(name, 0))
        found[name] = ranks.get(name, last)
    return found


def _against(
    own: Mapping[str, list[Run]], role: Mapping[str, str], ranked: Sequence[str], objective: Objective, track: Track
) -> dict[str, dict[str, Any]]:
    """Each submission against the best incumbent on the same instances, with Holm over all of them."""
    incumbents = [run for name, found in own.items() if role[name] == Role.INCUMBENT for run in found]
    beaten = choose_incumbent(incumbents, objective)
    if beaten is None:
        return {}
    bound = next((name for name, found in own.items() if role[name] == Role.BOUND and _counts(found, track)), None)
    names = [name for name in ranked if role[name] == Role.CHALLENGER]
    found = [_compared(own, name, beaten, bound, objective, track) for name in names]
    title = own[beaten][0].job["contender"]
    return {name: {**_brief(one), "incumbent": title} for name, one in zip(names, holm(found), strict=True)}


def _compared(
    own: Mapping[str, list[Run]], name: str, beaten: str, bound: str | None, objective: Objective, track: Track
) -> Comparison:
    """One submission against an incumbent: made once, since scores that are recorded never change."""
    key = name, beaten, bound, own[name][0].instance
    if key not in _made:
        if len(_made) >= 20 * MOST_RANKED:
            _made.clear()
        _made[key] = compare(
            own[name], own[beaten], objective=objective, bound=own[bound] if bound else None, resamples=_RESAMPLES,
            min_headroom=registry.task(track.spec.task).card.min_headroom,
        )  # fmt: skip
    return _made[key]


def _counts(bound: Sequence[Run], track: Track) -> bool:
    """Whether a bound proves something; what is only the best known does not."""
    return _kinds(track).get(bound[0].job["contender"]) in (Kind.OPTIMAL, Kind.RELAXATION)


def _kinds(track: Track) -> dict[str, Kind]:
    known = registry.task(track.spec.task).contenders()
    return {name: known[name].make().kind for name in track.spec.references or ()  # type: ignore[union-attr]
            if known[name].role is Role.BOUND}  # fmt: skip


def _brief(one: Comparison) -> dict[str, Any]:
    return {
        "ratio": one.ratio and asdict(one.ratio), "difference": asdict(one.difference),
        "gap": one.gap_closed and asdict(one.gap_closed), "p": one.p_holm, "better": one.p_better,
        "losses": one.regressions, "worst": one.worst, "method": one.method,
    }  # fmt: skip


def _row(one: _Entry, runs: Sequence[tuple[int, Run]], parts: Mapping[int, str]) -> dict[str, Any]:
    """What a line says beside its rank."""
    outcomes = [run.outcome for _, run in runs]
    asked = sum(outcome.decisions for outcome in outcomes)
    decided = [outcome.decide_s for outcome in outcomes if outcome.decide_s is not None]
    return {
        **vars(one), "public": None, "private": None,
        "failed": {part: sum(run.outcome.status is not Status.OK for number, run in runs if parts[number] == part)
                   for part in PARTS},
        "decide_ns": 1e9 * sum(decided) / asked if decided and asked else None,
        "wall_s": sum(outcome.wall_s for outcome in outcomes), "cpu_s": sum(outcome.cpu_s for outcome in outcomes),
        "start_s": sum(outcome.start_s for outcome in outcomes),
    }  # fmt: skip


def _history(connection: sa.Connection, track: Track, objective: Objective) -> list[dict[str, Any]]:
    """Who led on the public part, from when on: by when submissions were made, for that order is theirs."""
    means = _means(track, "public")
    rows = connection.execute(
        sa.select(_submissions.c.id, _submissions.c.created, _submissions.c.name, tables.users.c.name.label("who"),
                  means.c.mean)
        .join(tables.users, tables.users.c.id == _submissions.c.user)
        .join(means, means.c.submission == _submissions.c.id)
        .where(_submissions.c.track == track.id, _submissions.c.state == "scored")
        .order_by(_submissions.c.created, _submissions.c.id)
    )  # fmt: skip
    turn = 1 if objective.minimise else -1
    found: list[dict[str, Any]] = []
    for row in rows:
        if not found or turn * row.mean < turn * found[-1]["value"]:
            found.append({"at": row.created, "who": row.who, "name": row.name, "value": row.mean, "id": row.id})
    return found


def _beaten(
    track: Track, entries: Sequence[_Entry], runs: Mapping[str, list[tuple[int, Run]]], objective: Objective
) -> list[dict[str, Any]]:
    """Submissions that beat a bound that cannot be beaten: an error in the one or the other."""
    names = {one.id: one.name for one in entries}
    every = [replace(run, contender=names[one.id] if one.role == Role.BOUND else one.id)
             for one in entries for _, run in runs[one.id]]  # fmt: skip
    found = violations(every, _kinds(track), objective)
    # Once for each line, on however many instances.
    pairs = dict.fromkeys((one.contender, one.bound) for one in found)
    return [{"id": who, "bound": bound} for who, bound in pairs][:20]


def _curve(runs: Sequence[tuple[int, Run]], parts: Mapping[int, str]) -> list[tuple[float, float]]:
    return curve([run for number, run in runs if parts[number] == "public"])
