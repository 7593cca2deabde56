"""Record the string sets that the task `index-filter` ships with; needs nm, and the libraries named below.

    python -m benchmarks.record_filter_sets FOLDER

Writes one ``NAME.txt.xz`` a list, lines sorted, and prints the manifest's entries. A sample is those whose SHA-256 is
smallest, so it depends on the strings alone.
"""

from __future__ import annotations

import hashlib
import io
import lzma
import platform
import subprocess
import sys
import sysconfig
import tokenize
from collections.abc import Iterable
from pathlib import Path

LIBRARIES = Path("/usr/lib/x86_64-linux-gnu")
C_LIBRARIES = "libc.so.6 libm.so.6 libcrypto.so.3 libglib-2.0.so.0 libgio-2.0.so.0 libgobject-2.0.so.0 libgtk-3.so.0"
PACKAGES = "numpy scipy numba sqlalchemy optuna pydantic matplotlib gymnasium rich jinja2"


def symbols(files: Iterable[Path], which: str) -> set[str]:
    """Dynamic symbols that the files define or ask for, without their versions."""
    found: set[str] = set()
    for file in files:
        done = subprocess.run(["nm", "-D", f"--{which}-only", file], capture_output=True, text=True, check=False)
        found |= {line.split()[-1].split("@")[0] for line in done.stdout.splitlines() if line.strip()}
    return found


def programs() -> list[Path]:
    """Programs and libraries of the system."""
    roots = [Path(root) for root in ("/usr/bin", "/usr/sbin", "/usr/lib", "/usr/libexec")]
    files = {file.resolve() for root in roots for file in root.rglob("*") if file.is_file()}
    return sorted(file for file in files if ".so" in file.name or file.parent.name in ("bin", "sbin", "libexec"))


def names(root: Path) -> set[str]:
    """Names of three letters or more in the Python files below a folder, tests and installed packages aside."""
    found: set[str] = set()
    for file in root.rglob("*.py"):
        if "site-packages" in file.relative_to(root).parts:
            continue
        try:
            tokens = list(tokenize.generate_tokens(io.StringIO(file.read_text(encoding="utf-8")).readline))
        except (UnicodeDecodeError, SyntaxError, tokenize.TokenError):
            continue
        strings = (token.string for token in tokens if token.type == tokenize.NAME)
        found |= {name for name in strings if len(name) > 2 and name.isascii()}
    return found


def sample(strings: Iterable[str], most: int) -> list[str]:
    """Those with the smallest hashes, from the smallest on."""
    return sorted(strings, key=lambda one: hashlib.sha256(one.encode()).digest())[:most]


def main() -> None:
    folder = Path(sys.argv[1])
    llvm = symbols([LIBRARIES / "libLLVM-15.so.1"], "defined")
    plain_c = symbols([LIBRARIES / name for name in C_LIBRARIES.split()], "defined")
    asked = sample(symbols(programs(), "undefined") - llvm - plain_c, 28_000)
    own = names(Path(sysconfig.get_paths()["stdlib"]))
    packages = Path(sysconfig.get_paths()["purelib"])
    other = set().union(*(names(packages / name) for name in PACKAGES.split())) - own
    nm, imports = "nm -D --defined-only", "nm -D --undefined-only over all programs and libraries below /usr"
    debian = "names of symbols, recorded by unseat on Debian 12"
    write(folder, "symbols-llvm", sample(llvm, 10_000), f"{nm} libLLVM-15.so.1", debian)
    write(folder, "symbols-llvm-others", asked[::2], imports, debian)
    write(folder, "symbols-c", plain_c, f"{nm} {C_LIBRARIES}", debian)
    write(folder, "symbols-c-others", asked[1::2], imports, debian)
    python = f"names in source files, recorded by unseat under CPython {platform.python_version()}"
    write(folder, "identifiers", sample(own, 18_000), "tokenize over the standard library", python)
    write(folder, "identifiers-others", sample(other, 20_000), f"tokenize over {PACKAGES}", python)


def write(folder: Path, name: str, strings: Iterable[str], command: str, source: str) -> None:
    lines = sorted(strings)
    path = folder / f"{name}.txt.xz"
    path.write_bytes(lzma.compress("\n".join(lines).encode(), preset=9 | lzma.PRESET_EXTREME))
    data = path.read_bytes()
    print(f'''
[[files]]
name = "{path.name}"
sha256 = "{hashlib.sha256(data).hexdigest()}"
bytes = {len(data)}
embedded = "embedded/{path.name}"
licence = "Apache-2.0"
source = "{source}"
[files.details]
strings = {len(lines)}
command = "{command}"''')


if __name__ == "__main__":
    main()
