"""One's own jobs as JSON: what is written is read again, and whatever is wrong is told with its place."""

from __future__ import annotations

import gzip
import json
import lzma
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from unseat.core.errors import UserError
from unseat.tasks.schedule.data.jobs_json import read_jobs, write_jobs
from unseat.tasks.schedule.engine import layout as at
from unseat.tasks.schedule.engine.graphs import LONGEST_MS, Arrivals, JobGraph, Stage, Told, profile
from unseat.tasks.schedule.engine.library import Library
from unseat.tasks.schedule.engine.memory import Machines, lay_out
from unseat.tasks.schedule.generators import generate, poisson

SUFFIXES = ("", ".gz", ".xz", ".zst")
MEANS = st.floats(1, LONGEST_MS)
MILLISECONDS = st.lists(st.integers(1, LONGEST_MS), max_size=4)


@st.composite
def stages(draw: st.DrawFn) -> tuple[Stage, ...]:
    """An in-tree, so that it is connected; names may repeat."""
    count = draw(st.integers(1, 6))
    children = [draw(st.integers(place + 1, count - 1)) for place in range(count - 1)]
    made = []
    for place in range(count):
        executors = sorted(draw(st.sets(st.integers(1, 999_999), min_size=1, max_size=3)))
        profiles = tuple(
            profile(one, draw(MILLISECONDS), [*draw(MILLISECONDS), 5], draw(MILLISECONDS)) for one in executors
        )
        parents = tuple(parent for parent, child in enumerate(children) if child == place)
        memory = draw(st.floats(0, 1))
        told = draw(st.none() | st.builds(Told, MEANS, MEANS, MEANS, MEANS))
        made.append(Stage(draw(st.integers(1, 50_000)), parents, profiles, memory, draw(st.text(max_size=3)), told))
    return tuple(made)


@st.composite
def arrivals(draw: st.DrawFn) -> Arrivals:
    names = draw(st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=3, unique=True))
    graphs = tuple(JobGraph(name, draw(st.text(min_size=1, max_size=4)), draw(stages())) for name in names)
    jobs = draw(st.lists(st.integers(0, len(names) - 1), min_size=1, max_size=9))
    at_ms = sorted(draw(st.integers(0, 2**35)) for _ in jobs)
    return Arrivals(graphs, tuple(jobs), tuple(at_ms))


def plain(read: Arrivals) -> object:
    """Everything, comparable."""
    graphs = [
        (graph.name, graph.template, [
            (stage.tasks, stage.parents, stage.memory, stage.name, stage.told,
             [(one.executors, [wave.tolist() for wave in one.waves()]) for one in stage.profiles])
            for stage in graph.stages
        ])
        for graph in read.graphs
    ]  # fmt: skip
    return graphs, read.jobs, read.at_ms


@given(arrivals(), st.sampled_from(SUFFIXES))
@settings(deadline=None)
def test_round_trip(given: Arrivals, suffix: str) -> None:
    """Red: jobs that were written are read as others, or in another order."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"jobs.json{suffix}"
        write_jobs(path, given)
        assert plain(read_jobs(path)) == plain(given)


def test_generated_jobs_round_trip(tmp_path: Path) -> None:
    """Red: a set of generated jobs, as a suite has them, cannot be handed on as a file."""
    made = poisson([generate(seed, 5, memory=True) for seed in range(3)], 20, 1000.0, 0)
    write_jobs(tmp_path / "jobs.json.xz", made)
    assert plain(read_jobs(tmp_path / "jobs.json.xz")) == plain(made)


def good() -> dict[str, Any]:
    return {
        "unseat": "schedule-jobs",
        "version": 1,
        "graphs": [
            {"name": "a", "stages": [{"tasks": 2, "durations": [5, 7]}]},
            {
                "name": "b",
                "template": "t",
                "stages": [
                    {"name": "sum", "tasks": 1, "parents": ["scan", 2], "durations": {"5": {"fresh": [9]}}},
                    {"name": "scan", "tasks": 3, "parents": [], "memory": 1, "durations": {"10": {"first": [1]},
                                                                                           "2": {"first": [2]}}},
                    {"tasks": 1, "durations": [1]},
                ],
            },
        ],
        "jobs": [{"graph": "b", "at_ms": 7}, {"graph": "a", "at_ms": 3}],
    }  # fmt: skip


def test_what_the_page_says_is_read(tmp_path: Path) -> None:
    """Red: names as parents, one list of durations, jobs out of order or no jobs are read otherwise than documented."""
    path = tmp_path / "jobs.json"
    path.write_text(json.dumps(good()))
    read = read_jobs(path)
    assert (read.jobs, read.at_ms) == ((0, 1), (3, 7))
    only, other = read.graphs
    assert (only.template, other.template) == ("a", "t")
    assert [wave.tolist() for wave in only.stages[0].profiles[0].waves()] == [[], [5, 7], [5, 7]]
    assert other.stages[0].parents == (1, 2)
    assert [one.executors for one in other.stages[1].profiles] == [2, 10]
    without = {name: value for name, value in good().items() if name != "jobs"}
    path.write_text(json.dumps(without))
    assert (read_jobs(path).jobs, read_jobs(path).at_ms) == ((0, 1), (0, 0))


def test_what_a_scheduler_is_told(tmp_path: Path) -> None:
    """Red: a mean that is told is not read, changes what is drawn, or a policy sees the measured one all the same."""
    file = good()
    stages = file["graphs"][1]["stages"]
    stages[0]["durations"] = {"5": {"fresh": [90], "first": [30], "rest": [10, 10]}, "9": {"first": [70]}}
    stages[2]["told"] = {"mean_ms": 40}
    path = tmp_path / "jobs.json"
    path.write_text(json.dumps(file))
    plainly = Library(read_jobs(path).graphs)
    stages[0]["told"] = {"mean_ms": 20.5, "fresh_ms": 100, "rest_ms": 7}
    path.write_text(json.dumps({**file, "note": "for a person"}))
    read = read_jobs(path)
    library = Library(read.graphs)
    assert read.graphs[1].stages[0].told == Told(20.5, 100, 20.5, 7)
    assert read.graphs[1].stages[2].told == Told(40, 40, 40, 40)
    assert library.durations.tolist() == plainly.durations.tolist()
    assert library.blocks[1][:, at.MEAN_US].tolist() == [20_500, 1500, 40_000]
    assert library.blocks[1][:, at.PATH_US].tolist() == [20_500, 22_000, 60_500]
    assert library.blocks[1][:, at.BELOW_US].tolist() == [0, 20_500, 20_500]
    assert library.work_us[1].tolist() == [20_500 + 3 * 1500 + 40_000, 60_500]
    assert library.work_paths[1].tolist() == [20.5, 25.0, 60.5]
    # Of a stage that is told another level, how much slower it is with more executors stays as it was measured.
    assert library.slower[1, 0] == pytest.approx(plainly.slower[1, 0], abs=1e-6)


def test_whoever_looks_ahead_knows_what_is_told(tmp_path: Path) -> None:
    """Red: who simulates with what a scheduler knows meets the very durations that the run will draw."""
    path = tmp_path / "jobs.json"
    path.write_text(json.dumps(good()))
    cluster = lay_out(read_jobs(path), Machines((5,)))
    library = cluster.library
    assert library.known is library.durations is cluster.known.durations
    file = good()
    file["graphs"][1]["stages"][1]["told"] = {"mean_ms": 40, "first_ms": 50.6, "rest_ms": 30}
    path.write_text(json.dumps(file))
    cluster = lay_out(read_jobs(path), Machines((5,)))
    library = cluster.library
    assert cluster.durations is library.durations and cluster.known.durations is library.known
    spans = [array[: len(library.static) * len(library.points) * at.WAVE].reshape(len(library.static), -1, 3, 2)
             for array in (library.durations, library.known)]  # fmt: skip
    for row in range(len(library.static)):
        for point in range(len(library.points)):
            drawn, known = ([array[begin : begin + count].tolist() for begin, count in of[row, point].tolist()]
                            for array, of in zip((library.durations, library.known), spans, strict=True))  # fmt: skip
            assert known == ([[40], [51], [30]] if row == 2 else drawn)


Change = Callable[[dict[str, Any]], object]


def put(place: str, value: object) -> Change:
    """Sets what a path such as graphs/0/name names."""

    def change(file: dict[str, Any]) -> None:
        at: Any = file
        *way, last = (int(part) if part.isdigit() else part for part in place.split("/"))
        for part in way:
            at = at[part]
        at[last] = value

    return change


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("unseat", "other", "unseat: input should be 'schedule-jobs', not \"other\""),
        ("version", 2, "version: input should be 1, not 2"),
        ("graphs", [], "graphs: list should have at least 1 item"),
        ("graphs", {}, "graphs: input should be a valid list"),
        ("jobs", [], "jobs: list should have at least 1 item"),
        ("jobs/0/graph", "c", r'jobs\[0\].graph: there is no graph "c"'),
        ("jobs/1/at_ms", -1, r"jobs\[1\].at_ms: input should be greater than or equal to 0, not -1"),
        ("jobs/1/at_ms", 1.5, r"jobs\[1\].at_ms: input should be a valid integer"),
        ("jobs/1/at_ms", 10**30, r"jobs\[1\].at_ms"),
        ("jobs/1/when", 1, r"jobs\[1\].when: not a name of this format"),
        ("graphs/1/name", "a", r"graphs\[1\].name: 'a' names another graph too"),
        ("graphs/1/name", "", r"graphs\[1\].name: string should have at least 1 char"),
        ("graphs/0/stages", [], r"graphs\[0\].stages: list should have at least 1 item"),
        ("graphs/0/stages/0", {"durations": [1]}, r"graphs\[0\].stages\[0\].tasks: missing"),
        ("graphs/1/stages/0/tasks", 0, r"graphs\[1\].stages\[0\].tasks: input should be greater than or equal to 1"),
        ("graphs/1/stages/0/tasks", True, r"graphs\[1\].stages\[0\].tasks: input should be a valid integer, not true"),
        ("graphs/1/stages/0/tasks", "3", r"graphs\[1\].stages\[0\].tasks: input should be a valid integer"),
        ("graphs/1/stages/0/tasks", 10**12, r"graphs\[1\].stages\[0\].tasks: input should be less"),
        ("graphs/0/stages/0/tasks", 9_999_999, "10,000,004 tasks in all, more than this simulator's 10,000,000"),
        ("graphs/1/stages/1/told", {}, r"graphs\[1\].stages\[1\].told.mean_ms: missing"),
        ("graphs/1/stages/1/told", {"mean_ms": 0.5}, r"stages\[1\].told.mean_ms: input should be greater"),
        ("graphs/1/stages/1/told", {"mean_ms": 5, "fresh_ms": 1e300}, r"told.fresh_ms: input should be less"),
        ("graphs/1/stages/1/told", {"mean_ms": 5, "any_ms": 5}, r"told.any_ms: not a name of this format"),
        ("graphs/1/stages/1/told", 5, r"stages\[1\].told: input should be"),
        ("note", 5, "note: input should be a valid string"),
        ("graphs/1/stages/1/memory", 1.5, r"graphs\[1\].stages\[1\].memory: input should be less"),
        ("graphs/1/stages/1/memory", -0.1, r"graphs\[1\].stages\[1\].memory"),
        ("graphs/1/stages/0/parents", ["nothing"], r"stages\[0\].parents\[0\]: no stage is named \"nothing\""),
        ("graphs/1/stages/2/name", "scan", r"stages\[0\].parents\[0\]: 2 stages are named \"scan\""),
        ("graphs/1/stages/0/parents", [1, 3], r"stages\[0\].parents\[1\]: 3 is no stage"),
        ("graphs/1/stages/0/parents", [1, 2.0], r"stages\[0\].parents\[1\]: 2.0 is no stage"),
        ("graphs/1/stages/0/parents", [True], r"stages\[0\].parents\[0\]: true is no stage"),
        ("graphs/1/stages/0/parents", [1, 2, 1], "names a parent twice"),
        ("graphs/1/stages/1/parents", ["sum"], r"graphs\[1\]: job b: .*circle"),
        ("graphs/1/stages/0/parents", [1], r"graphs\[1\]: job b: .*nothing to do with"),
        ("graphs/0/stages/0/durations", [], r"stages\[0\].durations: list should have at least 1 item"),
        ("graphs/0/stages/0/durations", {}, r"stages\[0\].durations: dictionary should have at least 1 item"),
        ("graphs/0/stages/0/durations", 5, r"stages\[0\].durations: input should be a valid list"),
        ("graphs/0/stages/0/durations", [1, 0], r"stages\[0\].durations\[1\]: input should be greater"),
        ("graphs/0/stages/0/durations", [1, -4], r"stages\[0\].durations\[1\]: input should be greater"),
        ("graphs/0/stages/0/durations", [1, 2**31], r"stages\[0\].durations\[1\]: input should be less"),
        ("graphs/0/stages/0/durations", [1, 2.5], r"stages\[0\].durations\[1\]: input should be a valid integer"),
        ("graphs/0/stages/0/durations", [1, False], r"stages\[0\].durations\[1\]: input should be a valid integer"),
        ("graphs/0/stages/0/durations", {"0": {"first": [1]}}, r"stages\[0\].durations.0: string should match"),
        ("graphs/0/stages/0/durations", {"x": {"first": [1]}}, r"stages\[0\].durations.x: string should match"),
        ("graphs/0/stages/0/durations", {"5": {"rest": [1]}}, r"stages\[0\].durations.5: no duration of a first task"),
        ("graphs/0/stages/0/durations", {"5": {"warm": [1]}}, r"stages\[0\].durations.5.warm: not a name"),
        ("graphs/0/stages/0/durations", {"5": [1]}, r"stages\[0\].durations.5: "),
        ("graphs/0/stages/0/durations", {"5": {"first": [0]}}, r"stages\[0\].durations.5.first\[0\]: input should be"),
    ],
)
def test_wrong_values_are_told_with_their_place(tmp_path: Path, place: str, value: object, message: str) -> None:
    """Red: a wrong value is accepted, ends in a traceback, or the message does not say where it is."""
    file = good()
    put(place, value)(file)
    path = tmp_path / "jobs.json"
    path.write_text(json.dumps(file))
    with pytest.raises(UserError, match=message) as error:
        read_jobs(path)
    assert str(error.value).startswith(f"{path}: ") and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not JSON: line 1, column 1"),
        (b"name,tasks\na,1\n", "not JSON: line 1, column 1"),
        (b"[]", "the file: input should be"),
        (b"3", "the file: input should be"),
        (b'{"unseat": "schedule-jobs", "graphs": [NaN]}', "holds NaN"),
        (b'{"unseat": -Infinity}', "holds -Infinity"),
        (b'{"unseat": 1, "unseat": 2}', 'gives "unseat" twice'),
        (b'{"version": ' + b"9" * 5000 + b"}", "digits"),
        (b"[" * 200_000, "nested too deeply|not JSON"),
        (b'{"unseat": "\xff"}', "byte 12 is not UTF-8"),
        (b"\x04\x22\x4d\x18abc", "compressed with lz4"),
        (gzip.compress(b"{}", mtime=0)[:-4], "truncated or damaged"),
        (lzma.compress(b"{}")[:-4], "truncated or damaged"),
        (zstandard.compress(b"{}" * 999)[:-5] + b"abcde", "truncated or damaged|not JSON"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    """Red: a file that is no JSON, or damaged, ends in a traceback or is read in part."""
    path = tmp_path / "jobs.json"
    path.write_bytes(content)
    with pytest.raises(UserError, match=message) as error:
        read_jobs(path)
    assert str(path) in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_truncation_never_passes_silently(tmp_path: Path, suffix: str) -> None:
    """Red: a file that was cut is read as fewer jobs."""
    path = tmp_path / f"jobs.json{suffix}"
    write_jobs(path, Arrivals((generate(1, 2),), (0,), (0,)))
    whole = path.read_bytes()
    for length in range(0, len(whole) - 1, max(1, len(whole) // 20)):
        path.write_bytes(whole[:length])
        with pytest.raises(UserError, match=r"truncated|not JSON"):
            read_jobs(path)


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    """Red: a folder that is not there, or two graphs of one name, end in a traceback or a file that none can read."""
    one = Arrivals((generate(1, 2),), (0,), (0,))
    with pytest.raises(UserError, match="cannot be written"):
        write_jobs(tmp_path / "no" / "jobs.json", one)
    with pytest.raises(UserError, match="a told mean of inf ms; give at least 1"):
        JobGraph("a", "a", (Stage(1, (), (profile(1, [], [1], []),), told=Told(1, 1, 1, float("inf"))),))
    with pytest.raises(UserError, match="two graphs are named 'generated-1-2g'"):
        write_jobs(tmp_path / "jobs.json", Arrivals((generate(1, 2), generate(1, 2)), (0,), (0,)))
    for path in (tmp_path / "absent", tmp_path):
        with pytest.raises(UserError, match=r"no such file|cannot be read"):
            read_jobs(path)
