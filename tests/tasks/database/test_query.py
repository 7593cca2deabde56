"""What is particular to the task `query`: checks of rows, charges, time-outs, options, features, policies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.tasks.database.small_query import SmallQuery

from unseat.core.errors import UserError
from unseat.core.outcome import Limits, Status
from unseat.core.policy import Policy, Session, View
from unseat.core.task import Instance
from unseat.lab.attempt import attempt
from unseat.tasks.database.data import admission, templates
from unseat.tasks.database.data.generator import NULL, generate
from unseat.tasks.database.query import engine
from unseat.tasks.database.query.arms import ARMS, DOZEN, EXPLAIN
from unseat.tasks.database.query.exporters import hint
from unseat.tasks.database.query.features import NAMES, features
from unseat.tasks.database.query.labels import twins
from unseat.tasks.database.query.policies import Fixed
from unseat.tasks.database.query.problem import Problem
from unseat.tasks.database.query.task import QueryTask
from unseat.tasks.database.query.text import fingerprint, tfidf, tokens, vocabulary


def test_arms_are_baos() -> None:
    """Red: a hint set is missing, is there twice, or allows no join or no scan at all."""
    assert len(ARMS) == 49 and len({arm.off for arm in ARMS}) == 49
    assert len(DOZEN) == 12 and ARMS[0].off == ()
    assert all(len([off for off in arm.off if "join" in off or "loop" in off]) < 3 for arm in ARMS)
    assert all(len([off for off in arm.off if "scan" in off]) < 3 for arm in ARMS)


def test_generated_data_keep_their_references_and_their_skew() -> None:
    """Red: a foreign key points nowhere, two seeds are alike, or the correlations that make plans wrong are gone."""
    tables = generate(5, 0.1).columns
    owner = tables["posts"]["OwnerUserId"]
    owner = owner[owner != NULL]
    assert owner.min() >= 1 and owner.max() <= len(tables["users"]["Id"])
    assert tables["votes"]["PostId"].max() <= len(tables["posts"]["Id"])
    posts = np.bincount(owner, minlength=len(tables["users"]["Id"]) + 1)[1:]
    assert np.sort(posts)[-len(posts) // 20 :].sum() > 0.4 * posts.sum()
    rank = np.argsort(np.argsort(tables["users"]["Reputation"]))
    assert np.corrcoef(rank, np.log1p(posts))[0, 1] > 0.3
    assert not np.array_equal(generate(6, 0.1).columns["posts"]["Score"], tables["posts"]["Score"])
    assert np.array_equal(generate(5, 0.1).columns["posts"]["Score"], tables["posts"]["Score"])


def test_templates_are_many_and_were_not_changed_after_they_were_admitted() -> None:
    """Red: generator or templates changed and nobody decided anew what is measured, or a drawn graph is judged by."""
    made = templates.templates()
    assert len(made) >= 120
    assert all(3 <= len(one.graph.tables) <= 9 for one in made.values())
    assert sum(not one.name.endswith("count") for one in made.values()) > len(made) / 2
    assert len(admission.admitted().draws) > 100
    drawn = {one.graph for one in made.values() if one.graph.drawn}
    joins = {frozenset(one.graph.joins) for one in made.values() if not one.graph.drawn}
    assert all(graph.split == "train" and frozenset(graph.joins) not in joins for graph in drawn)


def test_a_parameter_is_a_literal_and_never_text() -> None:
    """Red: SQL is pasted together, and a value can break out of its quotes."""
    from psycopg import sql

    for value in (*(each for values in templates.VALUES.values() for each in values), "it's", 7):
        assert templates.literal(value) == sql.Literal(value).as_string(None)
    one = templates.templates()["owner-votes/count"]
    assert one.bind(0, 1) == one.bind(0, 1) != one.bind(0, 2) and "{" not in one.bind(0, 1)


class Answering(Policy):
    """Answers from a list."""

    name = "answering"

    def __init__(self, *answers: int) -> None:
        self.answers = answers

    def start(self, view: View, seed: int) -> Session:
        turns = iter(self.answers)
        session = Session()
        session.decide = lambda observation: next(turns)  # type: ignore[method-assign]
        return session


@pytest.fixture
def task(cluster: Path) -> QueryTask:
    return SmallQuery()


@pytest.fixture
def instance(task: QueryTask) -> Instance:
    return task.instances()[-1]


def test_plans_are_charged_and_cannot_be_had_twice(task: QueryTask, instance: Instance) -> None:
    """Red: a policy looks at plans for nothing."""
    free = attempt(task, instance, Answering(0), seed=0, limits=Limits())
    asked = attempt(task, instance, Answering(EXPLAIN, EXPLAIN + 1, 0), seed=0, limits=Limits())
    assert free.metrics["explain_ms"] == 0 < asked.metrics["explain_ms"]
    assert asked.metrics["explained"] == 2 and asked.decisions == 3
    parts = ("execute_ms", "explain_ms", "decide_ms")
    assert asked.value == pytest.approx(sum(asked.metrics[part] for part in parts))
    twice = attempt(task, instance, Answering(EXPLAIN, EXPLAIN), seed=0, limits=Limits())
    assert twice.status is Status.INVALID


def test_other_rows_than_the_defaults_are_invalid(task: QueryTask, instance: Instance) -> None:
    """Red: a timed run that gave a wrong result counts."""
    from dataclasses import replace

    problem: Problem = task.load(instance)
    wrong = replace(problem, queries=tuple(replace(one, digest=one.digest + 1) for one in problem.queries))
    from unseat.core.policy import InvalidAnswer

    with pytest.raises(InvalidAnswer, match="other rows"):
        task.run(wrong, Fixed("x", 1), seed=0, limits=Limits())


def test_a_time_out_in_every_arm_is_an_outcome(task: QueryTask, instance: Instance, monkeypatch: Any) -> None:
    """Red: a query that is stopped ends the run, or counts less than what was stated before."""
    monkeypatch.setattr("unseat.tasks.database.query.problem.SLACK_MS", -1e9)
    problem: Problem = task.load(instance)
    for arm in range(3):
        outcome = task.run(problem, Fixed("x", arm), seed=0, limits=Limits())
        assert outcome.metrics["timeouts"] == len(problem.queries)
        assert outcome.value >= problem.worst_ms


def test_the_engine_decides_as_it_runs(task: QueryTask, instance: Instance) -> None:
    """Red: an exported decision is another than the measured one."""
    problem: Problem = task.load(instance)
    policy = Fixed("x", 2)
    assert engine.decisions(problem, policy, task.questions["hints"]) == [2] * len(problem.queries)


def test_hints_have_the_syntax_of_pg_hint_plan(task: QueryTask, tmp_path: Path) -> None:
    """Red: the exported file holds no hint comment before its queries."""
    import sqlglot

    assert hint(ARMS[0]) == ""
    assert hint(ARMS[6]) == "/*+ Set(enable_mergejoin off) Set(enable_nestloop off) */\n"
    task.exporters()["pg_hint_plan"].write(Fixed("x", 6), tmp_path / "hints.sql")
    text = (tmp_path / "hints.sql").read_text()
    assert text.count("/*+ Set(") == 2
    assert len([one for one in sqlglot.parse(text, read="postgres") if one]) == 2


def test_features_of_a_plan() -> None:
    """Red: a node is not counted, or work that a nested loop repeats is counted once."""
    leaf = {"Node Type": "Index Scan", "Relation Name": "b", "Startup Cost": 0.0, "Total Cost": 2.0, "Plan Rows": 1,
            "Parent Relationship": "Inner"}  # fmt: skip
    outer = {"Node Type": "Seq Scan", "Relation Name": "a", "Startup Cost": 0.0, "Total Cost": 30.0, "Plan Rows": 50,
             "Filter": "x", "Parent Relationship": "Outer"}  # fmt: skip
    plan = {
        "Node Type": "Nested Loop",
        "Startup Cost": 0.0,
        "Total Cost": 140.0,
        "Plan Rows": 50,
        "Plans": [outer, leaf],
    }
    row = dict(zip(NAMES, features(plan), strict=True))
    assert row["tables"] == 2 and row["filters"] == 1 and row["count Nested Loop"] == 1
    assert row["deepest loop"] == pytest.approx(np.log1p(50))
    assert row["inner work"] == pytest.approx(2.0 * 50 / 140)


def test_twins_ignore_estimates_only() -> None:
    """Red: equal plans are measured twice, or different ones are taken for one."""
    plans = [{"Node Type": kind, "Total Cost": cost} for kind, cost in (("a", 1), ("b", 1), ("a", 2))]
    assert twins(plans).tolist() == [0, 1, 0]


@given(st.integers(0, 10**9), st.text("abc' ", max_size=8))
def test_a_fingerprint_forgets_literals_and_spaces(number: int, word: str) -> None:
    """Red: every parameter makes a template of its own, or templates fall together."""
    quoted = word.replace("'", "''")
    text = f"SELECT a1  FROM t\n WHERE x = {number} AND y = '{quoted}'"
    assert fingerprint(text) == "select a1 from t where x = ? and y = ?"


def test_tfidf_by_hand() -> None:
    """Red: weights are not those of the formula."""
    texts = ["SELECT a", "SELECT b"]
    words, idf = vocabulary(texts, 10)
    assert set(words) == {"select", "a", "b", "select a", "select b"}
    row = tfidf("SELECT a", {word: place for place, word in enumerate(words)}, idf)
    weight = {"select": 1.0, "a": np.log(1.5) + 1, "select a": np.log(1.5) + 1}
    length = np.sqrt(sum(value**2 for value in weight.values()))
    assert row.tolist() == pytest.approx([weight.get(word, 0) / length for word in words])
    assert tokens("a < 3") == ["a", "<", "?", "a <", "< ?"]


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [("q.sql", "SELECT 1; SELECT 2", "2 statements"), ("q.sql", "DROP TABLE users", "no SELECT"),
     ("q.sql", "SELECT FROM WHERE (", "cannot be read"), ("q.txt", "SELECT 1", "no .sql file")],
)  # fmt: skip
def test_wrong_workloads_are_one_line(name: str, text: str, why: str, tmp_path: Path) -> None:
    """Red: what is no query is run on a person's server, or the message does not say which file."""
    pytest.importorskip("sqlglot")
    (tmp_path / name).write_text(text)
    with pytest.raises(UserError, match=why):
        QueryTask().open("postgresql:///none?host=/nowhere", {"workload": str(tmp_path)})
    with pytest.raises(UserError, match="--workload"):
        QueryTask().open("postgresql://nowhere/none", {})
    with pytest.raises(UserError, match="postgresql://"):
        QueryTask().open("my.csv", {})


@pytest.mark.parametrize("dsn", ["postgresql://me:hunter2@host/db", "postgresql://me@host/db?password=hunter2"])
def test_a_password_is_not_kept(dsn: str, tmp_path: Path) -> None:
    """Red: a person's password lies in the ledger and on a page that is passed on, or in the message."""
    with pytest.raises(UserError, match="PGPASSWORD") as error:
        QueryTask().open(dsn, {"workload": str(tmp_path)})
    assert "hunter2" not in str(error.value)


def test_a_users_server_and_queries(cluster: Path, tmp_path: Path) -> None:
    """Red: `--data` does not measure a person's own queries on a server that is there."""
    from unseat.tasks.database.query.suites import Generated

    dsn = Generated(0, 0.1).dsn
    parts = dict(part.split("=", 1) for part in dsn.split())
    (tmp_path / "mine.sql").write_text("SELECT count(*) FROM users u, posts p WHERE p.OwnerUserId = u.Id;\n")
    url = f"postgresql://{parts['user']}@/{parts['dbname']}?host={parts['host']}"
    own = QueryTask().open(url, {"workload": str(tmp_path)})
    (instance,) = own.instances()
    assert attempt(own, instance, Fixed("no loop", 1), seed=0, limits=Limits()).status is Status.OK
    (tmp_path / "mine.sql").write_text("SELECT nothing FROM nowhere")
    broken = QueryTask().open(url, {"workload": str(tmp_path)})
    with pytest.raises(UserError, match="a query fails"):
        broken.load(broken.instances()[0])
