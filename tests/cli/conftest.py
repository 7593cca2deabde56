"""What the command line's tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

TINY = "examples.tiny_task.task:SpinThenBlock"


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the ledger and the caches of a test to itself."""
    monkeypatch.setenv("UNSEAT_LEDGER", str(tmp_path / "ledger.db"))
    monkeypatch.setenv("UNSEAT_CACHE", str(tmp_path / "cache"))
