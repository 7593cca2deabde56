"""Exported schedulers against the engine: the same stage and the same limit at every decision."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from tests.tasks.schedule import small
from tests.tasks.schedule.small_task import SmallSchedule

from unseat.core.errors import UserError
from unseat.core.jit import python
from unseat.core.policy import Artefact, Form, Policy, Session, View
from unseat.tasks.schedule.challengers import network, rollout, scorer
from unseat.tasks.schedule.challengers.decima import layout
from unseat.tasks.schedule.challengers.decima import network as decima_network
from unseat.tasks.schedule.challengers.decima.policy import Decima, untrained
from unseat.tasks.schedule.challengers.scorer import Scorer
from unseat.tasks.schedule.engine import layout as at
from unseat.tasks.schedule.engine.cluster import advance, answer
from unseat.tasks.schedule.engine.layout import Int32, Memory
from unseat.tasks.schedule.engine.memory import Cluster, Machines, lay_out, table
from unseat.tasks.schedule.exporters import drawn, exporters
from unseat.tasks.schedule.exporters.parts import decima as decima_part
from unseat.tasks.schedule.incumbents import play as rules
from unseat.tasks.schedule.policies import RULES, RuleOf
from unseat.tasks.schedule.policies import Fused as FusedSession

SEED = 3

Answer = tuple[tuple[int, int] | None, int]
"""Numbers of the job and of its stage, or None to wait; the limit."""

ANSWERS = """
import importlib.abc, importlib.util, json, sys

class OnlyNumPy(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in {"numpy", *sys.stdlib_module_names}:
            raise ImportError(f"{name} is not there")

sys.meta_path.insert(0, OnlyNumPy())
spec = importlib.util.spec_from_file_location("scheduler", sys.argv[1])
sys.modules["scheduler"] = module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
scheduler, found = module.Scheduler(), []
for workload in json.load(sys.stdin):
    cluster = module.Cluster(**workload["cluster"])
    jobs = [
        module.Job([module.Stage(**stage) for stage in job["stages"]], job["arrival_ms"]) for job in workload["jobs"]
    ]
    for question in workload["questions"]:
        cluster.now_ms = question["now_ms"]
        active = []
        for number, held, ready, stages in question["jobs"]:
            job = jobs[number]
            job.held, job.ready = held, ready
            for stage, counts in zip(job.stages, stages):
                stage.started, stage.claimed, stage.finished, stage.at_work = counts
            active.append(job)
        source = None if question["source"] is None else jobs[question["source"]]
        picked = [jobs[job].stages[place] for job, place in question["picked"]]
        stage, limit = scheduler.assign(cluster, active, source, question["offered"], picked, question["class"])
        places = [[n, job.stages.index(stage)] for n, job in enumerate(jobs) if stage in job.stages]
        found.append([places[0] if places else None, limit])
print(json.dumps(found))
"""


@dataclass(frozen=True)
class Played:
    """A run of the compiled policy: what it was asked, its answers, and when each job was done.

    Attributes:
        told: The workload and its questions, as JSON for the exported file.
    """

    cluster: Cluster
    told: Mapping[str, Any]
    answers: Sequence[Answer]
    done_ms: Sequence[int]


@lru_cache(maxsize=1)
def clusters() -> Sequence[Cluster]:
    """Generated workloads (batches, streams, a need for memory, many executors), and small ones of all kinds."""
    task = SmallSchedule()
    made = [task.load(instance).cluster for instance in task.instances() if instance.split == "test"]
    large = lay_out(made[0].arrivals, Machines((300,), moving_ms=100, published_levels=False))
    return [*made, large, *(lay_out(*small.some_cluster(seed)) for seed in range(30))]


def played(policy: Policy, cluster: Cluster, patch: pytest.MonkeyPatch) -> Played:
    """Run the policy's own loop as plain Python around its compiled parts, and write down each question and answer."""
    loop: ModuleType = {RuleOf: rules, Scorer: network, Decima: decima_network}[type(policy)]
    questions: list[Mapping[str, Any]] = []
    answers: list[Answer] = []

    def noted(m: Memory, durations: Int32, stage: int, limit: int) -> None:
        questions.append(asked(m))
        answers.append((None, 0) if stage == at.NONE else (numbers(m, stage), int(limit)))
        answer(m, durations, stage, limit)

    with patch.context() as patched:
        patched.setattr(loop, "answer", noted)
        patched.setattr(loop, "play", python(loop.play))
        policy.play(cluster.begin(SEED), cluster)  # type: ignore[attr-defined]
    m = cluster.begin(SEED)
    policy.play(m, cluster)  # type: ignore[attr-defined]
    assert m[at.DECISIONS] == len(answers), "the loop as plain Python decides otherwise than the compiled one"
    return Played(cluster, {**workload(cluster), "questions": questions}, answers, done_ms(m))


def numbers(m: Memory, stage: int) -> tuple[int, int]:
    """Number of a stage's job, and its place there."""
    job = m[stage + at.OF_JOB]
    return int(m[job + at.JOB_NUMBER]), int((stage - m[job + at.FIRST_STAGE]) // at.STAGE)


def done_ms(m: Memory) -> list[int]:
    """When each job was done."""
    return [int(when) for when in table(m, at.ALL_JOBS)[:, at.DONE_AT]]


def asked(m: Memory) -> Mapping[str, Any]:
    """The engine's open question."""
    active = [int(job) for job in m[m[at.ACTIVE] :][: m[at.ACTIVE_JOBS]]]
    jobs, picked = [], []
    for job in active:
        stages = range(m[job + at.FIRST_STAGE], m[job + at.END_STAGE], at.STAGE)
        ready = [numbers(m, stage)[1] for stage in m[m[job + at.READY_LIST] :][: m[job + at.READY_COUNT]]]
        counts = [m[[stage + at.STARTED, stage + at.CLAIMED, stage + at.FINISHED, stage + at.RUNNING]].tolist()
                  for stage in stages]  # fmt: skip
        jobs.append([int(m[job + at.JOB_NUMBER]), int(m[job + at.HELD]), ready, counts])
        picked += [numbers(m, stage) for stage in stages if m[stage + at.PICKED] == m[at.ROUND]]
    source = None if m[at.SOURCE_JOB] == at.NONE else int(m[m[at.SOURCE_JOB] + at.JOB_NUMBER])
    return {
        "now_ms": int(m[at.NOW]), "source": source, "offered": int(m[at.OFFERED]), "class": int(m[at.SOURCE_CLASS]),
        "picked": picked, "jobs": jobs,
    }  # fmt: skip


def workload(cluster: Cluster) -> dict[str, Any]:
    """What is known of machines and jobs beforehand, by the names of the exported classes' fields."""
    machines = cluster.machines
    known = {
        "classes": machines.counts, "class_memory": machines.memory, "moving_ms": machines.moving_ms,
        "measured_at": cluster.library.points, "published_levels": machines.published_levels,
    }  # fmt: skip
    jobs = []
    for graph, when in cluster.arrivals:
        stages = []
        for stage in graph.stages:
            waves = [np.concatenate(wave) for wave in zip(*(p.waves() for p in stage.profiles), strict=True)]
            stages.append({
                "tasks": stage.tasks, "parents": stage.parents, "mean_ms": stage.mean_ms, "memory": stage.memory,
                "wave_ms": [float(wave.mean()) if wave.size else None for wave in waves],
                "by_executors_ms": [(p.executors, float(np.concatenate(p.waves()).mean())) for p in stage.profiles],
            })  # fmt: skip
        jobs.append({"arrival_ms": when, "stages": stages})
    return {"cluster": known, "jobs": jobs}


def answered(path: Path, runs: Sequence[Played]) -> Iterator[Sequence[Answer]]:
    """Answers of an exported file to the questions of each run, where nothing but NumPy can be imported."""
    told = json.dumps([run.told for run in runs])
    command = [sys.executable, "-I", "-c", ANSWERS, str(path)]
    done = subprocess.run(command, input=told, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    found: list[Answer] = [(None if stage is None else (stage[0], stage[1]), limit)
                           for stage, limit in json.loads(done.stdout)]  # fmt: skip
    for run in runs:
        yield found[: len(run.answers)]
        del found[: len(run.answers)]
    assert not found


def replayed(cluster: Cluster, answers: Sequence[Answer]) -> list[int]:
    """When each job is done if the engine gets these answers."""
    m, left = cluster.begin(SEED), iter(answers)
    while advance(m, cluster.durations):
        stage, limit = next(left)
        if stage is None:
            answer(m, cluster.durations, at.NONE, 0)
        else:
            job = m[at.ALL_JOBS] + stage[0] * at.JOB
            answer(m, cluster.durations, int(m[job + at.FIRST_STAGE] + stage[1] * at.STAGE), limit)
    return done_ms(m)


def random_scorer(hidden: int, scale: float) -> Policy:
    """Weights that nobody chose; `scale` 0 for those of `linear`."""
    if not scale:
        return scorer.linear(scorer.BEGIN)
    theta = np.random.default_rng(hidden).normal(0, scale, network.size(hidden)) + network.begin(hidden, 0)
    return scorer.scorer(f"scorer-{hidden}", theta.astype(np.float32), hidden)


POLICIES: Mapping[str, Policy] = {
    **{name: RuleOf(name, name) for name in RULES if name != "random"},
    "weighted-fair-tuned": RuleOf("weighted-fair-tuned", "weighted-fair", {"alpha": -0.73}),
    "Tetris-tuned": RuleOf("Tetris-tuned", "Tetris", {"cap": -0.4, "fairness": 0.7, "short": 2.5}),
    "HEFT-tuned": RuleOf("HEFT-tuned", "HEFT", {"cap": 0.3}),
    "Graphene-tuned": RuleOf("Graphene-tuned", "Graphene", {"cap": -1.1, "short": 0.4}),
    "linear": random_scorer(0, 0.0),
    "scorer": random_scorer(14, 0.1),
    "wild scorer": random_scorer(6, 1.0),
    "Decima": untrained("Decima", 1),
    "Decima without messages": untrained("Decima-no-messages", 2, messages=False),
}


@pytest.mark.parametrize("name", POLICIES)
def test_exported_file_answers_as_the_engine(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red: the file that a person would ship takes another stage or limit than the policy that was measured."""
    policy, path = POLICIES[name], tmp_path / "scheduler.py"
    exporters()["python"].write(policy, path)
    runs = [played(policy, cluster, monkeypatch) for cluster in clusters()]
    assert sum(len(run.answers) for run in runs) > 500
    for number, (run, found) in enumerate(zip(runs, answered(path, runs), strict=True)):
        wrong = [place for place, (one, other) in enumerate(zip(run.answers, found, strict=True)) if one != other]
        assert not wrong, (number, wrong[0], run.answers[wrong[0]], found[wrong[0]])
        assert replayed(run.cluster, found) == run.done_ms


def test_the_head_tells_what_was_exported(tmp_path: Path) -> None:
    """Red: whoever finds the file cannot tell which policy it is, how it was fitted, or how to ask it."""
    fit = {"learner": "some:Learner", "seed": 7, "train": {"a": "0" * 64}, "train_groups": ['"""\\x', "b"]}
    policy = Artefact(**{**vars(POLICIES["Tetris-tuned"].artefact), "name": 'a """ \\x\nname', "fit": fit}).restore()
    path = tmp_path / "packer.py"
    exporters()["python"].write(policy, path)
    text = path.read_text()
    head = ast.get_docstring(ast.parse(text)) or ""
    assert policy.artefact.hash in head
    assert "schedule-v0" in head
    assert "a ''' /x name: tetris(cap=-0.4, fairness=0.7, short=2.5)" in head
    assert "Tetris), SIGCOMM 2014" in head
    assert "from packer import Cluster" in head
    assert "Job` stages, held, ready;" in " ".join(head.split())
    assert '"seed": 7' in text
    assert "0" * 64 not in text


@pytest.mark.parametrize("name", [name for name in POLICIES if "tuned" not in name and "wild" not in name])
def test_exported_file_stands_alone(name: str, tmp_path: Path) -> None:
    """Red: the file asks for more than Python 3.9 and NumPy, brings code of other policies, or its self-test or the
    example of its head fails."""
    path = tmp_path / "scheduler.py"
    exporters()["python"].write(POLICIES[name], path)
    text = path.read_text()
    assert max(map(len, text.splitlines())) <= 120
    tree = ast.parse(text, feature_version=(3, 9))
    imported = {node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
                for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)}  # fmt: skip
    assert {str(module).partition(".")[0] for module in imported} <= {"numpy", *sys.stdlib_module_names}
    if isinstance(POLICIES[name], RuleOf):
        assert "numpy" not in imported
    called = {one.id for one in ast.walk(tree) if isinstance(one, ast.Name)}
    called |= {one.attr for one in ast.walk(tree) if isinstance(one, ast.Attribute)}
    defined = {one.name for one in tree.body if isinstance(one, ast.FunctionDef | ast.ClassDef)}
    assert defined <= called | {"granted", "Scheduler"}
    done = subprocess.run([sys.executable, "-I", str(path)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(line.partition(" done after ")[0] for line in done.stdout.splitlines()) == ["job 0", "job 1", "job 2"]
    example = [line[4:] for line in (ast.get_docstring(tree) or "").splitlines() if line.startswith("    ")]
    example = example[[line.startswith("from scheduler") for line in example].index(True) :]
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n" + "\n".join(example) + "\nprint(job.held + offered)"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("10\n", "")


def test_decima_has_the_networks_of_the_compiled_one() -> None:
    """Red: weights of one network are read as those of another."""
    assert {name: part.sizes for name, part in layout.PARTS.items()} == decima_part.SIZES


class Asked(Policy):
    """A stranger's policy, which decides in Python."""

    name = "asked"

    def start(self, view: View, seed: int) -> Session:
        return Session()


@dataclass(frozen=True)
class Derived(RuleOf):
    """A stranger's policy, which plays another rule than its fields say."""

    form = Form.FUSED

    def start(self, view: View, seed: int) -> Session:
        return FusedSession(RuleOf("SJF", "SJF").play)


def test_what_has_no_python_form_is_refused(tmp_path: Path) -> None:
    """Red: `unseat export` writes another policy than the one that was named, or fails without saying why."""
    write = exporters()["python"].write
    with pytest.raises(UserError, match="random draws its answers, so there is nothing to export"):
        write(RuleOf("random", "random"), tmp_path / "a.py")
    with pytest.raises(UserError, match="ahead simulates the cluster, which one file cannot hold"):
        write(rollout.ahead("ahead", RuleOf("FIFO", "FIFO")), tmp_path / "a.py")
    for policy in (Asked(), Derived("mine", "FIFO")):
        with pytest.raises(UserError, match=f"{policy.name} is no rule, scorer or Decima network"):
            write(policy, tmp_path / "a.py")
    assert not (tmp_path / "a.py").exists()
    with pytest.raises(UserError, match=r"no/a\.py: cannot be written \(No such file or directory\)"):
        write(RuleOf("FIFO", "FIFO"), tmp_path / "no" / "a.py")


def test_gantt_is_of_the_tasks_own_workload(tmp_path: Path) -> None:
    """Red: the picture is of other jobs than those of --data, or of a stream where there is a batch."""
    sources = dict(reversed(list(SmallSchedule().sources.items())))
    path = tmp_path / "run.svg"
    exporters(sources)["gantt"].write(RuleOf("FIFO", "FIFO"), path)
    assert ElementTree.parse(path).getroot().tag.endswith("svg")
    first = drawn(list(sources.values())).instance()
    assert (first.split, first.facts["kind"]) == ("test", "batch")
    assert first.id == next(name for name in sources if name == "memory" or name.startswith("batch-test"))
    stream = {name: source for name, source in sources.items() if "batch" not in name and name != "memory"}
    assert drawn(list(stream.values())).name == next(iter(stream))
    exporters()["gantt"].write(RuleOf("FIFO", "FIFO"), tmp_path / "run.png")
    with pytest.raises(UserError, match=r"run\.xyz: cannot be written"):
        exporters(sources)["gantt"].write(RuleOf("FIFO", "FIFO"), tmp_path / "run.xyz")
