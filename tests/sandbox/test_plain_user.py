"""The sandbox of a person who is not root: one user namespace, in which the same defences hold."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import unseat
from unseat.sandbox import bubblewrap

SCRIPT = """
import json
from unseat.sandbox import Cage, Job, Sandbox
FORKS = '''import os, time
def f():
    n = 0
    try:
        while n < 40:
            if os.fork() == 0:
                time.sleep(2)
                os._exit(0)
            n += 1
    except OSError:
        pass
    return n'''
CALLS = '''import ctypes, os
def f():
    libc = ctypes.CDLL(None)
    return [libc.mount(b"tmpfs", b"/usr", b"tmpfs", 0, None), libc.unshare(0x10000000), os.listdir("/tmp"),
            sorted(name for name in os.listdir("/proc") if name.isdigit()), sorted(os.listdir("/"))]'''
STATUS = ["/bin/sh", "-c", "grep -E 'Cap(Eff|Bnd)|NoNewPrivs' /proc/self/status; touch /tmp/left"]
with Sandbox(Cage(processes=12, memory=64 << 20)) as box:
    said = [box.run(job) for job in (Job("f", FORKS), Job(command=STATUS), Job("f", CALLS),
                                     Job("f", "def f():\\n    return len(bytearray(1 << 28))"))]
print(json.dumps([[str(one.end), one.value] for one in said]))
"""


@pytest.fixture
def said() -> Iterator[Any]:
    """What candidates say in a plain user's sandbox."""
    python = Path("/usr/bin/python3")
    if os.getuid() or bubblewrap.found() is None:
        pytest.skip("needs bubblewrap, and root to become another user; a plain user's own tests show the same")
    version = subprocess.run(
        [python, "-c", "import sys; print(*sys.version_info[:2])"], capture_output=True, check=False
    )
    if version.stdout.split() != [str(part).encode() for part in sys.version_info[:2]]:
        pytest.skip("the system's Python is not of this version")
    # Where the project lies may be closed to others.
    home = Path(tempfile.mkdtemp(dir="/var/tmp"))
    home.chmod(0o755)
    shutil.copytree(Path(unseat.__file__).parent, home / "unseat", ignore=shutil.ignore_patterns("*.xz", "__pycache__"))
    packages = [path for path in bubblewrap.path() if path.endswith("site-packages")]
    environment = {"PATH": os.environ["PATH"], "HOME": "/tmp", "PYTHONPATH": os.pathsep.join([str(home), *packages])}
    try:
        done = subprocess.run([python, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=False,
                              cwd="/", user=65534, group=65534, extra_groups=[])  # fmt: skip
        if "No module named" in done.stderr or "Permission denied" in done.stderr:
            pytest.skip("the packages here are closed to other users")
        assert done.returncode == 0, done.stderr
        yield json.loads(done.stdout)
    finally:
        shutil.rmtree(home)


def test_plain_user(said: Any) -> None:
    """Red: only root is safe from what it runs: without it a limit, the filter or a namespace is not there."""
    forks, status, calls, memory = said
    assert forks[0] == "ok" and 0 < forks[1] < 12
    lines = [line.split() for line in status[1].splitlines()]
    assert [int(value, 16) for name, value in lines if name.startswith("Cap")] == [0, 0]
    assert ["NoNewPrivs:", "1"] in lines
    mounted, left_namespaces, temporary, processes, root = calls[1]
    assert (mounted, left_namespaces, temporary, processes) == (-1, -1, [], ["1"])
    assert not {"etc", "home", "root"} & set(root)
    assert memory[0] != "ok"
