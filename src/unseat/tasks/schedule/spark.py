"""Job graphs on a real Spark: what the simulator is held against, and where event logs for the recorder come from.

Every job graph becomes one job of one Spark application on ``local-cluster``: a stage is as many partitions as it has
tasks, each sleeping for the task's duration, and an edge is a shuffle. Tasks sleep, so that executors with a core each
run side by side on however few cores this machine has. The application runs in a child process with a session of its
own, which is empty again when `run` returns.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import psutil

from unseat.core.errors import MissingExtra, UserError
from unseat.tasks.schedule.engine.graphs import Arrivals, JobGraph, Stage, profile

Mode = Literal["fifo", "fair"]
Row = tuple[int, tuple[int, int]]
MODES: tuple[Mode, ...] = ("fifo", "fair")

MEMORY_MB = 512
START_S = 240.0
"""How long Spark may take to start, warm up and stop, beside the jobs themselves."""


@dataclass(frozen=True)
class TaskRun:
    """One task as Spark ran it; times in milliseconds since the clock of the arrivals started."""

    job: int
    stage: int
    task: int
    executor: str
    launched_ms: int
    finished_ms: int
    slept_ms: int


@dataclass(frozen=True)
class SparkRun:
    """What one run on Spark measured; times in milliseconds since the clock of the arrivals started.

    Attributes:
        submitted_ms, completed_ms: One a job, as the driver saw them.
        tasks: Every task, from Spark's event log.
        version: Spark's.
        start_s: How long the application took to start and warm up.
    """

    submitted_ms: tuple[int, ...]
    completed_ms: tuple[int, ...]
    tasks: tuple[TaskRun, ...]
    version: str
    start_s: float

    @property
    def moves(self) -> int:
        """How often an executor ran a task of another job than its last one."""
        last: dict[str, int] = {}
        moves = 0
        for task in sorted(self.tasks, key=lambda task: task.launched_ms):
            moves += last.setdefault(task.executor, task.job) != task.job
            last[task.executor] = task.job
        return moves

    def overhead_ms(self) -> tuple[int, int]:
        """Mean of what a task took beyond its sleep: an executor's first task of a stage, and every later one."""
        seen: set[tuple[int, int, str]] = set()
        first: list[int] = []
        rest: list[int] = []
        for task in sorted(self.tasks, key=lambda task: task.launched_ms):
            place = (task.job, task.stage, task.executor)
            (rest if place in seen else first).append(task.finished_ms - task.launched_ms - task.slept_ms)
            seen.add(place)
        return round(statistics.fmean(first)), round(statistics.fmean(rest or first))


def with_one_end(graph: JobGraph) -> JobGraph:
    """The graph as Spark runs it: where it has several last stages, one more of one short task that waits for them.

    A Spark job has exactly one last stage.
    """
    ends = tuple(place for place, children in enumerate(graph.children) if not children)
    if len(ends) == 1:
        return graph
    end = Stage(1, ends, (profile(graph.stages[ends[0]].profiles[0].executors, [1], [1], [1]),), name="end")
    return JobGraph(graph.name, graph.template, (*graph.stages, end))


def sleeps(arrivals: Arrivals, executors: int, seed: int) -> list[list[list[int]]]:
    """How long each task sleeps, in milliseconds, by job, stage and task; fixed before the run by the seed.

    Drawn from all that was measured with the number of executors nearest to `executors`.
    """
    drawn = []
    for job, (graph, _) in enumerate(arrivals):
        of_job = []
        for place, stage in enumerate(graph.stages):
            nearest = min(stage.profiles, key=lambda profile: abs(profile.executors - executors))
            rng = np.random.default_rng((seed, job, place))
            of_job.append([int(ms) for ms in rng.choice(np.concatenate(nearest.waves()), stage.tasks)])
        drawn.append(of_job)
    return drawn


def run(
    arrivals: Arrivals, mode: Mode, executors: int = 4, seed: int = 0, warm_ups: int = 2, log: Path | None = None
) -> SparkRun:
    """Runs the jobs on a real Spark, each submitted at its arrival.

    Args:
        arrivals: The jobs; a graph with several last stages runs as `with_one_end` of it.
        mode: ``fifo``, or ``fair`` with a pool for each job.
        executors: How many, each with one core and 512 MB.
        seed: Of the tasks' durations.
        warm_ups: How many small jobs run before; the first tasks of an executor take seconds.
        log: Where Spark's event log is kept, if anywhere.

    Raises:
        MissingExtra: There is no Java or no pyspark.
        UserError: Spark did not finish.
    """
    _check_installed()
    graphs = tuple(map(with_one_end, arrivals.graphs))
    arrivals = replace(arrivals, graphs=graphs)
    drawn = sleeps(arrivals, executors, seed)
    jobs: list[dict[str, Any]] = [
        {"at_ms": at, "parents": [stage.parents for stage in graph.stages], "order": graph.order,
         "sleeps": of_job, "name": graph.name}
        for (graph, at), of_job in zip(arrivals, drawn, strict=True)
    ]  # fmt: skip
    work_s = sum(sum(map(sum, of_job)) for of_job in drawn) / 1000
    tasks = sum(len(stage) for of_job in drawn for stage in of_job)
    limit_s = START_S + jobs[-1]["at_ms"] / 1000 + work_s + 2.0 * tasks
    with tempfile.TemporaryDirectory(prefix="unseat-spark-") as name:
        folder = Path(name)
        request = {"mode": mode, "executors": executors, "jobs": jobs, "warm_ups": warm_ups}
        (folder / "request.json").write_text(json.dumps(request))
        (folder / "log").mkdir()
        _in_a_session(folder, limit_s)
        answer = json.loads((folder / "answer.json").read_text())
        (written,) = (folder / "log").iterdir()
        ran = tuple(_task_runs(written, answer["stages"], answer["clock_ms"], drawn))
        if log is not None:
            shutil.copyfile(written, log)
    return SparkRun(
        tuple(answer["submitted_ms"]), tuple(answer["completed_ms"]), ran, answer["version"], answer["start_s"]
    )


def as_measured(arrivals: Arrivals, run: SparkRun, executors: int) -> Arrivals:
    """The same jobs for the simulator: each stage with the durations its tasks had, and the run's overheads on top.

    Executors come to a job of the same application at once and warm: `fresh` is `first`.
    """
    first, rest = run.overhead_ms()
    slept: dict[tuple[int, int], list[int]] = {}
    for task in run.tasks:
        slept.setdefault((task.job, task.stage), []).append(task.slept_ms)
    graphs = []
    for job, (graph, _) in enumerate(arrivals):
        stages = []
        for place, stage in enumerate(with_one_end(graph).stages):
            fresh = [ms + first for ms in slept[job, place]]
            later = [ms + rest for ms in slept[job, place]]
            stages.append(replace(stage, profiles=(profile(executors, fresh, fresh, later),)))
        graphs.append(JobGraph(f"{graph.name}@{job}", graph.template, tuple(stages)))
    at_ms = np.maximum.accumulate(run.submitted_ms)  # threads of jobs that arrive together may change places
    return Arrivals(tuple(graphs), tuple(range(len(graphs))), tuple(map(int, at_ms)))


def simulated(arrivals: Arrivals, mode: Mode, executors: int, seed: int) -> list[int]:
    """When each job completes in the simulator, in milliseconds, where executors move between jobs at once."""
    from unseat.tasks.schedule.engine import layout as at
    from unseat.tasks.schedule.engine.memory import Machines, lay_out, table
    from unseat.tasks.schedule.policies import RuleOf

    cluster = lay_out(arrivals, Machines((executors,), moving_ms=0, warm_up_ms=0))
    m = cluster.begin(seed)
    RuleOf(mode, {"fifo": "FIFO", "fair": "fair"}[mode]).play(m, cluster)
    return [int(end) for end in table(m, at.ALL_JOBS)[:, at.DONE_AT]]


def _check_installed() -> None:
    home = os.environ.get("JAVA_HOME")
    if shutil.which("java") is None and not (home and os.access(Path(home, "bin", "java"), os.X_OK)):
        raise MissingExtra("no Java, which Spark needs; install it: apt-get install openjdk-17-jre-headless")
    if importlib.util.find_spec("pyspark") is None:
        raise MissingExtra("no Spark; install it: pip install 'unseat[spark]'")


def _task_runs(log: Path, stages: list[list[int]], clock_ms: int, drawn: list[list[list[int]]]) -> Iterator[TaskRun]:
    """The tasks in an event log; `stages` has Spark's number of each job's stages, other tasks are left out."""
    places = {number: (job, place) for job, of_job in enumerate(stages) for place, number in enumerate(of_job)}
    with log.open() as lines:
        for line in lines:
            event = json.loads(line)
            if event["Event"] != "SparkListenerTaskEnd" or event["Stage ID"] not in places:
                continue
            job, place = places[event["Stage ID"]]
            told = event["Task Info"]
            if told["Failed"] or told["Killed"]:
                raise UserError(f"Spark lost task {told['Index']} of stage {place} of job {job}; run again")
            yield TaskRun(
                job, place, told["Index"], told["Executor ID"], told["Launch Time"] - clock_ms,
                told["Finish Time"] - clock_ms, drawn[job][place][told["Index"]],
            )  # fmt: skip


# The child process: a session of its own, so that all that Spark starts can be found and ended.


def _in_a_session(folder: Path, limit_s: float) -> None:
    """Runs the request in the folder in a child; whatever happens, no process of its session is left afterwards."""
    with (folder / "stderr").open("wb") as stderr:
        child = subprocess.Popen(
            [sys.executable, "-m", __name__, str(folder)], stdin=subprocess.PIPE, stdout=stderr, stderr=stderr,
            start_new_session=True, env=_environment(folder), cwd=folder,
        )  # fmt: skip
    try:
        code = child.wait(limit_s)
    except subprocess.TimeoutExpired:
        code = None
    finally:
        _end_session(child)
    if code != 0:
        why = (folder / "stderr").read_text(errors="replace").strip().rpartition("\n")[2] or "no message"
        raise UserError(f"Spark {'did not finish in time' if code is None else 'failed'}: {why[:300]}")


def _environment(folder: Path) -> dict[str, str]:
    """This process's without its Spark settings, and with a home of links, for workers write beside Spark's jars."""
    spec = importlib.util.find_spec("pyspark")
    assert spec is not None and spec.origin is not None
    home = folder / "home"
    home.mkdir()
    for entry in Path(spec.origin).parent.iterdir():
        (home / entry.name).symlink_to(entry)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SPARK_", "PYSPARK_"))}
    return kept | {
        "SPARK_HOME": str(home),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_LOCAL_DIRS": str(folder / "local"),
        "PYSPARK_PYTHON": sys.executable,
    }


def _session(leader: int) -> list[psutil.Process]:
    """The living processes of a session; Spark's Python workers leave the process group, but not the session."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, ProcessLookupError, PermissionError):
            if os.getsid(process.pid) == leader and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def _end_session(child: subprocess.Popen[bytes], patience_s: float = 10.0) -> None:
    """Waits until the session is empty where the child ended by itself, and kills what is left."""
    until = time.monotonic() + (patience_s if child.poll() == 0 else 0.0)
    while (left := _session(child.pid)) and time.monotonic() < until:
        time.sleep(0.1)
    while left:
        for process in left:
            with suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(left, timeout=5.0)
        left = _session(child.pid)
    assert child.stdin is not None
    child.stdin.close()
    child.wait()


# In the child.


def _task(place: int, sleeps_ms: Sequence[int]) -> Callable[[int, Iterable[Row]], Iterator[Row]]:
    """A stage's task: sleeps, then passes on which of Spark's stages were which of the graph's, its own included."""

    def body(index: int, rows: Iterable[Row]) -> Iterator[Row]:
        from pyspark import TaskContext

        context = TaskContext.get()
        assert context is not None
        known = {row for _, row in rows} | {(place, context.stageId())}
        time.sleep(sleeps_ms[index] / 1000)
        for row in sorted(known):
            yield index, row

    return body


def _last_stage(context: Any, parents: Sequence[Sequence[int]], order: Sequence[int], naps: list[list[int]]) -> Any:
    """The RDD of the job's last stage.

    A stage's output is shuffled once, whoever reads it, so that Spark runs the stage once.
    """
    reads = [0] * len(parents)
    for place, above in enumerate(parents):
        for parent in above:
            reads[parent] = max(reads[parent], len(naps[place]))
    made: dict[int, Any] = {}
    for place in order:
        count = len(naps[place])
        if parents[place]:
            read = [made[parent] for parent in parents[place]]
            source = (context.union(read) if len(read) > 1 else read[0]).coalesce(count)
        else:
            source = context.parallelize([], count)
        stage = source.mapPartitionsWithIndex(_task(place, naps[place]))
        made[place] = stage.partitionBy(reads[place]) if reads[place] else stage
    (last,) = (made[place] for place in order if not reads[place])
    last.getNumPartitions()  # builds it in the JVM, before any clock runs
    return last


def _settings(folder: Path, mode: str, executors: int) -> dict[str, str]:
    java = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"  # less work at start; the tasks only sleep
    return {
        "spark.master": f"local-cluster[{executors},1,{MEMORY_MB}]",
        "spark.app.name": "unseat",
        "spark.cores.max": str(executors),
        "spark.executor.memory": f"{MEMORY_MB}m",
        "spark.executor.extraJavaOptions": java,
        "spark.driver.extraJavaOptions": java,
        "spark.scheduler.mode": mode.upper(),
        # The application starts once every executor is there.
        "spark.scheduler.minRegisteredResourcesRatio": "1.0",
        "spark.scheduler.maxRegisteredResourcesWaitingTime": f"{START_S:.0f}s",
        # Any free executor takes any task.
        "spark.locality.wait": "0",
        "spark.shuffle.reduceLocality.enabled": "false",
        "spark.python.worker.reuse": "true",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "WARN",
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": (folder / "log").as_uri(),
        "spark.eventLog.rolling.enabled": "false",
        "spark.eventLog.compress": "false",
    }


def _serve(folder: Path) -> None:
    """Answers the request in the folder."""
    from pyspark import SparkConf, SparkContext

    request = json.loads((folder / "request.json").read_text())
    mode, executors, jobs = request["mode"], request["executors"], request["jobs"]
    begun = time.monotonic()
    conf = SparkConf(loadDefaults=False).setAll(list(_settings(folder, mode, executors).items()))
    context = SparkContext(conf=conf)
    try:
        for _ in range(request["warm_ups"]):  # Python workers import, Java compiles
            diamond = [(), (0,), (0,), (1, 2)]
            _last_stage(context, diamond, range(4), [[20] * 2 * executors] * 4).collect()
        lasts = [_last_stage(context, job["parents"], job["order"], job["sleeps"]) for job in jobs]
        start_s = time.monotonic() - begun
        answer = _submit_all(context, mode, jobs, lasts) | {"version": context.version, "start_s": start_s}
    finally:
        context.stop()
    (folder / "answer.json").write_text(json.dumps(answer))


def _submit_all(context: Any, mode: str, jobs: list[dict[str, Any]], lasts: list[Any]) -> dict[str, Any]:
    """Submits each job at its arrival, from a thread of its own, and waits for all."""
    count = len(jobs)
    submitted, completed, stages = [0] * count, [0] * count, [[-1] * len(job["sleeps"]) for job in jobs]
    clock, clock_ms = time.monotonic() + 1.0, round((time.time() + 1.0) * 1000)

    def submit(job: int) -> None:
        context.setJobGroup(str(job), jobs[job]["name"])
        if mode == "fair":
            context.setLocalProperty("spark.scheduler.pool", f"job-{job:06}")  # ties go by name: to the earlier job
        time.sleep(max(0.0, clock + jobs[job]["at_ms"] / 1000 - time.monotonic()))
        submitted[job] = round((time.monotonic() - clock) * 1000)
        rows = lasts[job].collect()
        completed[job] = round((time.monotonic() - clock) * 1000)
        for _, (place, number) in rows:
            stages[job][place] = number

    threads = [threading.Thread(target=submit, args=(job,)) for job in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if not all(completed):
        raise RuntimeError(f"{completed.count(0)} of {count} jobs failed")
    return {"submitted_ms": submitted, "completed_ms": completed, "stages": stages, "clock_ms": clock_ms}


def _end_with_parent() -> None:
    """Ends this process once the one that started it is gone; Spark's processes follow their driver."""
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _serve(Path(sys.argv[1]))
