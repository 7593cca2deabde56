"""LLVM's passes, one after the other, on a module that stays in the memory of a worker (`worker`).

LLVM ends the process that it is in when it finds itself at fault, so it is a process of its own. When that dies, hangs
or talks nonsense, another one takes its place, in which the passes so far are run once more; who asks does not notice,
unless it is the pass that does it.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import IO, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from unseat.core.errors import MissingExtra
from unseat.tasks.llvm.engine import workplace
from unseat.tasks.llvm.engine.process import Process, ToolError, call
from unseat.tasks.llvm.engine.toolchain import INSTALL, Toolchain, require
from unseat.tasks.llvm.engine.worker import OPCODES, OTHERS

Counts: TypeAlias = NDArray[np.int64]

SILENCE_S = 20.0
"""Seconds that a pass, or code generation, may take."""

COUNTS = OPCODES + len(OTHERS)
"""How many counts describe a module."""

WORKER = Path(__file__).with_name("worker.py")
"""The worker's program."""

_LARGEST = 1 << 28


class Broken(ToolError):
    """The worker is gone, or what came is no reply."""


class Refused(ToolError):
    """The worker says that it cannot do it; it goes on, and the module is as it was."""


class Optimizer:
    """A module in a worker, which starts when it is first needed; in a ``with``, at whose end no process is left.

    Args:
        bitcode: The module.
        counts: What is counted in it, where that is known.
        deadline: `time.monotonic()` at which the run ends that it is a part of.
        llvm: The toolchain whose library is used; that of this machine if None.
        silence_s: See `SILENCE_S`.

    Attributes:
        counts: int64 [COUNTS], what is counted in the module as it is now.
        done: The pipelines that were run since the module was read, but for those that failed.
        starts: How many workers it took.
    """

    def __init__(
        self, bitcode: bytes, counts: Counts | None = None, *, deadline: float | None = None,
        llvm: Toolchain | None = None, silence_s: float = SILENCE_S,
    ) -> None:  # fmt: skip
        self.bitcode, self.done, self.starts = bitcode, list[str](), 0
        self.counts = np.zeros(COUNTS, np.int64) if counts is None else counts
        self._llvm, self._deadline, self._silence_s = llvm or require(), deadline, silence_s
        self._stack = contextlib.ExitStack()
        self._worker: _Worker | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()

    def run(self, passes: str) -> bool:
        """Run a pipeline, in the words of ``opt -passes=``.

        Returns:
            Whether it was run. One that twice ends the worker, or that LLVM refuses, has not been.

        Raises:
            ToolError: No worker comes up, or what worked before does no more.
            DeadlineReached: The run's time is up.
        """
        for _ in range(2):
            worker = self._now()
            try:
                self.counts = worker.counts(b"P", passes.encode())
            except Refused:
                return False
            except ToolError:
                self._drop()
            else:
                self.done.append(passes)
                return True
        return False

    def restart(self) -> None:
        """Begin anew with the module as it was.

        Raises:
            ToolError: As `run`.
            DeadlineReached: The run's time is up.
        """
        self.done = []
        if self._worker is None:
            self._recover()
            return
        try:
            self.counts = self._now().counts(b"R", b"")
        except ToolError:
            self._recover()

    def object(self, *passes: str) -> bytes:
        """An object of the module as it would be after these pipelines; the module itself stays as it is.

        Raises:
            ToolError: No object can be made of it.
            DeadlineReached: The run's time is up.
        """
        body = "\n".join(passes).encode()
        try:
            return self._now().ask(b"O", body, b"O")
        except Refused:
            raise
        except ToolError:
            self._drop()
        try:
            return self._now().ask(b"O", body, b"O")
        except Refused:
            raise
        except ToolError:
            # Whatever it still says would be taken for the reply to what comes next.
            self._drop()
            raise

    def _now(self) -> _Worker:
        return self._worker or self._recover()

    def _recover(self) -> _Worker:
        """Another worker, with the same module and the same passes run over it."""
        self._drop()
        self.starts += 1
        folder = self._stack.enter_context(workplace.folder())
        (folder / "module.bc").write_bytes(self.bitcode)
        (folder / "counts.so").write_bytes(counter(self._llvm))
        words = [str(library(self._llvm)), str(folder / "counts.so")]
        worker = self._stack.enter_context(_started(words, folder, self._deadline, self._silence_s))
        self.counts = worker.counts(b"M", b"module.bc")
        for passes in self.done:
            self.counts = worker.counts(b"P", passes.encode())
        self._worker = worker
        return worker

    def _drop(self) -> None:
        self._worker = None
        self._stack.close()


class _Worker:
    """A worker's process, and the pipes to it."""

    def __init__(self, process: Process, asks: IO[bytes], replies: int) -> None:
        self.process, self._asks, self._replies = process, asks, replies

    def counts(self, letter: bytes, body: bytes) -> Counts:
        """Ask for something whose reply is counts."""
        data = self.ask(letter, body, b"F")
        if len(data) != 8 * COUNTS:
            raise Broken(f"the worker counts {len(data)} bytes")
        return np.frombuffer(data, np.int64)

    def ask(self, letter: bytes, body: bytes, wanted: bytes) -> bytes:
        """Ask, and give the body of the reply."""
        try:
            # Short enough for a pipe to take it at once, whatever the worker does.
            os.write(self._asks.fileno(), len(body).to_bytes(4, "little") + letter + body)
        except BrokenPipeError as error:
            raise self._gone() from error
        head = self._take(5)
        size = int.from_bytes(head[:4], "little")
        if head[4:] not in (wanted, b"E") or size > _LARGEST:
            raise Broken(f"no reply of the worker's: {head!r}")
        data = self._take(size)
        if head[4:] == b"E":
            raise Refused(data.decode(errors="replace").strip().split("\n")[0][:300])
        return data

    def _take(self, size: int) -> bytes:
        parts, left = [], size
        while left:
            if not self.process.wait():
                raise self._gone()
            part = os.read(self._replies, left)
            if not part:
                raise self._gone()
            parts.append(part)
            left -= len(part)
        return b"".join(parts)

    def _gone(self) -> Broken:
        return Broken(f"the worker is gone{self.process.complaint()}")


@contextlib.contextmanager
def _started(words: list[str], folder: Path, deadline: float | None, silence_s: float) -> Iterator[_Worker]:
    command = [sys.executable, "-I", "-S", str(WORKER), *words]
    with contextlib.ExitStack() as stack:
        ends = (*os.pipe(), *os.pipe())
        modes = ("rb", "wb", "rb", "wb")
        files = [stack.enter_context(os.fdopen(end, mode)) for end, mode in zip(ends, modes, strict=True)]
        reads, asks, replies, writes = files
        process = stack.enter_context(
            Process(command, folder, deadline=deadline, silence_s=silence_s, stdin=reads, stdout=writes)
        )
        reads.close()
        writes.close()
        process.watch(replies.fileno())
        yield _Worker(process, asks, replies.fileno())


def library(llvm: Toolchain) -> Path:
    """LLVM's shared library beside its tools.

    Raises:
        MissingExtra: It is not there.
    """
    names = (f"libLLVM-{llvm.release}.so", f"libLLVM.so.{llvm.release}*", "libLLVM.so")
    for home in dict.fromkeys((llvm.clang.parent.parent, llvm.clang.resolve().parent.parent)):
        for name in names:
            for path in sorted((home / "lib").glob(name)):
                return path
    raise MissingExtra(f"no libLLVM lies in lib beside the folder of {llvm.clang}; install one that has it: {INSTALL}")


@lru_cache(maxsize=4)
def counter(llvm: Toolchain) -> bytes:
    """The shared library of `counts.c`, which clang makes in a tenth of a second.

    Raises:
        ToolError: It cannot be made.
    """
    with workplace.folder() as folder:
        lld = ["-fuse-ld=lld"] if llvm.has("ld.lld") else []
        source = Path(__file__).with_name("counts.c")
        flags = ["--no-default-config", "-O2", "-fPIC", "-shared", "-nostdlib", *lld]
        call([str(llvm.clang), *flags, str(source), "-o", "counts.so"], folder)
        return (folder / "counts.so").read_bytes()
