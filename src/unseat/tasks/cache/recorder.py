"""Make a trace from a program: what it reads from files, page by page or file by file, as `strace` sees it.

`strace` sees system calls, so pages that a program maps (`mmap`) and then touches are invisible. Record programs that
read (`read`, `pread`, `sendfile`, ...): databases with a small buffer of their own, compilers, package managers.
A file is its path: one that is deleted and made anew under the same path counts as the same file.
"""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import tempfile
import threading
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from unseat.core.errors import UserError
from unseat.tasks.cache.data.trace import RawTrace
from unseat.tasks.cache.data.writers import write_trace

Unit = Literal["page", "file"]
PAGE = 4096

# A "?" lets strace pass over a call that this architecture does not have.
_TRACED = (
    "read readv pread64 preadv preadv2 sendfile copy_file_range lseek write writev "
    "?open openat ?openat2 ?creat close dup ?dup2 dup3 fcntl clone ?clone3 ?fork ?vfork"
)
_CALL = re.compile(r"(\w+)\((.*)\)\s+= (-?\d+)(.*)")
_PREFIX = re.compile(r"(?:\[pid\s+(\d+)\]\s+|(\d+)\s+)?(?:[\d:.]+\s+)?")
_RESUMED = re.compile(r"<\.\.\. \w+ resumed>\s?(.*)")
_FD = re.compile(r"(\d+)<([^<>]*)(<[^<>]*>)?>")  # strace writes < and > of a path as \74 and \76
_UNFINISHED = "<unfinished ...>"
_FORKS = ("clone", "clone3", "fork", "vfork")


@dataclass(frozen=True)
class Recorded:
    """What `record` wrote: the file, its requests, distinct objects and their bytes, and the command's exit status."""

    output: Path
    requests: int
    objects: int
    bytes: int
    status: int


def record(
    command: Sequence[str], output: Path, *, page_size: int = PAGE, unit: Unit = "page", keep_log: Path | None = None
) -> Recorded:
    """Run a command under `strace` and write what it and its children read as a trace.

    Interrupting the command (Ctrl-C) ends the recording; what was read until then is written.

    Args:
        command: program and arguments.
        output: the trace file; its suffix chooses format and compression (`write_trace`).
        page_size: bytes of a page, the object of unit "page".
        unit: "page": one request for each page of each read. "file": one request for each opened file that is read,
            sized by the furthest byte that was ever read of it.
        keep_log: where to keep the strace log; it holds paths and arguments of the program.

    Raises:
        UserError: strace or the command is absent, strace may not trace, or nothing was read from files.
    """
    if shutil.which("strace") is None:
        raise UserError("recording needs strace; install it with: sudo apt-get install strace")
    if not command:
        raise UserError("no command to record; give it after --, as in: unseat record cache -- make -j1")
    if shutil.which(command[0]) is None:
        raise UserError(f"{command[0]}: no such program; give a command that can be run")
    with tempfile.TemporaryDirectory(prefix="unseat-record-") as folder:
        log = keep_log or Path(folder) / "strace.log"
        status = _run_strace(command, log)
        if not log.exists() or log.stat().st_size == 0:
            raise UserError(
                f"strace could not trace {command[0]} (exit {status}); a container needs --cap-add=SYS_PTRACE"
            )
        trace = from_strace_log(log, page_size=page_size, unit=unit, name=Path(command[0]).name)
    write_trace(output, trace)
    return summary(trace, output, status)


def summary(trace: RawTrace, output: Path, status: int = 0) -> Recorded:
    """Count what a recorded trace holds."""
    _, first = np.unique(trace.keys, return_index=True)
    total = 0 if trace.sizes is None else int(trace.sizes[first].sum())
    return Recorded(output, len(trace), len(first), total, status)


def from_strace_log(log: Path, *, page_size: int = PAGE, unit: Unit = "page", name: str | None = None) -> RawTrace:
    """The trace in a log of `strace -f -y` (or `-yy`), recorded here or elsewhere.

    Keys are dense: objects are numbered by file in order of first use, and by page inside a file, so that neighbours
    in a file are neighbours as keys. No path is kept. Sizes are `page_size`, or those of the files.

    Raises:
        UserError: no such file, not a strace log with paths, or nothing read from files in it.
    """
    if page_size < 1:
        raise UserError(f"page size {page_size}: give a size of at least 1 byte")
    reads = _Reads()
    try:
        with log.open(encoding="utf-8", errors="surrogateescape") as lines:
            for pid, call, args, result, rest in _calls(lines):
                reads.see(pid, call, args, result, rest)
    except OSError as error:
        raise UserError(f"{log}: {error.strerror or error}; give a log of strace -f -y -o LOG COMMAND") from error
    if not reads.starts:
        raise UserError(
            f"{log}: no reads of files in it; use strace -f -y (paths are needed), and a program that reads files "
            "instead of mapping them"
        )
    return _pages(reads, page_size, name or log.stem) if unit == "page" else _files(reads, name or log.stem)


def _run_strace(command: Sequence[str], log: Path) -> int:
    calls = ",".join(_TRACED.split())
    strace = ["strace", "-f", "-yy", "-q", "-s", "0", "--seccomp-bpf", "-e", "signal=none"]
    # The command gets Ctrl-C as well and decides when it ends; here it must not end the recording at any moment. A
    # handler of our own goes back to the default in the child, which ignoring the signal would not.
    main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGINT, lambda *_: None) if main else None
    try:
        return subprocess.run([*strace, "-e", f"trace={calls}", "-o", str(log), "--", *command], check=False).returncode
    finally:
        if main:
            signal.signal(signal.SIGINT, before)


def _calls(lines: Iterable[str]) -> Iterator[tuple[int, str, str, int, str]]:
    """Finished system calls in order of their end: process, name, arguments, result, what follows the result."""
    unfinished: dict[int, str] = {}
    for line in lines:
        prefix = _PREFIX.match(line)
        assert prefix is not None  # every part of the pattern is optional
        pid = int(prefix[1] or prefix[2] or 0)
        body = line[prefix.end() :].rstrip()
        if body.endswith(_UNFINISHED):
            unfinished[pid] = body[: -len(_UNFINISHED)].rstrip()
            if body.startswith(_FORKS):
                yield pid, "begin_fork", body, 0, ""
            continue
        if resumed := _RESUMED.match(body):
            body = unfinished.pop(pid, "") + resumed[1]
        if body.startswith(("+++ exited", "+++ killed")):
            yield pid, "exit", "", 0, ""
        elif call := _CALL.match(body):
            yield pid, call[1], call[2], int(call[3]), call[4]


@dataclass(slots=True)
class _Description:
    """An open file description: shared by dup and fork, and with it the position."""

    file: int
    position: int = 0
    requested: bool = False  # it has made its request of unit "file"
    end: int = -1  # where its last read ended: a reader that goes on inside a page does not ask for the page again


_Table = dict[int, _Description]


@dataclass
class _Reads:
    """Follows descriptors through the calls of all processes and keeps every read as (file, start, end)."""

    files: dict[str, int] = field(default_factory=dict)
    tables: dict[int, _Table] = field(default_factory=dict)
    forking: list[tuple[int, bool]] = field(default_factory=list)  # (parent, files are shared), oldest first
    file_of: array[int] = field(default_factory=lambda: array("q"))
    starts: array[int] = field(default_factory=lambda: array("q"))
    ends: array[int] = field(default_factory=lambda: array("q"))
    continued: array[int] = field(default_factory=lambda: array("b"))
    opened: array[int] = field(default_factory=lambda: array("b"))

    def see(self, pid: int, call: str, args: str, result: int, rest: str) -> None:
        """Take note of one finished call."""
        handler = _HANDLERS.get(call)
        if handler is not None and result >= 0:
            handler(self, pid, args, result, rest)

    def table(self, pid: int) -> _Table:
        """The descriptors of a process; one that ran before its parent's clone was logged inherits all the same."""
        if pid not in self.tables:
            parent, shared = self.forking.pop() if self.forking else (None, False)
            self.tables[pid] = {} if parent is None else self._inherited(parent, shared)
        return self.tables[pid]

    def _inherited(self, parent: int, shared: bool) -> _Table:
        table = self.table(parent)
        return table if shared else dict(table)

    def begin_fork(self, pid: int, args: str, result: int, rest: str) -> None:
        self.table(pid)
        self.forking.append((pid, "CLONE_FILES" in args))

    def fork(self, pid: int, args: str, child: int, rest: str) -> None:
        for at, (parent, _) in enumerate(self.forking):
            if parent == pid:
                del self.forking[at]
                break
        if child not in self.tables:
            self.tables[child] = self._inherited(pid, "CLONE_FILES" in args)

    def exit(self, pid: int, args: str, result: int, rest: str) -> None:
        self.tables.pop(pid, None)  # the number may be given to another process

    def description(self, pid: int, args: str) -> _Description | None:
        """The open file that the first descriptor in args names; None for what is no file (pipe, socket, terminal)."""
        match = _FD.match(args)
        if match is None:
            return None
        fd, path, device = int(match[1]), match[2], match[3]
        block = device is not None and device.startswith("<block")
        if not block and not _is_file(path, device):
            return None
        file = self.files.setdefault(path, len(self.files))
        table = self.table(pid)
        known = table.get(fd)
        if known is None or known.file != file:  # inherited from before the log, or passed through a socket
            known = table[fd] = _Description(file)
        return known

    def open(self, pid: int, args: str, result: int, rest: str) -> None:
        self.table(pid).pop(result, None)
        self.description(pid, f"{result}{rest}")

    def close(self, pid: int, args: str, result: int, rest: str) -> None:
        self.table(pid).pop(int(args.partition("<")[0]), None)

    def dup(self, pid: int, args: str, result: int, rest: str) -> None:
        known = self.description(pid, args)
        if known is not None:
            self.table(pid)[result] = known

    def fcntl(self, pid: int, args: str, result: int, rest: str) -> None:
        if "F_DUPFD" in args:
            self.dup(pid, args, result, rest)

    def seek(self, pid: int, args: str, result: int, rest: str) -> None:
        if known := self.description(pid, args):
            known.position = result

    def write(self, pid: int, args: str, result: int, rest: str) -> None:
        if known := self.description(pid, args):
            known.position += result

    def read(self, pid: int, args: str, result: int, rest: str) -> None:
        if known := self.description(pid, args):
            self._note(known, known.position, result)
            known.position += result

    def pread(self, pid: int, args: str, result: int, rest: str) -> None:
        if known := self.description(pid, args):
            self._note(known, int(args.rsplit(", ", 1)[1]), result)

    def preadv2(self, pid: int, args: str, result: int, rest: str) -> None:
        args = args.rsplit(", ", 1)[0]  # without the flags it reads like preadv, but for an offset of -1
        (self.read if args.endswith(" -1") else self.pread)(pid, args, result, rest)

    def sendfile(self, pid: int, args: str, result: int, rest: str) -> None:
        self._transfer(pid, args.split(", ", 1)[1], result)

    def copy_file_range(self, pid: int, args: str, result: int, rest: str) -> None:
        self._transfer(pid, args, result)

    def _transfer(self, pid: int, args: str, result: int) -> None:
        """A read whose offset follows the descriptor: NULL (the file's own position), `[from]` or `[from] => [to]`."""
        known = self.description(pid, args)
        if known is None:
            return
        offset = args[args.index(">, ") + 3 :]
        if offset.startswith("["):
            self._note(known, int(offset[1 : offset.index("]")]), result)
        else:
            self._note(known, known.position, result)
            known.position += result

    def _note(self, known: _Description, start: int, length: int) -> None:
        if length > 0:  # nothing is read at the end of a file
            self.file_of.append(known.file)
            self.starts.append(start)
            self.ends.append(start + length)
            self.continued.append(start == known.end)
            self.opened.append(not known.requested)
            known.requested = True
            known.end = start + length


_Handler = Callable[[_Reads, int, str, int, str], None]
_HANDLERS: dict[str, _Handler] = {
    "begin_fork": _Reads.begin_fork,
    "exit": _Reads.exit,
    **dict.fromkeys(_FORKS, _Reads.fork),
    **dict.fromkeys(("open", "openat", "openat2", "creat"), _Reads.open),
    **dict.fromkeys(("dup", "dup2", "dup3"), _Reads.dup),
    **dict.fromkeys(("read", "readv"), _Reads.read),
    **dict.fromkeys(("write", "writev"), _Reads.write),
    **dict.fromkeys(("pread64", "preadv"), _Reads.pread),
    "preadv2": _Reads.preadv2,
    "close": _Reads.close,
    "fcntl": _Reads.fcntl,
    "lseek": _Reads.seek,
    "sendfile": _Reads.sendfile,
    "copy_file_range": _Reads.copy_file_range,
}


def _is_file(path: str, device: str | None) -> bool:
    return device is None and path.startswith("/") and not path.startswith(("/dev/", "/proc/", "/sys/", "/memfd:"))


def _pages(reads: _Reads, page_size: int, name: str) -> RawTrace:
    """Each read becomes one request a page that it touches."""
    first = np.array(reads.starts) // page_size
    last = (np.array(reads.ends) - 1) // page_size
    first += (np.array(reads.continued) != 0) & (np.array(reads.starts) % page_size != 0)
    count = np.maximum(last - first + 1, 0)
    within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    pages = np.repeat(first, count) + within
    files = np.repeat(np.array(reads.file_of), count)
    if pages.max() >= 2**40:
        raise UserError(f"{name}: a read at page {pages.max():,} is beyond any file; the log is damaged")
    _, dense = np.unique(files * 2**40 + pages, return_inverse=True)
    return RawTrace(name, dense.astype(np.uint64), np.full(len(dense), page_size, dtype=np.int64))


def _files(reads: _Reads, name: str) -> RawTrace:
    """Each opening that reads becomes one request, of the file's furthest byte that was ever read."""
    files = np.array(reads.file_of)
    size = np.zeros(files.max() + 1, dtype=np.int64)
    np.maximum.at(size, files, np.array(reads.ends))
    used, dense = np.unique(files[np.array(reads.opened) != 0], return_inverse=True)
    return RawTrace(name, dense.astype(np.uint64), size[used][dense])
