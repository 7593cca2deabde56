"""What the proxy costs: pgbench straight, through pgbouncer and through `unseat serve query`, in one run.

    python -m benchmarks.query_proxy [--seconds 8] [--statements 0]

Select-only statements of pgbench, with every decision cached. With one client the difference of the median latencies is
printed, at eight clients statements a second, and with each the CPU time a statement of the one in the middle. With
`--statements N` pgbench also sends N statements through the proxy and every reply is counted. Ends with 1 unless the
goals are met: under 0.3 ms more at the median for one client, and at eight at least half of pgbouncer's throughput.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from unseat.tasks.database.engine.server import USER, Server, private

MORE_MS, HALF = 0.3, 0.5
ROWS = 100_000
SELECT = f"\\set aid random(1, {ROWS})\nSELECT told FROM bench WHERE id = :aid;\n"


def free() -> int:
    """A port that nobody listens on."""
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return int(made.getsockname()[1])


@contextlib.contextmanager
def running(command: list[str], port: int, **how: object) -> Iterator[psutil.Process]:
    """A process that listens on a port, ended at the end."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **how)  # type: ignore[call-overload]
    try:
        for _ in range(400):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            if process.poll() is not None:
                sys.exit(f"{command[0]} does not start: {process.stderr.read().decode()[-300:]}")
            time.sleep(0.05)
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(20)


def bench(server: Server, folder: Path, host: str, port: int, clients: int, *how: str) -> tuple[float, float, int]:
    """Median latency in ms, statements a second, and how many were answered."""
    for old in folder.glob("pgbench_log*"):
        old.unlink()
    script = folder / "select.sql"
    script.write_text(SELECT)
    done = subprocess.run([server.installation.program("pgbench"), "-h", host, "-p", str(port), "-U", USER, "-n", "-f",
                           str(script), "-c", str(clients), "-j", "1", "-l", *how, "postgres"], cwd=folder, text=True,
                          capture_output=True, check=False)  # fmt: skip
    if done.returncode:
        sys.exit(f"pgbench: {done.stderr[-300:]}")
    rate = float(re.findall(r"tps = ([\d.]+)", done.stdout)[0])
    count = int(re.findall(r"actually processed: (\d+)", done.stdout)[0])
    lines = [line.split() for log in folder.glob("pgbench_log*") for line in log.read_text().splitlines()]
    return statistics.median(int(line[2]) for line in lines) / 1000, rate, count


def main() -> None:
    """Measure, print, and say whether the goals are met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--statements", type=int, default=0)
    arguments = parser.parse_args()
    import psycopg

    server = private("proxy")
    with psycopg.connect(server.dsn("postgres"), autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS bench")
        connection.execute(
            "CREATE TABLE bench AS SELECT id, repeat('x', 80) AS told FROM generate_series(1, 100000) id"
        )
        connection.execute("ALTER TABLE bench ADD PRIMARY KEY (id)")
    ports = {"pgbouncer": free(), "unseat": free()}
    with tempfile.TemporaryDirectory() as scratch, contextlib.ExitStack() as stack:
        folder = Path(scratch)
        own = [
            sys.executable, "-c", "from unseat.cli import main; main()", "serve", "query", "--policy", "guarded",
            "--server", f"postgresql://{USER}@/postgres?host={server.ensure()}",
            "--listen", f"127.0.0.1:{ports['unseat']}",
        ]  # fmt: skip
        middle = {"unseat": stack.enter_context(running(own, ports["unseat"]))}
        if shutil.which("pgbouncer"):
            middle["pgbouncer"] = stack.enter_context(bouncer(server, folder, ports["pgbouncer"]))
        met = compare(server, folder, ports, middle, arguments.seconds)
        if arguments.statements:
            each = arguments.statements // 8
            _, rate, count = bench(server, folder, "127.0.0.1", ports["unseat"], 8, "-t", str(each))
            print(f"{count:,} of {8 * each:,} statements answered, {rate:,.0f} a second")
            met &= count == 8 * each
    if not met:
        sys.exit("missed")
    print("goals met")


def bouncer(server: Server, folder: Path, port: int) -> contextlib.AbstractContextManager[psutil.Process]:
    """Debian's pgbouncer in front of the same server, sessions pooled as the proxy has them."""
    home = Path(tempfile.mkdtemp(dir=folder))
    (home / "users").write_text(f'"{USER}" ""\n')
    (home / "ini").write_text(f"""[databases]
postgres = host={server.ensure()} user={USER}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
auth_type = trust
auth_file = {home}/users
unix_socket_dir =
pool_mode = session
max_client_conn = 50
default_pool_size = 30
""")
    command = ["pgbouncer", str(home / "ini")]
    if os.geteuid() == 0:
        # It refuses root, as the server does.
        folder.chmod(0o755)
        keeper = Path(sys.modules["unseat.tasks.database.engine.server"].__file__ or "").with_name("keeper.py")
        code = ("import runpy, os, sys; runpy.run_path(sys.argv[1])['become_nobody'](); "
                "os.execvp(sys.argv[2], sys.argv[2:])")  # fmt: skip
        command = [sys.executable, "-c", code, str(keeper), *command]
    return running(command, port)


def compare(
    server: Server, folder: Path, ports: dict[str, int], middle: dict[str, psutil.Process], seconds: int
) -> bool:
    """Print a row for each way; whether the goals are met."""
    where = {"straight": (server.ensure(), 5432), **{name: ("127.0.0.1", ports[name]) for name in middle}}
    latency: dict[str, float] = {}
    rates: dict[str, float] = {}
    for name, (host, port) in where.items():
        bench(server, folder, host, port, 1, "-t", "200")
        latency[name], _, _ = bench(server, folder, host, port, 1, "-T", str(seconds))
        before = sum(middle[name].cpu_times()[:2]) if name in middle else 0.0
        _, rates[name], count = bench(server, folder, host, port, 8, "-T", str(seconds))
        spent = sum(middle[name].cpu_times()[:2]) - before if name in middle else 0.0
        print(f"{name:10} {latency[name]:7.3f} ms with one client, {rates[name]:9,.0f}/s with eight, "
              f"{1e6 * spent / count:6.1f} us of CPU time a statement in the middle")  # fmt: skip
    more = latency["unseat"] - latency["straight"]
    share = rates["unseat"] / rates["pgbouncer"] if "pgbouncer" in rates else float("nan")
    print(
        f"the proxy adds {more:.3f} ms at the median (goal {MORE_MS}) "
        f"and carries {share:.2f} of pgbouncer's load (goal {HALF})"
    )
    return more < MORE_MS and share >= HALF


if __name__ == "__main__":
    main()
