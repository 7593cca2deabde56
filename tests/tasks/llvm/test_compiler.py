"""The compiler's steps, with a real LLVM."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
from tests.tasks.llvm.small_task import PROGRAMS, program

from unseat.core.errors import MissingExtra
from unseat.tasks.llvm.data.programs import Program, corpus
from unseat.tasks.llvm.engine import doctor, process, toolchain, workplace
from unseat.tasks.llvm.engine.channel import Answer, Header
from unseat.tasks.llvm.engine.compiler import Compiler
from unseat.tasks.llvm.engine.elf import NotElf, text_bytes
from unseat.tasks.llvm.engine.execution import differs
from unseat.tasks.llvm.inline.question import ADVICE, reader

pytestmark = pytest.mark.usefixtures("llvm", "nothing_left")

BOTH_WAYS = ("n-body-orbits", "raytracer-small")
"""Programs with a module that the default heuristic makes more than twice as large as it was."""


def echo(header: Header) -> Answer:
    observe = reader(header)
    return lambda data: int(observe(data)[ADVICE])


@pytest.fixture
def folder() -> Iterator[Path]:
    with workplace.folder() as made:
        yield made


def modules(found: Program, folder: Path) -> Mapping[str, Path]:
    """Bitcode of each source, by name."""
    made = {str(unit.source): folder / f"{number}.bc" for number, unit in enumerate(found.units)}
    for unit, output in zip(found.units, made.values(), strict=True):
        Compiler.here().bitcode(unit.source, unit.flags, unit.folder, output)
    return made


def test_following_the_advice_gives_what_clang_makes(folder: Path) -> None:
    """Red: the channel changes more than the decisions, so that gains over the default could be an artefact.

    With LLVM's own limit of growth, two modules of these programs differ.
    """
    compiler, asked = Compiler.here(), 0
    plain, ours = folder / "plain.o", folder / "ours.o"
    for found in [program("shapes"), *(one for one in corpus() if one.name in BOTH_WAYS)]:
        for name, module in modules(found, folder).items():
            compiler.compiled(module, plain)
            asked += compiler.asked(module, ours, echo)
            assert ours.read_bytes() == plain.read_bytes(), f"{found.name}/{name}"
    assert asked > 300


def test_a_module_is_compiled_as_clang_compiles_its_source(folder: Path) -> None:
    """Red: going by way of bitcode loses an optimisation."""
    compiler = Compiler.here()
    found = program("shapes")
    (module,) = modules(found, folder).values()
    compiler.compiled(module, folder / "ours.o")
    source = PROGRAMS / "shapes" / "main.c"
    process.call([str(compiler.llvm.clang), "-Oz", "-c", str(source), "-o", "clang.o"], folder)
    assert text_bytes(folder / "ours.o") == text_bytes(folder / "clang.o") > 0


def test_the_same_decisions_give_the_same_bytes(folder: Path) -> None:
    """Red: something random, such as a path or an address, gets into an object."""
    compiler = Compiler.here()
    (module,) = modules(program("words"), folder).values()

    def drawn(header: Header) -> Answer:
        rng = np.random.default_rng(3)
        return lambda data: int(rng.integers(2))

    made = []
    for _ in range(2):
        with workplace.folder() as elsewhere:
            asked = compiler.asked(module, elsewhere / "made.o", drawn)
            made.append((asked, (elsewhere / "made.o").read_bytes()))
    assert made[0] == made[1] and made[0][0] > 3


def test_decisions_reach_the_compiler(folder: Path) -> None:
    """Red: answers are not heeded."""
    compiler = Compiler.here()
    (module,) = modules(program("shapes"), folder).values()
    sizes = []
    for answer in (0, 1):
        compiler.asked(module, folder / "made.o", lambda header, answer=answer: lambda data: answer)  # type: ignore[misc]
        sizes.append(text_bytes(folder / "made.o"))
    assert sizes[0] != sizes[1]


def test_a_whole_program_hides_what_only_it_uses(folder: Path) -> None:
    """Red: functions of other modules stay visible, so that none of them can vanish."""
    compiler, found = Compiler.here(), program("adder")
    compiler.whole(list(modules(found, folder).values()), ["main"], folder / "whole.bc")
    compiler.asked(folder / "whole.bc", folder / "whole.o", echo)
    process.call([compiler.llvm.tool("llvm-nm"), "--defined-only", "whole.o"], folder)
    with (folder / "names").open("wb") as out:
        process.call([compiler.llvm.tool("llvm-nm"), "--defined-only", "--extern-only", "whole.o"], folder, stdout=out)
    assert [line.split()[-1] for line in (folder / "names").read_text().splitlines()] == ["main"]
    compiler.linked([folder / "whole.o"], folder / "program")
    (folder / "run").mkdir()
    assert found.expected is not None
    assert differs(folder / "program", b"", found.expected, folder / "run") == ""


def test_a_source_that_does_not_compile_is_told_in_a_line(folder: Path) -> None:
    """Red: a syntax error is a traceback, or says not where it is."""
    (folder / "wrong.c").write_text("int main(void) { return 0 }\n")
    with pytest.raises(process.Failed, match=r"wrong\.c:1:\d+: error: expected ';'"):
        Compiler.here().bitcode(Path("wrong.c"), (), folder, folder / "wrong.bc")


def test_sizes_are_those_that_llvm_tells(folder: Path) -> None:
    """Red: the reader of sections takes another section for the text, or misses one."""
    compiler = Compiler.here()
    found = modules(program("adder"), folder)
    for module in found.values():
        compiler.compiled(module, module.with_suffix(".o"))
    compiler.joined([module.with_suffix(".o") for module in found.values()], folder / "joined.o")
    compiler.linked([module.with_suffix(".o") for module in found.values()], folder / "program")
    for name in ("0.o", "joined.o", "program"):
        with (folder / "told").open("wb") as out:
            process.call([compiler.llvm.tool("llvm-size"), "-A", name], folder, stdout=out)
        rows = [line.split() for line in (folder / "told").read_text().splitlines()]
        assert text_bytes(folder / name) == sum(int(row[1]) for row in rows if row and row[0].startswith(".text")) > 0


@pytest.mark.parametrize(
    "data",
    [b"", b"\x7fELF", b"#!/bin/sh\n" * 20, b"\x7fELF\x02\x01" + b"\xff" * 80],
    ids=["empty", "cut", "script", "damaged"],
)
def test_what_is_no_elf_file_is_told(data: bytes, tmp_path: Path) -> None:
    """Red: a damaged file is measured, or ends in a traceback."""
    (tmp_path / "file").write_bytes(data)
    with pytest.raises(NotElf):
        text_bytes(tmp_path / "file")


def test_doctor_tries_what_it_says() -> None:
    """Red: an LLVM that works is said to be missing, or its trial does not ask."""
    assert all(need.found for need in doctor.needs())


@pytest.mark.parametrize("banner", ["clang version 14.0.6", "no such thing", "clang version 99"])
def test_an_llvm_that_is_too_old_is_not_taken(banner: str, tmp_path: Path) -> None:
    """Red: an old compiler, or what only has its name, is taken; or one without its tools ends in a traceback."""
    clang = tmp_path / "clang"
    clang.write_text(f"#!/bin/sh\necho '{banner}.0'\n")
    clang.chmod(0o755)
    found = toolchain.examine(clang)
    if "99" not in banner:
        assert found is None
        return
    assert found is not None and found.release == 99
    with pytest.raises(MissingExtra, match="no llvm-link lies beside"):
        found.tool("llvm-link")
