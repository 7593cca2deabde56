"""The suites: what they draw from, that nobody learns from what is judged by, and a person's own jobs."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.tasks.schedule import small

from unseat.cli import main
from unseat.core.errors import UserError
from unseat.core.task import Task
from unseat.data import load_manifest, status
from unseat.tasks.schedule import suites
from unseat.tasks.schedule.data import tpch
from unseat.tasks.schedule.data.jobs_json import write_jobs
from unseat.tasks.schedule.engine.graphs import Arrivals, JobGraph
from unseat.tasks.schedule.engine.memory import Machines
from unseat.tasks.schedule.options import classes, parsed
from unseat.tasks.schedule.suites import UNSEEN_MADE_SIZE, UNSEEN_SIZE, Source, built_in, graphs
from unseat.tasks.schedule.task import ScheduleTask

TASK = ScheduleTask()
SOURCES = [source for source in TASK.sources.values() if isinstance(source, Source)]


@pytest.fixture
def published() -> None:
    """The published job graphs, or the test is left out."""
    if not os.environ.get("UNSEAT_DATA"):
        pytest.skip("UNSEAT_DATA names no folder with the published jobs")
    states = status([load_manifest(Path(tpch.__file__).parents[1] / "data.toml")])
    if any(state.where not in ("found", "cached") for state in states):
        pytest.skip("UNSEAT_DATA has not all of the published jobs")


def templates(pool: str) -> set[str]:
    return {graph.template for graph in graphs(pool)}


def check_pools(family: str, count: int, sizes: int) -> None:
    """Templates are in one split only, each at all sizes but one that nobody has learned from."""
    parts = {part: templates(f"{family}-{part}") for part in ("train", "valid", "test")}
    assert sum(map(len, parts.values())) == len(set().union(*parts.values())) == count
    for part in parts:
        assert len(graphs(f"{family}-{part}")) == len(parts[part]) * sizes
        assert len({graph.name for graph in graphs(f"{family}-{part}")}) == len(parts[part]) * sizes
    assert templates(f"{family}-size") == parts["test"] == templates(f"{family}-test+memory")
    seen = {graph.name for part in parts for graph in graphs(f"{family}-{part}")}
    unseen = {graph.name for graph in graphs(f"{family}-size")}
    assert len(unseen) == len(parts["test"]) and not seen & unseen


def test_generated_templates_are_in_one_split() -> None:
    """Red: a policy is judged by templates that it has learned from, or by a size that it has seen."""
    check_pools("made", 24, 6)
    assert UNSEEN_MADE_SIZE not in suites.MADE_SIZES
    assert not [graph for part in ("train", "valid", "test") for graph in graphs(f"made-{part}") if "80" in graph.name]


def test_published_queries_are_in_one_split(published: None) -> None:
    """Red: as above, for the published queries; or the set that the paper draws from is not all of them."""
    check_pools("tpch", 22, 6)
    assert not [graph.name for part in ("train", "valid", "test") for graph in graphs(f"tpch-{part}")
                if UNSEEN_SIZE in graph.name]  # fmt: skip
    assert len(graphs("tpch-all")) == 154


def test_published_splits_need_no_data() -> None:
    """Red: the queries that are held out are learned from."""
    assert not suites.TPCH_TEST & suites.TPCH_VALID
    assert not (suites.TPCH_TEST | suites.TPCH_VALID) - set(tpch.QUERIES)
    assert len(tpch.QUERIES) == 22
    assert UNSEEN_SIZE in tpch.SIZES and len(tpch.SIZES) == 7


def test_workloads_draw_from_the_pool_of_their_split() -> None:
    """Red: a training workload draws test templates, or the whole set that overlaps with all splits."""
    for source in SOURCES:
        part = source.pool.partition("+")[0].partition("-")[2]
        allowed = {"train": {"train"}, "valid": {"valid"}, "test": {"test", "size", "all"}}[source.split]
        assert part in allowed, source.name
        if source.split != "test":
            assert "+" not in source.pool and source.machines == "50"


def test_what_is_held_out_is_told_from_what_is_mixed() -> None:
    """Red: a workload that draws learned templates too is shown as one that nobody has learned from."""
    test = {one.id: one.facts for one in TASK.instances() if one.split == "test"}
    told = {
        kind: {name for name, facts in test.items() if facts["templates"] == kind} for kind in ("held out", "mixed")
    }
    assert (len(test), len(told["held out"]), len(told["mixed"])) == (52, 41, 11)
    assert {test[name]["family"] for name in told["mixed"]} == {"tpch-batch-all", "tpch-stream-all"}
    assert not {test[name]["family"] for name in told["held out"]} & {"tpch-batch-all", "tpch-stream-all"}
    assert {one.facts["templates"] for one in TASK.instances() if one.split == "train"} == {"train"}
    families = {name: TASK.instance(name).facts["family"] for name in ("made-batch-test-3-e10", "made-daily")}
    assert families == {"made-batch-test-3-e10": "made-batch-test", "made-daily": "made-daily"}


def check_facts(family: str) -> None:
    """Hold what instances say of their templates to the graphs that they draw from."""
    learned = templates(f"{family}-train") | templates(f"{family}-valid")
    for source in SOURCES:
        if source.split == "test" and source.pool.startswith(family):
            shared = templates(source.pool) & learned
            assert source.instance().facts["templates"] == ("mixed" if shared else "held out"), source.name


def test_generated_workloads_say_what_they_draw() -> None:
    """Red: as above, by the graphs themselves."""
    check_facts("made")


def test_published_workloads_say_what_they_draw(published: None) -> None:
    """Red: as above; or a pool of one query holds others, or a size that nobody has learned from."""
    check_facts("tpch")
    for query in (4, 17):
        assert templates(f"tpch-{query}") == {f"tpch-{query}"} and len(graphs(f"tpch-{query}")) == 6


def test_facts_do_not_change_what_is_drawn() -> None:
    """Red: shipped policies are no more known to have been fitted on these instances."""
    from unseat.core.policy import Artefact
    from unseat.tasks.schedule.contenders import SHIPPED

    fit = Artefact.load(SHIPPED / "schedule" / "weighted-fair-tuned").fit
    assert fit
    for name, content in fit["train"].items():
        if name.startswith("made"):
            assert TASK.content(TASK.instance(name)) == content


def test_no_seed_is_drawn_twice() -> None:
    """Red: two workloads of one pool are the same, or of unlike groups though they share their draw."""
    drawn: dict[tuple[str, str, int], set[str]] = {}
    for source in SOURCES:
        drawn.setdefault((source.pool, source.kind, source.seed), set()).add(source.group)
    assert all(len(groups) == 1 for groups in drawn.values())
    assert len({source.name for source in SOURCES}) == len(SOURCES) > 100


def test_content_tells_workloads_apart() -> None:
    """Red: two workloads have one key in the ledger, so that one's result is taken for the other's."""
    hashes = {TASK.content(instance) for instance in TASK.instances()}
    assert len(hashes) == len(TASK.instances())
    one = next(source for source in SOURCES if source.name == "made-stream-test-0")
    changes: list[dict[str, Any]] = [
        {"pool": "made-valid"}, {"kind": "batch"}, {"jobs": 61}, {"seed": 7}, {"machines": "49"}, {"interval_s": 24.0}
    ]  # fmt: skip
    assert len({one.digest(), *(replace(one, **change).digest() for change in changes)}) == 1 + len(changes)
    named: list[dict[str, Any]] = [{"name": "x"}, {"group": "x"}, {"suites": frozenset({"full"})}]
    assert {replace(one, **change).digest() for change in named} == {one.digest()}


def test_the_quick_suite_needs_no_data_and_has_every_kind() -> None:
    """Red: the first run of a person downloads, or leaves out a split or the clusters with memory."""
    quick = [source for source in SOURCES if "quick" in source.suites]
    assert {source.pool.partition("-")[0] for source in quick} == {"made"}
    assert {source.split for source in quick} == {"train", "valid", "test"}
    assert {source.kind for source in quick} == {"batch", "stream"}
    assert any(":" in source.machines for source in quick)
    assert all("full" in source.suites for source in SOURCES) and built_in() is built_in()


def test_workloads_are_what_they_say() -> None:
    """Red: a workload has other jobs, machines or arrivals than its line, or another with each load."""
    for name in ("made-batch-test-0", "made-batch-test-0-e10", "made-stream-valid-1", "made-memory-0", "made-daily",
                 "made-size"):  # fmt: skip
        source = TASK.sources[name]
        assert isinstance(source, Source)
        problem, again = source.problem(), source.problem()
        assert (problem.arrivals.jobs, problem.arrivals.at_ms) == (again.arrivals.jobs, again.arrivals.at_ms)
        assert len(problem.arrivals.jobs) == source.jobs
        assert problem.arrivals.graphs is graphs(source.pool)
        assert (problem.arrivals.at_ms[-1] == 0) == (source.kind == "batch")
        if source.kind != "batch":
            mean = problem.arrivals.at_ms[-1] / (source.jobs - 1) / 1000
            assert 0.6 * source.interval_s < mean < 1.5 * source.interval_s
        assert problem.machines == classes(source.machines)
        assert any(stage.memory > 0 for graph in problem.arrivals.graphs for stage in graph.stages) == (
            "memory" in name
        )  # fmt: skip
    level = {name: TASK.instance(name) for name in ("made-batch-test-0", "made-batch-test-0-e10")}
    assert {one.series for one in level.values()} == {"made-batch-test-0"}
    assert {one.level for one in level.values()} == {10.0, 50.0}


def test_a_query_demands_the_same_memory_at_every_size() -> None:
    """Red: what a policy knows of a query's memory depends on how large its input is."""
    found: dict[str, set[tuple[float, ...]]] = {}
    for graph in graphs("made-test+memory"):
        found.setdefault(graph.template, set()).add(tuple(stage.memory for stage in graph.stages))
    assert all(len(needs) == 1 for needs in found.values())
    assert len(set().union(*found.values())) == len(found)


def test_published_workloads_load(published: None) -> None:
    """Red: a workload of the published queries cannot be drawn."""
    for name in ("tpch-batch-train-0", "tpch-stream-test-0", "tpch-memory-0", "tpch-size-0", "tpch-batch-all-0"):
        source = TASK.sources[name]
        assert isinstance(source, Source)
        assert len(source.problem().arrivals.jobs) == source.jobs


# A cluster of one's own.


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [Machines((50,))]),
        ({"executors": "10, 50"}, [Machines((10,)), Machines((50,))]),
        ({"executors": "3", "moving": "0.5", "warmup": "0"}, [Machines((3,), moving_ms=500, warm_up_ms=0)]),
        ({"memory": "20:0.25,10:1"}, [Machines((20, 10), (0.25, 1.0), reoffer=True)]),
        ({"memory": "7:1"}, [Machines((7,))]),
        ({"memory": "7"}, [Machines((7,))]),
        ({"memory": "1:1,1:1", "moving": "0"}, [Machines((1, 1), (1.0, 1.0), moving_ms=0, reoffer=True)]),
    ],
)
def test_options_are_clusters(options: dict[str, str], expected: list[Machines]) -> None:
    """Red: a person's cluster is not the one that was asked for."""
    assert parsed(options)[1] == expected


WRONG = [
    ({"executors": "0"}, "--executors: 0 executors; give each class at least 1"),
    ({"executors": ""}, "--executors"),
    ({"executors": "many"}, "--executors: 'many' is no number"),
    ({"executors": "-3"}, "--executors"),
    ({"executors": "1.5"}, "--executors"),
    ({"executors": "10,10"}, "--executors: 10,10 names one number twice"),
    ({"executors": "10,,20"}, "--executors"),
    ({"executors": "10001"}, "--executors: 10001 executors; give each class at least 1, and 10,000"),
    ({"moving": "-1"}, "--moving"),
    ({"moving": "86401"}, "--moving"),
    ({"moving": "soon"}, "--moving"),
    ({"moving": "nan"}, "--moving"),
    ({"warmup": "inf"}, "--warmup"),
    ({"memory": "20202"}, "--memory: 20202 executors"),
    ({"memory": "20:half"}, "--memory: '20:half' is no class; write executors:memory"),
    ({"memory": "x:0.5,10:1"}, "--memory: 'x' is no number"),
    ({"memory": "20:0.5"}, "--memory: memory of the classes is given as shares of the largest"),
    ({"memory": "20:0,10:1"}, "shares of the largest"),
    ({"memory": "20:nan,10:1"}, "shares of the largest"),
    ({"memory": "20:0.5,"}, "--memory"),
    ({"cores": "8"}, "--cores"),
]  # fmt: skip


@pytest.mark.parametrize(("options", "message"), WRONG)
def test_wrong_options_are_refused(options: dict[str, str], message: str) -> None:
    """Red: a cluster that is none is run, or refused without a line that names the option."""
    with pytest.raises(UserError) as caught:
        parsed(options)
    assert message in str(caught.value) and "\n" not in str(caught.value)


def jobs_file(path: Path, count: int = 2) -> Path:
    made = tuple(small.steady(f"job-{place}", (3, (), 10 + place), (1, (0,), 5)) for place in range(count))
    write_jobs(path, Arrivals(made, tuple(range(count)), tuple(5 * place for place in range(count))))
    return path


def opened(path: Path, **options: str) -> Task:
    return TASK.open(str(path), options)


def test_own_jobs_are_instances(tmp_path: Path) -> None:
    """Red: one's own jobs are learned from, lie in another order, or in a cluster of another size."""
    task = opened(jobs_file(tmp_path / "jobs.json"), executors="2,4", moving="0.1")
    one, other = task.instances()
    assert [one.id, other.id] == ["jobs.json@2", "jobs.json@4"]
    assert (one.group, one.split, one.level, one.series) == ("jobs.json", "test", 2.0, "jobs.json")
    assert other.level == 4.0 and one.suites == {"quick", "full"}
    json.dumps(dict(one.facts))
    problem = task.load(one)
    assert problem.arrivals.at_ms == (0, 5) and problem.machines == Machines((2,), moving_ms=100)
    assert [graph.name for graph, _ in problem.arrivals] == ["job-0", "job-1"]
    (alone,) = opened(tmp_path / "jobs.json").instances()
    assert alone.id == "jobs.json" and alone.level == 50.0


def test_own_content_follows_file_and_cluster(tmp_path: Path) -> None:
    """Red: a file that was changed, or another cluster, gets the results of the one before."""

    def content(path: Path, **options: str) -> str:
        task = opened(path, **options)
        return task.content(task.instances()[0])

    path = jobs_file(tmp_path / "a.json")
    found = [content(path), content(path, executors="49"), content(path, moving="1"), content(path, warmup="0")]
    same = content(jobs_file(tmp_path / "b.json"))
    jobs_file(path, 3)
    found.append(content(path))
    assert len(set(found)) == len(found) and same == found[0]


def test_a_folder_of_files(tmp_path: Path) -> None:
    """Red: the files of a folder are not each a group of their own, or an empty one is no error."""
    for name in ("b.json", "a.json.gz"):
        jobs_file(tmp_path / name)
    assert [one.group for one in opened(tmp_path, executors="3").instances()] == ["a.json.gz", "b.json"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="empty folder; put job files into it"):
        opened(tmp_path / "empty")


def test_jobs_too_large_for_every_executor_run_on_the_largest(tmp_path: Path) -> None:
    """Red: a job that fits only on a class that is asked for last is never run."""
    graph: JobGraph = small.steady("a", (2, (), 10), (1, (0,), 5), memory=(0.2, 0.9))
    write_jobs(tmp_path / "a.json", Arrivals((graph,), (0,), (0,)))
    from unseat.core.outcome import Limits
    from unseat.tasks.schedule.policies import RULES, RuleOf

    task = opened(tmp_path / "a.json", memory="2:0.5,1:1")
    for name in RULES:
        outcome = task.run(task.load(task.instances()[0]), RuleOf(name, name), seed=0, limits=Limits())
        assert outcome.metrics["tasks"] == 3


def line(words: list[str], capfd: pytest.CaptureFixture[str]) -> str:
    """The one line of a request that is refused."""
    assert main(words) == 2
    out, err = capfd.readouterr()
    assert out == "" and len(err.splitlines()) == 1, err
    return err


@pytest.mark.parametrize(
    ("flags", "named"),
    [(["--executors", "0"], "executors"), (["--executors", "x"], "--executors"), (["--memory", "1:2"], "shares"),
     (["--moving", "-1"], "--moving"), (["--warmup", "x"], "--warmup"), (["--cores", "8"], "--cores")],
)  # fmt: skip
def test_wrong_requests_are_one_line(
    flags: list[str], named: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Red: a wrong option of one's own cluster gives a traceback, or a line that names nothing."""
    path = jobs_file(tmp_path / "jobs.json")
    assert named in line(["run", "schedule", "--data", str(path), *flags], capfd)


@pytest.mark.parametrize(
    ("content", "named"),
    [("", "jobs.json"), ("{}", "missing; give it"), (b"\xff\xfe", "not text"),
     ('{"unseat": "schedule-jobs", "version": 2, "graphs": []}', "version")],
)  # fmt: skip
def test_wrong_files_are_one_line(
    content: str | bytes, named: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Red: a file that holds no jobs gives a traceback, or a line that does not name the file and the place."""
    path = tmp_path / "jobs.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    err = line(["run", "schedule", "--data", str(path)], capfd)
    assert named in err and "jobs.json" in err


def test_own_jobs_run_and_print_one_document(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Red: a person's own file cannot be run from the command line, or only on one of the clusters asked for."""
    path = jobs_file(tmp_path / "jobs.json")
    words = [
        "run",
        "schedule",
        "--data",
        str(path),
        "--executors",
        "1,2",
        "--contenders",
        "FIFO,path and SRPT",
        "--json",
    ]
    assert main([*words, "--jobs", "1", "--seeds", "1"]) == 0
    runs = json.loads(capfd.readouterr().out)["runs"]
    values = {(one["instance"], one["contender"]): one["value"] for one in runs if one["group"] == "jobs.json"}
    assert set(values) >= {(f"jobs.json@{n}", name) for n in (1, 2) for name in ("FIFO", "path and SRPT")}
    assert {one["status"] for one in runs} == {"ok"}
    for n in (1, 2):
        assert values[f"jobs.json@{n}", "path and SRPT"] <= values[f"jobs.json@{n}", "FIFO"]


def test_folds_of_the_built_in_workloads_are_refused(capfd: pytest.CaptureFixture[str]) -> None:
    """Red: a policy is judged by the templates that it was fitted on, since workloads of one split share them all."""
    err = line(["run", "schedule", "--folds", "5"], capfd)
    assert all(word in err for word in ("same query templates", "--split test", "--data"))


def test_a_folder_of_own_files_has_folds(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Red: a person's own files are not divided, though each is a group of its own."""
    folder = tmp_path / "jobs"
    folder.mkdir()
    for name in "abc":
        jobs_file(folder / f"{name}.json", 2 + ord(name) % 3)
    words = ["run", "schedule", "--data", str(folder), "--executors", "2", "--folds", "3", "--json", "--jobs", "1"]
    contenders = "fair,weighted-fair-tuned,path and SRPT"
    assert main([*words, "--contenders", contenders, "--budget", "0.2", "--ledger", str(tmp_path / "l.db")]) == 0
    runs = json.loads(capfd.readouterr().out)["runs"]
    judged = [one["instance"] for one in runs if one["contender"] == "weighted-fair-tuned" and one["split"] == "test"]
    assert sorted(judged) == ["a.json", "b.json", "c.json"]
