"""Checks that need another process: an artefact decides the same there, and a killed fit leaves its proposal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from unseat.core import registry
from unseat.core.errors import UserError
from unseat.core.learner import Learner
from unseat.core.outcome import Limits
from unseat.core.policy import Policy
from unseat.core.task import Instance, Task
from unseat.lab.records import FitJob
from unseat.lab.store import ArtefactStore
from unseat.testing import base
from unseat.testing.base import content, decided, good, require
from unseat.testing.fits import study

_SECONDS = 300.0


def address(task: Task) -> str:
    """The name under which another process finds the task: its registered id, or ``module:Class``."""
    try:
        if type(registry.task(task.card.id)) is type(task):
            return task.card.id
    except UserError:
        pass
    return f"{type(task).__module__}:{type(task).__qualname__}"


def check_other_process(
    task: Task,
    policies: Mapping[str, Policy] | None = None,
    instances: Sequence[Instance] | None = None,
    where: str | None = None,
) -> None:
    """A saved policy, loaded in another process, decides the same there, on a problem that is the same there.

    The other process runs the instances in reverse, so that a memory of what was run first is seen.

    Args:
        task: The task.
        policies: The policies to save; all that are listed if None.
        instances: The instances to run; a few of the quick suite if None.
        where: How the other process finds the task; see `address`.
    """
    chosen = list(base.some(task) if instances is None else instances)
    found = base.policies(task) if policies is None else policies
    with tempfile.TemporaryDirectory() as scratch:
        folders = {name: str(Path(scratch) / str(number)) for number, name in enumerate(found)}
        for name, policy in found.items():
            policy.artefact.save(Path(folders[name]))
        request = {"task": where or address(task), "instances": [one.id for one in chosen], "folders": folders}
        done = subprocess.run(
            [sys.executable, "-m", "unseat.testing.other"], input=json.dumps(request), capture_output=True, text=True,
            timeout=_SECONDS, check=False, env=_environment(),
        )  # fmt: skip
    last = done.stderr.strip().splitlines()[-1:]
    require(done.returncode == 0, "a policy is loaded in another process", f"it ended {done.returncode}: {last}")
    there = json.loads(done.stdout)
    require(there["known"] == [content(list(task.instances()))], "instances are the same in every process",
            f"those of {task.card.id} differ")  # fmt: skip
    if task.card.repeatability != "exact":
        return
    for one in chosen:
        require(there["problems"][one.id] == content(task.load(one)), "a problem is the same in every process", one.id)
        for name, policy in found.items():
            here = list(decided(good(task, one, name, policy)))
            require(there["outcomes"][name][one.id] == here, "a saved policy decides the same in another process",
                    f"{name} on {one.id} gives {there['outcomes'][name][one.id]} there and {here} here")  # fmt: skip


def check_killed_fit(task: Task, learners: Mapping[str, Learner] | None = None, where: str | None = None) -> None:
    """A fit whose process is killed after it has proposed leaves a policy that runs.

    Args:
        task: The task.
        learners: Those of its contenders to be killed; all if None.
        where: How the other process finds the task; see `address`.
    """
    for name in base.learners(task) if learners is None else learners:
        with tempfile.TemporaryDirectory() as scratch:
            store = ArtefactStore(Path(scratch))
            left = _kill(task, name, store, where or address(task))
            require(left is not None, "a killed fit yields its last proposal", f"{name} leaves none")
            if left is not None:
                good(task, base.some(task, 1)[0], name, store.get(left).restore())


def _kill(task: Task, learner: str, store: ArtefactStore, where: str) -> str | None:
    """The hash of what a fit had proposed when it was killed, or of its result if it never proposed before that."""
    limits = Limits(runs=200)
    about = study(task, limits)
    train, valid = (tuple(one.id for one in split) for split in (about.train, about.valid))
    job = FitJob(where, learner, train, valid, seed=0, limits=limits)
    child = subprocess.Popen(
        [sys.executable, "-m", "unseat.lab.child", str(store.root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True, env=_environment(),
    )  # fmt: skip
    assert child.stdin is not None and child.stdout is not None
    try:
        child.stdin.write(json.dumps({"op": "fit", "job": job.to_json(), "record": {}}) + "\n")
        child.stdin.flush()
        for line in child.stdout:
            said: dict[str, Any] = json.loads(line)
            if said.get("event") == "proposal":
                return str(said["artefact"])
            if "fitted" in said:
                return said["fitted"]["artefact"]  # type: ignore[no-any-return]
            require("error" not in said, "a fit runs in a child process", f"{learner}: {said.get('message')}")
        return None
    finally:
        child.kill()
        child.communicate()


def _environment() -> dict[str, str]:
    """This process's import path, and another seed for hashes, so that an order that hangs on them is seen."""
    path = os.pathsep.join(folder or str(Path.cwd()) for folder in sys.path)
    seed = "8" if os.environ.get("PYTHONHASHSEED") == "7" else "7"
    return {**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": seed}
