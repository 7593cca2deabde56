"""Programs as sources: the corpus, folders, compilation databases."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from shutil import which

import pytest
from tests.tasks.llvm.small_task import PROGRAMS

from unseat.core.errors import UserError
from unseat.tasks.llvm.data.csmith import HEADERS, INSTALL
from unseat.tasks.llvm.data.programs import corpus, opened, read, split_of
from unseat.tasks.llvm.inline.problem import load


def test_every_program_of_the_corpus_is_read() -> None:
    """Red: a program lacks its driver's output, or a split has no program."""
    found = corpus()
    assert all(one.expected and one.units for one in found)
    assert {one.split for one in found} == {"train", "valid", "test"}
    assert len({one.digest for one in found}) == len(found)


def test_a_split_is_the_names() -> None:
    """Red: adding a program moves another one to another split."""
    assert [split_of(name) for name in ("csv-query", "cipher-suite", "chess-moves")] == ["train", "valid", "test"]


def test_a_folder_is_read_however_deep(tmp_path: Path) -> None:
    """Red: a source below, a C++ source or a flag is missed, or a hidden folder is read."""
    for name in ("a.c", "deep/er/b.cpp", ".hidden/c.c", "d.h", "e.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    (found,) = opened(str(tmp_path), ["-DX"])
    assert [str(unit.source) for unit in found.units] == ["a.c", "deep/er/b.cpp"]
    assert found.units[0].flags == ("-I.", "-DX") and found.expected is None and found.split == "test"


def test_a_folder_of_programs_is_several() -> None:
    """Red: programs are put together, or their input is lost."""
    found = {one.name: one for one in opened(str(PROGRAMS), [])}
    assert sorted(found) == ["adder", "rounds", "shapes", "words"]
    assert found["words"].given and found["words"].expected and not found["adder"].given


def test_a_source_may_be_given_by_itself() -> None:
    """Red: a single file is refused, or its neighbours are taken too."""
    (found,) = opened(str(PROGRAMS / "adder" / "adder.c"), [])
    assert [str(unit.source) for unit in found.units] == ["adder.c"]


def test_the_digest_hangs_on_everything(tmp_path: Path) -> None:
    """Red: an edited header, input or flag is taken for the same program, and an old outcome for its own."""
    for name in ("main.c", "part.h", "expected.txt"):
        (tmp_path / name).write_text(name)
    digests = {read(tmp_path).digest, read(tmp_path, ["-DX"]).digest, replace(read(tmp_path), given=b"1").digest}
    (tmp_path / "part.h").write_text("other")
    digests.add(read(tmp_path).digest)
    (tmp_path / "part.h").rename(tmp_path / "port.h")
    digests.add(read(tmp_path).digest)
    assert len(digests) == 5


def test_the_digest_hangs_on_what_lies_elsewhere(tmp_path: Path) -> None:
    """Red: in a build beside its sources, an edited source or header is taken for the one that was measured."""
    for folder in ("build", "src", "include"):
        (tmp_path / folder).mkdir()
    (tmp_path / "src" / "a.c").write_text("one")
    (tmp_path / "include" / "a.h").write_text("one")
    entry = {"directory": str(tmp_path / "build"), "file": "../src/a.c", "command": "cc -I../include -c ../src/a.c"}
    (tmp_path / "build" / "compile_commands.json").write_text(json.dumps([entry]))
    digests = []
    for changed in (None, "src/a.c", "include/a.h"):
        if changed:
            (tmp_path / changed).write_text("other")
        (found,) = opened(str(tmp_path / "build"), [])
        digests.append(found.digest)
    assert len(set(digests)) == 3


def test_a_compilation_database_gives_what_its_sources_mean(tmp_path: Path) -> None:
    """Red: a flag that matters is dropped, or one that names an output is kept."""
    (tmp_path / "src").mkdir()
    for name in ("src/a.c", "src/b.cc"):
        (tmp_path / name).write_text("")
    command = "cc -DNAME='a b' -Iinclude -isystem sys -O2 -g -Wall -MD -MF a.d -std=c99 -o a.o -c src/a.c"
    words = ["c++", "-include", "x.h", "-c", str(tmp_path / "src/b.cc"), "-ob.o"]
    entries = [
        {"directory": str(tmp_path), "file": "src/a.c", "command": command},
        {"directory": str(tmp_path), "file": str(tmp_path / "src/b.cc"), "arguments": words},
        {"directory": str(tmp_path), "file": "start.s", "command": "as start.s"},
    ]
    (tmp_path / "compile_commands.json").write_text(json.dumps(entries))
    for source in (tmp_path, tmp_path / "compile_commands.json"):
        (found,) = opened(str(source), ["-w"])
        one, other = found.units
        assert one.flags == ("-DNAME=a b", "-Iinclude", "-isystem", "sys", "-std=c99", "-w")
        assert other.flags == ("-include", "x.h", "-w") and str(other.source) == "src/b.cc"
        assert found.name == tmp_path.name


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no compilation database"),
        ("[{}]", "no compilation database"),
        ("[]", "names no C"),
        ('[{"directory": "/nowhere", "file": "a.c", "command": "cc a.c"}]', "build the project first"),
    ],
)
def test_a_damaged_database_is_told_in_a_line(text: str, says: str, tmp_path: Path) -> None:
    """Red: a traceback."""
    (tmp_path / "compile_commands.json").write_text(text)
    with pytest.raises(UserError, match=says):
        opened(str(tmp_path), [])


def test_what_holds_no_sources_is_told(tmp_path: Path) -> None:
    """Red: an empty folder gives an empty program."""
    (tmp_path / "notes.txt").write_text("")
    for source, says in ((tmp_path, "no C or C"), (tmp_path / "notes.txt", "neither C"), (tmp_path / "x", "no such")):
        with pytest.raises(UserError, match=says):
            opened(str(source), [])


@pytest.mark.skipif(which("csmith") is None or not HEADERS.is_dir(), reason=f"no Csmith is installed here: {INSTALL}")
@pytest.mark.usefixtures("llvm", "nothing_left")
def test_csmith_draws_programs_that_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red: a drawn program is another one the next time, does not end, or is not checked by what it prints."""
    monkeypatch.setenv("UNSEAT_CACHE", str(tmp_path))
    found = opened("csmith:2", ())
    assert [one.digest for one in opened("csmith:2", ())] == [one.digest for one in found]
    assert len({one.name for one in found}) == 2
    assert all(one.expected is not None and one.expected.startswith(b"checksum = ") for one in found)
    assert not [path for path in tmp_path.rglob("*") if path.name.startswith(".")]
    assert load(found[0], whole=False).default_bytes > 0
    with pytest.raises(UserError, match="does not do what its expected"):
        load(replace(found[0], expected=b"checksum = 0\n"), whole=False)


def test_a_wrong_number_of_drawn_programs_is_one_line() -> None:
    """Red: csmith:many is taken for a folder, or for a default."""
    for text in ("csmith:many", "csmith:0", "csmith:-3", "csmith:99999"):
        with pytest.raises(UserError, match="from 1 to 1000"):
            opened(text, ())
