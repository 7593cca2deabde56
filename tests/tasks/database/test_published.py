"""Published queries and TPC benchmarks as data of `query`."""

from __future__ import annotations

from pathlib import Path

import pytest

from unseat.core.errors import UserError
from unseat.core.outcome import Limits, Status
from unseat.data.store import status
from unseat.lab.attempt import attempt
from unseat.tasks.database.data import generator, loading, published, tpcgen
from unseat.tasks.database.engine.server import private
from unseat.tasks.database.query.policies import Fixed
from unseat.tasks.database.query.task import QueryTask


def test_types_are_told_by_values(tmp_path: Path) -> None:
    """Red: a column of a generated table is loaded as another type, and joins or sums fail."""
    path = tmp_path / "t.csv"
    path.write_text('k,price,day,told,none,big\n1,2.50,1996-03-13,"a,b",,7\n22,3,1996-01-01,1x,,1234567890123\n')
    assert tpcgen.types(path) == {"k": "integer", "price": "numeric", "day": "date", "told": "text", "none": "text",
                                  "big": "numeric"}  # fmt: skip


def test_queries_of_tpc_are_queries() -> None:
    """Red: a file of queries is missing, or holds what PostgreSQL cannot read."""
    sqlglot = pytest.importorskip("sqlglot")
    assert len(tpcgen.queries("tpch")) == 22 and len(tpcgen.queries("tpcds")) == 8
    for text in (*tpcgen.queries("tpch").values(), *tpcgen.queries("tpcds").values()):
        assert len(sqlglot.parse(text, read="postgres")) == 1


@pytest.mark.parametrize(("source", "why"), [("tpch:big", "scale factor"), ("tpcds:-1", "scale factor"),
                                             ("tpc", "tpch:SCALE")])  # fmt: skip
def test_wrong_sources_are_one_line(source: str, why: str) -> None:
    """Red: a person who mistypes a source gets a traceback, or a server that does not exist."""
    with pytest.raises(UserError, match=why):
        QueryTask().open(source, {})
    with pytest.raises(UserError, match="leave --workload out"):
        QueryTask().open("tpch:1", {"workload": "x"})


def test_tpch_runs(cluster: Path) -> None:
    """Red: a generated table is not what its queries expect, or a hint set changes a result."""
    if tpcgen.program() is None:
        pytest.skip(f"tpcgen-cli is not installed; {tpcgen.INSTALL}")
    task = QueryTask().open("tpch:0.01", {})
    assert len(task.instances()) == 22
    for instance in (task.instance("tpch/h03"), task.instance("tpch/h09")):
        for arm in (0, 1):
            assert attempt(task, instance, Fixed("x", arm), seed=0, limits=Limits()).status is Status.OK


def test_tables_without_a_foreign_key_load(cluster: Path) -> None:
    """Red: the published posts, which have no `ParentId`, cannot be loaded, and with them no published query runs."""
    import psycopg

    whole = generator.generate(0, 0.01)
    posts = {name: values for name, values in whole.columns["posts"].items() if name != "ParentId"}
    fewer = generator.Tables({**whole.columns, "posts": posts})
    dsn = loading.loaded(private(), "fewer", lambda connection: loading._fill(connection, fewer, bare=False))
    with psycopg.connect(dsn) as connection:
        found = connection.execute("SELECT indexdef FROM pg_indexes WHERE tablename = 'posts'").fetchall()
        assert connection.execute("SELECT count(*) FROM posts").fetchone() == (whole.rows("posts"),)
    assert sum("owneruserid" in line or "lasteditoruserid" in line for (line,) in found) == 2


def test_published_queries_are_named_by_what_is_real() -> None:
    """Red: a query on generated tables goes for a real one."""
    if any(state.path is None for state in status([published.manifest()])):
        pytest.skip("the published tables are not at hand; unseat data fetch query")
    queries = published.queries()
    assert len(queries) == 146 and sum(one.real for one in queries) == 5
    tables = published.tables()
    assert {name: tables.rows(name) for name in published.ROWS} == published.ROWS
    posts, votes = tables.columns["posts"], tables.columns["votes"]
    assert set(votes["PostId"].tolist()) <= set(posts["Id"].tolist())
