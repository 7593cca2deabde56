"""Sandboxes and pools: what goes in comes out, what goes wrong is an ending, and nothing stays behind."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from unseat.core.errors import UserError
from unseat.sandbox import Cage, End, Job, Pool, Sandbox, SandboxError, bubblewrap

needs = pytest.mark.skipif(bubblewrap.found() is None, reason=f"no bubblewrap here; {bubblewrap.INSTALL}")
ADD = "def f(a, b):\n    return {'sum': a + b, 'first': a[:1]}"


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    """One sandbox for all tests that do not break it."""
    with Sandbox(Cage(wall_s=20, output=1 << 16)) as made:
        yield made


@needs
def test_arrays_and_shared_values(box: Sandbox) -> None:
    """Red: arrays are garbled on the way, or a candidate's change of what is shared reaches the next."""
    box.share({"b": np.arange(3.0)})
    job = Job("f", ADD + "\ndef g(a, b):\n    b += 1\n    return f(a, b)", {"a": np.ones(3)}, {"b": "b"})
    ending = box.run(job)
    assert ending.end is End.OK, ending
    assert np.array_equal(ending.value["sum"], [1, 2, 3])
    box.run(Job("g", job.source, job.arguments, job.shared))
    assert np.array_equal(box.run(job).value["sum"], [1, 2, 3])


@needs
@pytest.mark.parametrize(
    ("source", "end", "words"),
    [
        ("def f():\n    return 1/0", End.FAILED, "ZeroDivisionError"),
        ("def f(:", End.FAILED, "SyntaxError"),
        ("def g():\n    pass", End.FAILED, "KeyError"),
        ("def f():\n    return object()", End.FAILED, "WireError"),
        ("import os\ndef f():\n    os.write(4, b'x' * 30)\n    os._exit(0)", End.INVALID, "cannot be read"),
        ("import os\ndef f():\n    os._exit(0)", End.INVALID, "cannot be read"),
        ("import os\ndef f():\n    os.abort()", End.FAILED, "status -"),
        ("def f():\n    return 'x' * 100000", End.OUTPUT, "output"),
        ("def f():\n    x = []\n    x.append(x)\n    return x", End.FAILED, "WireError"),
    ],
)
def test_what_goes_wrong_is_an_ending(box: Sandbox, source: str, end: End, words: str) -> None:
    """Red: a bad candidate ends the search, or looks like a good one."""
    ending = box.run(Job("f", source))
    assert ending.end is end and ending.value is None
    assert words in ending.message


@needs
def test_a_command(box: Sandbox) -> None:
    """Red: programs that are no Python cannot be run."""
    ending = box.run(Job(command=["/bin/sh", "-c", "echo $WORD; id -u"], environment={"WORD": "here"}))
    assert ending.end is End.OK and ending.value.startswith("here\n")
    if os.getuid() == 0:
        assert int(ending.value.split()[1]) != 0


@needs
def test_killed_from_outside() -> None:
    """Red: when the warm parent is killed the scorer hangs, or the sandbox is not there for the next candidate."""
    with Sandbox() as box:
        box.share({"b": 2})
        assert box._process is not None
        for child in psutil.Process(box._process.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):  # the first one takes the others along
                child.kill()
        with pytest.raises(SandboxError):
            box.run(Job("f", "def f(b):\n    return b", shared={"b": "b"}))
        assert box.run(Job("f", "def f(b):\n    return b", shared={"b": "b"})).value == 2


@needs
def test_nothing_outlives_the_scorer(tmp_path: Path) -> None:
    """Red: a search that is killed leaves sandboxes running."""
    code = (
        "import sys\nfrom unseat.sandbox import Sandbox, Job\nbox = Sandbox()\nprint(box._process.pid, flush=True)\n"
        "box.run(Job('f', 'import time\\ndef f():\\n    time.sleep(60)'))"
    )
    scorer = psutil.Popen([os.path.realpath("/proc/self/exe"), "-c", code], stdout=-1, env={
        **os.environ, "PYTHONPATH": ":".join(bubblewrap.path())})  # fmt: skip
    pid = int(scorer.stdout.readline())
    wrapped = psutil.Process(pid)
    everything = [wrapped, *wrapped.children(recursive=True)]
    os.kill(scorer.pid, signal.SIGKILL)
    scorer.wait()
    _, alive = psutil.wait_procs(everything, timeout=20)
    assert not [one for one in alive if one.status() != psutil.STATUS_ZOMBIE]


@needs
def test_pool_keeps_the_order() -> None:
    """Red: an answer is put down to another candidate."""
    with Pool(2) as pool:
        pool.share({"b": 10})
        jobs = [Job("f", "def f(a, b):\n    return a + b", {"a": a}, {"b": "b"}) for a in range(12)]
        assert [ending.value for ending in pool.map(jobs)] == [a + 10 for a in range(12)]


@needs
def test_leaves_no_descriptors(box: Sandbox) -> None:
    """Red: a long search runs out of descriptors."""
    box.run(Job("f", "def f():\n    return 1"))
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    for _ in range(5):
        box.run(Job("f", "def f():\n    return 1"))
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_refuses_without_bubblewrap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Red: code that nobody has read runs unconfined, without anybody having said so."""
    bubblewrap.found.cache_clear()
    monkeypatch.setenv("PATH", "/nowhere")
    try:
        with pytest.raises(UserError, match=r"bubblewrap.*--trust.*your files"):
            Sandbox()
        with Sandbox(trust=True) as box:
            assert box.run(Job("f", "def f():\n    return 1")).value == 1
            began = time.monotonic()
            slow = box.run(Job("f", "import time\ndef f():\n    time.sleep(60)"), Cage(wall_s=0.3))
            assert slow.end is End.WALL and time.monotonic() - began < 60
    finally:
        bubblewrap.found.cache_clear()


def test_limits_are_checked() -> None:
    """Red: a limit of zero is taken for none."""
    with pytest.raises(ValueError, match="memory"):
        Cage(memory=0)
