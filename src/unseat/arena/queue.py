"""Submissions and their jobs: taken with a lease, renewed, given back, and finished exactly once.

A job belongs to whoever holds its lease, a random word. A worker that dies holds a lease that ends, and the next one
takes the job with a new word; whatever the first one sends after all is refused, because its word is no longer there.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from unseat.arena import tables
from unseat.arena.database import Database, insert_once, moment
from unseat.arena.packing import Refused, kind_of, unpacked
from unseat.arena.tracks import Track, by_slug

LEASE_S = 60.0
MOST_ATTEMPTS = 5
"""A job whose workers have died so often is failed: it may be what kills them."""
DAY_S = 86_400.0

_jobs, _submissions = tables.jobs, tables.submissions


@dataclass(frozen=True)
class Score:
    """What one run gave."""

    number: int
    seed: int
    key: str
    status: str
    value: float
    run: dict[str, Any]
    answer: bytes | None = None


@dataclass(frozen=True)
class Taken:
    """A job that was taken, with all that is needed to do it."""

    submission: str
    lease: str
    attempts: int
    track: Track
    name: str
    role: str
    kind: str
    content: bytes | None


class TooMany(Refused):
    """A participant's submissions of the day are used up."""


def submit(database: Database, user: int, slug: str, name: str, archive: bytes, address: str = "") -> str:
    """Take a submission: when this returns, it is kept and queued, whatever happens to the server then.

    Returns:
        Its id.

    Raises:
        Refused: The archive may not be taken, or the track takes none of this participant now.
        UserError: There is no such track.
    """
    name = " ".join("".join(character for character in name if character.isprintable()).split())
    if not 0 < len(name) <= 80:
        raise Refused("give the submission a name of 1 to 80 characters")
    files = unpacked(archive)
    kind, digest = kind_of(files), hashlib.sha256(archive).hexdigest()
    with database.write() as connection:
        now, track = moment(connection), by_slug(connection, slug)
        _allowed(connection, track, user, kind, now)
        insert_once(connection, tables.blobs, {"hash": digest, "content": archive})
        number = _add(connection, track, user, name, "challenger", kind, digest, len(archive), now)
        record(connection, now, str(user), address, "submit", number)
    return number


def add_reference(connection: sa.Connection, track: Track, name: str, role: str, now: float) -> str:
    """Queue a contender of the task's own."""
    return _add(connection, track, None, name, role, "contender", None, 0, now)


def take(database: Database, worker: str, lease_s: float = LEASE_S) -> Taken | None:
    """Take the oldest job that nobody holds; None where there is none."""
    with database.write() as connection:
        now = moment(connection)
        asked = (
            sa.select(_jobs.c.submission, _jobs.c.attempts)
            .where(_jobs.c.state.in_(("queued", "leased")), _jobs.c.until <= now)
            .order_by(_jobs.c.created)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        while (found := connection.execute(asked).first()) is not None:
            if found.attempts < MOST_ATTEMPTS:
                return _leased(connection, found.submission, found.attempts, worker, now, lease_s)
            _end(connection, found.submission, "failed", f"{MOST_ATTEMPTS} workers in a row ended while they ran it",
                 now)  # fmt: skip
    return None


def renew(database: Database, taken: Taken, lease_s: float = LEASE_S) -> bool:
    """Hold a job longer; False where it is no longer ours."""
    with database.write() as connection:
        asked = sa.update(_jobs).where(*_held(taken)).values(until=moment(connection) + lease_s)
        return connection.execute(asked).rowcount == 1


def give_back(database: Database, taken: Taken) -> None:
    """Let the next worker have a job at once, as if it had not been taken."""
    with database.write() as connection:
        now = moment(connection)
        done = connection.execute(sa.update(_jobs).where(*_held(taken)).values(
            state="queued", lease=None, until=now, attempts=_jobs.c.attempts - 1))  # fmt: skip
        if done.rowcount:
            _state(connection, taken.submission, state="queued")


def finish(database: Database, taken: Taken, scores: Sequence[Score]) -> bool:
    """Record a job's scores, all of them or none; False where it is no longer ours, and nothing is recorded."""
    return _finished(database, taken, "scored", "", scores)


def fail(database: Database, taken: Taken, reason: str) -> bool:
    """Record that a submission cannot be scored, and why; False where it is no longer ours."""
    return _finished(database, taken, "failed", reason, ())


def depth(connection: sa.Connection) -> dict[str, float]:
    """How many jobs wait and are at work, and how long the oldest has waited in seconds."""
    asked = sa.select(_jobs.c.state, sa.func.count()).group_by(_jobs.c.state)
    counts: dict[str, int] = dict(connection.execute(asked).all())
    oldest = connection.scalar(sa.select(sa.func.min(_jobs.c.created)).where(_jobs.c.state == "queued"))
    waited = 0.0 if oldest is None else max(0.0, moment(connection) - oldest)
    return {"queued": counts.get("queued", 0), "leased": counts.get("leased", 0), "oldest_s": waited}


def record(connection: sa.Connection, now: float, who: str, address: str, action: str, subject: str) -> None:
    """Write a line of the audit log."""
    connection.execute(sa.insert(tables.audit), {"at": now, "who": who[:80], "address": address[:60],
                                                 "action": action, "subject": subject[:200]})  # fmt: skip


def _allowed(connection: sa.Connection, track: Track, user: int, kind: str, now: float) -> None:
    spec = track.spec
    if not spec.begun(now) or spec.over(now):
        when, at = ("ended", spec.ends) if spec.over(now) else ("starts", spec.starts)
        raise Refused(f"this track takes no submissions now: it {when} on {at:%Y-%m-%d %H:%M %Z}")
    if kind not in (spec.takes or ()):
        raise Refused(f"this track takes {' or '.join(spec.takes or ())}, and this is a submission of kind {kind}")
    if not spec.open and not is_member(connection, track.id, user):
        raise Refused("this track is for those who were invited to it")
    # A lock on the participant's row, so that two uploads at once are counted one after the other.
    connection.execute(sa.select(tables.users.c.id).where(tables.users.c.id == user).with_for_update())
    own = _submissions.c
    asked = sa.select(sa.func.count()).where(own.track == track.id, own.user == user, own.created > now - DAY_S)
    if (connection.scalar(asked) or 0) >= spec.per_day:
        raise TooMany(f"this track takes {spec.per_day} submissions in 24 hours of each participant; come back later")


def is_member(connection: sa.Connection, track: int, user: int) -> bool:
    """Whether a participant was invited to a track."""
    members = tables.members
    asked = sa.select(members.c.user).where(members.c.track == track, members.c.user == user)
    return connection.execute(asked).first() is not None


def _add(
    connection: sa.Connection, track: Track, user: int | None, name: str, role: str, kind: str, content: str | None,
    size: int, now: float,
) -> str:  # fmt: skip
    number = secrets.token_hex(8)
    connection.execute(sa.insert(_submissions), {
        "id": number, "track": track.id, "user": user, "name": name, "role": role, "kind": kind, "content": content,
        "bytes": size, "created": now, "state": "queued", "reason": "", "scored": None})  # fmt: skip
    connection.execute(sa.insert(_jobs), {"submission": number, "state": "queued", "created": now, "attempts": 0,
                                          "lease": None, "until": now, "worker": ""})  # fmt: skip
    return number


def _leased(
    connection: sa.Connection, submission: str, attempts: int, worker: str, now: float, lease_s: float
) -> Taken:
    lease = secrets.token_hex(16)
    connection.execute(sa.update(_jobs).where(_jobs.c.submission == submission).values(
        state="leased", lease=lease, until=now + lease_s, attempts=attempts + 1, worker=worker[:120]))  # fmt: skip
    _state(connection, submission, state="running")
    row = connection.execute(
        sa.select(_submissions, tables.tracks.c.spec, tables.tracks.c.data, tables.tracks.c.changed,
                  tables.tracks.c.id.label("track_id"), tables.blobs.c.content.label("archive"))
        .join(tables.tracks, tables.tracks.c.id == _submissions.c.track)
        .outerjoin(tables.blobs, tables.blobs.c.hash == _submissions.c.content)
        .where(_submissions.c.id == submission)
    ).one()  # fmt: skip
    # The submission's own id is in the way of the track's.
    from unseat.arena.tracks import Spec

    track = Track(row.track_id, Spec.model_validate_json(row.spec), row.data, row.changed)
    return Taken(submission, lease, attempts + 1, track, row.name, row.role, row.kind, row.archive)


def _held(taken: Taken) -> tuple[sa.ColumnElement[bool], ...]:
    return _jobs.c.submission == taken.submission, _jobs.c.lease == taken.lease, _jobs.c.state == "leased"


def _finished(database: Database, taken: Taken, state: str, reason: str, scores: Sequence[Score]) -> bool:
    with database.write() as connection:
        now = moment(connection)
        if not connection.execute(sa.update(_jobs).where(*_held(taken)).values(state="done", lease=None)).rowcount:
            return False
        rows = [{**vars(one), "submission": taken.submission, "run": json.dumps(one.run)} for one in scores]
        if rows:
            connection.execute(sa.insert(tables.scores), rows)
        _end(connection, taken.submission, state, reason, now)
    return True


def _end(connection: sa.Connection, submission: str, state: str, reason: str, now: float) -> None:
    connection.execute(sa.update(_jobs).where(_jobs.c.submission == submission).values(state="done", lease=None))
    _state(connection, submission, state=state, reason=reason[:2000], scored=now)
    track = sa.select(_submissions.c.track).where(_submissions.c.id == submission).scalar_subquery()
    connection.execute(sa.update(tables.tracks).where(tables.tracks.c.id == track)
                       .values(changed=tables.tracks.c.changed + 1))  # fmt: skip


def _state(connection: sa.Connection, submission: str, **values: Any) -> None:
    connection.execute(sa.update(_submissions).where(_submissions.c.id == submission).values(**values))
