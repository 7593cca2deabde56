"""What every test shares."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# Child processes find the tests' own tasks (`tests.lab.tiny:TinyTask`) through the path that they inherit.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


@pytest.fixture(autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test touches the user's own ledger."""
    monkeypatch.setenv("UNSEAT_LEDGER", str(tmp_path_factory.mktemp("ledger") / "ledger.db"))
    yield
