"""Build the wheel and the source package, install them in empty environments, and use them from another folder.

Environments are made for this Python and for the newest one that is found. Needs a package index.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MOST_MB = 700
CONTENDERS = {"cache": "LRU,imitation", "schedule": "FIFO,scorer"}
"""Tasks whose quick suite is run with an incumbent and with a policy that ships in the package."""


def main() -> int:
    """Check every Python that is found; 0 if all holds."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        packages = build(place / "dist")
        pythons = dict(found_pythons())
        newest = max(pythons)
        chosen = {sys.version_info[:2]: sys.executable, newest: pythons[newest]}
        if len(chosen) == 1:
            print("no newer Python was found, so only this one is checked")
        # The wheel is made from the source package, so either will do; each is installed once. Nothing here is timed,
        # so that the environments can be made and tried at the same time.
        with ThreadPoolExecutor(len(chosen)) as pool:
            checks = [pool.submit(check, python, packages[number % len(packages)],
                                  place / f"venv-{version[0]}.{version[1]}", place)
                      for number, (version, python) in enumerate(sorted(chosen.items()))]  # fmt: skip
            for one in checks:
                one.result()
    return 0


def build(folder: Path) -> list[Path]:
    """The wheel and the source package, in that order."""
    run([sys.executable, "-m", "build", "--outdir", str(folder), str(ROOT)], cwd=ROOT)
    packages = [*folder.glob("*.whl"), *folder.glob("*.tar.gz")]
    for package in packages:
        print(f"{package.name}: {package.stat().st_size / 1e6:.1f} MB")
    assert len(packages) == 2, packages
    return packages


def found_pythons() -> Iterator[tuple[tuple[int, int], str]]:
    """Pythons from this one on, on PATH or of pyenv."""
    yield sys.version_info[:2], sys.executable
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for minor in range(sys.version_info.minor + 1, 20):
        homes = sorted(pyenv.glob(f"3.{minor}.*/bin/python3"))
        for python in [shutil.which(f"python3.{minor}"), *map(str, homes)]:
            ask = "import sys; print(sys.version_info.minor)"
            if python is None:
                continue
            answer = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=False)
            if answer.returncode == 0 and answer.stdout.strip() == str(minor):
                yield (3, minor), python
                break


def check(python: str, package: Path, home: Path, elsewhere: Path) -> None:
    """Install a package in an empty environment, and run quick suites with it."""
    began = time.perf_counter()
    run([python, "-m", "venv", str(home)], cwd=elsewhere)
    run([str(home / "bin/python"), "-m", "pip", "install", "--quiet", str(package)], cwd=elsewhere)
    size = megabytes(home)
    print(f"{home.name}: {package.name} installed in {time.perf_counter() - began:.0f} s, {size} MB")
    assert size < MOST_MB, f"the core install takes {size} MB, which is not under {MOST_MB}"

    unseat = str(home / "bin/unseat")
    tasks = json.loads(run([unseat, "tasks", "--json"], cwd=elsewhere))
    assert tasks, "no task is registered"
    began = time.perf_counter()
    ledger = str(elsewhere / f"{home.name}.sqlite")
    for task, contenders in CONTENDERS.items():
        command = [unseat, "run", task, "--contenders", contenders, "--json", "--jobs", "2", "--ledger", ledger]
        measured = json.loads(run(command, cwd=elsewhere))
        assert measured["runs"], "nothing was run"
        assert all(each["status"] == "ok" for each in measured["runs"]), "a run failed"
        print(f"{home.name}: {len(measured['runs'])} runs of {task}, after {time.perf_counter() - began:.0f} s")


def megabytes(home: Path) -> int:
    """What the environment takes on disk, as `du -sm` counts: whole blocks, pip included."""
    return sum(part.lstat().st_blocks * 512 for part in home.rglob("*")) >> 20


def run(command: list[str], *, cwd: Path) -> str:
    """Standard output of a command that must succeed; outside the repository nothing of it can be imported."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "UNSEAT_DATA")}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed with {done.returncode}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
