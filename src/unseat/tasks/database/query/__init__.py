"""What is done to a query before it runs? `query`: hint sets; `query-orders`: join orders; `query-duckdb`: DuckDB's."""

from __future__ import annotations

from unseat.tasks.database.query.task import QueryTask


def task() -> QueryTask:
    """The task `query`: hint sets, objective CPU time of a workload."""
    return QueryTask()


def orders_task() -> QueryTask:
    """The task `query-orders`: join orders, the same objective."""
    return QueryTask(space="query-orders")


def duckdb_task() -> QueryTask:
    """The task `query-duckdb`: parts of DuckDB's optimizer that are left out, the same objective."""
    return QueryTask(space="query-duckdb")
