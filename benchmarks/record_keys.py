"""Record the embedded keys of the task `index` anew: `python -m benchmarks.record_keys --work FOLDER`.

On Debian 12: apt-get install strace binutils libllvm15 tzdata. A recording on another machine is another set, so the
manifest's entries, which this prints, change with it. The files hold numbers and identifiers of public source only.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import struct
import subprocess
import sys
import sysconfig
import tokenize
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseat.tasks.index.embedded import SUFFIX, encode
from unseat.tasks.index.recorder import from_folder

EMBEDDED = Path(__file__).resolve().parents[1] / "src/unseat/tasks/index/embedded_keys"
STDLIB = Path(sysconfig.get_paths()["stdlib"])
LIBRARY = Path("/usr/lib/x86_64-linux-gnu/libLLVM-15.so.1")
ZONES = Path("/usr/share/zoneinfo")
LINES = 100_000
CALLS = 60_000
FILES = 120_000

Keys = NDArray[Any]


def _files(work: Path, column: int) -> Keys:
    log = work / "files.csv"
    if not log.is_file():
        from_folder(Path("/usr"), log)
    return np.loadtxt(log, np.int64, delimiter=",", skiprows=1, usecols=column, max_rows=FILES)


def file_sizes(work: Path) -> Keys:
    """Sizes of the files of a system: few distinct ones, heavy-tailed."""
    return _files(work, 0).astype(np.uint64)


def file_times(work: Path) -> Keys:
    """When they were last changed, in nanoseconds since 1970: packages share their times, the rest does not."""
    return _files(work, 1)


def line_offsets(work: Path) -> Keys:
    """Where the lines of the standard library's modules begin when they are read one after the other."""
    lengths: list[int] = []
    for path in sorted(STDLIB.rglob("*.py")):
        if "site-packages" not in path.parts and "test" not in path.parts:
            lengths += [len(line) for line in path.read_bytes().splitlines(keepends=True)]
    return np.cumsum(np.array([0, *lengths[: LINES - 1]], np.uint64))


def symbol_addresses(work: Path) -> Keys:
    """Addresses of the symbols that a large shared library exports; some share theirs."""
    told = subprocess.run(["nm", "-D", "--defined-only", LIBRARY], capture_output=True, text=True, check=True).stdout
    return np.array([int(line.split()[0], 16) for line in told.splitlines()], np.uint64)


def zone_changes(work: Path) -> Keys:
    """Seconds since 1970, many of them negative, at which the clocks of the world's time zones were changed."""
    found: list[int] = []
    for path in sorted(ZONES.rglob("*")):
        if (
            path.is_file()
            and path.read_bytes()[:4] == b"TZif"
            and "posix" not in path.parts
            and "right" not in path.parts
        ):
            found += _changes(path.read_bytes())
    return np.array(found, np.int64)


def _changes(data: bytes) -> Iterator[int]:
    """The 64-bit transition times of a TZif file (RFC 8536); they follow the 32-bit ones."""
    utc, standard, leaps, times, types, letters = struct.unpack(">6I", data[20:44])
    second = 44 + times * 5 + types * 6 + letters + leaps * 8 + standard + utc
    count = struct.unpack(">I", data[second + 32 : second + 36])[0]
    return iter(struct.unpack(f">{count}q", data[second + 44 : second + 44 + 8 * count]))


def _calls(work: Path) -> list[str]:
    log = work / "calls.log"
    if not log.is_file():
        body = "import compileall; compileall.compile_dir(%r, quiet=2, force=True, legacy=True)"
        copy = work / "modules"
        subprocess.run(
            ["cp", "-r", STDLIB / "json", STDLIB / "asyncio", STDLIB / "email", STDLIB / "xml", work], check=True
        )
        copy.mkdir(exist_ok=True)
        for name in ("json", "asyncio", "email", "xml"):
            subprocess.run(["mv", work / name, copy / name], check=True)
        command = [sys.executable, "-c", body % str(copy)]
        subprocess.run(["strace", "-f", "-ttt", "-T", "-o", log, *command], check=True)
        for other in (["apt-cache", "dump"], ["dpkg-query", "-W"], ["gcc", "-E", "-xc++", "/usr/include/c++/12/regex"]):
            more = work / "more.log"
            subprocess.run(["strace", "-f", "-ttt", "-T", "-o", more, *other], check=True, stdout=subprocess.DEVNULL)
            with log.open("a") as file:
                file.write(more.read_text(errors="replace"))
    return log.read_text(errors="replace").splitlines()[:CALLS]


def call_times(work: Path) -> Keys:
    """When a few programs made their system calls, in seconds since 1970: bursts, and pauses between them."""
    return np.array([float(match[1]) for line in _calls(work) if (match := re.match(r"\d+\s+(\d+\.\d+)\s", line))])


def call_durations(work: Path) -> Keys:
    """How long each took, in seconds: a million-fold range, with as few values as microseconds leave."""
    return np.array([float(match[1]) for line in _calls(work) if (match := re.search(r"<(\d+\.\d+)>$", line))])


def python_names(work: Path) -> Keys:
    """The names in the source of Python's standard library."""
    names: set[bytes] = set()
    for path in sorted(STDLIB.rglob("*.py")):
        if "site-packages" in path.parts or "test" in path.parts:
            continue
        with path.open("rb") as file:
            try:
                names |= {
                    each.string.encode() for each in tokenize.tokenize(file.readline) if each.type == tokenize.NAME
                }
            except (tokenize.TokenError, SyntaxError, UnicodeError):
                continue
    return np.array(sorted(names))


SETS: dict[str, tuple[Callable[[Path], Keys], str, str, str]] = {
    "file-sizes": (file_sizes, "files", "Apache-2.0", "recorded by unseat: sizes of files below /usr on Debian 12"),
    "file-times": (file_times, "files", "Apache-2.0", "recorded by unseat: times of files below /usr on Debian 12"),
    "line-offsets": (line_offsets, "lines", "Apache-2.0", "recorded by unseat: lengths of lines in CPython's library"),
    "symbol-addresses": (symbol_addresses, "symbols", "Apache-2.0", "recorded by unseat: addresses in libLLVM-15"),
    "zone-changes": (zone_changes, "zones", "public domain", "the tz database, as compiled by Debian's tzdata"),
    "call-times": (call_times, "calls", "Apache-2.0", "recorded by unseat with strace; times only"),
    "call-durations": (call_durations, "calls", "Apache-2.0", "recorded by unseat with strace; durations only"),
    "python-names": (python_names, "names", "PSF-2.0", "names in the source of CPython's standard library"),
}  # fmt: skip
"""Name to how it is recorded, group, licence and source."""


def main() -> None:
    """Record all, and print the manifest's entries."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="a folder for logs")
    parser.add_argument("--output", type=Path, default=EMBEDDED)
    options = parser.parse_args()
    for folder in (options.work, options.output):
        folder.mkdir(parents=True, exist_ok=True)
    for name, (make, group, licence, source) in SETS.items():
        keys = np.sort(make(options.work))
        kind = "strings" if keys.dtype.kind == "S" else str(keys.dtype)
        data = encode(keys)
        (options.output / f"{name}{SUFFIX}").write_bytes(data)
        version = f"Python {sys.version.split()[0]}" if group in ("lines", "names") else "Debian 12"
        fields = {
            "name": f"{name}{SUFFIX}", "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data),
            "embedded": f"{options.output.name}/{name}{SUFFIX}", "licence": licence, "source": source,
        }  # fmt: skip
        details = {
            "group": group, "kind": kind, "keys": len(keys), "distinct": len(np.unique(keys)),
            "command": f"benchmarks.record_keys {name}, {version}",
        }  # fmt: skip
        print("[[files]]", *_lines(fields), "[files.details]", *_lines(details), "", sep="\n")


def _lines(fields: dict[str, Any]) -> list[str]:
    return [f"{key} = {json.dumps(value)}" for key, value in fields.items()]


if __name__ == "__main__":
    main()
