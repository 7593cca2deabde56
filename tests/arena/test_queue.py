"""Jobs are done exactly once, whatever happens to those who do them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.arena.conftest import archive
from tests.arena.tiny import BEGUN

from unseat.arena import queue, tables
from unseat.arena.accounts import User
from unseat.arena.database import Database
from unseat.arena.packing import Refused
from unseat.arena.queue import Score, Taken
from unseat.arena.tracks import Track
from unseat.arena.worker import Worker
from unseat.sandbox import bubblewrap

boxed = pytest.mark.skipif(bubblewrap.found() is None, reason=f"no bubblewrap here; {bubblewrap.INSTALL}")


def score(number: int = 0) -> Score:
    """What a run gave."""
    return Score(number, 0, "k" * 64, "ok", 0.5, {})


def of(database: Database, submission: str) -> Any:
    """A submission's row."""
    with database.read() as connection:
        own = tables.submissions
        return connection.execute(sa.select(own).where(own.c.id == submission)).one()


def states(database: Database) -> dict[str, int]:
    """How many submissions are in which state."""
    with database.read() as connection:
        own = tables.submissions.c.state
        return dict(connection.execute(sa.select(own, sa.func.count()).group_by(own)).all())


def clear(database: Database) -> None:
    """Let nothing wait."""
    while (taken := queue.take(database, "clear")) is not None:
        assert queue.fail(database, taken, "cleared")


def test_a_lease_that_ended_is_worth_nothing(
    database: Database, make_track: Callable[..., Track], make_user: Callable[..., User]
) -> None:
    """Red: two workers record scores for one job, or the one that came too late wins."""
    make_track(references=[])
    made = queue.submit(database, make_user().id, "tiny", "first", archive())
    slow = queue.take(database, "slow", lease_s=0.0)
    quick = queue.take(database, "quick")
    assert slow is not None and quick is not None and quick.submission == slow.submission == made
    assert not queue.renew(database, slow)
    assert not queue.finish(database, slow, [score()]) and not queue.fail(database, slow, "late")
    assert queue.renew(database, quick) and queue.finish(database, quick, [score()])
    assert not queue.finish(database, quick, [score()])
    assert of(database, made).state == "scored" and queue.take(database, "third") is None


def test_what_kills_workers_is_failed_in_the_end(
    database: Database, make_track: Callable[..., Track], make_user: Callable[..., User]
) -> None:
    """Red: one submission takes down worker after worker for ever, and holds up all others."""
    make_track(references=[])
    made = queue.submit(database, make_user().id, "tiny", "poison", archive())
    for _ in range(queue.MOST_ATTEMPTS):
        assert queue.take(database, "dies", lease_s=0.0) is not None
    assert queue.take(database, "lives") is None
    assert of(database, made).state == "failed" and "workers in a row" in of(database, made).reason


def test_a_job_given_back_is_as_it_was(
    database: Database, make_track: Callable[..., Track], make_user: Callable[..., User]
) -> None:
    """Red: stopping workers in an orderly way uses a job's attempts up, or leaves it waiting for its lease."""
    make_track(references=[])
    made = queue.submit(database, make_user().id, "tiny", "back", archive())
    for _ in range(2 * queue.MOST_ATTEMPTS):
        taken = queue.take(database, "one")
        assert taken is not None
        queue.give_back(database, taken)
    assert of(database, made).state == "queued"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=st.lists(st.tuples(st.sampled_from(["take", "die", "renew", "finish", "back"]), st.integers(0, 2)),
                      max_size=25))  # fmt: skip
def test_any_order_of_events(
    database: Database, make_track: Callable[..., Track], make_user: Callable[..., User], moves: list[tuple[str, int]]
) -> None:
    """Red: some order of taking, dying, renewing, finishing and giving back loses a job or scores it twice.

    The reference is one line: who took a job last, and has neither died nor given it back, holds it.
    """
    with database.read() as connection:
        fresh = connection.execute(sa.select(tables.tracks)).first() is None
    if fresh:
        make_track(references=[])
        make_user()
    clear(database)
    made = queue.submit(database, 1, "tiny", "x", archive())
    hands: dict[int, Taken] = {}
    holder, finished = None, False
    for move, who in moves:
        if move == "take":
            taken = queue.take(database, str(who))
            assert (taken is not None) == (holder is None and not finished) or of(database, made).state == "failed"
            if taken is not None:
                hands[who], holder = taken, who
        elif move == "die" and holder == who:
            with database.write() as connection:
                connection.execute(sa.update(tables.jobs).where(tables.jobs.c.submission == made).values(until=0.0))
            holder = None
        elif who in hands and move in ("renew", "finish", "back"):
            if move == "renew":
                done = queue.renew(database, hands[who])
            elif move == "finish":
                done = queue.finish(database, hands[who], [score()])
            else:
                queue.give_back(database, hands[who])
                done = holder == who
            # One who seemed dead, and whose job nobody took since, holds it still.
            assert done or holder != who
            if done and move == "finish":
                finished, holder = True, None
            elif done and move == "renew":
                holder = who
            elif move == "back" and holder == who:
                holder = None
    with database.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(tables.scores)
                                 .where(tables.scores.c.submission == made)) == int(finished)  # fmt: skip


def test_fifty_uploads_at_once(
    database: Database, make_track: Callable[..., Track], make_user: Callable[..., User]
) -> None:
    """Red: of uploads that come together one is lost, or a participant gets more in than a day allows."""
    make_track(references=[], per_day=40)
    user, taken, refused = make_user(), [], []

    def upload(number: int) -> None:
        try:
            taken.append(queue.submit(database, user.id, "tiny", f"upload {number}", archive()))
        except Refused as error:
            refused.append(str(error))

    threads = [threading.Thread(target=upload, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(taken)) == 40 and len(refused) == 10 and states(database) == {"queued": 40}


@boxed
def test_workers_that_are_killed(
    database: Database, make_track: Callable[..., Track], make_user: Callable[..., User], tmp_path: Path
) -> None:
    """Red: a worker killed at any moment loses a job, or a job that was done anew is scored twice."""
    track, user = make_track(rows=3, references=[], task="tests.arena.tiny:Slow", private_share=0.0), make_user()
    made = [queue.submit(database, user.id, "tiny", f"number {place}", archive()) for place in range(3)]
    run = "import sys; from unseat.cli import main; sys.exit(main(sys.argv[1:]))"
    line = [sys.executable, "-c", run, "arena", "worker", str(tmp_path / "arena")]
    begun = tmp_path / "begun"
    os.mkfifo(begun)
    environment = {**os.environ, BEGUN: str(begun),
                   "PYTHONPATH": os.pathsep.join(part or str(Path.cwd()) for part in sys.path)}  # fmt: skip
    for _ in range(2):
        with subprocess.Popen(line, env=environment, start_new_session=True) as killed:
            # Until a run is in its middle.
            assert begun.read_text() == "begun"
            os.killpg(killed.pid, signal.SIGKILL)
        with database.write() as connection:
            # What a minute of waiting would do.
            done = sa.update(tables.jobs).where(tables.jobs.c.state == "leased").values(until=0.0)
            assert connection.execute(done).rowcount == 1
    with Worker(database) as last:
        assert last.run(drain=True) >= 1
        while states(database).get("scored", 0) < 3:
            last.run(drain=True)
    with database.read() as connection:
        rows = connection.execute(sa.select(tables.scores.c.submission, sa.func.count())
                                  .group_by(tables.scores.c.submission)).all()  # fmt: skip
    assert sorted(rows) == sorted((one, 3) for one in made)
    assert track.spec.task == "tests.arena.tiny:Slow"
