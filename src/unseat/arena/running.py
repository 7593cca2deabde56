"""Starting a server: the address, the first invitation, workers beside it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from types import FrameType

import sqlalchemy as sa
import typer

from unseat.arena import accounts, tables
from unseat.arena.database import Database, moment
from unseat.core.errors import UserError

_LOOK_S = 1.0


def serve(where: str, host: str, port: int, title: str, https: bool, proxy: str | None, workers: int) -> int:
    """Serve until interrupted; see `unseat arena serve`."""
    import uvicorn

    from unseat.arena.server.app import create_app

    database = Database(where)
    app = create_app(database, secure=https, title=title)
    listening = _listen(host, port)
    address = f"http{'s' if https else ''}://{host}:{listening.getsockname()[1]}"
    typer.echo(f"arena {database.url} at {address}")
    if (word := first_invitation(database)) is not None:
        typer.echo(f"no organiser yet; make the account at {address}/sign-up?invitation={word}")
    beside = [subprocess.Popen([sys.executable, "-m", "unseat.arena.running", where]) for _ in range(workers)]
    config = uvicorn.Config(app, log_level="warning", access_log=False, proxy_headers=proxy is not None,
                            forwarded_allow_ips=proxy or "", server_header=False, timeout_keep_alive=20,
                            timeout_graceful_shutdown=20)  # fmt: skip
    # Pages are made in threads; those who only fetch one that is ready must not wait long for their turn.
    sys.setswitchinterval(0.0005)
    # Uvicorn sends itself the signal again that it ended for, which would end this process before its workers.
    signal.signal(signal.SIGTERM, _ended)
    try:
        uvicorn.Server(config).run(sockets=[listening])
    except SystemExit:
        pass
    finally:
        for one in beside:
            one.send_signal(signal.SIGTERM)
        for one in beside:
            one.wait()
        database.close()
    return 0


def _ended(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)


def first_invitation(database: Database) -> str | None:
    """An invitation for an organiser, where there is none yet."""
    with database.write() as connection:
        own = tables.users
        asked = sa.select(sa.func.count()).select_from(own).where(own.c.role == accounts.ORGANISER)
        if connection.scalar(asked):
            return None
        return accounts.invite(connection, accounts.ORGANISER, moment(connection))


def set_sign_up(database: Database, everybody: bool) -> None:
    """Whether an account needs an invitation."""
    own = tables.settings
    with database.write() as connection:
        connection.execute(sa.delete(own).where(own.c.key == "sign-up"))
        connection.execute(sa.insert(own), {"key": "sign-up", "value": "open" if everybody else "invited"})


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise UserError(f"cannot listen at {host}:{port} ({error.strerror}); give another with --port") from error
    listening.listen(1024)
    return listening


if __name__ == "__main__":
    # A worker beside the server gives way to it, and does not outlive it.
    os.nice(10)
    from unseat.arena.worker import Worker, work

    beside, server = Worker(Database(sys.argv[1])), os.getppid()

    def watch() -> None:
        while os.getppid() == server:
            time.sleep(_LOOK_S)
        beside.stop()

    threading.Thread(target=watch, daemon=True).start()
    work(beside)
