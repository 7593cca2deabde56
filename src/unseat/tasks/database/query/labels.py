"""What a learner measures on its training queries: every hint set whose plan differs from those of the others.

It is kept in the cache folder, so that fits of one machine share it; every fit is charged for all of it.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseat.core.errors import LimitReached
from unseat.core.learner import Study
from unseat.core.task import Instance
from unseat.data.store import cache_folder
from unseat.tasks.database.data.loading import digest
from unseat.tasks.database.query.arms import DEFAULT
from unseat.tasks.database.query.engine import measure
from unseat.tasks.database.query.problem import Problem, Query, Session, connection
from unseat.tasks.database.query.question import Plan

REPEATS = 2
PATIENCE, SLACK_MS, HOPELESS, STOPPED = 2.0, 20.0, 1.4, 2.5
"""An arm is stopped after twice the default's latency and a little, and then counts as two and a half times its CPU
time; one that takes much more than the default is not measured again."""

IGNORED = frozenset({"Startup Cost", "Total Cost", "Plan Rows", "Plan Width", "Disabled"})
"""What of a plan does not change what is executed."""


@dataclass(frozen=True)
class Labelled:
    """A training query with what every candidate does to it.

    Attributes:
        text: SQL.
        tables: Rows by table, as the planner thinks.
        group: Group of its instance.
        plans: The plan of every candidate.
        twin: int64 [candidates], the first arm with the same plan.
        cpu_ms: float64 [candidates], CPU time; what was stopped has what it counts with.
    """

    text: str
    tables: Mapping[str, int]
    group: str
    plans: Sequence[Plan]
    twin: NDArray[np.int64]
    cpu_ms: NDArray[np.float64]


_known: dict[str, Labelled] = {}
"""By `_key`; learners of one process share what was measured, and each is charged for it."""


def labelled(study: Study, instances: Sequence[Instance], most: int | None = None) -> Iterator[Labelled]:
    """Measure the queries of instances, for as long as the study's limits last.

    Args:
        study: It is charged a run for each measured plan and repetition.
        instances: Of the study.
        most: At most so many queries.
    """
    count = 0
    for instance in instances:
        problem: Problem = study.load(instance)
        for query in problem.queries:
            if most is not None and count >= most:
                return
            count += 1
            try:
                yield _label(study, instance, problem, query)
            except LimitReached:
                return


def _label(study: Study, instance: Instance, problem: Problem, query: Query) -> Labelled:
    session = connection(problem.database)
    key = _key(problem, query, session.version)
    found = _known.get(key) or _kept(key, instance.group)
    if found is None:
        plans = [session.explain(*problem.statement(query, arm))[0] for arm in range(problem.space.tried)]
        twin = twins(plans)
        distinct = sorted(set(twin.tolist()))
        study.charge(REPEATS * len(distinct))
        took = {arm: _took(session, problem, query, arm) for arm in distinct}
        cpu = np.array([took[int(arm)] for arm in twin])
        found = Labelled(query.text, dict(problem.tables), instance.group, plans, twin, cpu)
        _keep(key, found)
    else:
        study.charge(REPEATS * len(set(found.twin.tolist())))
    _known[key] = found
    return found


def _took(session: Session, problem: Problem, query: Query, arm: int) -> float:
    """The less of some measurements: what disturbs one only adds. What is slow is not measured for long."""
    best = np.inf
    for _ in range(REPEATS):
        got = measure(session, problem, query, arm, PATIENCE * query.wall_ms + SLACK_MS)
        if got is None:
            return STOPPED * query.cpu_ms
        best = min(best, got.cpu_ms)
        if best > HOPELESS * query.cpu_ms:
            break
    return float(best)


def _key(problem: Problem, query: Query, version: str) -> str:
    told = [problem.space.id, problem.space.tried, problem.space.names, str(problem.database), digest(), query.text,
            REPEATS, version]  # fmt: skip
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:32]


def _file(key: str) -> Path:
    return cache_folder() / "query-labels" / f"{key}.json.gz"


def _kept(key: str, group: str) -> Labelled | None:
    """What an earlier process has measured, if it is there and whole."""
    try:
        told = json.loads(gzip.decompress(_file(key).read_bytes()))
    except (OSError, EOFError, ValueError):
        return None
    plans = [told["plans"][place] for place in told["same"]]
    return Labelled(told["text"], told["tables"], group, plans, np.array(told["twin"]), np.array(told["cpu_ms"]))


def _keep(key: str, found: Labelled) -> None:
    """Write what was measured where later fits find it; plans that are equal to the letter are written once."""
    written = [json.dumps(plan, sort_keys=True) for plan in found.plans]
    distinct = sorted(set(written))
    told = {"text": found.text, "tables": dict(found.tables), "plans": [json.loads(plan) for plan in distinct],
            "same": [distinct.index(plan) for plan in written], "twin": found.twin.tolist(),
            "cpu_ms": found.cpu_ms.tolist()}  # fmt: skip
    path = _file(key)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}")
    partial.write_bytes(gzip.compress(json.dumps(told).encode(), mtime=0))
    partial.rename(path)


def twins(plans: Sequence[Plan]) -> NDArray[np.int64]:
    """For every plan the first that executes alike; int64 [plans]."""
    first: dict[str, int] = {}
    return np.array([first.setdefault(shape(plan), number) for number, plan in enumerate(plans)])


def shape(plan: Plan) -> str:
    """A plan without its estimates."""
    return json.dumps(_bare(plan), sort_keys=True)


def _bare(part: Any) -> Any:
    if isinstance(part, Mapping):
        return {name: _bare(value) for name, value in part.items() if name not in IGNORED}
    return [_bare(one) for one in part] if isinstance(part, list) else part


def best_fixed(rows: Sequence[Labelled]) -> int:
    """The arm with the least total; the default if nothing was measured."""
    return int(np.sum([row.cpu_ms for row in rows], axis=0).argmin()) if rows else DEFAULT


LOSS = 3.0
"""How much more a millisecond that a query loses counts than one that it gains, where one is to be prudent."""


def prudent_fixed(rows: Sequence[Labelled]) -> int:
    """The arm with the least total where losses against the default count more than gains."""
    if not rows:
        return DEFAULT
    change = np.array([row.cpu_ms - row.cpu_ms[DEFAULT] for row in rows])
    return int((change.clip(max=0) + LOSS * change.clip(min=0)).sum(axis=0).argmin())
