"""The traces that the task knows by name are what data.toml says of them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from unseat.core.errors import UserError
from unseat.data import status
from unseat.tasks.cache.data import TraceEntry, embedded, manifest, published
from unseat.tasks.cache.data.entries import MANIFEST_PATH

EMBEDDED = MANIFEST_PATH.with_name("embedded")


def check(entry: TraceEntry) -> None:
    """Everything that data.toml says of a trace holds for its content."""
    trace = entry.load()
    assert trace.name == entry.name
    assert (len(trace), trace.objects) == (entry.requests, entry.objects)
    assert trace.content_hash() == entry.content_hash
    assert entry.sized == (trace.sizes is not None and len(np.unique(trace.sizes)) > 1)


@pytest.mark.parametrize("entry", embedded(), ids=lambda entry: entry.name)
def test_embedded_traces_are_as_described(entry: TraceEntry, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red: a shipped trace is not the one that was recorded, so every published figure is about something else."""
    monkeypatch.delenv("UNSEAT_DATA", raising=False)
    monkeypatch.setenv("UNSEAT_CACHE", "/nonexistent")
    check(entry)
    assert entry.command and entry.program and entry.unit and entry.licence == "Apache-2.0"


def test_the_embedded_set_is_small_and_varied() -> None:
    """Red: the set outgrows the package, or too few groups or large footprints are left to hold one out."""
    entries = embedded()
    assert sum(entry.file.bytes or 0 for entry in entries) < 1_000_000
    equal = [entry for entry in entries if not entry.sized]
    assert len({entry.group for entry in equal}) >= 6
    assert len({entry.group for entry in equal if entry.objects > 6400}) >= 4
    assert len({entry.group for entry in entries if entry.sized}) >= 4
    assert all(entry.requests >= 20_000 for entry in entries)


def test_no_file_is_forgotten() -> None:
    """Red: a shipped file has no entry (no licence, no hash), an entry has no file, or two traces share a name."""
    shipped = {path.name for path in EMBEDDED.iterdir() if path.suffix == ".xz"}
    assert shipped == {entry.file.name for entry in embedded()}
    names = [entry.name for entry in embedded() + published()]
    assert len(names) == len(set(names))
    groups = {entry.group for entry in embedded()} & {entry.group for entry in published()}
    assert groups == set()


def test_published_addresses_are_pinned() -> None:
    """Red: an address follows a branch, so that the bytes behind it change and no longer match the hash."""
    for entry in published():
        assert entry.file.urls
        for url in entry.file.urls:
            assert re.fullmatch(r"https://raw\.githubusercontent\.com/[^/]+/[^/]+/[0-9a-f]{40}/.+", url)


@pytest.mark.skipif(not os.environ.get("UNSEAT_DATA"), reason="UNSEAT_DATA names no folder with the published traces")
def test_published_traces_are_as_described() -> None:
    """Red: a published file is read into another number of requests or objects than its manifest says."""
    here = {state.entry.name for state in status([manifest()]) if state.where in ("found", "cached")}
    entries = [entry for entry in published() if entry.file.name in here]
    if not entries:
        pytest.skip("UNSEAT_DATA has none of the published traces")
    for entry in entries:
        check(entry)


def test_a_prefix_and_a_wrong_length(tmp_path: Path) -> None:
    """Red: `limit` loads something else than the first requests, or a manifest that lies about the length passes."""
    entry = min(embedded(), key=lambda entry: entry.requests)
    assert entry.load(limit=100).keys.tolist() == entry.load().keys[:100].tolist()
    changed = TraceEntry(**{name: getattr(entry, name) for name in entry.__dataclass_fields__} | {"requests": 7})
    with pytest.raises(UserError, match="instead of 7"):
        changed.load()


def test_listing_is_light() -> None:
    """Red: naming the traces imports a compiler, a downloader or a learner, which every command would then wait for."""
    code = (
        "import sys\nfrom unseat.tasks.cache.data import embedded, published\n"
        "assert embedded() and published()\n"
        "heavy = {'numba', 'pooch', 'lightgbm', 'matplotlib', 'sqlalchemy', 'gymnasium'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
