"""An arena with one track of a task that costs nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import pytest
import sqlalchemy as sa

pytest.importorskip("fastapi", reason="the arena needs its extra: pip install 'unseat[arena]'")

import argon2

from unseat.arena import accounts, tracks
from unseat.arena.accounts import User
from unseat.arena.database import Database, moment
from unseat.arena.packing import packed
from unseat.arena.tracks import Spec, Track

_STRONG = argon2.PasswordHasher
HIDDEN = {f"secret-{place}": [place >> shift & 1 for shift in range(6)] for place in range(1, 15)}
POLICY = """
from unseat.core.policy import Policy as Base, Session
class Policy(Base):
    name = "echo"
    def start(self, view, seed):
        return S()
class S(Session):
    def decide(self, seen):
        return int(seen[0])
"""


class Served:
    """A server as a process of its own, which has said that it listens when this is made.

    Args:
        where: The arena.
        more: More of its command line.
        under: What starts it, if not it itself.
    """

    def __init__(self, where: str, *more: str, under: Sequence[str] = ()) -> None:
        path = os.pathsep.join(part or str(Path.cwd()) for part in sys.path)
        run = "import sys; from unseat.cli import main; sys.exit(main(sys.argv[1:]))"
        line = [*under, sys.executable, "-u", "-c", run, "arena", "serve", where, "--port", "0", *more]
        self.process = subprocess.Popen(line, stdout=subprocess.PIPE, text=True,
                                        env={**os.environ, "PYTHONPATH": path})  # fmt: skip
        self.address = self.said().rsplit(" ", 1)[1]

    def said(self) -> str:
        """Its next line."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"the server ended with {self.process.wait()}"
        return line.strip()

    def kill(self) -> None:
        """SIGKILL, without any warning."""
        self.process.kill()
        self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


def archive(source: str = POLICY, **more: str) -> bytes:
    """A submission as an archive."""
    return packed({"policy.py": source.encode(), **{name: text.encode() for name, text in more.items()}})


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A new arena."""
    made = Database(tmp_path / "arena")
    yield made
    made.close()


@pytest.fixture
def make_track(database: Database, tmp_path: Path) -> Callable[..., Track]:
    """Makes tracks of the tiny task on hidden rows, open now unless it is said otherwise."""

    def make(slug: str = "tiny", rows: int = len(HIDDEN), **changes: Any) -> Track:
        folder = tmp_path / "hidden"
        folder.mkdir(exist_ok=True)
        for name, row in list(HIDDEN.items())[:rows]:
            (folder / f"{name}.json").write_text(json.dumps(row))
        now = datetime.now(UTC)
        said = {"slug": slug, "title": "Guess", "task": "tests.arena.tiny:Tiny", "folder": str(folder),
                "starts": now - timedelta(days=1), "ends": now + timedelta(days=1), "per_day": 1000}  # fmt: skip
        return tracks.create(database, Spec.model_validate({**said, **changes}))

    return make


@pytest.fixture
def make_user(database: Database, monkeypatch: pytest.MonkeyPatch) -> Callable[..., User]:
    """Makes accounts; looking at their passwords costs less than it should."""
    cheap(monkeypatch)

    def make(name: str = "Ada", role: str = accounts.PARTICIPANT) -> User:
        with database.write() as connection:
            return accounts.create(connection, name, f"password of {name}", role, moment(connection))

    return make


def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let argon2 take a millisecond: what it is worth is its authors' to test."""
    monkeypatch.setattr(argon2, "PasswordHasher", lambda: _STRONG(time_cost=1, memory_cost=64, parallelism=1))
    accounts._kept.clear()


def end(database: Database, track: Track) -> None:
    """Let a track be over."""
    from unseat.arena import tables

    past = datetime.now(UTC) - timedelta(minutes=1)
    spec = track.spec.model_copy(update={"ends": past})
    with database.write() as connection:
        connection.execute(sa.update(tables.tracks).where(tables.tracks.c.id == track.id)
                           .values(spec=spec.model_dump_json()))  # fmt: skip
