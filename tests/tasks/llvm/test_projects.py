"""Real projects: their archives, unpacked and linked with a driver."""

from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path

import pytest

from unseat.core.errors import UserError
from unseat.data import FileEntry
from unseat.data.manifest import load_manifest
from unseat.data.store import status
from unseat.tasks.llvm.data import projects
from unseat.tasks.llvm.data.projects import DRIVERS, MANIFEST, Details, Project, listed, unpacked
from unseat.tasks.llvm.inline.problem import load
from unseat.tasks.llvm.inline.task import InlineTask


def archive(path: Path, files: dict[str, bytes]) -> FileEntry:
    """An archive in the package's place, so that nothing is fetched."""
    with tarfile.open(path, "w:gz") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return listed_as(path)


def listed_as(path: Path) -> FileEntry:
    """A file as an entry of a manifest beside it."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    entry = FileEntry(name=path.name, sha256=digest, bytes=path.stat().st_size, embedded=path.name, licence="none",
                      source="a test")  # fmt: skip
    entry._root, entry._task = path.parent, "llvm"
    return entry


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where archives are unpacked."""
    monkeypatch.setenv("UNSEAT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_every_project_has_a_driver_and_is_held_out() -> None:
    """Red: a project cannot be run, or is learned from; or listing the task fetches something."""
    assert len(listed()) >= 6
    for name in listed():
        assert (DRIVERS / f"{name}.c").is_file() and (DRIVERS / f"{name}.txt").read_bytes()
        assert Project(name).digest and Project(name).split == "test"
    found = {instance.group: instance for instance in InlineTask().instances() if instance.group in listed()}
    assert len(found) == len(listed()) and all(one.suites == {"full"} for one in found.values())


def test_an_archive_is_unpacked_once(tmp_path: Path, own_cache: Path) -> None:
    """Red: an archive is unpacked anew each time, or half of one is taken for the whole."""
    entry = archive(tmp_path / "a.tar.gz", {"a-1/x.c": b"int x;\n"})
    folder = unpacked(entry)
    assert (folder / "a-1" / "x.c").read_text() == "int x;\n" and folder.is_relative_to(own_cache)
    (folder / "mark").touch()
    assert unpacked(entry) == folder and (folder / "mark").exists()
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


@pytest.mark.parametrize("name", ["../outside.c", "x/../../outside.c"])
def test_an_archive_writes_nowhere_else(name: str, tmp_path: Path, own_cache: Path) -> None:
    """Red: an archive of a stranger's overwrites a user's files."""
    entry = archive(tmp_path / "b.tar.gz", {name: b"int x;\n"})
    with pytest.raises(UserError, match=r"b\.tar\.gz: cannot be unpacked"):
        unpacked(entry)
    assert not list(tmp_path.rglob("outside.c")) and not list((own_cache / "llvm").iterdir())


def test_a_damaged_archive_is_told(tmp_path: Path) -> None:
    """Red: a traceback, or an empty project."""
    whole = archive(tmp_path / "c.tar.gz", {"c/x.c": b"int x;\n" * 100}).shipped
    assert whole is not None
    (tmp_path / "d.tar.gz").write_bytes(whole.read_bytes()[:60])
    entry = listed_as(tmp_path / "d.tar.gz")
    with pytest.raises(UserError, match=r"d\.tar\.gz: cannot be unpacked"):
        unpacked(entry)


def test_what_a_build_would_write_is_found_and_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Red: a project that is configured does not compile, or is taken for the same with another configuration."""
    entry = archive(tmp_path / "e.tar.gz", {"e/x.c": b"int x;\n"})
    monkeypatch.setattr(projects, "listed", lambda: {"own": (entry, Details(project="own", sources=["*.c"]))})
    monkeypatch.setattr(projects, "DRIVERS", tmp_path)
    for name in ("common.h", "own.c", "own.txt"):
        (tmp_path / name).write_text("")
    plain = Project("own")
    assert plain.units[0].flags == ("-I.",) and plain.digest
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "config.h").write_text("#define X 1\n")
    made = Project("own")
    assert made.units[0].flags == ("-I.", f"-I{tmp_path / 'own'}") and made.digest != plain.digest


def test_a_project_lacks_what_the_manifest_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red: an archive of another layout gives a program of its driver alone."""
    entry = archive(tmp_path / "e.tar.gz", {"e/other.c": b"int x;\n"})
    details = listed()["lua"][1]
    monkeypatch.setattr(projects, "listed", lambda: {"lua": (entry, details)})
    with pytest.raises(UserError, match=r"e\.tar\.gz: none of l\*\.c is in it"):
        assert Project("lua").units


HERE = {state.entry.name for state in status([load_manifest(MANIFEST)]) if state.where in ("found", "cached")}


@pytest.mark.usefixtures("llvm", "nothing_left")
@pytest.mark.parametrize("name", sorted(listed()))
def test_a_project_is_built_and_runs(name: str) -> None:
    """Red: a source or a flag is missing, or a driver prints something else than it should."""
    if listed()[name][0].name not in HERE:
        pytest.skip(f"{listed()[name][0].name} is not here; fetch it: unseat data fetch inline --files NAME")
    problem = load(Project(name), whole=False)
    assert problem.default_bytes > 10_000 and len(problem.modules) > 2
