"""Read Spark's event logs: what jobs and stages there were, and when each task ran where.

Every Spark writes such a log with `spark.eventLog.enabled`: JSON, an event a line, in one file or in a rolling folder
(`eventlog_v2_...` with `events_1_...`, `events_2_...`). Names of events and fields are those of Spark's `JsonProtocol`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from unseat.core.errors import UserError
from unseat.tasks.schedule.data.stream import opened

_KIND = re.compile(rb'\{"Event":"([A-Za-z0-9_.$]+)"')
_PART = re.compile(r"events_(\d+)_")
_LONGEST_LINE = 2**26
_NUMBER = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True)
class StageInfo:
    """A stage as a job names it; `rdd` is what it computes: Spark gives a stage of it a new id in each job."""

    id: int
    name: str
    parents: tuple[int, ...]
    rdd: int | None


@dataclass(frozen=True)
class TaskRun:
    """A task that ended; `partition` tells copies and repetitions of one task from other tasks."""

    stage: int
    partition: tuple[int, int]
    executor: str
    launch: int
    finish: int
    succeeded: bool


@dataclass
class SparkJob:
    """One of Spark's jobs; several make up one SQL execution (`execution`). `succeeded` is None until it has ended."""

    id: int
    at_ms: int
    stages: tuple[StageInfo, ...]
    execution: int | None
    description: str
    succeeded: bool | None = None


@dataclass
class Application:
    """All of one log. `cores` are those of each executor, of which a task takes `task_cores`."""

    source: str
    name: str = ""
    jobs: dict[int, SparkJob] = field(default_factory=dict)
    tasks: list[TaskRun] = field(default_factory=list)
    executions: dict[int, str] = field(default_factory=dict)
    cores: dict[str, int] = field(default_factory=dict)
    task_cores: int = 1


def find_logs(path: Path) -> list[Path]:
    """The logs at a path: itself, if it is a file or a rolling folder, or those in the folder, by name.

    Raises:
        UserError: There is none.
    """
    if path.is_file() or _parts(path):
        return [path]
    if not path.is_dir():
        raise UserError(f"{path}: no such file; check the path")
    inside = sorted(one for one in path.iterdir() if not one.name.startswith((".", "_")))
    found = [one for one in inside if one.is_file() or _parts(one)]
    if not found:
        raise UserError(f"{path}: no event log in this folder; give the folder of spark.eventLog.dir")
    return found


def read_log(path: Path) -> Application:
    """Read one log, as `find_logs` names it. A last line that is cut short is passed over: the application was killed.

    Raises:
        UserError: It cannot be read, or another line is no event; the message names the line.
    """
    try:
        return _read(path)
    except MemoryError as error:
        raise UserError(f"{path}: does not fit into this machine's memory; give the logs one by one") from error


def _read(path: Path) -> Application:
    read = Application(path.name)
    files = _parts(path) or [path]
    for place, file in enumerate(files):
        for where, kind, event in _events(file, last=place == len(files) - 1):
            try:
                _HANDLERS[kind](read, event)
            except _Damaged as error:
                raise UserError(f"{where}: {kind}: {error}; give the log as Spark wrote it") from error
    return read


class _Damaged(Exception):
    """An event is not as Spark writes it."""


def _parts(path: Path) -> list[Path]:
    """The files of a rolling folder, in order."""
    if not path.is_dir():
        return []
    numbered = [(int(match[1]), one) for one in path.iterdir() if (match := _PART.match(one.name))]
    return [one for _, one in sorted(numbered)]


def _events(path: Path, *, last: bool) -> Iterator[tuple[str, str, Event]]:
    """Place, name and content of the events that matter; other events are not even parsed."""
    with opened(path) as file:
        number = 0
        ahead = file.readline(_LONGEST_LINE)
        while line := ahead:
            number, ahead = number + 1, file.readline(_LONGEST_LINE)
            if len(line) == _LONGEST_LINE:
                raise UserError(f"{path}:{number}: longer than {_LONGEST_LINE:,} bytes; no event of Spark's is")
            known = _KIND.match(line)
            if not line.strip() or (known and known[1].decode() not in _HANDLERS and line.endswith(b"\n")):
                continue
            try:
                event = json.loads(line)
                kind = event["Event"]
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                if last and not ahead and not line.endswith(b"\n") and number > 1:
                    return
                told = "not JSON" if isinstance(error, ValueError) else "no event"
                raise UserError(f"{path}:{number}: {told}; a Spark event log has one event a line") from error
            if isinstance(kind, str) and kind in _HANDLERS:
                yield f"{path}:{number}", kind, event


def _application(read: Application, event: Event) -> None:
    read.name = _text(_field(event, "App Name"), "App Name")


def _environment(read: Application, event: Event) -> None:
    cores = _object(event, "Spark Properties").get("spark.task.cpus")
    read.task_cores = 1 if cores is None else max(1, _number(cores, "spark.task.cpus"))


def _executor(read: Application, event: Event) -> None:
    executor = _text(_field(event, "Executor ID"), "Executor ID")
    read.cores[executor] = _whole(_object(event, "Executor Info"), "Total Cores")


def _job_start(read: Application, event: Event) -> None:
    properties = _object(event, "Properties")
    id_of = next((name for name in _EXECUTION if properties.get(name) is not None), None)
    described = next((properties[name] for name in _DESCRIPTION if properties.get(name)), "")
    stages = tuple(_stage(info) for info in _objects(event, "Stage Infos"))
    number = _whole(event, "Job ID")
    read.jobs[number] = SparkJob(
        number, _whole(event, "Submission Time"), stages,
        None if id_of is None else _number(properties[id_of], id_of), _text(described, "the description"),
    )  # fmt: skip


def _stage(info: Event) -> StageInfo:
    rdds, parents = _objects(info, "RDD Info", optional=True), _list(info, "Parent IDs", optional=True)
    return StageInfo(
        _whole(info, "Stage ID"), _text(_field(info, "Stage Name"), "Stage Name"),
        tuple(_checked(parent, "Parent IDs") for parent in parents), _whole(rdds[0], "RDD ID") if rdds else None,
    )  # fmt: skip


def _job_end(read: Application, event: Event) -> None:
    job = read.jobs.get(_whole(event, "Job ID"))
    if job is not None:
        job.succeeded = _field(_object(event, "Job Result"), "Result") == "JobSucceeded"


def _execution_start(read: Application, event: Event) -> None:
    read.executions[_whole(event, "executionId")] = _text(event.get("description") or "", "description")


def _task_end(read: Application, event: Event) -> None:
    info = _object(event, "Task Info")
    launch, finish = _whole(info, "Launch Time"), _whole(info, "Finish Time")
    reason = _field(_object(event, "Task End Reason"), "Reason")
    succeeded = reason == "Success" and not info.get("Failed") and not info.get("Killed")
    # Repeated attempts of a stage count their tasks anew; older Sparks do not say which partition that is.
    partition = _whole(info, "Partition ID") if "Partition ID" in info else -1
    key = (-1, partition) if partition >= 0 else (_whole(event, "Stage Attempt ID"), _whole(info, "Index"))
    executor = _text(_field(info, "Executor ID"), "Executor ID")
    read.tasks.append(TaskRun(_whole(event, "Stage ID"), key, executor, launch, max(finish, launch), succeeded))


def _field(event: Event, name: str) -> Any:
    if name not in event:
        raise _Damaged(f"{name} is missing")
    return event[name]


def _object(event: Event, name: str) -> Event:
    """An object; one that is missing or null is empty, and then lacks what it must have."""
    value = event.get(name)
    if value is not None and not isinstance(value, dict):
        raise _Damaged(f"{name} is {_short(value)}, not an object")
    return value or {}


def _list(event: Event, name: str, *, optional: bool = False) -> list[Any]:
    value = event.get(name) if optional else _field(event, name)
    if not isinstance(value, list) and not (optional and value is None):
        raise _Damaged(f"{name} is {_short(value)}, not a list")
    return value or []


def _objects(event: Event, name: str, *, optional: bool = False) -> list[Event]:
    found = _list(event, name, optional=optional)
    for value in found:
        if not isinstance(value, dict):
            raise _Damaged(f"{name} holds {_short(value)}, not an object")
    return found


def _whole(event: Event, name: str) -> int:
    return _checked(_field(event, name), name)


def _checked(value: Any, name: str) -> int:
    if type(value) is not int or abs(value) >= 2**63:
        raise _Damaged(f"{name} is {_short(value)}, not a whole number")
    return value


def _number(value: Any, name: str) -> int:
    """One of Spark's properties, which are text."""
    if not isinstance(value, str | int) or not _NUMBER.fullmatch(str(value).strip()):
        raise _Damaged(f"{name} is {_short(value)}, not a whole number")
    return int(value)


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise _Damaged(f"{name} is {_short(value)}, not text")
    return value


def _short(value: Any) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    text = json.dumps(value)
    return text if len(text) <= 40 else text[:37] + "..."


Event = dict[str, Any]
_EXECUTION = "spark.sql.execution.root.id", "spark.sql.execution.id"
_DESCRIPTION = "spark.job.description", "callSite.short"
_SQL = "org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionStart"
_HANDLERS: dict[str, Callable[[Application, Event], None]] = {
    "SparkListenerApplicationStart": _application,
    "SparkListenerEnvironmentUpdate": _environment,
    "SparkListenerExecutorAdded": _executor,
    "SparkListenerJobStart": _job_start,
    "SparkListenerJobEnd": _job_end,
    "SparkListenerTaskEnd": _task_end,
    _SQL: _execution_start,
}
