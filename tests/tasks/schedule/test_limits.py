"""Files that are small and ask for much: each is laid out in bounded time and memory, or refused in one clear line."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.tasks.schedule import small

from unseat.core.errors import UserError
from unseat.tasks.schedule.data import event_log, jobs_json
from unseat.tasks.schedule.data.jobs_json import MOST_BYTES, read_jobs, write_jobs
from unseat.tasks.schedule.engine import graphs, memory
from unseat.tasks.schedule.engine import layout as at
from unseat.tasks.schedule.engine.graphs import MOST_STAGES, Arrivals, JobGraph, Stage, profile
from unseat.tasks.schedule.engine.library import MOST_POINTS, Library, measured_points
from unseat.tasks.schedule.engine.memory import Machines, lay_out, table

ONE = {"tasks": 1, "durations": [5]}


def within(seconds: float, act: Callable[[], Any]) -> Any:
    """The result; processor time, so that a busy machine changes nothing."""
    began = time.process_time()
    made = act()
    assert time.process_time() - began < seconds
    return made


def file(path: Path, stages: list[dict[str, Any]] | None = None, **content: Any) -> Path:
    one = [{"name": "a", "stages": stages or [ONE]}]
    path.write_text(json.dumps({"unseat": "schedule-jobs", "version": 1, "graphs": one, **content}))
    return path


def refused(path: Path, seconds: float = 10.0) -> str:
    """The one line that a file is refused with."""

    def read() -> str:
        with pytest.raises(UserError) as caught:
            read_jobs(path)
        return str(caught.value)

    said: str = within(seconds, read)
    assert said.startswith(f"{path}: ") and "\n" not in said and len(said) < 300 + len(str(path))
    return said


def chain(count: int) -> list[dict[str, Any]]:
    return [{**ONE, "parents": [place - 1] if place else []} for place in range(count)]


def measured(place: int, counts: int) -> dict[str, Any]:
    begin = 1 + place * counts
    return {str(number): {"first": [5]} for number in range(begin, begin + counts)}


def test_many_measured_numbers_are_refused(tmp_path: Path) -> None:
    """Red: 400 stages that were each measured with 60 other numbers of executors take minutes and a gigabyte."""
    stages = [{**stage, "durations": measured(place, 60)} for place, stage in enumerate(chain(400))]
    said = refused(file(tmp_path / "jobs.json", stages))
    assert "24,000 different numbers of executors; give 64 at most" in said
    with pytest.raises(UserError, match="give 64 at most"):
        measured_points(read_stage(MOST_POINTS + 1))
    assert len(measured_points(read_stage(MOST_POINTS))) == MOST_POINTS


def read_stage(counts: int) -> list[Stage]:
    return [Stage(1, (), tuple(profile(number, [], [5], []) for number in range(1, counts + 1)))]


def test_numbers_of_jobs_measured_once_do_not_count(tmp_path: Path) -> None:
    """Red: a recorded log in which each job had another number of executors is refused, or makes a row for each."""
    single = tuple(JobGraph(f"{n}", "t", (Stage(2, (), (profile(n, [9], [7], [5]),)),)) for n in range(1, 200))
    write_jobs(tmp_path / "jobs.json", Arrivals(single, tuple(range(199)), (0,) * 199))
    read = read_jobs(tmp_path / "jobs.json")
    library = Library(read.graphs)
    assert len(library.points) == 1 and not library.slower.any()
    two = Stage(1, (), (profile(300, [], [5], []), profile(400, [], [6], [])))
    assert Library((*read.graphs, JobGraph("two", "t", (two,)))).points == [300, 400]


def test_a_long_chain_is_laid_out(tmp_path: Path) -> None:
    """Red: the longest chain takes gigabytes and half a minute, or what lies below a stage is another sum."""
    path = file(tmp_path / "jobs.json", chain(MOST_STAGES))
    cluster = within(8, lambda: lay_out(read_jobs(path), Machines((5,))))
    assert table(cluster.memory, at.ALL_STAGES)[:, at.BELOW_US].tolist() == [5000 * n for n in range(MOST_STAGES)][::-1]
    assert f"{MOST_STAGES + 1:,} stages; give {MOST_STAGES:,} at most" in refused(file(path, chain(MOST_STAGES + 1)))


@pytest.mark.parametrize("seed", range(60))
def test_what_lies_below_a_stage(seed: int) -> None:
    """Red: stages that two paths lead to count twice or not at all."""
    graph = small.some_graph(np.random.default_rng(seed), "a", stages=14)

    def below(place: int) -> set[int]:
        return set(graph.children[place]).union(*map(below, graph.children[place]))

    work = [sum(graph.stages[o].tasks * graph.stages[o].mean_ms for o in below(p)) for p in range(len(graph.stages))]
    assert np.allclose(Library((graph,)).blocks[0][:, at.BELOW_US], np.array(work) * 1000, atol=1)


def test_named_parents_are_found_at_once(tmp_path: Path) -> None:
    """Red: each parent that is named searches all stages."""
    stages = [{**ONE, "name": f"s{n}", "parents": [f"s{n - 1}"] if n else []} for n in range(MOST_STAGES)]
    assert len(within(5, lambda: read_jobs(file(tmp_path / "jobs.json", stages))).graphs[0].stages) == MOST_STAGES


def test_many_graphs_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red: more graphs than can be described in a minute are read, or stages with millions of parents."""
    assert (graphs.MOST_STAGES_IN_ALL, graphs.MOST_EDGES_IN_ALL) == (100_000, 1_000_000)
    monkeypatch.setattr(graphs, "MOST_STAGES_IN_ALL", 50)
    monkeypatch.setattr(graphs, "MOST_EDGES_IN_ALL", 100)
    path = tmp_path / "jobs.json"
    many = [{"name": str(number), "stages": [ONE]} for number in range(51)]
    assert "51 stages of all graphs together; give 50 at most" in refused(file(path, graphs=many))
    wide = [{**ONE, "parents": list(range(place))} for place in range(16)]
    assert "120 parents of stages of all graphs together; give 100 at most" in refused(file(path, wide))
    with pytest.raises(UserError, match="51 stages of all graphs together"):
        Arrivals(tuple(small.steady(str(number), (1, (), 5)) for number in range(51)), (0,), (0,))


def test_many_jobs_are_laid_out_fast() -> None:
    """Red: jobs are laid out one by one, so that a million takes more than a minute."""
    two = (small.steady("a", (1, (), 5)), small.steady("b", (2, (), 5), (3, (0,), 1)))
    rng = np.random.default_rng(0)
    jobs = tuple(rng.integers(2, size=200_000).tolist())
    m = within(4, lambda: lay_out(Arrivals(two, jobs, tuple(range(200_000))), Machines((5,)))).memory
    records, stages = table(m, at.ALL_JOBS), table(m, at.ALL_STAGES)
    assert np.array_equal(records[:, at.STAGES_LEFT], np.array(jobs) + 1)
    assert np.array_equal(stages[:, at.FIRST_TASK], np.cumsum(stages[:, at.TASKS]) - stages[:, at.TASKS])
    assert records[-1, at.END_STAGE] == m[at.ALL_STAGES] + len(stages) * at.STAGE


def test_more_jobs_than_memory_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Red: jobs on many classes of executors ask for more memory than there is, and the run is killed."""
    arrivals = Arrivals((small.steady("a", (1, (), 5)),), (0,) * 200_000, (0,) * 200_000)
    with pytest.raises(UserError, match=r"200,000 jobs with 200,000 stages take 13\.5 GiB of memory on 1,000 classes"):
        lay_out(arrivals, Machines((1,) * 1000, (1.0,) * 1000))
    monkeypatch.setattr(memory, "MOST_BYTES", 2**20)
    with pytest.raises(UserError, match="give fewer jobs at once"):
        lay_out(arrivals, Machines((5,)))


def test_jobs_are_counted_before_they_are_laid_out(tmp_path: Path) -> None:
    """Red: many jobs of a long graph are walked through stage by stage before they are found to be too many."""
    path = file(tmp_path / "jobs.json", chain(2000), jobs=[{"graph": "a", "at_ms": 0}] * 50_000)
    assert "100,000,000 tasks in all" in refused(path, 5)


def test_what_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red: half a megabyte unpacks to a gigabyte and ends in a traceback, or memory that is not there does."""
    path = tmp_path / "jobs.json.gz"
    path.write_bytes(gzip.compress(b" " * (MOST_BYTES + 1), 1))
    assert len(path.read_bytes()) < 500_000
    assert f"more than {MOST_BYTES:,} bytes of JSON once unpacked" in refused(path)

    def full(*_: Any, **__: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(json, "loads", full)
    with monkeypatch.context() as patched:
        patched.setattr(jobs_json, "MOST_BYTES", 2**20)
        path.write_bytes(gzip.compress(b"{}"))
        assert "does not fit into this machine's memory; split it" in refused(path)
    with pytest.raises(UserError, match=r"log: does not fit into this machine's memory"):
        (tmp_path / "log").write_text('{"Event":"SparkListenerApplicationStart","App Name":"a"}\n')
        event_log.read_log(tmp_path / "log")


def test_the_first_of_many_mistakes_is_enough(tmp_path: Path) -> None:
    """Red: a file with millions of mistakes collects them all before it tells the first."""
    path = tmp_path / "jobs.json"
    assert "graphs[0]: input should be" in refused(file(path, graphs=[[]] * 400_000), 3)
    assert "durations[0]: input should be" in refused(file(path, [{"tasks": 1, "durations": [0] * 400_000}]), 3)
    path.write_text(json.dumps({str(number): 1 for number in range(300_000)})[:-1] + ', "z": 1, "z": 2}')
    assert "an object gives 300,002 names" in refused(path, 3)


def test_what_cannot_be_read_again_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red: `record` writes a file that `run` refuses."""
    path, one = tmp_path / "jobs.json", Arrivals((small.steady("a", (at.MOST_TASKS, (), 5)),), (0,), (0,))
    write_jobs(path, one)
    with pytest.raises(UserError, match="10,000,000 is the most; write fewer jobs"):
        write_jobs(path, Arrivals(one.graphs, (0, 0), (0, 0)))
    monkeypatch.setattr(jobs_json, "MOST_BYTES", 100)
    with pytest.raises(UserError, match="bytes of JSON, and 100 is the most; write fewer jobs a file"):
        write_jobs(path, one)
