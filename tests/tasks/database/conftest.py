"""What the tests of the database tasks share: one server a session, which nobody else uses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from unseat.tasks.database.engine import binaries


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a private server of this session."""
    if binaries.find() is None or binaries.driver() is None:
        pytest.skip(f"no PostgreSQL here; {binaries.INSTALL}")
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UNSEAT_CACHE", str(folder))
        yield folder
