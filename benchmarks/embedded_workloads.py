"""What the embedded traces are recorded from: real programs, each with a set-up and a run."""

from __future__ import annotations

import argparse
import random
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from unseat.tasks.cache.generators import zipf_ranks
from unseat.tasks.cache.recorder import Unit


@dataclass(frozen=True)
class Workload:
    """Set-up and run of one recording; `page_size` is the reading unit of the program."""

    about: str
    run: Callable[[Path, argparse.Namespace], None]
    prepare: Callable[[Path, argparse.Namespace], None] | None = None
    page_size: int = 4096
    units: tuple[Unit, ...] = ("page",)
    requests: int = 250_000  # kept from the start of the recording


def shell(command: str, folder: Path, check: bool = True) -> None:
    """Run a command line in a folder, silently."""
    nothing = subprocess.DEVNULL
    subprocess.run(["bash", "-c", command], cwd=folder, check=check, stdin=nothing, stdout=nothing, stderr=nothing)


# --- SQLite: a shop ------------------------------------------------------------------------------------------------

CUSTOMERS, ITEMS, ORDERS = 30_000, 8_000, 90_000


def sqlite_prepare(folder: Path, options: argparse.Namespace) -> None:
    """Customers, items, orders and their lines: about 45 MB in 4 KiB pages."""
    rng = random.Random(1)
    db = sqlite3.connect(folder / "shop.db")
    db.executescript("""
        PRAGMA page_size=4096;
        CREATE TABLE customer(id INTEGER PRIMARY KEY, name TEXT, address TEXT, balance REAL);
        CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT, price REAL, stock INTEGER, text TEXT);
        CREATE TABLE orders(id INTEGER PRIMARY KEY, customer INTEGER, day INTEGER, total REAL);
        CREATE TABLE line(id INTEGER PRIMARY KEY, orders INTEGER, item INTEGER, amount INTEGER, note TEXT);
    """)
    db.executemany(
        "INSERT INTO customer VALUES(?,?,?,?)",
        ((i, f"customer {i}", "x" * rng.randint(40, 160), 0.0) for i in range(CUSTOMERS)),
    )
    db.executemany(
        "INSERT INTO item VALUES(?,?,?,?,?)",
        ((i, f"item {i}", rng.random() * 90, 1000, "y" * rng.randint(100, 900)) for i in range(ITEMS)),
    )
    popular = zipf_ranks(3 * ORDERS, ITEMS, 0.9, seed=2)
    db.executemany(
        "INSERT INTO orders VALUES(?,?,?,?)",
        ((i, rng.randrange(CUSTOMERS), i // 300, rng.random() * 200) for i in range(ORDERS)),
    )
    db.executemany(
        "INSERT INTO line VALUES(?,?,?,?,?)",
        (
            (i, i // 3, int(popular[i]) * 4099 % ITEMS, rng.randint(1, 5), "z" * rng.randint(10, 60))
            for i in range(3 * ORDERS)
        ),
    )
    db.executescript("""
        CREATE INDEX orders_customer ON orders(customer);
        CREATE INDEX line_orders ON line(orders);
        CREATE INDEX line_item ON line(item);
        ANALYZE;
    """)
    db.commit()
    db.close()


def sqlite_open(folder: Path) -> sqlite3.Connection:
    db = sqlite3.connect(folder / "shop.db", isolation_level=None)
    db.executescript("PRAGMA cache_size=8; PRAGMA mmap_size=0; PRAGMA synchronous=OFF; PRAGMA journal_mode=MEMORY;")
    return db


def sqlite_orders(folder: Path, options: argparse.Namespace) -> None:
    """Orders come in, customers look at theirs, sellers look at items, a daily report scans the latest orders."""
    rng, db = random.Random(3), sqlite_open(folder)
    next_order, next_line = ORDERS, 3 * ORDERS
    ranks = zipf_ranks(60_000, ITEMS, 1.0, seed=4)
    buyers = zipf_ranks(60_000, CUSTOMERS, 0.8, seed=5)
    for step in range(9_000):
        season = step // 1500 * 997  # what is popular moves on
        wanted = [(int(r) * 4099 + season) % ITEMS for r in ranks[step * 4 : step * 4 + 4]]
        buyer = (int(buyers[step]) * 7919 + season) % CUSTOMERS
        kind = rng.random()
        if kind < 0.45:
            db.execute("BEGIN")
            db.execute("SELECT * FROM customer WHERE id=?", (buyer,)).fetchone()
            for item in wanted[: rng.randint(1, 4)]:
                db.execute("SELECT price FROM item WHERE id=?", (item,)).fetchone()
                db.execute("UPDATE item SET stock=stock-1 WHERE id=?", (item,))
                db.execute("INSERT INTO line VALUES(?,?,?,1,'')", (next_line, next_order, item))
                next_line += 1
            db.execute("INSERT INTO orders VALUES(?,?,?,0)", (next_order, buyer, next_order // 300))
            next_order += 1
            db.execute("COMMIT")
        elif kind < 0.75:
            db.execute(
                "SELECT * FROM orders o JOIN line l ON l.orders=o.id WHERE o.customer=? ORDER BY o.id DESC LIMIT 8",
                (buyer,),
            ).fetchall()
        elif kind < 0.997:
            db.execute("SELECT * FROM item WHERE id BETWEEN ? AND ?", (wanted[0], wanted[0] + 12)).fetchall()
            db.execute("SELECT orders FROM line WHERE item=? ORDER BY id DESC LIMIT 10", (wanted[1],)).fetchall()
        else:
            db.execute(
                "SELECT day, sum(price*amount) FROM orders o JOIN line l ON l.orders=o.id JOIN item i ON i.id=l.item "
                "WHERE o.id>? GROUP BY day",
                (next_order - 900,),
            ).fetchall()


def sqlite_reports(folder: Path, options: argparse.Namespace) -> None:
    """An analyst's session: scans, joins by index, and the same questions again with other limits."""
    rng, db = random.Random(6), sqlite_open(folder)
    questions = (
        "SELECT day, sum(total) FROM orders WHERE day BETWEEN {a} AND {b} GROUP BY day",
        "SELECT item, sum(amount) FROM line WHERE orders BETWEEN {a}*300 AND {b}*300 GROUP BY item",
        "SELECT count(*) FROM item WHERE text LIKE '%q%'",
        "SELECT c.name, o.total FROM orders o JOIN customer c ON c.id=o.customer WHERE o.day BETWEEN {a} AND {a}+4",
        "SELECT i.name, count(*) FROM line l JOIN item i ON i.id=l.item "
        "WHERE l.orders BETWEEN {a}*300 AND {a}*300+700 GROUP BY i.id",
        "SELECT avg(balance) FROM customer WHERE id BETWEEN {a}*90 AND {b}*90",
        "SELECT count(*) FROM line WHERE note LIKE 'zzzz%'",
    )
    for _ in range(45):
        a = rng.randrange(250)
        db.execute(rng.choices(questions, (6, 5, 3, 2, 2, 5, 1))[0].format(a=a, b=a + rng.randint(5, 50))).fetchall()


# --- PostgreSQL ----------------------------------------------------------------------------------------------------

PG = Path("/usr/lib/postgresql/15/bin")
SERVER = "-h /tmp -p 5599 -U postgres"
AS_POSTGRES = "setpriv --reuid=postgres --regid=postgres --clear-groups"
SCRIPTS = {
    "pay.sql": """\\set a permute(random_zipfian(1, 400000, 1.05), 400000) + 1
\\set d random(-500, 500)
BEGIN; UPDATE pgbench_accounts SET abalance = abalance + :d WHERE aid = :a;
SELECT abalance FROM pgbench_accounts WHERE aid = :a;
INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES (1, 1, :a, :d, now()); END;
""",
    "statement.sql": """\\set a random_gaussian(1, 390000, 4)
SELECT sum(abalance) FROM pgbench_accounts WHERE aid BETWEEN :a AND :a + 900;
""",
    "audit.sql": """\\set a random(0, 3) * 100000
SELECT sum(abalance) FROM pgbench_accounts WHERE aid BETWEEN :a AND :a + 25000;
""",
    "recent.sql": "SELECT sum(delta) FROM (SELECT delta FROM pgbench_history LIMIT 3000) h;\n",
    "join.sql": """\\set a random(1, 60000)
SELECT count(*), max(f.v) FROM fact f JOIN dim d ON d.id = f.dim WHERE f.id BETWEEN :a AND :a + 400 AND d.kind < 40;
""",
    "dimension.sql": """\\set k random_exponential(0, 99, 6)
SELECT d.id, (SELECT max(v) FROM fact f WHERE f.dim = d.id) FROM dim d WHERE d.kind = :k LIMIT 60;
""",
    "sweep.sql": "SELECT count(*) FROM fact WHERE v > 0.999;\n",
}
STAR = """CREATE TABLE dim AS SELECT i AS id, i * 7919 % 100 AS kind, repeat('d', 60 + i % 90) AS pad
FROM generate_series(1, 60000) i;
CREATE TABLE fact AS SELECT i AS id, (1 + 59999 * power(random(), 3))::int AS dim, random() AS v,
    repeat('f', 150) AS pad
FROM generate_series(1, 150000) i;
ALTER TABLE dim ADD PRIMARY KEY (id); ALTER TABLE fact ADD PRIMARY KEY (id);
CREATE INDEX ON fact(dim); CREATE INDEX ON dim(kind); VACUUM ANALYZE;
"""


def postgres_prepare(folder: Path, options: argparse.Namespace) -> None:
    """A cluster with 32 buffers of 8 KiB, pgbench's tables at scale 4 and a star of two tables: about 110 MB."""
    for name, text in SCRIPTS.items():
        (folder / name).write_text(text)
    (folder / "star.sql").write_text(STAR)
    shell(f"chmod 755 .. .; mkdir pg && chown postgres pg && {AS_POSTGRES} {PG}/initdb -D pg -A trust", folder)
    with (folder / "pg/postgresql.conf").open("a") as conf:
        conf.write(
            "listen_addresses=''\nunix_socket_directories='/tmp'\nport=5599\nshared_buffers=256kB\nautovacuum=off\n"
            "max_parallel_workers_per_gather=0\nenable_hashjoin=off\nenable_bitmapscan=off\nfsync=off\n"
            "effective_io_concurrency=0\nmax_wal_size=4GB\nmax_connections=10\n"
        )
    shell(_served(f"pgbench {SERVER} -i -s 4 -q postgres; psql {SERVER} -f star.sql postgres"), folder)


def _served(commands: str) -> str:
    stop = f"{AS_POSTGRES} {PG}/pg_ctl -D pg -m fast -w stop"
    wait = f"until pg_isready -q {SERVER}; do sleep .2; done"
    return f"{AS_POSTGRES} {PG}/postgres -D pg & {wait}; {commands}; {stop}; wait"


def pgbench(scripts: str, transactions: int) -> Callable[[Path, argparse.Namespace], None]:
    """A run of weighted scripts, one client."""

    def run(folder: Path, options: argparse.Namespace) -> None:
        files = " ".join(f"-f {script}" for script in scripts.split())
        shell(_served(f"pgbench {SERVER} -n -t {transactions} --random-seed=7 {files} postgres"), folder)

    return run


# --- RocksDB -------------------------------------------------------------------------------------------------------


def rocksdb(latest: bool) -> Callable[[Path, argparse.Namespace], None]:
    """A log-structured tree under inserts, updates, lookups and short scans; compaction replaces files all the time."""

    def run(folder: Path, options: argparse.Namespace) -> None:
        # Not a dependency, and without types: whoever records anew installs it.
        rocks: Any = import_module("rocksdict")

        settings, table = rocks.Options(raw_mode=True), rocks.BlockBasedOptions()
        table.disable_cache()
        table.set_bloom_filter(10, False)
        settings.set_block_based_table_factory(table)
        settings.set_compression_type(rocks.DBCompressionType.none())
        settings.set_write_buffer_size(2**20)
        settings.set_target_file_size_base(2**20)
        settings.set_max_bytes_for_level_base(2**22)
        settings.create_if_missing(True)
        rng = random.Random(8)
        db = rocks.Rdict(str(folder / ("latest" if latest else "update")), settings)
        value = bytes(rng.getrandbits(8) for _ in range(4096))

        def put(key: int) -> None:
            at = rng.randrange(3700)
            db[b"%012d" % key] = value[at : at + 220]

        count = 50_000
        for key in rng.sample(range(count), count):
            put(key)
        ranks = zipf_ranks(400_000, count, 0.99, seed=9)
        for step in range(150_000):
            rank, kind = int(ranks[step]), rng.random()
            if latest and kind < 0.12:
                put(count)
                count += 1
            elif latest:
                db.get(b"%012d" % (count - 1 - rank))
            elif kind < 0.3:
                put(rank * 7919 % count)
            elif kind < 0.99:
                db.get(b"%012d" % (rank * 7919 % count))
            else:
                for _, _row in zip(range(120), db.items(from_key=b"%012d" % rng.randrange(count)), strict=False):
                    pass
        db.close()

    return run


# --- compilers -----------------------------------------------------------------------------------------------------


def c_prepare(folder: Path, options: argparse.Namespace) -> None:
    """A configured source tree of PostgreSQL."""
    shutil.copytree(options.source, folder / "pg-source", symlinks=True)
    configure = "./configure --without-readline --without-zlib --without-icu"
    shell(f"{configure} && make -C src/backend generated-headers", folder / "pg-source")


def c_compile(folder: Path, options: argparse.Namespace) -> None:
    """Directories of the server compiled one after the other, then parts of them again, as one who edits them does."""
    rng = random.Random(10)
    root = folder / "pg-source/src/backend"
    folders = sorted({file.parent for file in root.rglob("*.c")})
    order = rng.sample(folders, 40)
    for _ in range(35):
        order.append(rng.choice(order[-6:]))
    for chosen in order:
        files = " ".join(str(file.relative_to(root)) for file in sorted(chosen.glob("*.c"))[:12])
        shell(f"gcc -fsyntax-only -I{folder}/pg-source/src/include -I{chosen} {files}", root, check=False)


CXX_HEADERS = """
boost/asio.hpp boost/graph/adjacency_list.hpp boost/graph/dijkstra_shortest_paths.hpp boost/spirit/include/qi.hpp
boost/multi_index_container.hpp boost/date_time/posix_time/posix_time.hpp boost/variant.hpp boost/any.hpp
boost/regex.hpp boost/program_options.hpp boost/filesystem.hpp boost/geometry.hpp boost/lexical_cast.hpp
boost/property_tree/json_parser.hpp boost/property_tree/xml_parser.hpp boost/iostreams/stream.hpp
boost/accumulators/accumulators.hpp boost/math/distributions.hpp boost/random.hpp boost/signals2.hpp
boost/thread.hpp boost/unordered_map.hpp boost/fusion/include/vector.hpp boost/numeric/ublas/matrix.hpp
eigen3/Eigen/Dense eigen3/Eigen/Sparse eigen3/unsupported/Eigen/CXX11/Tensor iostream regex map unordered_map
algorithm thread future chrono filesystem random memory_resource ranges
"""


def cxx_compile(folder: Path, options: argparse.Namespace) -> None:
    """C++ programs, each on a few libraries: those of one project share most of them."""
    rng = random.Random(11)
    for project in range(14):
        shared = rng.sample(CXX_HEADERS.split(), 4)
        for unit in range(6):
            headers = shared[: rng.randint(2, 4)] + rng.sample(CXX_HEADERS.split(), rng.randint(1, 3))
            source = folder / f"p{project}_{unit}.cc"
            source.write_text("".join(f"#include <{header}>\n" for header in headers) + "int main() { return 0; }\n")
            shell(f"g++ -E -std=c++20 -o /dev/null {source}", folder, check=False)


# --- package managers, imports, searches ---------------------------------------------------------------------------


def packages(folder: Path, options: argparse.Namespace) -> None:
    """Questions to dpkg, apt and pip, as an administrator asks them."""
    rng = random.Random(12)
    listing = ["dpkg-query", "-W", "-f", "${Package} ${Installed-Size}\n"]
    rows = subprocess.run(listing, capture_output=True, text=True, check=True).stdout.splitlines()
    known = [name for name, size in map(str.split, rows) if int(size) < 1500]  # KiB
    ranks = zipf_ranks(400, len(known), 0.8, seed=13)
    for step in range(300):
        name = known[int(ranks[step]) * 311 % len(known)]
        command = rng.choices(
            (
                f"dpkg -L {name}",
                f"dpkg -S /usr/bin/{name}",
                f"dpkg -s {name}",
                f"dpkg -V {name}",
                f"apt-cache show {name}",
                f"{options.imports_python} -m pip list",
                f"{options.imports_python} -m pip show -f numpy",
            ),
            (8, 6, 5, 16, 1, 1, 1),
        )[0]
        shell(command, folder, check=False)


MODULES = """
numpy pandas scipy.sparse scipy.optimize scipy.stats sklearn.linear_model sklearn.ensemble lightgbm optuna
sqlalchemy sqlalchemy.orm matplotlib.pyplot gymnasium pettingzoo hypothesis pytest mkdocs typer rich.console jinja2
pydantic requests json asyncio xml.dom.minidom email http.server unittest sqlite3 multiprocessing concurrent.futures
logging.config argparse decimal statistics tkinter pip._internal.cli.main setuptools ensurepip lib2to3.main mypy.api
"""


def imports(folder: Path, options: argparse.Namespace) -> None:
    """Python programs started one after the other, each with a few libraries; some are started often."""
    rng = random.Random(14)
    programs = [rng.sample(MODULES.split(), rng.randint(1, 4)) for _ in range(40)]
    for rank in zipf_ranks(90, len(programs), 0.8, seed=15):
        lines = "".join(f"try: import {module}\nexcept Exception: pass\n" for module in programs[int(rank)])
        (folder / "program.py").write_text(lines)
        shell(f"{options.imports_python} program.py", folder, check=False)


def searches(folder: Path, options: argparse.Namespace) -> None:
    """grep, tar, wc and checksums over parts of a source tree, as one who looks for something does."""
    rng = random.Random(16)
    root = Path(options.source) / "src"
    parts = [
        "backend",
        "include",
        "timezone",
        "pl",
        "bin",
        "interfaces",
        "backend/utils",
        "backend/optimizer",
        "common",
    ]
    parts += ["backend/executor", "backend/access", "backend/commands", "backend/storage", "include/catalog"]
    for _ in range(420):
        part = rng.choices(parts, (2, 5, 1, 3, 3, 3, 5, 6, 6, 6, 6, 5, 6, 6))[0]
        command = rng.choices(
            (
                f"grep -rn {rng.choice(('palloc', 'elog', 'TODO', 'Datum'))} {part}",
                f"tar cf - {part} | wc -c",
                f"find {part} -name '*.h' | xargs wc -l",
                f"find {part} -name '*.c' | xargs sha1sum",
            ),
            (6, 1, 3, 1),
        )[0]
        shell(command, root, check=False)


WORKLOADS = {
    "sqlite-orders": Workload(
        "a web shop on SQLite with a cache of 8 pages; skewed orders, look-ups and daily reports",
        sqlite_orders,
        sqlite_prepare,
        requests=180_000,
    ),
    "sqlite-reports": Workload(
        "an analyst's scans and index joins on the same shop", sqlite_reports, sqlite_prepare, requests=160_000
    ),
    "postgres-bank": Workload(
        "pgbench on 32 buffers; Zipf payments, statements over account ranges, audits",
        pgbench("pay.sql@160 statement.sql@12 audit.sql@1 recent.sql@4", 24_000),
        postgres_prepare,
        page_size=8192,
        requests=180_000,
    ),
    "postgres-star": Workload(
        "pgbench on 32 buffers; index joins of a fact table with a skewed dimension, and full sweeps",
        pgbench("join.sql@30 dimension.sql@25 sweep.sql@1", 900),
        postgres_prepare,
        page_size=8192,
        requests=130_000,
    ),
    "rocksdb-latest": Workload(
        "RocksDB without a block cache; inserts, and look-ups of what is latest", rocksdb(latest=True)
    ),
    "rocksdb-update": Workload(
        "RocksDB without a block cache; Zipf updates and look-ups, short scans", rocksdb(latest=False), requests=100_000
    ),
    "compiler-c": Workload(
        "gcc over directories of PostgreSQL's server, parts of them again", c_compile, c_prepare, units=("page", "file")
    ),
    "compiler-cxx": Workload(
        "g++ -E over programs that share Boost, Eigen and standard headers", cxx_compile, units=("page", "file")
    ),
    "packages": Workload("dpkg, apt and pip asked about installed packages", packages, units=("page", "file")),
    "python-imports": Workload(
        "Python programs started over and over, each importing a few libraries", imports, units=("page", "file")
    ),
    "source-search": Workload(
        "grep, tar, wc and sha1sum over parts of a source tree", searches, units=("page", "file")
    ),
}
