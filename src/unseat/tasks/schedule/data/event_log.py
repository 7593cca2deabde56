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
_LONGEST_LINE = 2**28


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
    read = Application(path.name)
    files = _parts(path) or [path]
    for place, file in enumerate(files):
        for where, kind, event in _events(file, last=place == len(files) - 1):
            try:
                _HANDLERS[kind](read, event)
            except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
                raise UserError(f"{where}: {kind} lacks or spoils {error}; this is no event log of Spark") from error
    return read


def _parts(path: Path) -> list[Path]:
    """The files of a rolling folder, in order."""
    if not path.is_dir():
        return []
    numbered = [(int(match[1]), one) for one in path.iterdir() if (match := _PART.match(one.name))]
    return [one for _, one in sorted(numbered)]


def _events(path: Path, *, last: bool) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Place, name and content of the events that matter; other events are not even parsed."""
    with opened(path) as file:
        number = 0
        ahead = file.readline(_LONGEST_LINE)
        while line := ahead:
            number, ahead = number + 1, file.readline(_LONGEST_LINE)
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


def _application(read: Application, event: dict[str, Any]) -> None:
    read.name = str(event["App Name"])


def _environment(read: Application, event: dict[str, Any]) -> None:
    read.task_cores = max(1, int((event.get("Spark Properties") or {}).get("spark.task.cpus", 1)))


def _executor(read: Application, event: dict[str, Any]) -> None:
    read.cores[str(event["Executor ID"])] = _whole(event["Executor Info"]["Total Cores"])


def _job_start(read: Application, event: dict[str, Any]) -> None:
    properties = event.get("Properties") or {}
    execution = properties.get("spark.sql.execution.root.id", properties.get("spark.sql.execution.id"))
    described = properties.get("spark.job.description") or properties.get("callSite.short") or ""
    stages = tuple(_stage(info) for info in event["Stage Infos"])
    number = _whole(event["Job ID"])
    read.jobs[number] = SparkJob(
        number, _whole(event["Submission Time"]), stages, None if execution is None else int(execution), str(described)
    )


def _stage(info: dict[str, Any]) -> StageInfo:
    rdds = info.get("RDD Info") or []
    parents = tuple(_whole(parent) for parent in info.get("Parent IDs") or [])
    return StageInfo(
        _whole(info["Stage ID"]), str(info["Stage Name"]), parents, _whole(rdds[0]["RDD ID"]) if rdds else None
    )


def _job_end(read: Application, event: dict[str, Any]) -> None:
    job = read.jobs.get(_whole(event["Job ID"]))
    if job is not None:
        job.succeeded = event["Job Result"]["Result"] == "JobSucceeded"


def _execution_start(read: Application, event: dict[str, Any]) -> None:
    read.executions[_whole(event["executionId"])] = str(event.get("description", ""))


def _task_end(read: Application, event: dict[str, Any]) -> None:
    info = event["Task Info"]
    launch, finish = _whole(info["Launch Time"]), _whole(info["Finish Time"])
    succeeded = event["Task End Reason"]["Reason"] == "Success" and not info.get("Failed") and not info.get("Killed")
    # Repeated attempts of a stage count their tasks anew; older Sparks do not say which partition that is.
    partition = _whole(info.get("Partition ID", -1))
    key = (-1, partition) if partition >= 0 else (_whole(event["Stage Attempt ID"]), _whole(info["Index"]))
    read.tasks.append(
        TaskRun(_whole(event["Stage ID"]), key, str(info["Executor ID"]), launch, max(finish, launch), succeeded)
    )


def _whole(value: Any) -> int:
    if type(value) is not int or abs(value) >= 2**63:
        raise ValueError(f"a whole number ({str(value)[:40]!r} stands there)")
    return value


_SQL = "org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionStart"
_HANDLERS: dict[str, Callable[[Application, dict[str, Any]], None]] = {
    "SparkListenerApplicationStart": _application,
    "SparkListenerEnvironmentUpdate": _environment,
    "SparkListenerExecutorAdded": _executor,
    "SparkListenerJobStart": _job_start,
    "SparkListenerJobEnd": _job_end,
    "SparkListenerTaskEnd": _task_end,
    _SQL: _execution_start,
}
