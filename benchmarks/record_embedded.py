"""Record the embedded traces anew, with this project's own recorder: `python -m benchmarks.record_embedded all`.

What it needs, on Debian 12 and as root (PostgreSQL refuses root and is started through setpriv):

    apt-get install strace g++ make bison flex postgresql-15 libboost-dev libeigen3-dev
    apt-get source postgresql-15        (unpacked; its folder is given as --source)
    pip install rocksdict duckdb        (into the interpreter that runs this)

Each workload has a set-up that is not recorded and a run that is. Traces hold dense page or file numbers and sizes, no
path and no content. A new recording is a new workload, not the same bytes: paths, versions and timing differ.
`python -m benchmarks.record_embedded describe` prints the entries for data.toml.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.embedded_databases import PG
from benchmarks.embedded_workloads import WORKLOADS

from unseat.tasks.cache.data import open_trace, write_trace
from unseat.tasks.cache.recorder import from_strace_log, record

EMBEDDED = Path(__file__).resolve().parents[1] / "src/unseat/tasks/cache/embedded"


def make(name: str, options: argparse.Namespace) -> None:
    """Set up and record one workload; the trace of unit "file" gets "-files" in its name."""
    workload = WORKLOADS[name]
    folder = Path(options.work) / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if workload.prepare:
        workload.prepare(folder, options)
    log = Path(options.work) / f"{name}.log"
    command = [
        sys.executable,
        "-m",
        "benchmarks.record_embedded",
        "work",
        name,
        "--work",
        options.work,
        "--source",
        options.source,
    ]
    command += ["--imports-python", options.imports_python]
    full = Path(options.work) / f"{name}.packed.xz"
    recorded = record(command, full, page_size=workload.page_size, keep_log=log)
    print(name, recorded.requests, recorded.objects, "exit", recorded.status, flush=True)
    for unit in workload.units:
        trace = from_strace_log(log, page_size=workload.page_size, unit=unit, name=name).head(workload.requests)
        suffix = "" if unit == "page" else "-files"
        write_trace(Path(options.output) / f"{name}{suffix}.packed.xz", trace)
    log.unlink()
    shutil.rmtree(folder)


_VERSION_OF = "import importlib.metadata as m; print('rocksdict', m.version('rocksdict'))"
VERSIONS = {
    "sqlite": "{python} -c 'import sqlite3; print(\"SQLite\", sqlite3.sqlite_version)'",
    "postgres": f"{PG}/postgres --version",
    "rocksdb": f'{{python}} -c "{_VERSION_OF}"',
    "compiler": "gcc --version | head -1",
    "packages": "dpkg-query -W -f '${Package} ${Version}\\n' dpkg apt; {python} -m pip --version | cut -d' ' -f1,2",
    "python": "{python} --version",
    "duckdb": "{python} -c 'import duckdb; print(\"DuckDB\", duckdb.__version__)'",
    "binary": "nm --version | head -1",
    "perl": "perl -e 'print \"Perl $^V\"'",
    "search": "grep --version | head -1; tar --version | head -1",
}


def describe(options: argparse.Namespace) -> None:
    """Print the entries of data.toml for what was recorded."""
    for path in sorted(Path(options.output).glob("*.packed.xz")):
        trace = open_trace(path)
        assert trace.sizes is not None  # the recorder always writes them
        name = path.name.split(".")[0]
        workload = WORKLOADS[name.removesuffix("-files")]
        group = {"source-search": "search"}.get(name.removesuffix("-files"), name.split("-")[0])
        version = VERSIONS[group].replace("{python}", sys.executable)
        program = subprocess.run(["bash", "-c", version], capture_output=True, text=True, check=True).stdout
        files = name.endswith("-files")
        entry: dict[str, str | int] = {
            "name": path.name,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "bytes": path.stat().st_size,
            "embedded": f"embedded/{path.name}",
            "licence": "Apache-2.0",
            "source": "recorded by unseat; dense numbers only, no path and no content",
        }
        details: dict[str, str | int] = {
            "group": group,
            "format": "packed",
            "requests": len(trace),
            "objects": trace.objects,
            "sized": files,
            "content": trace.content_hash(),
            "command": f"benchmarks.record_embedded {name.removesuffix('-files')}: {workload.about}",
            "program": ", ".join(program.split("\n")).strip(", "),
            "unit": "file" if files else f"page of {workload.page_size} bytes",
        }
        print("[[files]]", *_toml(entry), "[files.details]", *_toml(details), "", sep="\n")


def _toml(values: dict[str, str | int]) -> list[str]:
    """JSON's strings, numbers and booleans are TOML's as well."""
    return [f"{key} = {json.dumps(value)}" for key, value in values.items()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", help="all, describe, the name of a workload, or work")
    parser.add_argument("name", nargs="?", help="with work: the workload to run unrecorded")
    parser.add_argument("--work", default="recording", help="folder for databases and logs")
    parser.add_argument("--source", default="postgresql-source", help="the unpacked source of PostgreSQL 15")
    parser.add_argument("--imports-python", default=sys.executable, help="the interpreter whose libraries are imported")
    parser.add_argument("--output", default=str(EMBEDDED), help="where the traces go")
    options = parser.parse_args()
    options.work, options.source = str(Path(options.work).resolve()), str(Path(options.source).resolve())
    if options.what == "describe":
        describe(options)
    elif options.what == "work":
        WORKLOADS[options.name].run(Path(options.work) / options.name, options)
    else:
        for name in WORKLOADS if options.what == "all" else [options.what]:
            make(name, options)


if __name__ == "__main__":
    main()
