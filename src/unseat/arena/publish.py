"""A track that has ended as one file: instances, submissions, runs. `unseat replay KEY --ledger FILE` reads it."""

from __future__ import annotations

import io
import json
import os
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from unseat.arena import board, entries, hidden, tables
from unseat.arena.database import Database, moment
from unseat.arena.packing import unpacked
from unseat.arena.tracks import Track, by_slug, shown, task_of
from unseat.core.errors import UserError
from unseat.core.policy import Policy
from unseat.core.task import Task
from unseat.lab.ledger import Ledger
from unseat.lab.records import Run
from unseat.lab.store import ArtefactStore

LEDGER, INSTANCES, SUBMISSIONS, LOG = "ledger.db", "instances", "submissions", "log.jsonl"


def publish(database: Database, slug: str, path: Path) -> int:
    """Write a track's archive; returns how many runs are in it.

    Raises:
        UserError: There is no such track, it has not ended, or submissions still wait for their scores.
    """
    with database.read() as connection:
        track = by_slug(connection, slug)
        if not track.spec.over(moment(connection)):
            raise UserError(
                f"track {slug} ends on {track.spec.ends:%Y-%m-%d %H:%M %Z}; its instances stay hidden until then"
            )
        own = tables.submissions
        waiting = connection.scalar(sa.select(sa.func.count()).where(
            own.c.track == track.id, own.c.state.in_(("queued", "running"))))  # fmt: skip
        if waiting:
            raise UserError(
                f"track {slug}: {waiting} submissions wait for their scores; let a worker finish them first"
            )
        with tempfile.TemporaryDirectory(prefix="unseat-publish-", dir=path.absolute().parent) as scratch:
            folder = Path(scratch)
            count = _lay_out(connection, track, folder)
            body = board.of_track(connection, track.id)
            (folder / "board.json").write_text(json.dumps(body[1] if body else {}, indent=1) + "\n")
            (folder / "track.json").write_text(json.dumps(shown(track.spec), indent=1) + "\n")
            (folder / "README.md").write_text(_readme(track))
            partial = folder.parent / f".{path.name}.partial"
            partial.write_bytes(_zipped(folder))
            partial.replace(path)
    return count


@contextmanager
def opened(ledger: str | None) -> Iterator[str | None]:
    """A ledger to read: of a published archive the one inside, with its instances at hand; any other as it is."""
    if ledger is None or not ledger.endswith(".zip") or not zipfile.is_zipfile(ledger):
        yield ledger
        return
    before = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="unseat-archive-") as scratch:
        with zipfile.ZipFile(ledger) as archive:
            if LEDGER not in archive.namelist():
                raise UserError(f"{ledger}: this is not the archive of a track; there is no {LEDGER} in it")
            archive.extractall(scratch)
        # Runs name their instances by a path inside the archive.
        os.chdir(scratch)
        try:
            yield LEDGER
        finally:
            os.chdir(before)


def _lay_out(connection: sa.Connection, track: Track, folder: Path) -> int:
    data = None
    if track.data is not None:
        content = connection.scalar(sa.select(tables.blobs.c.content).where(tables.blobs.c.hash == track.data))
        hidden.lay_out(bytes(content or b""), folder / INSTANCES)
        (folder / INSTANCES).chmod(0o755)
        data = INSTANCES
    task = task_of(track.spec, folder / INSTANCES if data else None)
    count = 0
    with Ledger.open(str(folder / LEDGER)) as ledger, (folder / LOG).open("w") as log:
        for row in _submissions(connection, track):
            log.write(json.dumps({**{name: row[name] for name in _TOLD}, "who": row["who"]}) + "\n")
            if row["content"] is not None:
                (folder / SUBMISSIONS).mkdir(exist_ok=True)
                (folder / SUBMISSIONS / f"{row['id']}.zip").write_bytes(row["content"])
            if row["state"] == "scored":
                count += _runs(connection, row, task, track, ledger, data)
    for extra in folder.glob(f"{LEDGER}-*"):
        extra.unlink()
    return count


_TOLD = ("id", "name", "role", "kind", "bytes", "created", "scored", "state", "reason")


def _submissions(connection: sa.Connection, track: Track) -> list[dict[str, Any]]:
    own = tables.submissions
    asked = (
        sa.select(*(own.c[name] for name in _TOLD), tables.users.c.name.label("who"), tables.blobs.c.content)
        .outerjoin(tables.users, tables.users.c.id == own.c.user)
        .outerjoin(tables.blobs, tables.blobs.c.hash == own.c.content)
        .where(own.c.track == track.id)
        .order_by(own.c.created, own.c.id)
    )
    return [dict(row._mapping) for row in connection.execute(asked)]


def _runs(
    connection: sa.Connection, row: dict[str, Any], task: Task, track: Track, ledger: Ledger, data: str | None
) -> int:
    """Add a submission's runs to the ledger, with the policy that was run and the answers that it gave."""
    _keep_policy(row, task, track, ledger.store)
    scores = connection.execute(sa.select(tables.scores).where(tables.scores.c.submission == row["id"])).all()
    runs = []
    for score in scores:
        run = Run.from_record(json.loads(score.run))
        if score.answer is not None:
            ledger.store.unpack(score.answer)
        job = {**run.job, "data": data, "options": dict(track.spec.options) if data else {}}
        who = f"{row['who']}: {row['name']}" if row["who"] else row["name"]
        runs.append(replace(run, job=job, contender=who))
    ledger.add_runs(runs)
    return len(runs)


def _keep_policy(row: dict[str, Any], task: Task, track: Track, store: ArtefactStore) -> None:
    if row["kind"] == "contender":
        made: Any = task.contenders()[row["name"]].make()
        policy = made if isinstance(made, Policy) else None
    else:
        policy = entries.policy_of(row["kind"], row["name"], unpacked(row["content"]), task, track.spec)
    if policy is not None:
        store.put(policy.artefact)


def _zipped(folder: Path) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            archive.write(path, path.relative_to(folder).as_posix())
    return buffer.getvalue()


def _readme(track: Track) -> str:
    return (
        f"# {track.spec.title}\n\nEverything of the track {track.spec.slug}: `{INSTANCES}/` (what was hidden), "
        f"`{SUBMISSIONS}/`, `{LEDGER}` with every run, `{LOG}` with every submission, `board.json`.\n\n"
        f"    unseat replay KEY --ledger {track.spec.slug}.zip\n\nderives any figure of the board again.\n"
    )
