"""The private server: shared, private, and gone when nobody uses it any more, however they end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from tests.tasks.database.small_query import SmallQuery

from unseat.core.errors import UserError
from unseat.core.outcome import Limits, Status
from unseat.core.policy import Policy, Session, View
from unseat.lab.attempt import attempt
from unseat.tasks.database.engine import server as servers
from unseat.tasks.database.engine.connection import Connection, Lost, StatementError
from unseat.tasks.database.query.policies import Fixed

USER = """
import sys
from unseat.tasks.database.engine.server import private
print(private("tests").dsn("postgres"), flush=True)
sys.stdin.read()
"""


def user(cluster: Path) -> subprocess.Popen[str]:
    """Another process that uses a server of the tests' own."""
    return subprocess.Popen([sys.executable, "-c", USER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                            env={**os.environ, "UNSEAT_CACHE": str(cluster)})  # fmt: skip


def postmasters(cluster: Path) -> list[psutil.Process]:
    """Servers of the tests' own kind that run."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        line = process.info["cmdline"] or []
        if len(line) > 2 and line[1] == "-D" and line[2].startswith(str(cluster)) and "-tests" in line[2]:
            found.append(process)
    return found


def gone(cluster: Path, folder: str) -> bool:
    """Whether server and folder go in a while."""
    for _ in range(400):
        if not postmasters(cluster) and not Path(folder).exists():
            return True
        time.sleep(0.05)
    return False


def test_two_users_share_a_server_and_nothing_outlives_them(cluster: Path) -> None:
    """Red: two sweeps at once start two servers on one folder, or a server, socket or folder outlives a killed user."""
    first, second = user(cluster), user(cluster)
    assert first.stdout is not None and second.stdout is not None
    told, same = first.stdout.readline(), second.stdout.readline()
    assert told == same and told.startswith("host=/")
    folder = told.split()[0].removeprefix("host=")
    assert len(postmasters(cluster)) == 1
    first.kill()
    first.communicate()
    Connection(same.strip()).close()
    second.kill()
    second.communicate()
    assert gone(cluster, folder)


def test_killing_the_keeper_kills_the_server(cluster: Path) -> None:
    """Red: a server is left without anyone who would stop it, or its socket's folder stays for ever."""
    one = user(cluster)
    assert one.stdout is not None
    folder = one.stdout.readline().split()[0].removeprefix("host=")
    keeper = postmasters(cluster)[0].parent()
    assert keeper is not None and "keeper.py" in " ".join(keeper.cmdline())
    keeper.kill()
    psutil.wait_procs(postmasters(cluster), timeout=20)
    assert not postmasters(cluster)
    one.communicate("")
    other = user(cluster)
    assert other.stdout is not None and other.stdout.readline().startswith("host=/")
    assert not Path(folder).exists()
    other.communicate("")


class Killing(Policy):
    """Kills the server's process behind the connection when it is asked."""

    name = "killing"

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def start(self, view: View, seed: int) -> Session:
        session = Session()
        session.decide = self._kill  # type: ignore[method-assign]
        return session

    def _kill(self, observation: object) -> int:
        os.kill(self.pid, signal.SIGKILL)
        return 0


def test_a_server_that_dies_is_an_outcome_and_the_next_run_is_fine(cluster: Path) -> None:
    """Red: a crash of the server ends the sweep, or the runs after it."""
    from unseat.tasks.database.query.problem import connection

    task = SmallQuery()
    instance = task.instances()[0]
    problem = task.load(instance)
    session = connection(problem.database)
    assert isinstance(session, Connection)
    pid = int(session.query("SELECT pg_backend_pid()")[0][0])
    outcome = attempt(task, instance, Killing(pid), seed=0, limits=Limits())
    assert outcome.status is Status.CRASHED and "connection" in outcome.message
    assert outcome.value == task.objective.failure(problem, Limits())
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            again = attempt(task, instance, Fixed("default"), seed=0, limits=Limits())
            break
        except UserError:
            # PostgreSQL recovers from the crash of one of its processes.
            time.sleep(0.1)
    assert again.status is Status.OK


def test_statements_fail_in_ways_that_can_be_told_apart(cluster: Path) -> None:
    """Red: a time-out is taken for a crash, a statement can write, or two statements go for one."""
    connection = Connection(servers.private().dsn("postgres"))
    with pytest.raises(StatementError) as slow:
        connection.execute("SELECT pg_sleep(30)", {}, 50)
    assert slow.value.status is Status.TIMEOUT
    with pytest.raises(StatementError) as writes:
        connection.execute("CREATE TABLE made (id integer)", {}, 5000)
    assert writes.value.status is Status.INVALID
    with pytest.raises(StatementError, match="multiple commands"):
        connection.execute("SELECT 1; COMMIT; CREATE TABLE made (id integer)", {}, 5000)
    assert connection.execute("SELECT 1", {}, 5000).rows == 1
    pid = connection.query("SELECT pg_backend_pid()")[0][0]
    Connection(servers.private().dsn("postgres")).query("SELECT pg_terminate_backend(%s)", pid)
    with pytest.raises(Lost):
        connection.execute("SELECT 1", {}, 5000)
    assert not connection.alive


def test_settings_end_with_their_statement(cluster: Path) -> None:
    """Red: a hint set stays on the connection, and the next contender runs under it too."""
    connection = Connection(servers.private().dsn("postgres"))
    connection.execute("SELECT 1", {"enable_nestloop": "off"}, 5000)
    assert connection.query("SHOW enable_nestloop") == [("on",)]
    assert connection.query("SHOW statement_timeout") == [("0",)]


def test_the_digest_is_of_the_rows_and_not_of_their_order(cluster: Path) -> None:
    """Red: wrong rows pass the check, or right ones in another order do not."""
    connection = Connection(servers.private().dsn("postgres"))

    def digest(text: str) -> int:
        return connection.execute(text, {}, 5000).digest

    one = digest("SELECT * FROM (VALUES (1, 'a'), (2, NULL)) rows ORDER BY 1")
    assert one == digest("SELECT * FROM (VALUES (1, 'a'), (2, NULL)) rows ORDER BY 1 DESC")
    wrong = ["(1, 'a'), (2, '')", "(1, 'a'), (1, 'a')", "(1, 'b'), (2, NULL)", "(1, 'a')", "(2, 'a'), (1, NULL)"]
    assert one not in {digest(f"SELECT * FROM (VALUES {values}) rows") for values in wrong}
    nearly = {digest(f"SELECT {value}::float8") for value in ("0.1", "0.1000000001")}
    assert len(nearly) == 1


@pytest.mark.parametrize("dsn", ["postgresql://nobody:wrong@127.0.0.1:1/none", "postgresql:///x?host=/nowhere"])
def test_a_server_that_cannot_be_reached_is_one_line(dsn: str) -> None:
    """Red: a person with a wrong password or host gets a traceback."""
    pytest.importorskip("psycopg")
    with pytest.raises(UserError, match="cannot be reached") as error:
        Connection(dsn)
    assert "\n" not in str(error.value)
