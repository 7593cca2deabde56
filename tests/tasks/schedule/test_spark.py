"""Job graphs on a real Spark."""

from __future__ import annotations

import importlib.util
import shutil
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

from unseat.core.errors import MissingExtra, UserError
from unseat.tasks.schedule import spark
from unseat.tasks.schedule.engine.graphs import Arrivals, JobGraph, Stage, profile

PYSPARK = importlib.util.find_spec("pyspark") is not None
needs_spark = pytest.mark.skipif(
    not PYSPARK or shutil.which("java") is None, reason="needs pyspark (extra spark) and Java on PATH"
)
EXECUTORS = 2


def stage(tasks: int, *parents: int, ms: tuple[int, ...] = (50,)) -> Stage:
    return Stage(tasks, parents, (profile(EXECUTORS, ms, [], []),))


DIAMOND = JobGraph("diamond", "diamond", (stage(3), stage(1, 0), stage(5, 0), stage(2, 1, 2)))
TWO_ENDS = JobGraph("two-ends", "two-ends", (stage(1, 1), stage(4, ms=(40, 60, 80)), stage(2, 1)))
JOBS = Arrivals((DIAMOND, TWO_ENDS), (0, 1, 0), (0, 100, 1500))


def of_spark() -> set[int]:
    """Living processes of any Spark that this package started: its home's name is in their environment."""
    found = set()
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.status() != psutil.STATUS_ZOMBIE and "unseat-spark-" in process.environ().get("SPARK_HOME", ""):
                found.add(process.pid)
    return found


class Seen(NamedTuple):
    run: spark.SparkRun
    most: int
    left: set[int]
    log: Path


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    """One run on Spark, the most processes it had at a time, and those that it left."""
    before, most, over = of_spark(), 0, threading.Event()

    def watch() -> None:
        nonlocal most
        while not over.wait(0.5):
            most = max(most, len(of_spark() - before))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        log = tmp_path_factory.mktemp("spark") / "events.json"
        run = spark.run(JOBS, "fair", EXECUTORS, seed=3, warm_ups=0, log=log)
    finally:
        over.set()
        watcher.join()
    yield Seen(run, most, of_spark() - before, log)


@needs_spark
def test_all_jobs_complete(seen: Seen) -> None:
    """Red: a job or a task was lost, ran twice, or is timed before it was submitted."""
    graphs = [spark.with_one_end(graph) for graph, _ in JOBS]
    expected = [
        (job, place, task)
        for job, graph in enumerate(graphs)
        for place, stage in enumerate(graph.stages)
        for task in range(stage.tasks)
    ]
    assert sorted((task.job, task.stage, task.task) for task in seen.run.tasks) == expected
    for job, (_, at) in enumerate(JOBS):
        ran = [task for task in seen.run.tasks if task.job == job]
        assert at <= seen.run.submitted_ms[job] <= min(task.launched_ms for task in ran) + 50
        assert max(task.finished_ms for task in ran) <= seen.run.completed_ms[job] + 50
    assert len({task.executor for task in seen.run.tasks}) == EXECUTORS
    assert seen.log.stat().st_size > 0


@needs_spark
def test_stages_wait_for_their_parents(seen: Seen) -> None:
    """Red: an edge of the graph is none on Spark, or a task does not take as long as it was drawn."""
    spans: dict[tuple[int, int], tuple[int, int]] = {}
    for task in seen.run.tasks:
        low, high = spans.get((task.job, task.stage), (task.launched_ms, task.finished_ms))
        spans[task.job, task.stage] = min(low, task.launched_ms), max(high, task.finished_ms)
        assert task.finished_ms - task.launched_ms >= task.slept_ms
    for job, (graph, _) in enumerate(JOBS):
        for place, stage in enumerate(spark.with_one_end(graph).stages):
            for parent in stage.parents:
                assert spans[job, parent][1] <= spans[job, place][0]


@needs_spark
def test_no_process_is_left(seen: Seen) -> None:
    """Red: a driver, a worker's executor or its Python outlives the run."""
    assert seen.most >= 2 + EXECUTORS
    assert not seen.left


@needs_spark
def test_what_spark_measured_goes_to_the_simulator(seen: Seen) -> None:
    """Red: the simulator would get other jobs, durations or arrivals than Spark ran."""
    told = spark.as_measured(JOBS, seen.run, EXECUTORS)
    first, rest = seen.run.overhead_ms()
    assert told.at_ms == seen.run.submitted_ms
    drawn = spark.sleeps(Arrivals(tuple(map(spark.with_one_end, JOBS.graphs)), JOBS.jobs, JOBS.at_ms), EXECUTORS, 3)
    for (graph, _), of_job in zip(told, drawn, strict=True):
        for stage, naps in zip(graph.stages, of_job, strict=True):
            assert sorted(stage.profiles[0].first) == sorted(nap + first for nap in naps)
            assert sorted(stage.profiles[0].rest) == sorted(nap + rest for nap in naps)


@pytest.mark.skipif(not PYSPARK, reason="needs pyspark (extra spark)")
def test_a_spark_that_fails_is_one_line(tmp_path: Path) -> None:
    """Red: a failure of the child is taken for an answer, is a page of trace, or leaves a process."""
    before = of_spark()
    with pytest.raises(UserError, match=r"^Spark failed: .*request\.json") as caught:
        spark._in_a_session(tmp_path, 60.0)
    assert "\n" not in str(caught.value)
    assert of_spark() <= before


def test_without_java_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Red: a machine without Java, or without the extra, gets a trace and no command."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(MissingExtra, match="apt-get install openjdk"):
        spark.run(JOBS, "fifo")
    java = tmp_path / "java"
    java.write_text("")
    java.chmod(0o755)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"pip install 'unseat\[spark\]'"):
        spark.run(JOBS, "fifo")


def test_durations_are_fixed_by_the_seed() -> None:
    """Red: two runs with one seed sleep for different times, or for times that were never measured."""
    drawn = spark.sleeps(JOBS, EXECUTORS, 7)
    assert drawn == spark.sleeps(JOBS, EXECUTORS, 7)
    assert [len(naps) for naps in drawn[1]] == [1, 4, 2]
    assert set(drawn[1][1]) <= {40, 60, 80}
    assert drawn[0][0] == [50, 50, 50]


def test_one_end() -> None:
    """Red: a Spark job is built that lacks a last stage, or a graph is changed that has one."""
    assert spark.with_one_end(DIAMOND) is DIAMOND
    ended = spark.with_one_end(TWO_ENDS)
    assert ended.stages[:3] == TWO_ENDS.stages and ended.stages[3].parents == (0, 2)
    assert ended.stages[3].tasks == 1
