"""Databases that embedded traces are recorded from, each with a set-up and a run."""

from __future__ import annotations

import argparse
import random
import sqlite3
import subprocess
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from unseat.tasks.cache.generators import zipf_ranks


def shell(command: str, folder: Path, check: bool = True) -> None:
    """Run a command line in a folder, silently."""
    nothing = subprocess.DEVNULL
    subprocess.run(["bash", "-c", command], cwd=folder, check=check, stdin=nothing, stdout=nothing, stderr=nothing)


# --- DuckDB: a dashboard -------------------------------------------------------------------------------------------

SALES, CLIENTS = 3_000_000, 60_000


def _duckdb(folder: Path) -> Any:
    """A connection with memory for a few hundred blocks."""
    db = import_module("duckdb").connect()
    db.execute("SET threads = 1; SET memory_limit = '24MB'; SET preserve_insertion_order = false")
    db.execute(f"ATTACH '{folder}/sales.db' AS sales (BLOCK_SIZE 16384); USE sales")
    return db


def duckdb_prepare(folder: Path, options: argparse.Namespace) -> None:
    """Sales in order of days, their clients, and places, about 60 MB."""
    db = import_module("duckdb").connect()
    db.execute(f"ATTACH '{folder}/sales.db' AS sales (BLOCK_SIZE 16384); USE sales; SELECT setseed(0.5)")
    db.execute(f"""
        CREATE TABLE sale AS SELECT i AS id, i // 3000 AS day, CAST(power(random(), 3) * {CLIENTS} AS INTEGER)
            AS client, CAST(random() * 400 AS INTEGER) AS place, random() * 100 AS amount, hash(i) AS receipt
        FROM range({SALES}) t(i)""")
    db.execute(f"""
        CREATE TABLE client AS SELECT i AS id, i % 400 AS home, 'client ' || hash(i) AS name
        FROM range({CLIENTS}) t(i)""")
    db.execute("CREATE TABLE place AS SELECT i AS id, i % 12 AS region FROM range(400) t(i)")
    db.close()


def duckdb_dashboard(folder: Path, options: argparse.Namespace) -> None:
    """Days that are looked at again and again, recent ones most of all; clients; now and then everything."""
    rng, db = random.Random(21), _duckdb(folder)
    days = SALES // 3000
    for step in range(8000):
        day = max(0, days - 1 - int(rng.expovariate(1 / 60)) - step // 80)
        kind = rng.random()
        if kind < 0.55:
            db.execute("SELECT place, sum(amount) FROM sale WHERE day = ? GROUP BY place", [day]).fetchall()
        elif kind < 0.75:
            db.execute("SELECT c.name, sum(s.amount) FROM sale s JOIN client c ON s.client = c.id WHERE s.day BETWEEN "
                       "? AND ? GROUP BY c.name ORDER BY 2 DESC LIMIT 10", [day - 3, day]).fetchall()  # fmt: skip
        elif kind < 0.97:
            first = int(CLIENTS * rng.random() ** 3)
            db.execute("SELECT name FROM client WHERE id BETWEEN ? AND ?", [first, first + 20]).fetchall()
        elif kind < 0.995:
            db.execute("SELECT p.region, sum(s.amount) FROM sale s JOIN place p ON s.place = p.id WHERE s.day >= ? "
                       "GROUP BY p.region", [day - 60]).fetchall()  # fmt: skip
        else:
            db.execute("SELECT day // 30, sum(amount) FROM sale GROUP BY 1").fetchall()


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
