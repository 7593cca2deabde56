"""Make jobs from Spark: from its event logs, or from a program that is run with such a log switched on.

A job of the simulator is one of Spark's SQL executions, or one of its jobs where it is none. Adaptive execution runs
each shuffle of a query as a job of its own, in which the stages before it appear again, skipped: a stage that did not
run is taken out, and its children depend on the stage that computed the same, or else on its parents. A part of a query
that shares no shuffle with the rest, such as a broadcast, is taken to be awaited by the first stage that started after
it was done; where there is none, it is a job of its own.

An executor of the simulator runs one task at a time, so that each of the tasks that a Spark executor runs at the same
time stands for one: a slot. A slot's first task of a job is `fresh`, its first of a stage `first`, others `rest`, and
the job's number of executors is that of the slots it used. Of repeated and speculative tasks the first that succeeded
counts.

A scheduler must not be told how long the very job takes that it schedules. Jobs of one template are runs of the same
thing: of each is told what those took that had ended when it was submitted (`Stage.told`). Where there is none, its own
means are all there is, and what is written says of how many jobs that is so.
"""

from __future__ import annotations

import hashlib
import heapq
import os
import re
import shlex
import shutil
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from unseat.core.errors import UserError
from unseat.tasks.schedule.data.event_log import Application, SparkJob, StageInfo, TaskRun, find_logs, read_log
from unseat.tasks.schedule.data.jobs_json import write_jobs
from unseat.tasks.schedule.engine.graphs import (
    LAST_ARRIVAL_MS,
    LONGEST_MS,
    Arrivals,
    JobGraph,
    Stage,
    Told,
    profile,
)  # fmt: skip

_LAUNCHERS = ("spark-submit", "spark-shell", "spark-sql", "pyspark", "sparkR")
_LONGEST_NAME = 60

Slot = tuple[str, int]
Ran = tuple[TaskRun, Slot]


def from_event_log(path: Path | str) -> Arrivals:
    """The jobs of an event log, a rolling folder of one, or a folder of several.

    Jobs arrive as they were submitted, the first at 0; those of several logs on one clock. Jobs that did not end well
    are left out. A job's template is what it is described as, in its application, and the form of its graph: the names
    of its stages, and which depends on which.

    Raises:
        UserError: A log cannot be read, a line is no event, or no job ended well.
    """
    return _read(Path(path)).arrivals


def record(command: Sequence[str], log: Path | None, output: Path) -> str:
    """Write jobs (`data.jobs_json`) from an event log, or from a program that is run with one; says what was written.

    The program is one of Spark's launchers (`spark-submit ...`), a Python program that starts Spark itself, or a script
    that calls either, with its driver on this machine.

    Raises:
        UserError: Neither or both are given, the program cannot be run or wrote no event log, or as `from_event_log`.
    """
    if log is not None and command:
        raise UserError("give an event log or a command to record, not both")
    if log is not None:
        return _written(log, output)
    if not command:
        raise UserError("give an event log (--from LOG), or a command after --, as in: unseat record schedule -- "
                        "spark-submit job.py")  # fmt: skip
    if shutil.which(command[0]) is None:
        raise UserError(f"{command[0]}: no such program; give a command that can be run")
    with tempfile.TemporaryDirectory(prefix="unseat-record-") as folder:
        environment = log_environment(os.environ, folder)
        status = subprocess.run(with_log(command, folder), env=environment, check=False).returncode
        if not any(Path(folder).iterdir()):
            raise UserError(
                f"{command[0]} wrote no event log (status {status}); if its driver runs elsewhere, set "
                "spark.eventLog.enabled there and give the log with --from"
            )
        said = _written(Path(folder), output)
    return said if status == 0 else f"{said}; the command ended with status {status}"


def log_settings(folder: str) -> dict[str, str]:
    """Spark's settings for an event log in a folder."""
    return {
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": Path(folder).absolute().as_uri(),
        "spark.eventLog.compress": "false",
    }


def with_log(command: Sequence[str], folder: str) -> list[str]:
    """The command; one of Spark's launchers gets the settings as its first options."""
    options = [word for name, value in log_settings(folder).items() for word in ("--conf", f"{name}={value}")]
    return [command[0], *(options if Path(command[0]).name in _LAUNCHERS else []), *command[1:]]


def log_environment(environment: Mapping[str, str], folder: str) -> dict[str, str]:
    """The environment, in which Python programs and scripts that start Spark get the settings too."""
    settings = log_settings(folder)
    options = shlex.join([word for name, value in settings.items() for word in ("--conf", f"{name}={value}")])
    properties = shlex.join([f"-D{name}={value}" for name, value in settings.items()])
    return {
        **environment,
        "PYSPARK_SUBMIT_ARGS": f"{options} {environment.get('PYSPARK_SUBMIT_ARGS', 'pyspark-shell')}",
        "SPARK_SUBMIT_OPTS": f"{environment.get('SPARK_SUBMIT_OPTS', '')} {properties}".strip(),
    }


def _written(log: Path, output: Path) -> str:
    read = _read(log)
    arrivals, jobs = read.arrivals, len(read.arrivals.jobs)
    histories = (
        f"{_many(read.told, 'job')} told the mean durations of earlier jobs of the same template; "
        f"{_many(jobs - read.told, 'job')} without an earlier one, told their own means, which no scheduler knows"
    )
    write_jobs(output, arrivals, note=histories)
    stages = sum(len(graph.stages) for graph, _ in arrivals)
    tasks = sum(graph.tasks for graph, _ in arrivals)
    templates = len({graph.template for graph in arrivals.graphs})
    said = (
        f"{_many(len(arrivals.jobs), 'job')} of {_many(templates, 'template')} written to {output}: "
        f"{_many(stages, 'stage')}, {_many(tasks, 'task')}, arriving over {arrivals.at_ms[-1] / 1000:,.1f} s"
    )
    left = f"; left out {read.left_out:,} that did not end well or ran no task" if read.left_out else ""
    return f"{said}{left}\n{histories}"


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


@dataclass(frozen=True)
class _Found:
    at_ms: int
    end_ms: int
    graph: JobGraph
    log: str


@dataclass(frozen=True)
class _Read:
    """Jobs, how many of them are told the means of earlier ones, and how many were left out."""

    arrivals: Arrivals
    told: int
    left_out: int


def _read(path: Path) -> _Read:
    found: list[_Found] = []
    left_out = 0
    for number, log in enumerate(find_logs(path)):
        application = read_log(log)
        name = _plain(application.source.removesuffix(".inprogress"))
        try:
            made, missed = _jobs(application, name if number == 0 else f"{name}-{number}")
        except UserError as error:
            raise UserError(f"{log}: {error}") from error
        found += made
        left_out += missed
    if not found:
        raise UserError(f"{path}: no job that ended well and ran tasks; give an event log of a finished application")
    found.sort(key=lambda one: one.at_ms)
    at_ms = tuple(one.at_ms - found[0].at_ms for one in found)
    if at_ms[-1] > LAST_ARRIVAL_MS:
        days, most = at_ms[-1] / 86_400_000, LAST_ARRIVAL_MS // 86_400_000
        raise UserError(
            f"{path}: a job of {found[-1].log} was submitted {days:,.0f} days after the first, of {found[0].log}; "
            f"{most} days is the most: record such logs apart, each with -o of its own"
        )
    graphs = _told(found)
    told = sum(graph.stages[0].told is not None for graph in graphs)
    try:
        return _Read(Arrivals(tuple(graphs), tuple(range(len(graphs))), at_ms), told, left_out)
    except UserError as error:
        raise UserError(f"{path}: {error}") from error


def _told(found: Sequence[_Found]) -> list[JobGraph]:
    """The graphs, told what the jobs of the same template took that had ended when each was submitted.

    Args:
        found: Jobs in the order of their submission.
    """
    running: dict[str, list[tuple[int, int]]] = defaultdict(list)
    ended: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.int64]]] = {}
    graphs = []
    for number, one in enumerate(found):
        template, stages = one.graph.template, one.graph.stages
        while running[template] and running[template][0][0] <= one.at_ms:
            seen = found[heapq.heappop(running[template])[1]].graph
            took = np.array([stage.profiles[0].sums for stage in seen.stages], np.int64)
            ended[template] = took + ended[template] if template in ended else took
        heapq.heappush(running[template], (one.end_ms, number))
        if template in ended:
            stages = tuple(replace(stage, told=_means(total.tolist()))
                           for stage, total in zip(stages, ended[template], strict=True))  # fmt: skip
        graphs.append(replace(one.graph, stages=stages))
    return graphs


def _means(totals: Sequence[tuple[int, int]]) -> Told:
    """Of the sum and the number of durations of each wave; one that was never seen has the mean of all."""
    mean = sum(total for total, _ in totals) / sum(count for _, count in totals)
    return Told(mean, *(total / count if count else mean for total, count in totals))


def _jobs(application: Application, name: str) -> tuple[list[_Found], int]:
    """The graphs of an application, and how many of its jobs were left out."""
    groups: dict[str, list[SparkJob]] = defaultdict(list)
    owner: dict[int, str] = {}
    for job in sorted(application.jobs.values(), key=lambda job: job.id):
        key = f"job-{job.id}" if job.execution is None else f"sql-{job.execution}"
        groups[key].append(job)
        for stage in job.stages:
            owner.setdefault(stage.id, key)
    runs = _runs(application)
    by_group: dict[str, dict[int, list[Ran]]] = defaultdict(dict)
    for stage_id, ran in runs.items():
        if stage_id in owner:
            by_group[owner[stage_id]][stage_id] = ran
    found, left_out = [], 0
    for key, jobs in groups.items():
        ran_stages = by_group.get(key)
        # Adaptive execution may cancel a job of a query that goes on; the last one tells how the query ended.
        if not ran_stages or any(job.succeeded is None for job in jobs) or not jobs[-1].succeeded:
            left_out += 1
            continue
        described = application.executions.get(jobs[0].execution, "") if jobs[0].execution is not None else ""
        text = _described(described or jobs[0].description)
        infos = {stage.id: stage for job in jobs for stage in job.stages}
        parents = _parents(infos, ran_stages)
        for number, part in enumerate(_parts(parents, ran_stages)):
            graph = _graph(f"{name}-{key}" + (f"-{number}" if number else ""), f"{application.name or name}: {text}",
                           part, parents, infos, ran_stages)  # fmt: skip
            at = min(job.at_ms for job in jobs) if number == 0 else min(_begin(ran_stages[one])[0] for one in part)
            end = max(_end(ran_stages[one]) for one in part)
            found.append(_Found(at, end, graph, application.source))
    return found, left_out


def _runs(application: Application) -> dict[int, list[Ran]]:
    """The first success of each task by stage, in the order of their launch, with the slot it ran in."""
    slots = {executor: max(1, cores // application.task_cores) for executor, cores in application.cores.items()}
    busy: dict[str, list[tuple[int, int]]] = defaultdict(list)
    free: dict[str, list[int]] = defaultdict(list)
    placed: list[Ran] = []
    for task in sorted(application.tasks, key=lambda task: (task.launch, task.finish)):
        running, idle = busy[task.executor], free[task.executor]
        most = slots.get(task.executor, len(application.tasks))
        # Spark launches a slot's next task when it hears of the last one's end, which it notes down a little later.
        while running and (running[0][0] <= task.launch or len(running) >= most):
            heapq.heappush(idle, heapq.heappop(running)[1])
        slot = heapq.heappop(idle) if idle else len(running)
        heapq.heappush(running, (task.finish, slot))
        placed.append((task, (task.executor, slot)))
    first: dict[tuple[int, tuple[int, int]], Ran] = {}
    for ran in sorted(placed, key=lambda ran: ran[0].finish):
        if ran[0].succeeded:
            first.setdefault((ran[0].stage, ran[0].partition), ran)
    found: dict[int, list[Ran]] = defaultdict(list)
    for ran in sorted(first.values(), key=lambda ran: ran[0].launch):
        found[ran[0].stage].append(ran)
    return found


def _begin(ran: Sequence[Ran]) -> tuple[int, int]:
    """When a stage began, and its id: an order in which parents come before children."""
    return ran[0][0].launch, ran[0][0].stage


def _end(ran: Sequence[Ran]) -> int:
    return max(task.finish for task, _ in ran)


def _parents(infos: Mapping[int, StageInfo], ran: Mapping[int, list[Ran]]) -> dict[int, set[int]]:
    """Which stages that ran each stage depends on."""
    computed: dict[int, int] = {}
    for stage in sorted(ran, key=lambda stage: _begin(ran[stage])):
        rdd = infos[stage].rdd
        if rdd is not None:
            computed.setdefault(rdd, stage)

    def behind(stage: int) -> set[int]:
        found, seen, stack = set[int](), set[int](), [*infos[stage].parents]
        while stack:
            one = stack.pop()
            if one in seen or one not in infos:
                continue
            seen.add(one)
            rdd = infos[one].rdd
            same = one if one in ran else None if rdd is None else computed.get(rdd)
            if same is None:
                stack += infos[one].parents
            elif _begin(ran[same]) < _begin(ran[stage]):
                found.add(same)
        return found

    return {stage: behind(stage) for stage in ran}


def _parts(parents: dict[int, set[int]], ran: Mapping[int, list[Ran]]) -> list[set[int]]:
    """The parts of a job that have nothing to do with each other, once those that others await are joined to them."""
    parts = _components(parents)
    for part in sorted(parts, key=lambda part: max(_end(ran[stage]) for stage in part)):
        done = max(_end(ran[stage]) for stage in part)
        # Tasks may take no time: without the order of beginnings, two parts could await each other.
        last = max((done, -1), *(_begin(ran[stage]) for stage in part))
        after = [stage for other in parts if other is not part for stage in other if _begin(ran[stage]) > last]
        if after:
            waiting = min(after, key=lambda stage: _begin(ran[stage]))
            inner = {parent for stage in part for parent in parents[stage]}
            parents[waiting] |= part - inner
    return sorted(_components(parents), key=lambda part: min(_begin(ran[stage]) for stage in part))


def _components(parents: Mapping[int, set[int]]) -> list[set[int]]:
    part = {stage: {stage} for stage in parents}
    for stage, above in parents.items():
        for parent in above:
            if part[parent] is not part[stage]:
                part[stage] |= part[parent]
                for one in part[parent]:
                    part[one] = part[stage]
    return list({id(one): one for one in part.values()}.values())


def _graph(
    name: str,
    template: str,
    part: set[int],
    parents: Mapping[int, set[int]],
    infos: Mapping[int, StageInfo],
    ran: Mapping[int, list[Ran]],
) -> JobGraph:
    names = {stage: _plain(infos[stage].name.split(" at ")[0]) for stage in part}
    forms = _forms(sorted(part, key=lambda stage: _begin(ran[stage])), parents, names)
    order = sorted(part, key=lambda stage: (forms[stage], stage))
    place = {stage: at for at, stage in enumerate(order)}
    waves = _waves([one for stage in order for one in ran[stage]])
    slots = len({slot for stage in order for _, slot in ran[stage]})
    stages = []
    for stage in order:
        above = tuple(sorted(place[parent] for parent in parents[stage]))
        stages.append(Stage(len(ran[stage]), above, (profile(slots, *waves[stage]),), name=names[stage]))
    form = repr([forms[stage] for stage in order])
    return JobGraph(name, f"{template} #{_digest(form)[:6]}", tuple(stages))


def _forms(
    order: Sequence[int], parents: Mapping[int, set[int]], names: Mapping[int, str]
) -> dict[int, tuple[int, str, str, str]]:
    """What each stage is in its graph, whatever its number and whenever it ran: two runs of a program lie side by side.

    It is the stage's depth and name, and hashes of all that is above it and of all that is below.

    Args:
        order: Stages, each after its parents.
        parents: Of each stage.
        names: Of each stage.
    """
    depth, above, below = dict[int, int](), dict[int, str](), dict[int, str]()
    children: dict[int, list[int]] = defaultdict(list)
    for stage in order:
        depth[stage] = 1 + max((depth[parent] for parent in parents[stage]), default=0)
        above[stage] = _digest(repr((names[stage], sorted(above[parent] for parent in parents[stage]))))
        for parent in parents[stage]:
            children[parent].append(stage)
    for stage in reversed(order):
        below[stage] = _digest(repr((names[stage], sorted(below[child] for child in children[stage]))))
    return {stage: (depth[stage], names[stage], above[stage], below[stage]) for stage in order}


def _waves(ran: Sequence[Ran]) -> dict[int, tuple[list[int], list[int], list[int]]]:
    """Durations of a job's tasks by stage: fresh, first and rest."""
    in_job: set[Slot] = set()
    in_stage: set[tuple[Slot, int]] = set()
    found: dict[int, tuple[list[int], list[int], list[int]]] = defaultdict(lambda: ([], [], []))
    for task, slot in sorted(ran, key=lambda one: (one[0].launch, one[0].stage)):
        wave = 0 if slot not in in_job else 1 if (slot, task.stage) not in in_stage else 2
        in_job.add(slot)
        in_stage.add((slot, task.stage))
        found[task.stage][wave].append(min(max(task.finish - task.launch, 1), LONGEST_MS))
    return found


def _described(text: str) -> str:
    """A description without folders; a long one (a whole query) is known by its hash."""
    short = re.sub(r"\S*/", "", text.strip())
    return short if 0 < len(short) <= _LONGEST_NAME and "\n" not in short else f"query {_digest(text)[:10]}"


def _plain(text: str) -> str:
    return " ".join(text.split())[:_LONGEST_NAME]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()
