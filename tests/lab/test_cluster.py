"""The same experiments on Ray."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from tests.lab.answering import Solver
from tests.lab.test_executors import bad, fit, job
from tests.lab.tiny import Constant

from unseat.core.errors import ContractError, UserError
from unseat.core.learner import Role
from unseat.core.outcome import Limits, Status
from unseat.lab.evaluate import evaluate
from unseat.lab.executors import Executor, executor
from unseat.lab.records import Job
from unseat.lab.store import ArtefactStore

ray = pytest.importorskip("ray", reason="the extra `ray` is not installed")


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """A cluster of this machine alone; executors use the one that is there."""
    ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False, configure_logging=False)
    yield
    ray.shutdown()


@pytest.fixture
def store(tmp_path: Path) -> ArtefactStore:
    return ArtefactStore(tmp_path / "store")


@pytest.fixture
def pool(cluster: None, store: ArtefactStore) -> Iterator[Executor]:
    made = executor(1, "auto", store.root)
    yield made
    made.close()


def test_nothing_is_left_on_a_machine_of_the_cluster(cluster: None, store: ArtefactStore) -> None:
    """Red: every experiment leaves a copy of its policies in the temporary folder of each machine."""
    pool = executor(1, "auto", store.root)
    assert [one.outcome for one in pool.map([job(store.put(Constant("five", 5).artefact))])]
    (actor,) = cast(Any, pool)._idle
    folders = [Path(name) for name in ray.get(actor.__ray_call__.remote(_folders))]
    assert all(folder.exists() for folder in folders)
    pool.close()
    assert not any(folder.exists() for folder in folders)


def test_an_arenas_worker_on_a_cluster(cluster: None, tmp_path: Path) -> None:
    """Red: a worker of the arena that runs instances on a cluster does not find hidden ones, or gives no score."""
    pytest.importorskip("fastapi", reason="the arena needs its extra: pip install 'unseat[arena]'")
    import json

    import sqlalchemy as sa

    from unseat.arena import tables, tracks
    from unseat.arena.database import Database
    from unseat.arena.worker import Worker

    (tmp_path / "hidden").mkdir()
    for name, row in (("a", [0, 0, 1]), ("b", [0, 0, 0])):
        (tmp_path / "hidden" / f"{name}.json").write_text(json.dumps(row))
    database = Database(tmp_path / "arena")
    tracks.create(database, tracks.Spec.model_validate({
        "slug": "tiny", "title": "Tiny", "task": "tests.arena.tiny:Tiny", "folder": str(tmp_path / "hidden"),
        "references": ["zero"], "starts": "2024-01-01T00:00:00Z", "ends": "2090-01-01T00:00:00Z"}))  # fmt: skip
    with Worker(database, folder=tmp_path / "shared", ray="auto") as worker:
        assert worker.run(drain=True) == 1
    with database.read() as connection:
        own = tables.scores.c
        assert connection.scalars(sa.select(own.value).order_by(own.number)).all() == [1 / 3, 0.0]
    database.close()


def _folders(node: Any) -> list[str]:
    return [node._folder.name, node._serial._scratch.name]


def test_jobs_fits_and_failures_come_back(pool: Executor, store: ArtefactStore) -> None:
    """Red: over a cluster artefacts do not arrive, a killed policy stops the experiment, or a fit's policy is lost."""
    good = job(store.put(Constant("five", 5).artefact))
    done = list(pool.map([good, bad(store, "hang", Limits(wall_s=0.2)), bad(store, "exit"), good]))
    outcomes = sorted((str(one.outcome.status), one.outcome.value) for one in done if one.outcome)
    assert outcomes == [("crashed", 30.0), ("ok", 2.2), ("ok", 2.2), ("timeout", 30.0)]
    (fitted,) = pool.map([fit("dies", Limits(wall_s=60))])
    assert fitted.fitted and fitted.fitted.status == "crashed" and fitted.fitted.artefact
    assert store.get(fitted.fitted.artefact).fit is not None
    with pytest.raises(UserError, match="no instance 'nowhere'"):
        list(pool.map([job(good.artefact, instance="nowhere")]))
    with pytest.raises(ContractError, match="instance dog-0: ValueError: no data"):
        list(pool.map([job(good.artefact, task="tests.lab.tiny:Unloadable")]))


def test_answers_come_back(pool: Executor, store: ArtefactStore) -> None:
    """Red: over a cluster an answer is not stored with its run, or the last report of a killed solver is lost."""
    artefact = store.put(Solver("deaf", "deaf").artefact)
    (done,) = pool.map([Job("tests.lab.answering:Solving", "mixed/8", "deaf", Role.CHALLENGER, artefact, 0,
                            Limits(wall_s=0.3))])  # fmt: skip
    assert done.outcome and done.outcome.status is Status.OK and len(done.outcome.progress) == 2
    assert done.answer and list(store.get(done.answer).config["answers"]) == ["mixed/8"]


def test_a_lost_worker_is_replaced(pool: Executor, store: ArtefactStore) -> None:
    """Red: a machine that leaves the cluster takes an outcome with it."""
    good = job(store.put(Constant("five", 5).artefact))
    list(pool.map([good]))
    for actor in pool._idle:  # type: ignore[attr-defined]
        ray.kill(actor)
    (done,) = pool.map([good])
    assert done.outcome and done.outcome.status is Status.OK


def test_a_cluster_gives_the_outcomes_of_this_machine(cluster: None, tmp_path: Path) -> None:
    """Red: the same experiment has other keys or other values on a cluster."""
    here = evaluate("tests.lab.tiny:TinyTask", ledger=str(tmp_path / "here.db"))
    there = evaluate("tests.lab.tiny:TinyTask", ledger=str(tmp_path / "there.db"), ray="auto")
    assert [(run.key, run.outcome.value) for run in here.runs] == [(run.key, run.outcome.value) for run in there.runs]


def test_no_cluster_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red: an address where nothing listens ends in a traceback."""
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    with pytest.raises(UserError, match="--ray no such address: no cluster can be reached there") as caught:
        executor(1, "no such address", tmp_path)
    assert "\n" not in str(caught.value)


@pytest.fixture
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, str]]]:
    """The address of a cluster of its own that wants a token, and the environment of those who have it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(16),
                   "PYTHONPATH": os.pathsep.join(sys.path)}  # fmt: skip
    # Ray makes sockets in this folder, whose path must be short.
    folder = Path("/tmp") / f"unseat-ray-{port}"
    command = ["-m", "ray.scripts.scripts", "start", "--head", "--block", "--node-ip-address", "127.0.0.1", "--port",
               str(port), "--num-cpus", "1", "--include-dashboard", "false", "--temp-dir", str(folder)]  # fmt: skip
    log = tmp_path_factory.mktemp("ray") / "head.log"
    with log.open("w") as written:
        head = subprocess.Popen([sys.executable, *command], env=environment, stdout=written, stderr=written)
    try:
        until = time.monotonic() + 60
        while "block forever" not in log.read_text():
            assert head.poll() is None and time.monotonic() < until, log.read_text()[-1000:]
            time.sleep(0.1)
        yield f"127.0.0.1:{port}", environment
    finally:
        head.terminate()
        head.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def test_a_cluster_elsewhere_is_reached_with_its_token(
    guarded: tuple[str, dict[str, str]], store: ArtefactStore
) -> None:
    """Red: `--ray host:port` does not reach a cluster that this process has not started, or not one with a token."""
    address, environment = guarded
    code = (
        "from pathlib import Path\n"
        "from tests.lab.test_executors import job\n"
        "from tests.lab.tiny import Constant\n"
        "from unseat.lab.executors import executor\n"
        "from unseat.lab.store import ArtefactStore\n"
        f"store = ArtefactStore(Path({str(store.root)!r}))\n"
        f"pool = executor(1, {address!r}, store.root)\n"
        "(done,) = pool.map([job(store.put(Constant('five', 5).artefact))])\n"
        "pool.close()\n"
        "print(done.outcome.value)"
    )
    ran = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert ran.stdout == "2.2\n", ran.stderr[-1000:]
