"""A real server whose disk fills up, whose database goes away, and that is killed, while uploads come in."""

from __future__ import annotations

import os
import random
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
import sqlalchemy as sa
from tests.arena.conftest import POLICY, Served, archive

from unseat.arena import accounts, queue, tables
from unseat.arena.accounts import User
from unseat.arena.database import Database, moment
from unseat.arena.packing import packed
from unseat.arena.tracks import Track
from unseat.arena.worker import Worker
from unseat.sandbox import bubblewrap
from unseat.tasks.database.engine import binaries

THREADS = 4


class Uploads:
    """Participants that upload without end, each until the server takes no more.

    Args:
        word: An API token.
        archive: What they upload.

    Attributes:
        told: Ids of what was accepted.
        refused: Status and words of the answers that took nothing.
    """

    def __init__(self, word: str, archive: Callable[[], bytes] = archive) -> None:
        self.told: list[str] = []
        self.refused: list[tuple[int, str]] = []
        self._head, self._archive, self._came = {"authorization": f"Bearer {word}"}, archive, threading.Semaphore(0)
        self._threads: list[threading.Thread] = []

    def start(self, address: str) -> None:
        """Let them begin."""
        self._threads = [threading.Thread(target=self._upload, args=(address,)) for _ in range(THREADS)]
        for thread in self._threads:
            thread.start()

    def wait(self, many: int) -> None:
        """Until so many more were accepted."""
        for _ in range(many):
            assert self._came.acquire(timeout=60)

    def end(self) -> None:
        """Until each of them was told that nothing is taken, or was told nothing."""
        for thread in self._threads:
            thread.join()

    def _upload(self, address: str) -> None:
        while True:
            try:
                answer = requests.post(f"{address}/api/tracks/tiny/submissions", params={"name": "x"}, timeout=60,
                                       data=self._archive(), headers=self._head)  # fmt: skip
                if answer.status_code != 201:
                    self.refused.append((answer.status_code, answer.json()["detail"]))
                    return
                self.told.append(answer.json()["id"])
            except requests.RequestException:
                # It was killed before it answered: whether it took this one, nobody was told.
                return
            self._came.release()


def token(database: Database, user: User) -> str:
    """An API token."""
    with database.write() as connection:
        return accounts.make_token(connection, user.id, "test", moment(connection))


def kept(database: Database, content: bytes | None = None) -> set[str]:
    """The submissions that are there, each with its job and with all of what was uploaded."""
    own, blobs = tables.submissions, tables.blobs
    with database.read() as connection:
        rows = connection.execute(sa.select(own.c.id, blobs.c.content, tables.jobs.c.state)
                                  .outerjoin(blobs, blobs.c.hash == own.c.content)
                                  .outerjoin(tables.jobs, tables.jobs.c.submission == own.c.id)).all()  # fmt: skip
        if connection.dialect.name == "sqlite":
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    assert all(row.state and row.content and row.content == (content or row.content) for row in rows)
    return {row.id for row in rows}


def test_a_server_killed_again_and_again(
    database: Database, make_track: Callable[..., Track], make_user: Callable[..., User], tmp_path: Path
) -> None:
    """Red: an upload that was acknowledged before the server was killed is not there when it starts again."""
    make_track(references=[], per_day=100_000)
    uploads = Uploads(token(database, make_user()))
    for _ in range(2):
        with Served(str(tmp_path / "arena")) as served:
            uploads.start(served.address)
            uploads.wait(25)
            served.kill()
            uploads.end()
    assert len(uploads.told) >= 50 and uploads.refused == []
    assert set(uploads.told) <= kept(database, archive())


@pytest.mark.skipif(bubblewrap.found() is None, reason=f"no bubblewrap here; {bubblewrap.INSTALL}")
def test_a_disk_that_is_really_full(
    database: Database, make_track: Callable[..., Track], make_user: Callable[..., User], tmp_path: Path
) -> None:
    """Red: an upload that found no room is accepted, takes others with it, or the server does not get over it."""
    make_track(references=[], per_day=100_000)
    rng = random.Random(0)
    uploads = Uploads(token(database, make_user()), lambda: packed({"policy.py": POLICY.encode(),
                                                                     "noise": rng.randbytes(60_000)}))  # fmt: skip
    database.close()
    small = tmp_path / "small"
    small.mkdir()
    # A file system of four megabytes, of which a file takes one, that nobody but the server sees.
    begin = 'cp -r "$0"/. "$1" && head -c 1000000 /dev/zero > "$1/filler" && shift && exec "$@"'
    under = ["bwrap", "--dev-bind", "/", "/", "--size", "4194304", "--tmpfs", str(small), "--die-with-parent", "--",
             "sh", "-c", begin, str(tmp_path / "arena"), str(small)]  # fmt: skip
    with Served(str(small), under=under) as served:
        # Bubblewrap may stay beside what it has started.
        own = psutil.Process(served.process.pid)
        folders = [Path(f"/proc/{one.pid}/root{small}") for one in (own, *own.children(recursive=True))]
        inside = next((one for one in folders if (one / "filler").exists()), None)
        if inside is None:
            pytest.skip("the folder of another mount namespace cannot be reached here")
        uploads.start(served.address)
        uploads.end()
        assert len(uploads.told) >= THREADS and {code for code, _ in uploads.refused} == {503}
        assert all("try again" in words for _, words in uploads.refused)
        assert requests.get(f"{served.address}/tracks/tiny", timeout=60).status_code == 200
        (inside / "filler").unlink()
        before = len(uploads.told)
        uploads.start(served.address)
        uploads.wait(2 * THREADS)
        uploads.end()
        # SQLite would take the path for one in our own namespace; nobody writes now.
        again = Database(shutil.copytree(inside, tmp_path / "copy"))
        assert len(uploads.told) > before and set(uploads.told) == kept(again)
        again.close()


@pytest.mark.skipif(bubblewrap.found() is None, reason=f"no bubblewrap here; {bubblewrap.INSTALL}")
class TestOnPostgresql:
    """An arena whose database is a server of its own."""

    @pytest.fixture
    def running(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
        """A PostgreSQL server with an empty database; its socket is reached by a link, for it moves with each start."""
        if binaries.find() is None or binaries.driver() is None:
            pytest.skip("no PostgreSQL is installed here")
        import psycopg

        from unseat.tasks.database.engine import server

        monkeypatch.setenv("UNSEAT_CACHE", str(tmp_path / "cache"))
        running = server.private("arena")
        with psycopg.connect(running.dsn("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE arena")
        (tmp_path / "socket").symlink_to(running.socket)
        yield running
        running.release()

    @pytest.fixture
    def url(self, running: Any, tmp_path: Path) -> str:
        """The database's address."""
        return f"postgresql://unseat@/arena?host={tmp_path / 'socket'}"

    @pytest.fixture
    def database(self, url: str) -> Iterator[Database]:
        """In place of the one in a folder; several open it at once, and all of them would make its tables."""
        with ThreadPoolExecutor(4) as pool:
            made, *others = pool.map(lambda _: Database(url), range(4))
        for one in others:
            one.close()
        yield made
        made.close()

    def test_it_crashes_and_comes_back(
        self, running: Any, url: str, database: Database, make_track: Callable[..., Track],
        make_user: Callable[..., User], tmp_path: Path,
    ) -> None:  # fmt: skip
        """Red: an upload or a score is lost with a database that crashes, or the arena does not outlast the crash."""
        make_track(rows=2, references=[], per_day=100_000, private_share=0.0)
        uploads = Uploads(token(database, make_user()))
        with Served(url) as served:
            uploads.start(served.address)
            uploads.wait(25)
            taken = queue.take(database, "test")
            assert taken is not None
            # PostgreSQL's immediate shutdown: what was not written when it was acknowledged is gone.
            os.kill(int((running.home / "data" / "postmaster.pid").read_text().split()[0]), signal.SIGQUIT)
            uploads.end()
            assert {code for code, _ in uploads.refused} == {503}
            for path, code in (("healthz", 200), ("readyz", 503), ("tracks/tiny", 503)):
                assert requests.get(f"{served.address}/{path}", timeout=60).status_code == code
            socket = running.ensure()
            (tmp_path / "socket").unlink()
            (tmp_path / "socket").symlink_to(socket)
            uploads.start(served.address)
            uploads.wait(5)
            assert requests.get(f"{served.address}/readyz", timeout=60).status_code == 200
        uploads.end()
        with Worker(database) as worker:
            assert worker.do(taken)
        assert set(uploads.told) <= kept(database, archive())
