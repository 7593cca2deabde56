"""Instances that only the server knows: from a folder, or drawn from a seed."""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from unseat.core import registry
from unseat.core.errors import UserError
from unseat.core.learner import Role

if TYPE_CHECKING:
    from unseat.arena.tracks import Spec
    from unseat.core.task import Instance, Task

MOST_DATA = 256 << 20
"""Bytes of a track's hidden data."""


def prepare(spec: Spec) -> tuple[Task, bytes | None]:
    """A track's task on its instances, and their data as an archive; None where they are the task's own.

    Raises:
        UserError: They cannot be opened.
    """
    if spec.suite is not None:
        return registry.task(spec.task), None
    with tempfile.TemporaryDirectory(prefix="unseat-arena-") as scratch:
        if spec.folder is not None:
            source = Path(spec.folder)
            if not source.is_dir():
                raise UserError(f"{source}: there is no such folder of hidden instances")
        else:
            source = Path(scratch)
            registry.task(spec.task).draw(np.random.default_rng(spec.seed or 0), source)
        task = registry.task(spec.task, data=str(source), options=dict(spec.options))
        # Read here, while it is there: a track whose data cannot be loaded must not be made.
        for instance in task.instances():
            task.load(instance)
        return task, archived(source)


def archived(folder: Path) -> bytes:
    """A folder's files as an archive, the same bytes for the same files.

    Raises:
        UserError: They are too large.
    """
    buffer, size = io.BytesIO(), 0
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            size += path.stat().st_size
            if size > MOST_DATA:
                raise UserError(f"{folder}: hidden instances of more than {MOST_DATA >> 20} MiB; give fewer")
            head = zipfile.ZipInfo(path.relative_to(folder).as_posix(), (1980, 1, 1, 0, 0, 0))
            archive.writestr(head, path.read_bytes(), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def lay_out(data: bytes, folder: Path) -> None:
    """The inverse of `archived`; the folder appears whole or not at all."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    if folder.is_dir():
        return
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".new-") as scratch:
        fresh = Path(scratch) / "data"
        fresh.mkdir(mode=0o700)
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            archive.extractall(fresh)
        try:
            fresh.rename(folder)
        except OSError:
            # Another worker was first, with the same content.
            if not folder.is_dir():
                raise


def of_suite(task: Task, spec: Spec) -> list[Instance]:
    """The task's own instances of a track that hides none.

    Raises:
        UserError: There are none.
    """
    found = [one for one in task.instances() if spec.suite in one.suites and one.split == spec.split]
    if not found:
        raise UserError(f"task {task.card.id} has nothing in split {spec.split!r} of suite {spec.suite!r}")
    return found


def references(task: Task) -> list[str]:
    """The contenders that stand beside the submissions: those that need neither a fit nor an extra."""
    found = []
    for name, one in task.contenders().items():
        if one.extra or (one.suites is not None and "quick" not in one.suites) or one.shipped:
            continue
        if one.role in (Role.BOUND, Role.BASELINE) or (one.role is Role.INCUMBENT and hasattr(one.make(), "start")):
            found.append(name)
    return found
