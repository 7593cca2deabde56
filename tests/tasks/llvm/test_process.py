"""Tools as processes: nothing outlives what it was started for."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from tests.tasks.llvm import fake_compiler

from unseat.core.policy import DeadlineReached
from unseat.tasks.llvm.engine import process, reaper, workplace
from unseat.tasks.llvm.engine.execution import differs

HOST = """
import json, os, sys
from pathlib import Path
from unseat.tasks.llvm.engine import workplace
from unseat.tasks.llvm.engine.channel import Channel
from unseat.tasks.llvm.engine.process import Process
import psutil

with workplace.folder() as folder, Channel(folder) as channel:
    with Process([sys.executable, "-I", "-S", sys.argv[1], "hangs", str(channel.base)], folder) as fake:
        def begin(header):
            def answer(data):
                pids = [child.pid for child in psutil.Process().children(recursive=True)]
                print(json.dumps({"pids": pids, "folder": str(folder.parent)}), flush=True)
                return 1
            return answer
        channel.serve(fake, begin)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_process_that_is_killed_leaves_nothing(number: signal.Signals) -> None:
    """Red: a compiler, what it started or a temporary folder outlives the process that waited for it."""
    host = subprocess.Popen([sys.executable, "-c", HOST, str(fake_compiler.__file__)], stdout=subprocess.PIPE)
    assert host.stdout is not None
    told = json.loads(host.stdout.readline())
    left = [psutil.Process(pid) for pid in told["pids"]]
    assert len(left) >= 2 and Path(told["folder"]).is_dir()
    host.send_signal(number)
    host.wait()
    host.stdout.close()
    _, alive = psutil.wait_procs(left, timeout=60)
    assert not alive
    assert not Path(told["folder"]).exists()


def test_what_was_started_and_not_told_ends_too(tmp_path: Path) -> None:
    """Red: a compiler whose parent is killed before it can tell of it reads an empty pipe for ever."""
    (tmp_path / "work" / "deep").mkdir(parents=True)
    untold = subprocess.Popen(["sleep", "infinity"], cwd=tmp_path / "work" / "deep")
    other = subprocess.Popen(["sleep", "infinity"], cwd=tmp_path)
    try:
        subprocess.run([sys.executable, "-I", "-S", reaper.__file__, tmp_path / "work"], stdin=subprocess.DEVNULL,
                       check=True)  # fmt: skip
        assert untold.wait(60) == -signal.SIGKILL and other.poll() is None
        assert not (tmp_path / "work").exists()
    finally:
        for one in (untold, other):
            one.kill()
            one.wait()


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize(
    ("script", "fault"),
    [
        ("read x; printf '%s!' \"$x\"", ""),
        ("printf 'other\\nlines'", "line 1"),
        ("printf 'ab!'; exit 4", "exit code 4"),
        ("kill -SEGV $$", "SIGSEGV"),
        ("printf 'ab'", "line 1"),
        ("exec head -c 100000000 /dev/zero", "SIGXFSZ"),
    ],
)
def test_what_a_program_does_otherwise_is_told(script: str, fault: str, tmp_path: Path) -> None:
    """Red: a program that crashes, fails, prints something else or too much passes for the same program."""
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    with workplace.folder() as folder:
        found = differs(program, b"ab\n", b"ab!", folder)
    if fault:
        assert fault in found
    else:
        assert found == ""


@pytest.mark.usefixtures("nothing_left")
def test_a_tool_that_is_over_the_deadline_is_ended(tmp_path: Path) -> None:
    """Red: a deadline that has passed is waited out."""
    with pytest.raises(DeadlineReached):
        process.call(["cat", "/dev/zero"], tmp_path, deadline=0.0)


def test_no_variable_of_the_users_reaches_a_tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red: CPATH or the like changes what a compiler makes."""
    monkeypatch.setenv("CPATH", "/elsewhere")
    with (tmp_path / "out").open("wb") as out:
        process.call(["env"], tmp_path, stdout=out)
    assert "CPATH" not in (tmp_path / "out").read_text()
