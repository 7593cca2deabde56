"""Jobs from Spark's event logs: hand-made logs with the fields that Spark 3 and 4 write, whole, cut and broken."""

from __future__ import annotations

import gzip
import json
import shlex
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from unseat.cli import main
from unseat.core.errors import UserError
from unseat.tasks.schedule.data.jobs_json import read_jobs
from unseat.tasks.schedule.engine.graphs import Arrivals, JobGraph, Told
from unseat.tasks.schedule.recorder import from_event_log, log_environment, log_settings, record, with_log

Event = dict[str, Any]
START = 1_700_000_000_000


def application(cores: int = 1, executors: int = 2) -> list[Event]:
    """How every log begins."""
    added: list[Event] = [
        {"Event": "SparkListenerExecutorAdded", "Timestamp": START, "Executor ID": str(number),
         "Executor Info": {"Host": "h", "Total Cores": cores, "Log Urls": {}}}
        for number in range(executors)
    ]  # fmt: skip
    return [
        {"Event": "SparkListenerLogStart", "Spark Version": "4.0.0"},
        {"Event": "SparkListenerApplicationStart", "App Name": "app", "App ID": "app-1", "Timestamp": START},
        {"Event": "SparkListenerEnvironmentUpdate", "Spark Properties": {"spark.task.cpus": "1"}},
        *added,
    ]  # fmt: skip


def stage(number: int, *parents: int, rdd: int | None = None, name: str = "collect at /home/me/job.py:3") -> Event:
    rdds = [{"RDD ID": number + 100 if rdd is None else rdd, "Name": "MapPartitionsRDD"}, {"RDD ID": 0, "Name": "x"}]
    return {"Stage ID": number, "Stage Attempt ID": 0, "Stage Name": name, "Number of Tasks": 2, "RDD Info": rdds,
            "Parent IDs": list(parents), "Details": "", "Accumulables": []}  # fmt: skip


def start(number: int, at: int, *stages: Event, **properties: str) -> Event:
    named = {name.replace("_", "."): value for name, value in properties.items()}
    return {"Event": "SparkListenerJobStart", "Job ID": number, "Submission Time": START + at,
            "Stage Infos": list(stages), "Properties": named}  # fmt: skip


def end(number: int, at: int, result: str = "JobSucceeded") -> Event:
    return {"Event": "SparkListenerJobEnd", "Job ID": number, "Completion Time": START + at,
            "Job Result": {"Result": result}}  # fmt: skip


def ran(of: int, index: int, executor: int, launch: int, finish: int, reason: str = "Success", attempt: int = 0,
        partition: int | None = None, speculative: bool = False) -> Event:  # fmt: skip
    info = {
        "Task ID": 0, "Index": index, "Attempt": 0, "Launch Time": START + launch, "Executor ID": str(executor),
        "Host": "h", "Locality": "ANY", "Speculative": speculative, "Getting Result Time": 0,
        "Finish Time": START + finish, "Failed": reason == "ExceptionFailure", "Killed": reason == "TaskKilled",
        "Accumulables": [],
    }  # fmt: skip
    if partition is not None:
        info["Partition ID"] = partition
    return {"Event": "SparkListenerTaskEnd", "Stage ID": of, "Stage Attempt ID": attempt, "Task Type": "ResultTask",
            "Task End Reason": {"Reason": reason}, "Task Info": info, "Task Metrics": {}}  # fmt: skip


def lines(events: list[Event]) -> bytes:
    return b"".join(json.dumps(event, separators=(",", ":")).encode() + b"\n" for event in events)


def read(tmp_path: Path, events: list[Event], *, cores: int = 1) -> Arrivals:
    path = tmp_path / "app-1"
    path.write_bytes(lines([*application(cores), *events]))
    return from_event_log(path)


def shape(graph: JobGraph) -> list[tuple[int, tuple[int, ...]]]:
    return [(stage.tasks, stage.parents) for stage in graph.stages]


def waves(graph: JobGraph) -> list[list[list[int]]]:
    return [[wave.tolist() for wave in stage.profiles[0].waves()] for stage in graph.stages]


SIMPLE = [
    start(0, 50, stage(0), stage(1, 0), spark_job_description="daily report"),
    ran(0, 0, 0, 60, 90),
    ran(0, 1, 1, 60, 100),
    ran(0, 2, 0, 90, 110),
    ran(1, 0, 1, 110, 110),
    end(0, 120),
]


def test_a_job_and_its_waves(tmp_path: Path) -> None:
    """Red: stages, edges, waves, the number of executors, names or arrival of a plain job are read otherwise."""
    found = read(tmp_path, [*SIMPLE, start(1, 250, stage(2)), ran(2, 0, 0, 260, 270), end(1, 280)])
    assert (found.jobs, found.at_ms) == ((0, 1), (0, 200))
    first, second = found.graphs
    assert shape(first) == [(3, ()), (1, (0,))]
    assert waves(first) == [[[30, 40], [], [20]], [[], [1], []]]  # a task of 0 ms counts as 1
    assert {one.executors for stage in first.stages for one in stage.profiles} == {2}
    assert (first.name, first.template.split(" #")[0]) == ("app-1-job-0", "app: daily report")
    assert [one.name for one in first.stages] == ["collect", "collect"]
    assert second.stages[0].profiles[0].executors == 1


def test_slots_of_an_executor_are_its_cores(tmp_path: Path) -> None:
    """Red: tasks that overlap by Spark's late noting of an end count as more executors than there are cores."""
    tasks = [ran(0, 0, 0, 0, 12), ran(0, 1, 0, 0, 30), ran(0, 2, 0, 10, 20), ran(0, 3, 0, 19, 40)]
    graph = read(tmp_path, [start(0, 0, stage(0)), *tasks, end(0, 50)], cores=2).graphs[0]
    assert graph.stages[0].profiles[0].executors == 2
    assert [sorted(wave) for wave in waves(graph)[0]] == [[12, 30], [], [10, 21]]


def test_skipped_stages_are_bridged(tmp_path: Path) -> None:
    """Red: a stage that was skipped for its cached output stays in the graph, or its children lose what they await."""
    skipped = start(1, 200, stage(2), stage(3, 2), stage(4, 3), stage(5, 4))
    found = read(tmp_path, [*SIMPLE, skipped, ran(3, 0, 0, 210, 220), ran(5, 0, 0, 230, 240), end(1, 300)])
    assert shape(found.graphs[1]) == [(1, ()), (1, (0,))]


def test_the_jobs_of_a_query_are_one(tmp_path: Path) -> None:
    """Red: adaptive execution's jobs of one query come apart, or a stage is linked to nothing it was computed from."""
    query = {"spark_sql_execution_id": "7"}
    sql = {"Event": "org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionStart", "executionId": 7,
           "description": "SELECT " + "x" * 200, "details": "", "time": START}  # fmt: skip
    events = [
        sql,
        start(0, 10, stage(0, rdd=5), **query), start(1, 12, stage(1, rdd=6), **query),
        ran(0, 0, 0, 20, 40), ran(1, 0, 1, 20, 60), end(0, 41), end(1, 61),
        start(2, 62, stage(2, rdd=8), **query), ran(2, 0, 0, 63, 70), end(2, 70),  # a broadcast
        start(3, 71, stage(3, rdd=5), stage(4, rdd=6), stage(5, 3, 4), **query), ran(5, 0, 0, 72, 80), end(3, 81),
    ]  # fmt: skip
    found = read(tmp_path, events)
    assert found.at_ms == (0,)
    assert shape(found.graphs[0]) == [(1, ()), (1, ()), (1, ()), (1, (0, 1, 2))]
    assert found.graphs[0].template.startswith("app: query ") and "SELECT" not in found.graphs[0].template


def test_parts_that_nobody_awaits_are_jobs(tmp_path: Path) -> None:
    """Red: two parts of a query that ran side by side are refused as one graph, or one of them is lost."""
    events = [
        start(0, 0, stage(0), spark_sql_execution_id="1"), start(1, 5, stage(1), spark_sql_execution_id="1"),
        ran(0, 0, 0, 1, 50), ran(1, 0, 1, 6, 60), end(0, 50), end(1, 60),
    ]  # fmt: skip
    found = read(tmp_path, events)
    assert [graph.name for graph in found.graphs] == ["app-1-sql-1", "app-1-sql-1-1"] and found.at_ms == (0, 6)


def test_retries_and_copies_count_once(tmp_path: Path) -> None:
    """Red: failed, killed, speculative or repeated tasks are counted beside the ones that succeeded first."""
    events = [
        start(0, 0, stage(0)),
        ran(0, 0, 0, 0, 10, "ExceptionFailure", partition=0),
        ran(0, 0, 0, 10, 30, partition=0),
        ran(0, 1, 0, 30, 90, partition=1),
        ran(0, 1, 1, 40, 60, partition=1, speculative=True),
        ran(0, 2, 1, 60, 70, "TaskKilled", partition=2),
        ran(0, 2, 1, 70, 80, partition=2),
        ran(0, 0, 1, 100, 107, attempt=1, partition=2),  # repeated: its output was lost
        end(0, 110),
    ]
    graph = read(tmp_path, events).graphs[0]
    assert shape(graph) == [(3, ())]
    assert sorted(one for wave in waves(graph)[0] for one in wave) == [10, 20, 20]


def test_jobs_that_did_not_end_well_are_left_out(tmp_path: Path) -> None:
    """Red: a failed or interrupted job is taken for a whole one, or the sentence does not say that it is missing."""
    events = [
        *SIMPLE,
        start(1, 200, stage(2)), ran(2, 0, 0, 210, 220), end(1, 230, "JobFailed"),
        start(2, 300, stage(3)), ran(3, 0, 0, 310, 320),
        start(3, 400, stage(4)), end(3, 401),
    ]  # fmt: skip
    assert len(read(tmp_path, events).jobs) == 1
    said = record([], tmp_path / "app-1", tmp_path / "jobs.json")
    assert "1 job of 1 template written to" in said and "2 stages, 4 tasks" in said and "left out 3" in said
    assert read_jobs(tmp_path / "jobs.json").graphs[0].name == "app-1-job-0"


def test_repeated_jobs_share_a_template(tmp_path: Path) -> None:
    """Red: runs of one program land in train and in test, or jobs of another form share a template."""
    events: list[Event] = []
    for number, count in enumerate((1, 2, 1)):
        first = 10 * number
        stages = [stage(first), *([stage(first + 1, first)] if count == 2 else [])]
        events.append(start(number, 100 * number, *stages, callSite_short="collect at /home/me/job.py:3"))
        events += [ran(one["Stage ID"], 0, 0, 100 * number + 10 * place, 100 * number + 10 * place + 5)
                   for place, one in enumerate(stages)]  # fmt: skip
        events.append(end(number, 100 * number + 50))
    templates = [graph.template for graph in read(tmp_path, events).graphs]
    assert templates[0] == templates[2] != templates[1]
    assert all(template.startswith("app: collect at job.py:3 #") for template in templates)  # no folder of a person's


@pytest.mark.parametrize("suffix", ["", ".gz", ".zstd", ".inprogress"])
def test_packed_and_rolling_logs(tmp_path: Path, suffix: str) -> None:
    """Red: a log that Spark packed or rolled over, or still writes, is not read, or its parts in disorder."""

    def packed(events: list[Event]) -> bytes:
        if suffix == ".zstd":
            return b"".join(zstandard.compress(lines([event])) for event in events)
        return gzip.compress(lines(events)) if suffix == ".gz" else lines(events)

    events = [*application(), *SIMPLE]
    (tmp_path / f"app-1{suffix}").write_bytes(packed(events))
    whole = from_event_log(tmp_path / f"app-1{suffix}")
    folder = tmp_path / "logs" / "eventlog_v2_app-1"
    folder.mkdir(parents=True)
    (folder / "appstatus_app-1").touch()
    for number, at in ((2, 7), (10, 9), (1, 0)):
        until = {1: 7, 2: 9, 10: None}[number]
        (folder / f"events_{number}_app-1{suffix}").write_bytes(packed(events[at:until]))
    for path in (folder, folder.parent):
        rolled = from_event_log(path)
        assert waves(rolled.graphs[0]) == waves(whole.graphs[0])


def test_several_logs_are_on_one_clock(tmp_path: Path) -> None:
    """Red: logs of a folder are not all read, or their jobs share a name."""
    for name in ("app-1", "app-2"):
        (tmp_path / "logs").mkdir(exist_ok=True)
        (tmp_path / "logs" / name).write_bytes(lines([*application(), *SIMPLE]))
    (tmp_path / "logs" / ".app-1.crc").write_bytes(b"crc")
    found = from_event_log(tmp_path / "logs")
    assert found.at_ms == (0, 0) and len({graph.name for graph in found.graphs}) == 2
    record([], tmp_path / "logs", tmp_path / "jobs.json")
    assert len(read_jobs(tmp_path / "jobs.json").jobs) == 2


def test_logs_that_lie_far_apart(tmp_path: Path) -> None:
    """Red: a folder with a log of two years ago is refused in words that name neither the logs nor what to do."""
    later = [start(0, 400 * 86_400_000, stage(0)), ran(0, 0, 0, 400 * 86_400_000, 400 * 86_400_000 + 5), end(0, 0)]
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "app-1").write_bytes(lines([*application(), *SIMPLE]))
    (tmp_path / "logs" / "app-2").write_bytes(lines([*application(), *later]))
    with pytest.raises(UserError) as error:
        record([], tmp_path / "logs", tmp_path / "jobs.json")
    assert str(error.value) == (
        f"{tmp_path / 'logs'}: a job of app-2 was submitted 400 days after the first, of app-1; 397 days is the most: "
        "record such logs apart, each with -o of its own"
    )


def run_of(number: int, at: int, lasts: int, *, first: int = 0, name: str = "daily") -> list[Event]:
    """A job of two stages, of which the second has one task."""
    one, other = stage(first, name="scan at a.py:1"), stage(first + 1, first, name="sum at a.py:2")
    return [
        start(number, at, one, other, spark_job_description=name),
        ran(first, 0, 0, at, at + lasts), ran(first, 1, 0, at + lasts, at + 2 * lasts),
        ran(first + 1, 0, 1, at + 2 * lasts, at + 2 * lasts + 10), end(number, at + 2 * lasts + 10),
    ]  # fmt: skip


def test_jobs_are_told_what_earlier_ones_took(tmp_path: Path) -> None:
    """Red: runs of 1000, 9000 and 200 ms of one template are told their own durations, as by an oracle."""
    runs = [(0, 0, 1000), (1, 3000, 9000), (2, 40_000, 200)]
    events = [event for number, at, lasts in runs for event in run_of(number, at, lasts, first=10 * number)]
    path = tmp_path / "app-1"
    path.write_bytes(lines([*application(), *events, *run_of(3, 60_000, 70, first=90, name="other")]))
    said = record([], path, tmp_path / "jobs.json")
    read = read_jobs(tmp_path / "jobs.json")
    assert [graph.stages[0].mean_ms for graph in read.graphs] == [1000, 1000, 5000, 70]
    assert [graph.stages[0].measured_ms for graph in read.graphs] == [1000, 9000, 200, 70]
    assert [graph.stages[0].told for graph in read.graphs] == [
        None, Told(1000, 1000, 1000, 1000), Told(5000, 5000, 5000, 5000), None
    ]  # fmt: skip
    histories = ("2 jobs told the mean durations of earlier jobs of the same template; "
                 "2 jobs without an earlier one, told their own means, which no scheduler knows")  # fmt: skip
    assert said.endswith(f"\n{histories}")
    assert json.loads((tmp_path / "jobs.json").read_text())["note"] == histories


def test_waves_are_told_apart(tmp_path: Path) -> None:
    """Red: a fresh executor's mean is told as that of any, or a wave that was never seen has none."""
    tasks = [ran(0, 0, 0, 0, 100), ran(0, 1, 0, 100, 130), ran(0, 2, 0, 130, 180)]
    events = [start(0, 0, stage(0)), *tasks, end(0, 200), start(1, 300, stage(9)), ran(9, 0, 0, 300, 301), end(1, 301)]
    first, second = read(tmp_path, events).graphs
    assert first.stages[0].told is None and second.stages[0].told == Told(60, 100, 60, 40)


def test_only_jobs_that_had_ended_are_known(tmp_path: Path) -> None:
    """Red: a job is told what another took that still ran when it came."""
    events = [*run_of(0, 0, 1000), *run_of(1, 2009, 500, first=10), *run_of(2, 2010, 200, first=20)]
    assert [graph.stages[0].mean_ms for graph in read(tmp_path, events).graphs] == [1000, 500, 1000]


def test_runs_lie_side_by_side_however_they_raced(tmp_path: Path) -> None:
    """Red: two runs of one query whose scans began in another order, or with other numbers, share no history."""
    graphs = []
    for number, (left, right) in enumerate(((0, 1), (12, 10))):
        at, last = 1000 * number, 20 + number
        stages = [stage(left, name="a at x"), stage(right, name="b at x"), stage(last, left, right, name="c at x")]
        tasks = [ran(left, 0, 0, at + 5 * (left > right), at + 50), ran(right, 0, 1, at + 5 * (left < right), at + 90)]
        graphs += [start(number, at, *stages), *tasks, ran(last, 0, 0, at + 90, at + 99), end(number, at + 99)]
    one, other = read(tmp_path, graphs).graphs
    assert one.template == other.template and [stage.name for stage in one.stages] == ["a", "b", "c"]
    assert [stage.name for stage in other.stages] == ["a", "b", "c"]
    assert [stage.mean_ms for stage in other.stages] == [stage.measured_ms for stage in one.stages] == [50, 85, 9]


def test_parts_without_duration_do_not_await_each_other(tmp_path: Path) -> None:
    """Red: two parts of a query that took no time at the same moment wait for each other, which is no graph."""
    query = {"spark_sql_execution_id": "1"}
    events = [
        start(0, 0, stage(5), **query), start(1, 0, stage(3), **query), ran(5, 0, 0, 10, 10), ran(3, 0, 1, 10, 10),
        end(0, 10), end(1, 10),
    ]  # fmt: skip
    assert shape(read(tmp_path, events).graphs[0]) == [(1, ()), (1, (0,))]


def test_what_is_written_by_default_is_named_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Red: JSON is written into a file named .csv."""
    path = tmp_path / "app-1"
    path.write_bytes(lines([*application(), *SIMPLE]))
    monkeypatch.chdir(tmp_path)
    assert main(["record", "schedule", "--from", str(path)]) == 0
    assert "--data recorded.json" in capsys.readouterr().out
    assert len(read_jobs("recorded.json").jobs) == 1 and not Path("recorded.csv").exists()


def test_a_killed_application(tmp_path: Path) -> None:
    """Red: the line that a killed application leaves half written makes its whole log unreadable."""
    whole = lines([*application(), *SIMPLE, start(1, 200, stage(2)), ran(2, 0, 0, 210, 220)])
    path = tmp_path / "app-1"
    for cut in (1, 20, 200):
        path.write_bytes(whole[:-cut])
        assert len(from_event_log(path).jobs) == 1
    path.write_bytes(zstandard.ZstdCompressor().compress(whole)[:-3])
    try:
        assert len(from_event_log(path).jobs) == 1
    except UserError as error:  # a stream of one block, of which nothing can be unpacked
        assert "no job that ended well" in str(error)


BROKEN = json.loads(json.dumps(SIMPLE[1]))
del BROKEN["Task Info"]["Launch Time"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"rubbish\n", ":9: not JSON"),
        (b'{"Event":"SparkListenerTaskEnd","Stage\n', ":9: not JSON"),
        (b"[1]\n", ":9: no event"),
        (b'{"event":1}\n', ":9: no event"),
        (lines([BROKEN]), ":9: SparkListenerTaskEnd: Launch Time is missing; give the log as Spark wrote it"),
        (lines([{**SIMPLE[1], "Stage ID": "x"}]), ':9: SparkListenerTaskEnd: Stage ID is "x", not a whole number'),
        (lines([{**SIMPLE[1], "Stage ID": 1.5}]), ":9: SparkListenerTaskEnd: Stage ID is 1.5, not a whole number"),
        (lines([{**SIMPLE[1], "Stage ID": 2**70}]), ":9: SparkListenerTaskEnd: Stage ID is 1180591620717411303424, no"),
        (lines([{**SIMPLE[1], "Task Info": None}]), ":9: SparkListenerTaskEnd: Launch Time is missing"),
        (lines([{**SIMPLE[1], "Task Info": [3]}]), ":9: SparkListenerTaskEnd: Task Info is a list, not an object"),
        (lines([{**SIMPLE[1], "Task End Reason": 7}]), "Task End Reason is 7, not an object"),
        (lines([{**SIMPLE[0], "Stage Infos": 3}]), ":9: SparkListenerJobStart: Stage Infos is 3, not a list"),
        (lines([{**SIMPLE[0], "Stage Infos": [3]}]), ":9: SparkListenerJobStart: Stage Infos holds 3, not an object"),
        (lines([{**SIMPLE[0], "Properties": "p"}]), ':9: SparkListenerJobStart: Properties is "p", not an object'),
        (lines([start(1, 0, spark_sql_execution_id="seven")]), 'spark.sql.execution.id is "seven", not a whole number'),
        (lines([start(1, 0, spark_sql_execution_id="9" * 5000)]), "not a whole number"),
        (lines([{**application()[2], "Spark Properties": {"spark.task.cpus": "two"}}]), 'cpus is "two", not a whole'),
        (lines([{**SIMPLE[5], "Job Result": {}}]), ":9: SparkListenerJobEnd: Result is missing"),
        (lines([{**SIMPLE[5], "Job ID": []}]), ":9: SparkListenerJobEnd: Job ID is a list, not a whole number"),
    ],
)
def test_broken_lines_are_named(tmp_path: Path, line: bytes, message: str) -> None:
    """Red: a line that is no event, or an event without what it must have, is passed over or ends in a traceback."""
    events = [*application(), *SIMPLE]
    path = tmp_path / "app-1"
    path.write_bytes(lines(events[:8]) + line + lines(events[8:]))
    with pytest.raises(UserError, match=message) as error:
        from_event_log(path)
    assert str(path) in str(error.value) and "\n" not in str(error.value)
    assert not any(word in str(error.value) for word in ("int()", "literal", "object has", "NoneType", "subscript"))


def test_other_files_are_refused(tmp_path: Path) -> None:
    """Red: a wrong path, an empty file or folder, or a codec that is not read ends in a traceback."""
    path = tmp_path / "log"
    for content, message in (
        (b"", "no job that ended well"),
        (lines(application()), "no job that ended well"),
        (b"one line only", ":1: not JSON"),
        (b"LZ4Block\x25abc", "compressed with lz4"),
        (b"\x82SNAPPY\x00abc", "compressed with snappy"),
        (gzip.compress(lines(application()), mtime=0)[:-5], "truncated or damaged"),
    ):
        path.write_bytes(content)
        with pytest.raises(UserError, match=message):
            from_event_log(path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="no event log in this folder"):
        from_event_log(tmp_path / "empty")
    with pytest.raises(UserError, match="no such file"):
        from_event_log(tmp_path / "absent")


TASK = st.tuples(st.integers(0, 3), st.integers(0, 5), st.integers(0, 2), st.integers(0, 60), st.integers(0, 40),
                 st.sampled_from(["Success", "Success", "Success", "ExceptionFailure", "TaskKilled"]))  # fmt: skip


@given(st.lists(TASK, min_size=1, max_size=40), st.integers(1, 3))
@settings(deadline=None)
def test_any_order_of_tasks_is_a_job(tasks: list[tuple[int, int, int, int, int, str]], cores: int) -> None:
    """Red: some timing of tasks makes no graph, loses or doubles a task, or uses more slots than there are."""
    job = start(0, 0, stage(0), stage(1, 0), stage(2, 0), stage(3, 1, 2))
    events = [ran(of, index, executor, at, at + lasts, reason, partition=index)
              for of, index, executor, at, lasts, reason in tasks]  # fmt: skip
    expected = {(of, index) for of, index, *_, reason in tasks if reason == "Success"}
    with TemporaryDirectory() as folder:
        path = Path(folder) / "app"
        path.write_bytes(lines([*application(cores, 3), job, *events, end(0, 200)]))
        if not expected:
            with pytest.raises(UserError, match="no job that ended well"):
                from_event_log(path)
            return
        found = from_event_log(path)
    assert sum(graph.tasks for graph in found.graphs) == len(expected)
    for graph in found.graphs:
        assert sum(wave.size for one in graph.stages for wave in one.profiles[0].waves()) == graph.tasks
        assert 1 <= graph.stages[0].profiles[0].executors <= 3 * cores


def test_settings_reach_every_kind_of_program() -> None:
    """Red: spark-submit, a Python program or a script runs without the log, or loses the options that it had."""
    settings = log_settings("/tmp/a b")
    words = with_log(["/opt/spark/bin/spark-submit", "--master", "local", "job.py"], "/tmp/a b")
    assert words[1:3] == ["--conf", "spark.eventLog.enabled=true"] and words[-3:] == ["--master", "local", "job.py"]
    assert with_log(["python", "job.py"], "/tmp/a b") == ["python", "job.py"]
    environment = log_environment({"PYSPARK_SUBMIT_ARGS": "--master local pyspark-shell", "A": "b"}, "/tmp/a b")
    arguments = shlex.split(environment["PYSPARK_SUBMIT_ARGS"])
    assert arguments[-3:] == ["--master", "local", "pyspark-shell"] and environment["A"] == "b"
    assert f"spark.eventLog.dir={settings['spark.eventLog.dir']}" in arguments
    assert shlex.split(environment["SPARK_SUBMIT_OPTS"])[0] == "-Dspark.eventLog.enabled=true"
    assert shlex.split(log_environment({}, "/x")["PYSPARK_SUBMIT_ARGS"])[-1] == "pyspark-shell"


PROGRAM = """
import os, shlex, shutil, sys
from pathlib import Path
from urllib.parse import urlparse
words = shlex.split(os.environ["PYSPARK_SUBMIT_ARGS"])
folder = next(urlparse(word.split("=", 1)[1]).path for word in words if word.startswith("spark.eventLog.dir="))
if len(sys.argv) > 1:
    shutil.copy(sys.argv[1], Path(folder) / "app-1")
sys.exit(3)
"""


def test_a_program_is_recorded(tmp_path: Path) -> None:
    """Red: what a program logged is not written, its failing status is lost, or no log is taken for no jobs."""
    (tmp_path / "log").write_bytes(lines([*application(), *SIMPLE]))
    command = [sys.executable, "-c", PROGRAM]
    said = record([*command, str(tmp_path / "log")], None, tmp_path / "jobs.json")
    assert "1 job of" in said and said.endswith("the command ended with status 3")
    assert len(read_jobs(tmp_path / "jobs.json").jobs) == 1
    for wrong, log, message in (
        (command, None, r"wrote no event log \(status 3\)"),
        (["no-such-program-here"], None, "no such program"),
        ([], None, "give an event log"),
        (["x"], tmp_path / "log", "not both"),
    ):
        with pytest.raises(UserError, match=message):
            record(wrong, log, tmp_path / "jobs.json")
