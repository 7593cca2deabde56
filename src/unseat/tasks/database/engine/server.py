"""A private PostgreSQL server, one a cache folder, shared by every process that uses it and stopped with the last."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

from unseat.core.errors import UserError
from unseat.tasks.database.engine.binaries import Installation, require

USER = "unseat"
PREFIX = "unseat-postgres-"
START_S = 30.0

SETTINGS: Mapping[str, str] = {
    # Planning is PostgreSQL's own; one process does a query's whole work, so that its CPU time can be read.
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    "shared_buffers": "256MB",
    "max_connections": "40",
    # Statistics stay as they were when the data was loaded.
    "autovacuum": "off",
    # Whatever the machine loses can be loaded again.
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "listen_addresses": "",
    "logging_collector": "off",
    "log_min_messages": "fatal",
}


class Server:
    """A running server.

    Args:
        home: Its folder in the cache: data, log, locks.
        installation: Which PostgreSQL.

    Attributes:
        socket: The folder of its socket, as libpq's ``host``.
    """

    def __init__(self, home: Path, installation: Installation) -> None:
        self.home, self.installation = home, installation
        home.mkdir(parents=True, exist_ok=True)
        self._lease: IO[str] | None = None
        self.socket = ""

    def ensure(self) -> str:
        """Start it where it does not run, and hold it until this process ends; the folder of its socket.

        Raises:
            UserError: It does not start.
        """
        if self._lease is None:
            self._lease = (self.home / "lease").open("a")
            # Waits only while the last keeper stops a server that nobody used.
            fcntl.flock(self._lease, fcntl.LOCK_SH)
        with self.lock("gate"):
            note = self.home / "socket"
            known = note.read_text() if note.exists() else ""
            if not (known and self._answers(known)):
                _remove(known)
                known = self._start()
                note.write_text(known)
        self.socket = known
        return known

    def release(self) -> None:
        """Let it go before this process ends; the last one out stops it."""
        if self._lease is not None:
            self._lease.close()
            self._lease = None

    def dsn(self, database: str) -> str:
        """How libpq reaches one of its databases."""
        return f"host={self.ensure()} user={USER} dbname={database}"

    @contextlib.contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """What only one process at a time may do."""
        with (self.home / f"{name}.lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _answers(self, folder: str) -> bool:
        """Whether a server answers; one that is there and recovers from a crash is waited for."""
        import psycopg

        deadline = time.monotonic() + START_S
        while True:
            try:
                psycopg.connect(host=folder, user=USER, dbname="postgres", connect_timeout=5).close()
                return True
            except psycopg.Error:
                if not self._runs() or time.monotonic() > deadline:
                    return False
            time.sleep(0.05)

    def _runs(self) -> bool:
        """Whether the process that has the data is at work, in this process's sight."""
        try:
            number = (self.home / "data" / "postmaster.pid").read_text().split()[0]
            return str(self.home).encode() in Path(f"/proc/{number}/cmdline").read_bytes()
        except (OSError, IndexError):
            return False

    def _start(self) -> str:
        data, log = self.home / "data", self.home / "log"
        folder = tempfile.mkdtemp(prefix=PREFIX)
        initialise = [] if (data / "PG_VERSION").exists() else [
            self.installation.program("initdb"), "-D", str(data), "-U", USER, "--auth=trust", "--encoding=UTF8",
            "--locale=C", "--no-sync",
        ]  # fmt: skip
        options = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
        command = [self.installation.program("postgres"), "-D", str(data), "-k", folder, *options]
        told = {"initialise": initialise, "command": command, "lease": str(self.home / "lease"), "folder": folder}
        with log.open("w") as said:
            keeper = subprocess.Popen(
                [sys.executable, "-I", "-S", str(Path(__file__).with_name("keeper.py")), json.dumps(told)],
                stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True, cwd="/",
            )  # fmt: skip
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            if Path(folder, ".s.PGSQL.5432").exists() and self._answers(folder):
                # It outlives this process, so nobody here waits for it.
                keeper.returncode = 0
                return folder
            if keeper.poll() is not None:
                break
            time.sleep(0.02)
        keeper.kill()
        _remove(folder)
        raise UserError(f"PostgreSQL {self.installation.version} does not start: {_last_line(log)}")


_servers: dict[Path, Server] = {}


def private(kind: str = "", *, hypopg: bool = False) -> Server:
    """The private server of this cache folder; the same object on every call in a process.

    Args:
        kind: Data that must not share a server have kinds of their own.
        hypopg: Whether it must have HypoPG.

    Raises:
        MissingExtra: There is no PostgreSQL here.
    """
    from unseat.data.store import cache_folder

    installation = require(hypopg=hypopg)
    # Another layout of the files on disk, or another build, needs a folder of its own.
    told = hashlib.sha256(f"{installation.folder} {sorted(SETTINGS.items())}".encode()).hexdigest()[:8]
    name = f"{installation.version}-{told}{'-' if kind else ''}{kind}"
    home = (cache_folder() / "postgres" / name).absolute()
    key = home / str(os.getpid())
    if key not in _servers:
        _servers[key] = Server(home, installation)
    return _servers[key]


def _remove(folder: str) -> None:
    """A socket's folder that a killed keeper has left."""
    if Path(folder).name.startswith(PREFIX):
        shutil.rmtree(folder, ignore_errors=True)


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return f"{lines[-1].strip()} (all of it in {log})" if lines else f"it says nothing; see {log}"
