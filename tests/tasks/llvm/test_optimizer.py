"""The worker that holds a module: what it makes is what LLVM's tools make, and nothing it does harms who asks."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from tests.tasks.llvm.small_passes import workers
from tests.tasks.llvm.small_task import program

from unseat.core.errors import MissingExtra
from unseat.core.policy import DeadlineReached
from unseat.tasks.llvm.engine import optimizer, workplace
from unseat.tasks.llvm.engine.compiler import Compiler
from unseat.tasks.llvm.engine.elf import NotElf, exported, text_bytes
from unseat.tasks.llvm.engine.optimizer import Broken, Optimizer, Refused, library
from unseat.tasks.llvm.engine.process import ToolError, call
from unseat.tasks.llvm.engine.toolchain import Toolchain
from unseat.tasks.llvm.engine.worker import OPCODES, OTHERS
from unseat.tasks.llvm.passes.actions import LEVELS, PIPELINES

pytestmark = pytest.mark.usefixtures("llvm", "nothing_left")

SOME = ("sroa", "inline", "instcombine", "simplifycfg", "licm", "gvn")


@pytest.fixture(scope="module")
def bitcode() -> bytes:
    """A module of two functions and a loop."""
    with workplace.folder() as folder:
        unit = program("words").units[0]
        Compiler.here().bitcode(unit.source, unit.flags, unit.folder, folder / "words.bc")
        return (folder / "words.bc").read_bytes()


@pytest.fixture
def module(bitcode: bytes) -> Iterator[Optimizer]:
    """The module in a worker that waits a second for LLVM."""
    with Optimizer(bitcode, silence_s=1.0) as made:
        made.restart()
        yield made


def process() -> psutil.Process:
    """The worker."""
    (found,) = workers()
    return found


def code(object_: bytes | Path, folder: Path) -> bytes:
    """The machine code of an object."""
    if isinstance(object_, bytes):
        (folder / "made.o").write_bytes(object_)
        object_ = folder / "made.o"
    objcopy = Compiler.here().llvm.tool("llvm-objcopy")
    call([objcopy, "-O", "binary", "--only-section=.text", str(object_), str(folder / "code")], folder)
    return (folder / "code").read_bytes()


@pytest.mark.parametrize("level", LEVELS)
def test_a_level_is_what_clang_makes(level: str, module: Optimizer, bitcode: bytes, tmp_path: Path) -> None:
    """Red: the incumbents are not those of the compiler."""
    (tmp_path / "words.bc").write_bytes(bitcode)
    clang = str(Compiler.here().llvm.clang)
    words = ["--no-default-config", "-w", level, "-c", "words.bc", "-o", "words.o"]
    call([clang, *words], tmp_path)
    assert module.run(PIPELINES[level])
    assert code(module.object(), tmp_path) == code(tmp_path / "words.o", tmp_path) != b""


def test_every_pass_is_known(module: Optimizer) -> None:
    """Red: an action that this LLVM refuses, or that ends it on a plain program."""
    for name, passes in PIPELINES.items():
        assert module.run(passes), name
    assert module.starts == 1


def test_an_object_can_be_asked_for_ahead(module: Optimizer) -> None:
    """Red: what a sequence gives hangs on whether it is run step by step, or measuring changes the module."""
    before = module.object()
    ahead = module.object(*(PIPELINES[name] for name in SOME))
    assert module.object() == before != ahead
    for name in SOME:
        assert module.run(PIPELINES[name]) and text_bytes(module.object()) > 0
    assert module.object() == ahead
    module.restart()
    assert module.object() == before and module.starts == 1


def test_counts_are_those_of_the_module(module: Optimizer) -> None:
    """Red: a policy sees other numbers than there are."""
    shown = dict(zip(OTHERS, module.counts[OPCODES:].tolist(), strict=True))
    assert shown["functions"] >= 2 and shown["blocks"] > shown["functions"] and shown["backward edges"] >= 1
    load, alloca = 27, 26
    assert module.counts[load] > 0 and module.counts[alloca] > 0
    assert module.run(PIPELINES["mem2reg"]) and module.counts[alloca] < 3
    assert exported(module.object()) >= {"main"}


def test_what_llvm_refuses_changes_nothing(module: Optimizer) -> None:
    """Red: a name that LLVM does not know ends the worker, or counts as run."""
    before = module.object()
    assert not module.run("function(no-such-pass)")
    assert module.object() == before and module.starts == 1 and module.done == []
    with pytest.raises(Refused, match="no-such-pass"):
        module.object("no-such-pass")


def test_a_worker_that_is_killed_is_replaced(module: Optimizer) -> None:
    """Red: the passes before are forgotten, or the fault reaches who asks."""
    for name in SOME[:3]:
        module.run(PIPELINES[name])
    before = module.object(), module.counts.tolist()
    process().kill()
    assert (module.object(), module.counts.tolist()) == before and module.starts == 2
    process().kill()
    assert module.run(PIPELINES["gvn"]) and len(module.done) == 4 and module.starts == 3


def test_a_pass_that_ends_llvm_is_left_out(module: Optimizer) -> None:
    """Red: one bad pass ends the episode, or leaves a half-changed module."""
    module.run(PIPELINES["sroa"])
    before = module.object()
    assert not module.run("trigger-crash-module")
    assert module.done == [PIPELINES["sroa"]] and module.object() == before
    with pytest.raises(Refused, match="ended with -"):
        module.object("trigger-crash-module")
    assert module.object() == before


def test_a_worker_that_hangs_is_replaced(module: Optimizer) -> None:
    """Red: a pass that never ends holds the episode for ever."""
    module.run(PIPELINES["sroa"])
    hung = process()
    os.kill(hung.pid, signal.SIGSTOP)
    assert module.run(PIPELINES["gvn"]) and module.starts == 2
    assert not hung.is_running()
    before = module.object()
    os.kill(process().pid, signal.SIGSTOP)
    assert module.object() == before and module.starts == 3


GARBAGE = {
    "another letter": b"import os; os.write(1, bytes([1, 0, 0, 0]) + b'Xx')",
    "a length beyond all": b"import os, signal; os.write(1, b'\\xff\\xff\\xff\\xffF'); signal.pause()",
    "too few counts": b"import os; os.write(1, bytes([8, 0, 0, 0]) + b'F' + bytes(8))",
    "half a reply": b"import os; os.write(1, bytes([8, 0, 0, 0]) + b'F')",
    "nothing": b"import sys; sys.exit('error: no library')",
}


@pytest.mark.parametrize("what", GARBAGE)
def test_a_worker_that_talks_nonsense(
    what: str, bitcode: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Red: bytes that mean nothing are taken for a module, or waited for without end."""
    liar = tmp_path / "worker.py"
    liar.write_bytes(GARBAGE[what])
    monkeypatch.setattr(optimizer, "WORKER", liar)
    with Optimizer(bitcode, silence_s=10.0) as module, pytest.raises(Broken):
        module.run(PIPELINES["sroa"])


def test_no_bitcode_is_told(bitcode: bytes) -> None:
    """Red: a damaged module ends in a traceback, or in an empty program."""
    with Optimizer(bitcode[:500]) as module, pytest.raises(ToolError, match="no bitcode"):
        module.object()


def test_the_deadline_ends_a_pass(bitcode: bytes) -> None:
    """Red: a run goes on past its limit because LLVM is at work."""
    with Optimizer(bitcode, deadline=time.monotonic() - 1) as module, pytest.raises(DeadlineReached):
        module.run(PIPELINES["-Oz"])


def test_without_the_library(llvm: Toolchain, tmp_path: Path) -> None:
    """Red: an LLVM without its library fails with a traceback in the middle of a run."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "clang").touch()
    with pytest.raises(MissingExtra, match="no libLLVM"):
        library(Toolchain(tmp_path / "bin" / "clang", llvm.release, "clang"))


def test_objects_that_are_none() -> None:
    """Red: garbage counts as an object without machine code."""
    for data in (b"", b"\x7fELF" + bytes(10), b"\x7fELF\x02\x01" + b"\xff" * 100):
        for read in (text_bytes, exported):
            with pytest.raises(NotElf):
                read(data)
