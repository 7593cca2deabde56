"""Instances that are drawn from a seed: enough of them, the same again, and their names tell nothing."""

from __future__ import annotations

import io
import re
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("fastapi", reason="the arena needs its extra: pip install 'unseat[arena]'")

from unseat.arena import hidden, kit, tracks
from unseat.arena.tracks import Spec
from unseat.core import registry
from unseat.core.errors import UserError
from unseat.core.outcome import Limits, Status
from unseat.core.task import Task
from unseat.lab.attempt import attempt
from unseat.tasks.llvm.engine.toolchain import find

SEED = 918_273_645_123
COMPILED = "inline", "regalloc", "passes"
PLAIN = "cache", "cache-sized", "schedule", "serving", "shard", "graphsched", "codemod"


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Instances that are soon drawn and loaded."""
    from unseat.tasks.codemod.own import pairs

    few = {"cache": {"REQUESTS": 500, "OBJECTS": 60}, "schedule": {"JOBS": 3, "TEMPLATES": 1},
           "serving": {"QUERIES": 40}, "shard": {"LAYERS": 2}, "llvm.data": {"PROGRAMS": 1}}  # fmt: skip
    for task, values in few.items():
        for name, value in values.items():
            monkeypatch.setattr(f"unseat.tasks.{task}.drawing.{name}", value)
    for name in ("SHOWN", "HIDDEN", "KEPT"):
        monkeypatch.setattr(pairs, name, 2)


def spec(task: str, seed: int = SEED) -> Spec:
    """A track with drawn instances."""
    return Spec.model_validate({"slug": "x", "title": "X", "task": task, "seed": seed,
                                "starts": "2024-01-01T00:00:00Z", "ends": "2090-01-01T00:00:00Z"})  # fmt: skip


def drawn(task: str, folder: Path, seed: int = SEED) -> bytes:
    """The files of a draw as an archive."""
    folder.mkdir()
    registry.task(task).draw(np.random.default_rng(seed), folder)
    return hidden.archived(folder)


def test_every_task_with_a_generator_draws() -> None:
    """Red: a task that takes submissions and has a generator can only be hidden by a folder."""
    from unseat.arena import entries

    able = {name for name in registry.names() if registry.task(name).card.repeatability != "timed"
            and entries.takes(registry.task(name))}  # fmt: skip
    draws = {name for name in registry.names() if type(registry.task(name)).draw is not Task.draw}
    assert able == draws == {*PLAIN, *COMPILED}


@pytest.mark.parametrize("task", PLAIN)
def test_draws_are_instances(small: None, tmp_path: Path, task: str) -> None:
    """Red: a drawn instance cannot be loaded, there are too few for intervals, or another seed draws the same."""
    opened, data = hidden.prepare(spec(task))
    groups = {one.group for one in opened.instances()}
    # Half are private, and the statistics want five groups of each half.
    assert len(groups) >= 10 and data is not None
    assert data == drawn(task, tmp_path / "same") != drawn(task, tmp_path / "other", SEED + 1)
    parts = tracks.divided(list(opened.instances()), spec(task), data)
    assert {"public", "private"} == set(parts.values())
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = {name.split("/")[0] for name in archive.namelist()}
        text = b"".join(archive.read(name) for name in archive.namelist())
    assert all(re.fullmatch(r"hidden-\d\d[a-z.-]*", name) for name in names)
    assert str(SEED).encode() not in text
    scope: dict[str, Any] = {}
    exec(kit.contents(tracks.shown(spec(task).model_copy(update={"takes": ["policy"]})))["policy/policy.py"], scope)
    # The starter kit's policy is one that works.
    ran = attempt(opened, opened.instances()[0], scope["Policy"](), seed=0, limits=Limits(wall_s=600.0))
    assert ran.status is Status.OK, ran.message


@pytest.mark.skipif(shutil.which("csmith") is None, reason="no Csmith here; apt-get install csmith libcsmith-dev")
def test_programs_stand_alone(small: None, tmp_path: Path) -> None:
    """Red: a drawn program needs headers that the machine of a worker lacks, or prints nothing to be judged by."""
    if find() is None:
        pytest.skip("no LLVM is installed here")
    data = drawn("inline", tmp_path / "programs")
    assert data == drawn("inline", tmp_path / "again")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert sorted(archive.namelist()) == ["hidden-01/expected.txt", "hidden-01/main.c"]
        assert b"#include" not in archive.read("hidden-01/main.c")
        assert archive.read("hidden-01/expected.txt").startswith(b"checksum = ")


def test_who_draws_nothing_says_so(make_track: Any) -> None:
    """Red: a track is made whose seed draws nothing, or to which nobody can submit anything."""
    with pytest.raises(UserError, match="draws no instances"):
        registry.task("index").draw(np.random.default_rng(1), Path("nowhere"))
    for task in ("index-hash", "index-filter"):
        with pytest.raises(UserError, match="takes no submissions"):
            make_track(task=task, folder=None, suite="quick")
    track = make_track(task="tests.arena.tiny:TinyAnswers", references=[])
    assert track.spec.takes == ["policy"]
