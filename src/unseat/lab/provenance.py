"""Where a figure comes from: versions, machine and sources."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import subprocess
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from unseat.core.task import Task

_LIBRARIES = ("numpy", "numba", "lightgbm", "optuna", "gymnasium", "torch", "ray")


def provenance(task: Task) -> dict[str, Any]:
    """All that a reader needs to judge a figure or to make it again, as plain JSON."""
    return {
        "task": task.card.full_id,
        "sources": source_hash(task),
        "unseat": _unseat_version(),
        "python": platform.python_version(),
        "libraries": {name: found for name in _LIBRARIES if (found := _version(name))},
        "commit": _commit(),
        "machine": _machine(),
    }


def key_versions(fit: bool = False) -> dict[str, str]:
    """The versions that may change a value, to the digit that may: part of the ledger's keys.

    Args:
        fit: Whether a fit is meant, which hangs on the libraries that learn too.
    """
    names = ("numpy", "numba", *(("lightgbm", "optuna", "torch") if fit else ()))
    minor = {name: ".".join(found.split(".")[:2]) for name in names if (found := _version(name))}
    return {"unseat": _unseat_version(), **minor}


def source_hash(task: Task) -> str:
    """A hash of the task's code: of the folder with its ``card.toml``, or of its module where there is none."""
    return _hash_sources(source_root(type(task).__module__))


def code_hash(import_path: str, task: Task) -> str:
    """A hash of the code behind ``module:Class`` where that is no part of the task's own sources; else empty."""
    root, own = source_root(import_path.partition(":")[0]), source_root(type(task).__module__)
    return "" if root == own or own in root.parents else _hash_sources(root)


@cache
def source_root(module: str) -> Path:
    """The folder or file that holds a module's code: the nearest folder with a ``card.toml``, or its own file."""
    loaded = sys.modules.get(module)
    origin = getattr(loaded, "__file__", None)
    if origin is None:
        spec = importlib.util.find_spec(module)
        origin = spec.origin if spec else None
    if origin is None:
        return Path(module)
    file = Path(origin).resolve()
    for folder in list(file.parents)[: module.count(".") + 1]:
        if (folder / "card.toml").exists():
            return folder
    return file


@cache
def _hash_sources(root: Path) -> str:
    digest = hashlib.sha256()
    files = [root] if root.is_file() else sorted(p for p in root.rglob("*") if p.suffix in {".py", ".toml"})
    for file in files:
        digest.update(f"{file.relative_to(root.parent)}\n".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _unseat_version() -> str:
    import unseat

    return unseat.__version__


@cache
def _commit() -> str | None:
    """The git commit of the sources, where they lie in a checkout of unseat itself."""
    folder = Path(__file__).resolve().parents[3]
    if not (folder / ".git").exists():
        return None
    try:
        asked = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, capture_output=True, text=True, timeout=5)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return asked.stdout.strip() or None


@cache
def _machine() -> dict[str, Any]:
    import psutil

    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "os": platform.platform(),
    }


def _cpu_model() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
