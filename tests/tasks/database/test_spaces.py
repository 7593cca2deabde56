"""The other action spaces: join orders, and DuckDB's optimizer; and the bound of every one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.tasks.database.small_query import SmallDuck, SmallQuery, SmallSuite

from unseat.core.errors import UserError
from unseat.core.learner import Learner
from unseat.core.outcome import Limits, Status
from unseat.core.policy import Policy
from unseat.core.task import Instance, Task
from unseat.lab.attempt import attempt
from unseat.tasks.database.data.templates import templates
from unseat.tasks.database.engine.connection import Measured
from unseat.tasks.database.query import bounds, orders
from unseat.tasks.database.query.policies import Fixed
from unseat.tasks.database.query.problem import Problem, Query
from unseat.tasks.database.query.space import DUCK, HINTS, ORDERS


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[str], list[frozenset[str]]]:
    """Tables with the conditions of a tree of joins, some of more, and some of one table alone."""
    count = draw(st.integers(2, 7))
    names = [f"t{number}" for number in range(count)]
    about = [frozenset({names[at], names[draw(st.integers(0, at - 1))]}) for at in range(1, count)]
    about += [frozenset({name}) for name in draw(st.lists(st.sampled_from(names), max_size=3))]
    return draw(st.permutations(names)), draw(st.permutations(about))


@given(graphs(), st.integers(0, 7), st.booleans())
def test_an_order_holds_every_table_once_and_never_makes_a_cross_product(
    graph: tuple[list[str], list[frozenset[str]]], start: int, filtered: bool
) -> None:
    """Red: a table is joined twice or not at all, or before anything that it has a condition with."""
    names, about = graph
    order = orders.order_of(names, about, start, filtered=filtered)
    assert (order is None) == (start >= len(names))
    if order is not None:
        assert order[0] == start and sorted(order) == list(range(len(names)))
        for step in range(1, len(order)):
            before = {names[place] for place in order[:step]}
            assert any(names[order[step]] in own and own & before for own in about)


def test_a_query_is_written_with_all_its_conditions() -> None:
    """Red: a condition is lost when joins are written out, or what cannot be ordered is changed."""
    text = templates()["two-people-votes-history/group"].bind(3, 1)
    made = orders.statement(text, 1)
    assert made is not None and made.count(" JOIN ") == 5 and "WHERE u.Reputation" in made
    compared = re.compile(r"[<>=]+")
    assert len(compared.findall(made)) == len(compared.findall(text))
    assert orders.statement(text, 0) is None and orders.statement(text, 15) is None
    odds = ("SELECT 1", "SELECT count(*) FROM a LEFT JOIN b ON a.x = b.x WHERE a.y = 1", "SELECT FROM (",
            "SELECT count(*) FROM a, (SELECT 1 AS x) b WHERE a.x = b.x", "SELECT * FROM a, b WHERE x = y")  # fmt: skip
    for odd in odds:
        assert all(orders.statement(odd, arm) is None for arm in range(len(ORDERS.names)))


def test_orders_are_kept_by_the_server(cluster: Path) -> None:
    """Red: the planner reorders what was written, so that an arm does nothing, or an order gives other rows."""
    from unseat.tasks.database.query.problem import connection

    task = SmallQuery("query-orders")
    problem: Problem = task.load(task.instances()[-1])
    query, session = problem.queries[0], connection(problem.database)
    first = {}
    for arm in (2, 4, 6):
        plan, _ = session.explain(*problem.statement(query, arm))
        leaves = _leaves(plan)
        first[arm] = set(leaves[:2])
    assert len({frozenset(one) for one in first.values()}) > 1
    for arm in range(len(ORDERS.names)):
        outcome = attempt(task, task.instances()[-1], Fixed("x", arm), seed=0, limits=Limits())
        assert outcome.status is Status.OK


def _leaves(plan: Mapping[str, Any]) -> list[str]:
    own = [plan["Relation Name"]] if "Relation Name" in plan else []
    return [*own, *(name for child in plan.get("Plans", ()) for name in _leaves(child))]


class TestDuck(SmallSuite):
    """The contract, on DuckDB."""

    fit_runs = 20

    @pytest.fixture
    def task(self, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Task:
        pytest.importorskip("duckdb")
        monkeypatch.setenv("UNSEAT_CACHE", str(tmp_path_factory.getbasetemp() / "duck"))
        made = SmallDuck()
        made.warm()
        return made

    def instances(self, task: Task) -> Sequence[Instance]:
        return [one for one in task.instances() if one.split == "test"]

    def policies(self, task: Task) -> Mapping[str, Policy]:
        kept = {"default", "best fixed", "Bao", DUCK.names[1]}
        return {name: policy for name, policy in super().policies(task).items() if name in kept}

    def learners(self, task: Task) -> Mapping[str, Learner]:
        return {name: learner for name, learner in super().learners(task).items() if name == "best fixed"}


def test_every_hint_of_duckdb_gives_the_same_rows_and_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Red: a setting is unknown to this DuckDB, stays on, or changes a result; or a time-out ends more than a query."""
    pytest.importorskip("duckdb")
    monkeypatch.setenv("UNSEAT_CACHE", str(tmp_path))
    from unseat.tasks.database.engine.connection import StatementError
    from unseat.tasks.database.engine.duck import DuckSession
    from unseat.tasks.database.query.suites import Ducked

    database = Ducked(3, 0.2)
    session = database.connect()
    assert isinstance(session, DuckSession)
    text = templates()["owner-comments-badges/count"].bind(3, 1)
    plain = session.execute(text, {}, 10_000)
    for arm in range(len(DUCK.names)):
        got = session.execute(*DUCK.make(text, arm), 10_000)
        assert (got.rows, got.digest) == (plain.rows, plain.digest), DUCK.names[arm]
    left = session.execute("SELECT 1 WHERE current_setting('disabled_optimizers') = ''", {}, 1000)
    assert left.rows == 1
    plan, _ = session.explain(text, {})
    assert plan["Node Type"] == "Aggregate" and "Relation Name" in str(plan)
    with pytest.raises(StatementError) as slow:
        session.execute("SELECT count(*) FROM votes a, votes b, votes c WHERE a.id < b.id AND b.id < c.id", {}, 50)
    assert slow.value.status is Status.TIMEOUT
    with pytest.raises(StatementError):
        session.execute("CREATE TABLE mine (id integer)", {}, 1000)
    assert session.execute(text, {}, 10_000).digest == plain.digest
    with pytest.raises(UserError, match="generated data only"):
        SmallDuck().open("postgresql://x/y", {})


class Scripted:
    """An engine on which arms take what a list says, and the first run of a lucky one takes nothing."""

    def __init__(self, took: Sequence[float], lucky: int) -> None:
        self.took, self.lucky, self.asked = took, lucky, list[int]()

    def connect(self) -> Scripted:
        return self

    @property
    def alive(self) -> bool:
        return True

    def tables(self) -> list[tuple[str, int]]:
        return []

    def explain(self, text: str, settings: Mapping[str, str], timeout_ms: float = 0.0) -> tuple[dict[str, Any], float]:
        return {"Node Type": self._arm(settings)}, 0.0

    def execute(self, text: str, settings: Mapping[str, str], timeout_ms: float) -> Measured:
        arm = self._arm(settings)
        ms = 0.0 if arm == self.lucky and arm not in self.asked else self.took[arm]
        self.asked.append(arm)
        return Measured(ms, ms, 1, 7)

    def _arm(self, settings: Mapping[str, str]) -> int:
        return next(arm for arm in range(HINTS.explain) if HINTS.make("", arm)[1] == settings)


@given(st.integers(0, 10**6))
def test_the_bound_is_the_best_arm_and_no_luck(seed: int) -> None:
    """Red: the best known is an arm that was lucky once, or the value is that of the run by which it was chosen."""
    rng = np.random.default_rng(seed)
    took = rng.permutation(HINTS.explain) + 10.0
    lucky = int(rng.integers(HINTS.explain))
    engine = Scripted(took.tolist(), lucky)
    query = Query(f"q{seed}", 1, 7, float(took[0]), float(took[0]))
    problem = Problem(engine, (query,), ())  # type: ignore[arg-type]
    outcome = bounds.BestArm().solve(problem, seed=0, limits=Limits())
    assert outcome.value == took.min() and outcome.metrics["query_0_arm"] == took.argmin()
