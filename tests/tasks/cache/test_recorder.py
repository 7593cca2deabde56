"""The recorder: system calls as strace writes them become the pages that were read, in order."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import unseat
from unseat.core.errors import UserError
from unseat.tasks.cache.data import open_trace
from unseat.tasks.cache.recorder import Unit, from_strace_log, record


def keys(tmp_path: Path, log: str, unit: Unit = "page", page_size: int = 4096) -> list[int]:
    path = tmp_path / "log"
    path.write_text(log)
    return [int(key) for key in from_strace_log(path, unit=unit, page_size=page_size).keys]


def test_offsets_follow_the_descriptor(tmp_path: Path) -> None:
    """Red: the position after open, read, lseek, dup, write, readv or sendfile is lost, so other pages are counted."""
    log = """\
1 openat(AT_FDCWD</>, "a", O_RDWR) = 3</a>
1 read(3</a>, ""..., 8192) = 8192
1 lseek(3</a>, 40960, SEEK_SET) = 40960
1 dup(3</a>) = 4</a>
1 readv(4</a>, [{iov_base=""..., iov_len=1}], 1) = 4096
1 fcntl(3</a>, F_DUPFD_CLOEXEC, 10) = 10</a>
1 write(10</a>, ""..., 4096) = 4096
1 read(3</a>, ""..., 1) = 1
1 sendfile(5<socket:[1]>, 3</a>, NULL, 9999) = 4095
1 sendfile(5<socket:[1]>, 3</a>, [0] => [4096], 4096) = 4096
1 copy_file_range(3</a>, NULL, 7</b>, NULL, 4096, 0) = 4096
1 close(3</a>) = 0
1 openat(AT_FDCWD</>, "a", O_RDONLY) = 3</a>
1 read(3</a>, ""..., 10) = 10
"""
    # pages 0 1 | 10 | (11 is written) 12 | the rest of 12 goes on inside it | 0 | 13 | 0
    assert keys(tmp_path, log) == [0, 1, 2, 3, 0, 4, 0]


def test_explicit_offsets_leave_the_position(tmp_path: Path) -> None:
    """Red: pread and its kin are placed at the wrong offset, or move the descriptor."""
    log = """\
openat(AT_FDCWD</>, "a", O_RDONLY) = 3</a>
pread64(3</a>, "x, 1, 2)"..., 4096, 8192) = 4096
preadv(3</a>, [{iov_base=""..., iov_len=4096}], 1, 12288) = 4096
preadv2(3</a>, [{iov_base=""..., iov_len=4096}], 1, 16384, RWF_NOWAIT) = 4096
preadv2(3</a>, [{iov_base=""..., iov_len=4096}], 1, -1, 0) = 4096
read(3</a>, ""..., 4096) = 4096
"""
    assert keys(tmp_path, log) == [2, 3, 4, 0, 1]


def test_processes_share_what_they_share(tmp_path: Path) -> None:
    """Red: a forked child starts at the wrong position, or what one thread opens is unknown to the other."""
    log = """\
1 openat(AT_FDCWD</>, "a", O_RDONLY) = 3</a>
1 read(3</a>, ""..., 4096) = 4096
1 clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD <unfinished ...>
2 read(3</a>, ""..., 4096) = 4096
1 <... clone resumed>, child_tidptr=0x7f) = 2
1 read(3</a>, ""..., 4096) = 4096
2 close(3</a>) = 0
1 clone3({flags=CLONE_VM|CLONE_FILES|CLONE_THREAD, exit_signal=0}, 88) = 5
5 openat(AT_FDCWD</>, "b", O_RDONLY) = 4</b>
5 read(4</b>, ""..., 4096) = 4096
1 read(4</b>, ""..., 4096) = 4096
5 +++ exited with 0 +++
1 clone(child_stack=NULL, flags=SIGCHLD) = 5
5 close(4</b>) = 0
1 read(4</b>, ""..., 4096) = 4096
"""
    assert keys(tmp_path, log) == [0, 1, 2, 3, 4, 5]


def test_interleaved_calls_are_joined(tmp_path: Path) -> None:
    """Red: a call that strace wrote in two parts is lost, or its parts join the other process's."""
    log = """\
[pid   11] openat(AT_FDCWD</>, "a", O_RDONLY <unfinished ...>
[pid   12] openat(AT_FDCWD</>, "b", O_RDONLY) = 3</b>
[pid   11] <... openat resumed>) = 3</a>
[pid   11] pread64(3</a>,  <unfinished ...>
[pid   12] pread64(3</b>,  <unfinished ...>
[pid   11] <... pread64 resumed>""..., 4096, 4096) = 4096
[pid   12] <... pread64 resumed>""..., 4096, 0) = 4096
"""
    assert keys(tmp_path, log) == [1, 0]  # b was opened first


def test_only_files_count(tmp_path: Path) -> None:
    """Red: pipes, sockets, terminals, failed reads and ends of files count; block devices or odd names do not."""
    log = """\
7 12:00:01.5 read(0<pipe:[99]>, ""..., 4096) = 10
7 12:00:01.6 read(3<TCP:[127.0.0.1:80->127.0.0.1:99]>, ""..., 4096) = 10
7 12:00:01.7 read(4</dev/pts/0<char 136:0>>, ""..., 4096) = 10
7 12:00:01.8 read(5</proc/stat>, ""..., 4096) = 10
7 12:00:01.9 read(6</a>, 0x7f, 4096) = -1 EISDIR (Is a directory)
7 12:00:02.0 read(6</a>, "", 4096) = 0
7 12:00:02.1 pread64(8</dev/sda<block 8:0>>, ""..., 4096, 0) = 4096
7 12:00:02.2 pread64(9</tmp/s \\74x\\76, "\\303\\251 (1) = 2>, ""..., 4096, 0) = 4096
7 12:00:02.3 pread64(9</tmp/gone>(deleted), ""..., 4096, 0) = 4096
7 12:00:02.4 --- SIGCHLD {si_signo=SIGCHLD} ---
7 12:00:02.5 exit_group(0) = ?
"""
    assert keys(tmp_path, log) == [0, 1, 2]


def test_files_as_objects(tmp_path: Path) -> None:
    """Red: unit "file" makes several requests of one opening, none of the second, or sizes a file by its first read."""
    path = tmp_path / "log"
    path.write_text("""\
1 openat(AT_FDCWD</>, "a", O_RDONLY) = 3</a>
1 read(3</a>, ""..., 5000) = 5000
1 read(3</a>, ""..., 5000) = 100
1 pread64(4</b>, ""..., 7, 10) = 7
1 close(3</a>) = 0
1 openat(AT_FDCWD</>, "a", O_RDONLY) = 3</a>
1 read(3</a>, ""..., 1) = 1
""")
    trace = from_strace_log(path, unit="file")
    assert trace.keys.tolist() == [0, 1, 0]
    assert trace.sizes is not None and trace.sizes.tolist() == [5100, 17, 5100]


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 60), st.integers(1, 40)), min_size=1),
    st.integers(1, 16),
)
@settings(deadline=None)
def test_pages_of_reads_against_a_slow_reading(reads: list[tuple[int, int, int]], page_size: int) -> None:
    """Red: a read is cut into other pages than its bytes lie in, or keys are not one a page."""
    expected: list[tuple[int, int]] = []
    end: dict[int, int] = {}
    for file, start, length in reads:
        pages = sorted({byte // page_size for byte in range(start, start + length)})
        if start == end.get(file) and start % page_size:
            pages = pages[1:]  # it goes on inside a page that was just read
        expected += [(file, page) for page in pages]
        end[file] = start + length
    log = "".join(f'1 pread64({f}</f{f}>, ""..., {n}, {start}) = {n}\n' for f, start, n in reads)
    with TemporaryDirectory() as folder:
        found = keys(Path(folder), log, page_size=page_size)
    assert len(found) == len(expected)
    pairs = set(zip(found, expected, strict=True))
    assert len(pairs) == len(set(found)) == len(set(expected))


def test_logs_without_reads_are_refused(tmp_path: Path) -> None:
    """Red: a wrong log, an absent one or one without paths ends in a traceback or an empty trace."""
    for content in ("", "hello\n", '1 read(3, ""..., 10) = 10\n'):
        with pytest.raises(UserError, match="no reads of files"):
            keys(tmp_path, content)
    with pytest.raises(UserError, match="absent"):
        from_strace_log(tmp_path / "absent")
    with pytest.raises(UserError, match="page size 0"):
        keys(tmp_path, "", page_size=0)


def test_absent_programs_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red: without strace, or with a command that is not there, the user gets a traceback or no way on."""
    if shutil.which("strace"):
        with pytest.raises(UserError, match="no-such-program-here"):
            record(["no-such-program-here"], tmp_path / "a.csv")
        with pytest.raises(UserError, match="no command"):
            record([], tmp_path / "a.csv")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="apt-get install strace"):
        record(["ls"], tmp_path / "a.csv")


def can_trace() -> bool:
    strace = shutil.which("strace")
    return strace is not None and subprocess.run([strace, "-o", "/dev/null", "true"], check=False).returncode == 0


@pytest.mark.skipif(not can_trace(), reason="strace is not installed here, or may not trace")
def test_a_real_program(tmp_path: Path) -> None:
    """Red: what strace of this machine writes is not what the recorder reads."""
    data = tmp_path / "data"
    data.write_bytes(bytes(5 * 4096))
    program = (
        "import os, sys, threading\n"
        "f = os.open(sys.argv[1], os.O_RDONLY)\n"
        "os.pread(f, 4096, 3 * 4096); os.lseek(f, 4096, 0); os.read(f, 4096)\n"
        "t = threading.Thread(target=os.read, args=(f, 4096)); t.start(); t.join()\n"
        "if os.fork() == 0: os.read(f, 4096); os._exit(0)\n"
        "os.wait(); os.read(f, 4096); sys.exit(3)\n"
    )
    recorded = record([sys.executable, "-I", "-c", program, str(data)], tmp_path / "a.oracleGeneral.zst")
    trace = open_trace(tmp_path / "a.oracleGeneral.zst")
    assert recorded.status == 3
    assert (recorded.requests, recorded.objects) == (len(trace), trace.objects)
    assert recorded.bytes == 4096 * trace.objects
    mine = trace.keys[-5:].tolist()
    assert mine == [mine[0], mine[0] - 2, mine[0] - 1, mine[0], mine[0] + 1]


@pytest.mark.skipif(not can_trace(), reason="strace is not installed here, or may not trace")
def test_interrupting_keeps_what_was_read(tmp_path: Path) -> None:
    """Red: Ctrl-C on a recorded server loses the recording or leaves the server running."""
    server = "import signal; open('data', 'rb').read(); print('ready', flush=True); signal.pause()"
    code = (
        "import sys\nfrom pathlib import Path\nfrom unseat.tasks.cache.recorder import record\n"
        "recorded = record([sys.executable, '-I', '-c', sys.argv[1]], Path('out.csv'))\n"
        "print(recorded.status, recorded.requests)\n"
    )
    (tmp_path / "data").write_bytes(bytes(3 * 4096))
    source = str(Path(unseat.__file__).parents[1])
    with subprocess.Popen(
        [sys.executable, "-c", code, server],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": source},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        os.killpg(process.pid, signal.SIGINT)
        status, requests = process.stdout.read().split()
    assert status != "0" and int(requests) == len(open_trace(tmp_path / "out.csv"))
