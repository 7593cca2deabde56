"""A queue of 10,000 jobs drains with each scored exactly once, while workers are killed at random; 50 uploads at once.

``python benchmarks/arena_queue.py [--jobs 10000]``. The jobs are solution files, so that the queue is measured and not
the sandbox: every job is taken, scored in a child process, and recorded. Two workers run; every few seconds one of them
is killed with everything it has started, at a random moment, and another is started. Before that, 50 participants
upload over HTTP at once. The exit code is 1 if a job is lost, scored twice or in part, or an upload is lost.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import requests
import sqlalchemy as sa

from unseat.arena import accounts, queue, tables, tracks
from unseat.arena.database import Database, moment
from unseat.arena.packing import packed

UPLOADS, LEASE_S = 50, 2.0
_PLACES = {f"skewed/{machines}": [place % machines for place in range(60)] for machines in (3, 8)}
ANSWERS = packed({"answers.json": json.dumps(_PLACES).encode()})
WORKER = ("import sys; from unseat.arena.database import Database; from unseat.arena.worker import Worker, work; "
          f"work(Worker(Database(sys.argv[1]), lease_s={LEASE_S}))")  # fmt: skip
SERVER = "import sys; from unseat.cli import main; sys.exit(main(['arena', 'serve', sys.argv[1], '--port', '0']))"


def prepare(database: Database) -> list[str]:
    """A track of an example task, and 50 participants with a token each."""
    now = datetime.now(UTC)
    said = {
        "slug": "queue", "title": "Queue", "task": "examples.tiny_answers.task:MachineScheduling", "suite": "quick",
        "split": "valid", "starts": now - timedelta(days=1), "ends": now + timedelta(days=1), "per_day": 100_000,
        "references": []}  # fmt: skip
    tracks.create(database, tracks.Spec.model_validate(said))
    words = []
    with database.write() as connection:
        at = moment(connection)
        for number in range(UPLOADS):
            row = {"name": f"p{number}", "name_key": f"p{number}", "password": "", "role": "participant", "epoch": 0,
                   "created": at}  # fmt: skip
            user = int(connection.execute(sa.insert(tables.users).returning(tables.users.c.id), row).scalar_one())
            words.append(accounts.make_token(connection, user, "benchmark", at))
    return words


def upload(where: str, words: list[str], log: Path) -> tuple[int, float]:
    """Upload from all participants at once; how many were acknowledged, and the seconds until the last was."""
    with (
        log.open("w") as out,
        subprocess.Popen([sys.executable, "-u", "-c", SERVER, where], stdout=out, stderr=out) as server,
    ):
        while " at http" not in log.read_text():
            time.sleep(0.1)
        address = log.read_text().split("\n")[0].rsplit(" ", 1)[1]
        told: list[str] = []
        gate = threading.Barrier(UPLOADS + 1)

        def one(word: str) -> None:
            gate.wait()
            answer = requests.post(f"{address}/api/tracks/queue/submissions", params={"name": "at once"}, data=ANSWERS,
                                   headers={"authorization": f"Bearer {word}"}, timeout=60)  # fmt: skip
            if answer.status_code == 201:
                told.append(answer.json()["id"])

        threads = [threading.Thread(target=one, args=(word,)) for word in words]
        for thread in threads:
            thread.start()
        gate.wait()
        began = time.perf_counter()
        for thread in threads:
            thread.join()
        took = time.perf_counter() - began
        server.terminate()
    return len(set(told)), took


def waiting(database: Database) -> int:
    """Jobs that are not done."""
    with database.read() as connection:
        return int(connection.scalar(sa.select(sa.func.count()).where(tables.jobs.c.state != "done")) or 0)


def drain(database: Database, where: str) -> tuple[int, float]:
    """Let two workers do everything, killing one of them every now and then; how many were killed, and the seconds."""
    rng, killed = random.Random(0), 0

    def start() -> subprocess.Popen[bytes]:
        path = os.pathsep.join(part or str(Path.cwd()) for part in (*sys.path, str(Path(__file__).parents[1])))
        return subprocess.Popen([sys.executable, "-c", WORKER, where], start_new_session=True,
                                env={**os.environ, "PYTHONPATH": path})  # fmt: skip

    began, working = time.perf_counter(), [start(), start()]
    while waiting(database):
        time.sleep(rng.uniform(4.0, 12.0))
        place = rng.randrange(2)
        os.killpg(working[place].pid, signal.SIGKILL)
        working[place].wait()
        killed += 1
        working[place] = start()
    took = time.perf_counter() - began
    for one in working:
        one.terminate()
        one.wait()
    return killed, took


def main() -> int:
    """Measure, print, and say by the exit code whether everything held."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=10_000)
    jobs = parser.parse_args().jobs
    with tempfile.TemporaryDirectory() as scratch:
        where = str(Path(scratch) / "arena")
        database = Database(where)
        acknowledged, took = upload(where, prepare(database), Path(scratch) / "log")
        with database.read() as connection:
            kept = int(connection.scalar(sa.select(sa.func.count()).select_from(tables.submissions)) or 0)
        print(f"{UPLOADS} uploads at once: {acknowledged} acknowledged in {took:.2f} s, {kept} kept")
        for number in range(jobs - kept):
            queue.submit(database, 1 + number % UPLOADS, "queue", f"job {number}", ANSWERS)
        killed, took = drain(database, where)
        own = tables.scores
        with database.read() as connection:
            counts = connection.scalars(sa.select(sa.func.count()).select_from(own).group_by(own.c.submission)).all()
            failed = connection.scalar(sa.select(sa.func.count()).where(tables.submissions.c.state != "scored"))
            again = connection.scalar(sa.select(sa.func.count()).where(tables.jobs.c.attempts > 1))
    once = len(counts) == jobs and set(counts) == {len(_PLACES)} and not failed
    print(f"{jobs} jobs drained in {took:.0f} s ({jobs / took:.0f} a second) by two workers, {killed} of them killed; "
          f"{len(counts)} scored, {again} of them taken more than once, {failed} not scored")  # fmt: skip
    well = once and acknowledged == kept == UPLOADS
    print("each exactly once, no upload lost" if well else "MISSED")
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
