"""The instances: workloads drawn from job graphs, on clusters."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from unseat.core.errors import UserError
from unseat.core.task import Instance, Split
from unseat.tasks.schedule.engine.graphs import Arrivals, JobGraph
from unseat.tasks.schedule.engine.memory import Machines
from unseat.tasks.schedule.options import classes, parsed
from unseat.tasks.schedule.problem import Problem

Kind = Literal["batch", "stream", "lublin"]

TPCH_TEST, TPCH_VALID = frozenset({4, 8, 12, 16, 20}), frozenset({2, 10, 18})
"""Queries that are held out: every fourth to judge by, three to choose by; the other 14 are learned from."""

UNSEEN_SIZE = "80g"
"""No training workload has this size of input."""

MADE: Mapping[Split, range] = {"train": range(14), "valid": range(14, 18), "test": range(18, 24)}
"""Seeds of the generated templates, in splits."""

MADE_SIZES = (2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
UNSEEN_MADE_SIZE = 80.0

THREE_CLASSES = "16:0.25,16:0.5,18:1"


@dataclass(frozen=True)
class Source:
    """One workload on one cluster.

    Attributes:
        name: The instance's id.
        group: What is independent of others: workloads of one seed, on whatever cluster.
        split: Of the workload.
        pool: Which graphs it draws from; see `graphs`.
        kind: All jobs at once, a Poisson stream, or a stream with the daily cycle of Lublin and Feitelson.
        jobs: How many.
        seed: Of the draw of jobs and arrivals.
        machines: Executors, as `options.classes` reads them.
        interval_s: Mean time between arrivals of a stream.
        suites: Suites that it is in.
    """

    name: str
    group: str
    split: Split
    pool: str
    kind: Kind
    jobs: int
    seed: int
    machines: str = "50"
    interval_s: float = 25.0
    suites: frozenset[str] = frozenset({"full"})

    @property
    def family(self) -> str:
        """What it has in common with workloads that other seeds draw, and with itself on another cluster."""
        return re.sub(r"-\d+$", "", self.group)

    @property
    def templates(self) -> str:
        """Which templates it draws from: those of a split, or ``mixed``, of which 14 of 22 are those of ``train``."""
        return "mixed" if self.pool == "tpch-all" else "held out" if self.split == "test" else self.split

    def instance(self) -> Instance:
        """As the laboratory knows it; what differs in the number of executors only is a curve."""
        facts = {**self._drawn(), "family": self.family, "templates": self.templates}
        executors = float(sum(classes(self.machines).counts))
        series = self.group if ":" not in self.machines else self.name
        return Instance(self.name, self.group, self.split, executors, series, 1.0, self.suites, facts)

    def problem(self) -> Problem:
        """Draw the workload."""
        from unseat.tasks.schedule import generators

        drawn = graphs(self.pool)
        if self.kind == "batch":
            arrivals = generators.batch(drawn, self.jobs, self.seed)
        else:
            stream = generators.poisson if self.kind == "stream" else generators.lublin
            arrivals = stream(drawn, self.jobs, 1000 * self.interval_s, self.seed)
        return Problem(arrivals, classes(self.machines))

    def digest(self) -> str:
        """A hash of all that decides what is drawn, without drawing it."""
        text = json.dumps([self._drawn(), _content(self.pool)], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def _drawn(self) -> dict[str, Any]:
        return {key: value for key, value in asdict(self).items() if key not in {"name", "group", "split", "suites"}}


@dataclass(frozen=True, eq=False)
class Own:
    """A person's own jobs on one cluster; durations are drawn by the run's seed."""

    name: str
    group: str
    arrivals: Arrivals
    machines: Machines
    content: str

    def instance(self) -> Instance:
        """Everything of a person's own is for testing."""
        facts = asdict(self.machines)
        suites = frozenset({"quick", "full"})
        level, facts = float(self.machines.executors), {key: _plain(value) for key, value in facts.items()}
        return Instance(self.name, self.group, "test", level, self.group, 1.0, suites, facts)

    def problem(self) -> Problem:
        """The jobs as they were read."""
        return Problem(self.arrivals, self.machines)

    def digest(self) -> str:
        """A hash of the jobs and the cluster."""
        return hashlib.sha256(f"{self.content} {self.machines}".encode()).hexdigest()


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


@lru_cache(maxsize=16)
def graphs(pool: str) -> tuple[JobGraph, ...]:
    """The graphs that workloads draw from.

    ``made-train``, ``made-valid`` and ``made-test`` are generated, of templates in splits; ``made-size`` are of the
    test templates at a size that nobody learned from. ``tpch-train`` to ``tpch-size`` are the same of the published
    ones, ``tpch-all`` are all 154, as Decima's paper draws them, ``tpch-4`` are query 4 alone. Behind a ``+memory``
    stages demand memory.
    """
    from unseat.tasks.schedule import generators
    from unseat.tasks.schedule.data.tpch import QUERIES, SIZES, tpch

    base, _, memory = pool.partition("+")
    family, part = base.split("-")
    found: list[JobGraph]
    if family == "made":
        sizes = (UNSEEN_MADE_SIZE,) if part == "size" else MADE_SIZES
        seeds = MADE["test" if part == "size" else part]  # type: ignore[index]
        found = [generators.generate(seed, size) for seed in seeds for size in sizes]
    else:
        held_out = {"test": TPCH_TEST, "valid": TPCH_VALID}
        queries = {int(part)} if part.isdigit() else {
            "all": set(QUERIES), "train": set(QUERIES) - TPCH_TEST - TPCH_VALID, "size": TPCH_TEST, **held_out
        }[part]  # fmt: skip
        chosen = {"all": SIZES, "size": (UNSEEN_SIZE,)}.get(part, tuple(size for size in SIZES if size != UNSEEN_SIZE))
        found = [tpch(size, query) for query in sorted(queries) for size in chosen]
    if memory:
        # A query demands the same memory at every size.
        found = [generators.with_memory(graph, _number(graph.template)) for graph in found]
    return tuple(found)


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


@lru_cache(maxsize=16)
def _content(pool: str) -> str:
    """What the graphs of a pool are: the hashes of the published files, or the generator's version."""
    if pool.startswith("made"):
        return "generators 1"
    from unseat.tasks.schedule.data.tpch import digest

    return digest()


@lru_cache(maxsize=1)
def built_in() -> tuple[Source, ...]:
    """All workloads of the suites; the quick one is generated and needs no data."""
    return (*_made(), *_tpch())


def _made() -> Iterator[Source]:
    quick = frozenset({"quick", "full"})
    for split, count in (("train", 12), ("valid", 4), ("test", 5)):
        for seed in range(count):
            group = f"made-batch-{split}-{seed}"
            one = Source(group, group, split, f"made-{split}", "batch", 20, seed, suites=quick)  # type: ignore[arg-type]
            yield one
            if split == "test":
                yield replace(one, name=f"{group}-e10", machines="10", suites=frozenset({"full"}))
    for split, count in (("train", 4), ("valid", 2), ("test", 3)):
        for seed in range(count):
            group = f"made-stream-{split}-{seed}"
            yield Source(group, group, split, f"made-{split}", "stream", 60, 100 + seed, suites=quick)  # type: ignore[arg-type]
    for seed in range(2):
        group = f"made-memory-{seed}"
        yield Source(group, group, "test", "made-test+memory", "batch", 20, 200 + seed, THREE_CLASSES, suites=quick)
    yield Source("made-daily", "made-daily", "test", "made-test", "lublin", 100, 300, interval_s=30.0)
    yield Source("made-size", "made-size", "test", "made-size", "batch", 20, 400)


def _tpch() -> Iterator[Source]:
    # As many as policies that think for milliseconds can be measured on in five minutes; `benchmarks.schedule_learning`
    # draws more.
    for split, batches, streams in (("train", 60, 12), ("valid", 12, 4), ("test", 9, 3)):
        for seed in range(batches):
            group = f"tpch-batch-{split}-{seed}"
            one = Source(group, group, split, f"tpch-{split}", "batch", 20, 1000 + seed)  # type: ignore[arg-type]
            yield one
            if split == "test" and seed < 6:
                yield replace(one, name=f"{group}-e10", machines="10")
        for seed in range(streams):
            group = f"tpch-stream-{split}-{seed}"
            jobs = 200 if split == "test" else 100
            yield Source(group, group, split, f"tpch-{split}", "stream", jobs, 2000 + seed)  # type: ignore[arg-type]
    for seed in range(8):
        yield Source(f"tpch-batch-all-{seed}", f"tpch-batch-all-{seed}", "test", "tpch-all", "batch", 20, 3000 + seed)
    for seed in range(3):
        group = f"tpch-stream-all-{seed}"
        yield Source(group, group, "test", "tpch-all", "stream", 200, 4000 + seed)
    for seed in range(2):
        group = f"tpch-rate-{seed}"
        yield Source(group, group, "test", "tpch-test", "stream", 200, 5000 + seed, interval_s=20.0)
        group = f"tpch-size-{seed}"
        yield Source(group, group, "test", "tpch-size", "batch", 20, 6000 + seed)
        group = f"tpch-memory-{seed}"
        yield Source(group, group, "test", "tpch-test+memory", "batch", 20, 7000 + seed, THREE_CLASSES)


def opened(path: str, options: Mapping[str, Any]) -> Sequence[Own]:
    """A person's own jobs, or every file of a folder, on the clusters that were asked for.

    Raises:
        UserError: An option or a file is wrong.
    """
    from unseat.tasks.schedule.data.jobs_json import read_jobs

    chosen, clusters = parsed(options)
    given = Path(path)
    files = sorted(file for file in given.iterdir() if file.is_file()) if given.is_dir() else [given]
    if not files:
        raise UserError(f"{path}: an empty folder; put job files into it")
    found = []
    for file in files:
        arrivals = read_jobs(file)
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        for machines in clusters:
            name = file.name if len(clusters) == 1 else f"{file.name}@{machines.executors}"
            found.append(Own(name, file.name, arrivals, machines, content))
    return found
