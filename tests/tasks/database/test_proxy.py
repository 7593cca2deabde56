"""The proxy: every client gets what the server says, and the settings that the policy wants."""

from __future__ import annotations

import asyncio
import shutil
import socket
import ssl
import struct
import subprocess
import threading
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unseat.core.policy import Policy, Session, View
from unseat.tasks.database.engine.server import USER, private
from unseat.tasks.database.proxy import wire
from unseat.tasks.database.proxy.command import address
from unseat.tasks.database.proxy.decisions import Decisions
from unseat.tasks.database.proxy.server import change, serve


class ByText(Policy):
    """No nested loops where the text says so; looks at a plan first where it says that."""

    name = "by text"

    def start(self, view: View, seed: int) -> Session:
        session = Session()
        session.decide = self._decide  # type: ignore[method-assign]
        return session

    def _decide(self, observation: Any) -> int:
        if "plan" in observation["sql"] and not observation["plans"]:
            return 49
        return 1 if "loops" in observation["sql"] else 0


class Running:
    """A proxy in a thread."""

    def __init__(self, dsn: str, behind: Callable[[], Coroutine[Any, Any, asyncio.Server]] | None = None) -> None:
        self.decisions, self.loop, self.port = Decisions(ByText(), dsn), asyncio.new_event_loop(), 0
        self.ready = threading.Event()
        self.thread = threading.Thread(target=self._run, args=(address(dsn), behind))
        self.thread.start()
        self.ready.wait(20)

    def _run(self, where: Any, behind: Callable[[], Coroutine[Any, Any, asyncio.Server]] | None) -> None:
        listening = [self.loop.run_until_complete(behind())] if behind else []
        if listening:
            where = listening[0].sockets[0].getsockname()[:2]
        listening.append(self.loop.run_until_complete(serve(self.decisions, where, ("127.0.0.1", 0))))
        self.port = listening[-1].sockets[0].getsockname()[1]
        self.ready.set()
        self.loop.run_forever()
        for one in listening:
            one.close()
        left = asyncio.all_tasks(self.loop)
        if left:
            self.loop.run_until_complete(asyncio.wait(left, timeout=20))
        self.loop.close()

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(20)
        self.decisions.close()


@pytest.fixture(scope="module")
def proxy(cluster: Path) -> Iterator[Running]:
    running = Running(private().dsn("postgres"))
    yield running
    running.stop()


@pytest.fixture
def client(proxy: Running) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(host="127.0.0.1", port=proxy.port, user=USER, dbname="postgres", autocommit=True) as made:
        yield made


LOOPS = "SELECT setting AS loops FROM pg_settings WHERE name = 'enable_' || 'nestloop' AND 0 < "
"""A query that sees whether it was steered; nothing in it looks like a setting of the client's own."""
LOOPS = LOOPS.replace("'enable_' || 'nestloop'", "'enable' || chr(95) || 'nestloop'")


def test_a_query_runs_under_its_settings_and_the_next_one_does_not(
    proxy: Running, client: psycopg.Connection[Any]
) -> None:
    """Red: a decision has no effect, or stays on for queries that it was not about."""
    client.execute(LOOPS + "1")
    proxy.decisions.wait()
    for number in (2, 3):
        assert client.execute(LOOPS + str(number)).fetchone() == ("off",)
        other = (LOOPS + "1").replace("loops", "others")
        assert client.execute(other).fetchone() == ("on",)
    prepared = client.execute(LOOPS + "%s", (1,), prepare=True)
    proxy.decisions.wait()
    assert prepared.fetchone() is not None
    assert client.execute(LOOPS + "%s", (1,)).fetchone() == ("off",)


def test_nothing_is_changed_inside_a_transaction(proxy: Running, client: psycopg.Connection[Any]) -> None:
    """Red: the proxy's commands end up in a client's transaction, or a failed one is made worse."""
    client.execute(LOOPS + "1")
    proxy.decisions.wait()
    with client.transaction():
        client.execute("CREATE TEMPORARY TABLE mine (id integer)")
        assert client.execute(LOOPS + "4").fetchone() == ("on",)
    with pytest.raises(psycopg.Error, match="nowhere"), client.transaction():
        client.execute("SELECT * FROM nowhere")
    assert client.execute(LOOPS + "5").fetchone() == ("off",)


def test_a_client_that_sets_switches_is_left_alone(proxy: Running, client: psycopg.Connection[Any]) -> None:
    """Red: the proxy overrides what a person has asked for."""
    client.execute(LOOPS + "1")
    proxy.decisions.wait()
    assert client.execute(LOOPS + "1").fetchone() == ("off",)
    # What the proxy had set is gone with the first word of the client's own, and stays gone.
    client.execute("SET enable_mergejoin = off")
    for _ in range(2):
        assert client.execute(LOOPS + "1").fetchone() == ("on",)
    assert client.execute("SHOW enable_mergejoin").fetchone() == ("off",)


def test_what_a_stranger_says_is_not_decided_on(proxy: Running) -> None:
    """Red: whoever can connect has the proxy plan queries with its own rights, before the server has let him in."""
    known = set(proxy.decisions._known)
    with socket.create_connection(("127.0.0.1", proxy.port), 30) as stranger:
        named = b"user\0nobody-at-all\0database\0none\0\0"
        stranger.sendall(struct.pack("!II", 8 + len(named), 196608) + named)
        text = b"SELECT * FROM strangers WHERE id = 1\0"
        stranger.sendall(b"Q" + struct.pack("!I", 4 + len(text)) + text)
        while stranger.recv(4096):
            pass
    proxy.decisions.wait()
    assert set(proxy.decisions._known) == known


def test_copy_pipelines_large_rows_and_cancel(proxy: Running, client: psycopg.Connection[Any]) -> None:
    """Red: bytes are lost, reordered or held back where no query is."""
    client.execute("CREATE TEMPORARY TABLE copied (id integer, told text)")
    with client.cursor().copy("COPY copied FROM STDIN") as copy:
        for number in range(5000):
            copy.write_row((number, "Z" * (number % 50)))
    with client.cursor().copy("COPY copied TO STDOUT") as copy:
        assert sum(1 for _ in copy.rows()) == 5000
    with client.pipeline():
        cursors = [client.execute("SELECT %s::int", (number,)) for number in range(200)]
    assert [cursor.fetchone() for cursor in cursors] == [(number,) for number in range(200)]
    # What ends like the message that a server is ready, in the middle of a row.
    tricky = client.execute("SELECT %s::bytea, repeat('x', 3000000)", (b"Z\0\0\0\5I" * 20_000,), binary=True).fetchone()
    assert tricky is not None and tricky[0] == b"Z\0\0\0\5I" * 20_000 and len(tricky[1]) == 3_000_000
    # The other way to cancel holds the interpreter, and with it the proxy of this process.
    timer = threading.Timer(0.2, client.cancel_safe)
    timer.start()
    with pytest.raises(psycopg.errors.QueryCanceled):
        client.execute("SELECT pg_sleep(60)")
    timer.join()
    assert client.execute("SELECT 1").fetchone() == (1,)


class Terminator:
    """TLS in front of a server that has none: what a client and a proxy see is PostgreSQL with TLS."""

    def __init__(self, socket: str, folder: Path) -> None:
        self.socket = socket
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        key, certificate = folder / "key.pem", folder / "certificate.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate,
                        "-days", "2", "-subj", "/CN=localhost"], check=True, capture_output=True)  # fmt: skip
        self.context.load_cert_chain(certificate, key)

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readexactly(8) == (8).to_bytes(4, "big") + wire.TLS.to_bytes(4, "big")
        writer.write(b"S")
        await writer.start_tls(self.context)
        inner, outer = await asyncio.open_unix_connection(self.socket)
        both = [asyncio.create_task(self._pass(*ends)) for ends in ((reader, outer), (inner, writer))]
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        outer.close()
        writer.close()

    @staticmethod
    async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()


def test_tls_passes_through(cluster: Path, tmp_path: Path) -> None:
    """Red: an encrypted connection breaks in the proxy, is read by it, or is steered."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl here to make a certificate with")
    server = private()

    async def begin() -> asyncio.Server:
        socket = f"{server.ensure()}/.s.PGSQL.5432"
        return await asyncio.start_server(Terminator(socket, tmp_path), "127.0.0.1", 0)

    running = Running(server.dsn("postgres"), begin)
    try:
        with psycopg.connect(host="127.0.0.1", port=running.port, user=USER, dbname="postgres", sslmode="require",
                             autocommit=True) as client:  # fmt: skip
            assert client.pgconn.ssl_in_use
            for number in range(1, 4):
                assert client.execute(LOOPS + str(number)).fetchone() == ("on",)
                running.decisions.wait()
            with client.cursor().copy(
                "COPY (SELECT repeat('x', 1000) FROM generate_series(1, 5000)) TO STDOUT"
            ) as copy:
                assert sum(len(row[0]) for row in copy.rows()) == 5_000_000
            assert not running.decisions._known
    finally:
        running.stop()


def test_copy_in_and_out_of_a_client_that_is_steered(proxy: Running, client: psycopg.Connection[Any]) -> None:
    """Red: settings are changed while rows are copied, or a copy that fails leaves the connection out of step."""
    client.execute(LOOPS + "1")
    proxy.decisions.wait()
    assert client.execute(LOOPS + "2").fetchone() == ("off",)
    client.execute("CREATE TEMPORARY TABLE target (id integer)")
    with (
        pytest.raises(psycopg.Error, match="invalid input syntax"),
        client.cursor().copy("COPY target FROM STDIN") as copy,
    ):
        copy.write("1\nnonsense\n")
    assert client.execute(LOOPS + "3").fetchone() == ("off",)
    with client.cursor().copy("COPY target FROM STDIN") as copy:
        copy.write("1\n2\n")
    assert client.execute("SELECT count(*) FROM target").fetchone() == (2,)
    assert client.execute(LOOPS + "4").fetchone() == ("off",)


def test_psql_and_pgbench(proxy: Running, cluster: Path) -> None:
    """Red: ordinary clients cannot work through the proxy, or a reply is lost."""
    server = private().installation
    psql = server.program("psql") if Path(server.program("psql")).exists() else shutil.which("psql")
    assert psql
    where = ["-h", "127.0.0.1", "-p", str(proxy.port), "-U", USER]
    script = "SELECT generate_series(1, 3);\n\\d\nBEGIN; SELECT 1; ROLLBACK;\n"
    done = subprocess.run([psql, "-X", "-At", *where, "postgres"], input=script, capture_output=True, text=True,
                          timeout=60, check=False)  # fmt: skip
    assert done.returncode == 0 and done.stdout.split()[:3] == ["1", "2", "3"], done.stderr
    for protocol in ("simple", "extended", "prepared"):
        done = subprocess.run([server.program("pgbench"), *where, "-n", "-f", "/dev/stdin", "-M", protocol, "-c", "4",
                               "-t", "100", "postgres"], input="SELECT 1;\nSELECT abs(:client_id);\n",
                              capture_output=True, text=True, timeout=100, check=False)  # fmt: skip
        assert "actually processed: 400/400" in done.stdout, done.stdout + done.stderr


@given(st.lists(st.tuples(st.sampled_from([b"D", b"Z", b"N"]), st.binary(max_size=20)), max_size=8), st.integers(1, 9))
def test_the_cutter_finds_every_message_wherever_it_is_cut(messages: list[tuple[bytes, bytes]], size: int) -> None:
    """Red: a message whose bytes come in pieces is taken for another."""
    stream = b"".join(kind + (len(body) + 4).to_bytes(4, "big") + body for kind, body in messages)
    cutter, ended, passed = wire.Cutter(), [], b""
    reader, whole = wire.Reader(), []
    for at in range(0, len(stream), size):
        piece = stream[at : at + size]
        if (told := cutter.ready(piece)) is not None:
            # Whole messages only: it counts what the slow way finds.
            ready = [body[-1:] for kind, body in wire.Reader().messages(piece) if kind == b"Z"]
            assert told == (len(ready), ready[-1] if ready else b"")
        data = cutter.head + piece
        ended += [kind for _, _, kind, done in cutter.scan(data) if done]
        passed += data[: cutter.taken]
        whole += [message for _, message in reader.messages(piece)]
    assert ended == [kind for kind, _ in messages]
    assert passed + cutter.head == stream == b"".join(whole)


def test_changes_between_hint_sets() -> None:
    """Red: a setting of the last query stays on."""
    assert change(0, 1) == b"SET enable_nestloop = off"
    assert change(1, 0) == b"RESET enable_nestloop"
    assert set(change(1, 2).split(b"; ")) == {b"RESET enable_nestloop", b"SET enable_hashjoin = off"}
