"""What the embedded traces are recorded from: real programs, each with a set-up and a run."""

from __future__ import annotations

import argparse
import random
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.embedded_databases import (
    duckdb_dashboard,
    duckdb_prepare,
    pgbench,
    postgres_prepare,
    rocksdb,
    shell,
    sqlite_orders,
    sqlite_prepare,
    sqlite_reports,
)

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


def binary_tools(folder: Path, options: argparse.Namespace) -> None:
    """Symbols, sections, sizes and partial links of a system's static libraries, some of which are asked for often."""
    rng = random.Random(17)
    libraries = sorted(path for path in Path("/usr/lib").rglob("*.a") if path.stat().st_size < 8 << 20)
    ranks = zipf_ranks(900, len(libraries), 0.9, seed=18)
    for rank in ranks:
        library = libraries[int(rank) * 311 % len(libraries)]
        command = rng.choices(
            (
                f"nm {library}",
                f"readelf -s {library}",
                f"size {library}",
                f"ar t {library}",
                f"ld -r --whole-archive {library} -o {folder}/made.o",
            ),
            (6, 4, 3, 2, 2),
        )[0]
        shell(command, folder, check=False)


PERL = """
strict warnings POSIX Data::Dumper File::Find File::Copy File::Temp Getopt::Long List::Util Scalar::Util Storable
Encode Unicode::UCD Unicode::Normalize Time::Local Time::HiRes IO::Socket IO::Select HTTP::Tiny JSON::PP Digest::MD5
Digest::SHA MIME::Base64 Text::Wrap Text::ParseWords Text::Balanced Math::BigInt Math::BigFloat Math::Complex bignum
Test::More Pod::Usage Pod::Text Pod::Man Module::CoreList CPAN::Meta ExtUtils::MakeMaker Archive::Tar IO::Zlib
Compress::Zlib Tie::File DB_File Benchmark Memoize threads Thread::Queue Sys::Syslog I18N::LangTags Locale::Maketext
"""


def perl(folder: Path, options: argparse.Namespace) -> None:
    """Perl programs started one after the other, each with a few modules; which are in fashion changes."""
    rng = random.Random(19)
    programs = [rng.sample(PERL.split(), rng.randint(2, 6)) for _ in range(120)]
    for step, rank in enumerate(zipf_ranks(1500, len(programs), 0.8, seed=20)):
        chosen = programs[(int(rank) + 7 * (step // 250)) % len(programs)]
        shell("perl " + " ".join(f"-M{module}" for module in chosen) + " -e 1", folder, check=False)


WORKLOADS = {
    "duckdb-dashboard": Workload(
        "DuckDB with little memory and blocks of 16 KiB; a dashboard's skewed look-ups, joins and sweeps",
        duckdb_dashboard,
        duckdb_prepare,
        page_size=16_384,
        requests=150_000,
    ),
    "binary-tools": Workload("nm, readelf, size, ar and ld -r over static libraries", binary_tools, requests=150_000),
    "perl-imports": Workload("Perl programs started over and over, each using a few modules", perl, requests=150_000),
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
