"""Every attack fails, and each would succeed if its one defence were off."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.sandbox.attacks import ATTACKS, Attack, preceding

import unseat
from unseat.sandbox import Cage, Defence, End, Ending, Job, Sandbox, SandboxError, bubblewrap, seccomp

pytestmark = pytest.mark.skipif(bubblewrap.found() is None, reason=f"no bubblewrap here; {bubblewrap.INSTALL}")
KEY = "sk-not-a-key"
CAGE = Cage(wall_s=20, cpu_s=0.3, memory=64 << 20, processes=12, temporary=8 << 20, file_bytes=4 << 20, output=1 << 20)
SHORT = replace(CAGE, wall_s=0.6)
"""For attacks that wait; a busy machine must not look like a defence where something else is tested."""
SLEEP = "4711.25"


def answer_datagrams(server: socket.socket) -> None:
    """Give one ``y`` for each datagram, until the socket is closed."""
    while True:
        try:
            _, whom = server.recvfrom(9)
            server.sendto(b"y", whom)
        except OSError:
            return


@pytest.fixture(scope="module")
def servers() -> Iterator[Mapping[str, Any]]:
    """What listens on this machine."""
    abstract = f"unseat-{os.getpid()}"
    with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp, socket.socket(socket.AF_UNIX) as unix:
        for server in (tcp, udp):
            server.bind(("127.0.0.1", 0))
        unix.bind("\0" + abstract)
        tcp.listen()
        unix.listen()
        thread = threading.Thread(target=answer_datagrams, args=(udp,), daemon=True)
        thread.start()
        yield {"port": tcp.getsockname()[1], "udp": udp.getsockname()[1], "abstract": abstract}


@pytest.fixture(scope="module")
def facts(servers: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """What an attacker may know; the folder `open` may be written to by all, and can be read in the sandbox."""
    # Not under /tmp, which every candidate has for itself.
    home = Path(tempfile.mkdtemp(dir="/var/tmp"))
    home.chmod(0o755)
    folder = home / "open"
    folder.mkdir()
    folder.chmod(0o777)
    for name in ("victim", "renamed", "linked to", "score"):
        (folder / name).write_text("1")
        (folder / name).chmod(0o666)
    (folder / "private").write_text("private")
    (folder / "private").chmod(0o600)
    (home / "secret").write_text("secret")
    package = Path(unseat.__file__).parent
    patch = pytest.MonkeyPatch()
    patch.setenv("OPENAI_API_KEY", KEY)
    yield {"key": KEY, "secret": str(home / "secret"), "open": str(folder), "package": str(package), "sleep": SLEEP,
           "test set": str(package / "tasks/cache/embedded/postgres-star.packed.xz"), **servers}  # fmt: skip
    patch.undo()
    shutil.rmtree(home)


def survivors() -> list[psutil.Process]:
    """Processes that an attack left behind."""
    return [one for one in psutil.process_iter(["cmdline"]) if SLEEP in (one.info["cmdline"] or [])]


@pytest.fixture(scope="module")
def whole(facts: dict[str, Any]) -> Iterator[Sandbox]:
    """One sandbox with all its defences, which has to withstand every attack, one after the other."""
    with Sandbox(CAGE, readable=[Path(facts["open"])]) as box:
        yield box


def succeeds(attack: Attack, facts: dict[str, Any], box: Sandbox) -> bool:
    """Whether an attack gets through."""
    cage = SHORT if attack.defence is Defence.WALL or attack.seen else CAGE
    try:
        if attack.first:
            box.run(Job("attack", preceding(attack), {"facts": facts}))
        ending = box.run(Job("attack", attack.source, {"facts": facts}), cage)
    except SandboxError:
        return True
    if not attack.seen:
        return ending.end is End.OK and bool(ending.value)
    return outside(box, ending)


def gets_through(attack: Attack, facts: dict[str, Any], off: frozenset[Defence]) -> bool:
    """Whether an attack gets through in a new sandbox of which some defences are off."""
    with Sandbox(CAGE, readable=[Path(facts["open"])], off=off) as box:
        box.patience = 2.0
        return succeeds(attack, facts, box)


def outside(box: Sandbox, ending: Ending) -> bool:
    """What an attack did that it cannot tell of: a process left, a forged ending, a sandbox that is no more."""
    left = survivors()
    for one in left:
        one.kill()
    if left or ending.memory == 4711:
        return True
    return bool(box.run(Job("f", "def f():\n    return 1")).value != 1)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_attack(attack: Attack, facts: dict[str, Any], whole: Sandbox) -> None:
    """Red: a candidate gets through a defence; or the attack is a dud, which proves nothing."""
    if attack.defence is Defence.CALLS and not seccomp.program():
        pytest.skip("no libseccomp here; apt-get install libseccomp2")
    if Defence.UNPRIVILEGED in {attack.defence, *attack.without} and os.getuid():
        pytest.skip("as a plain user, a candidate's user is the same in any case")
    assert not succeeds(attack, facts, whole)
    assert whole.run(Job("f", "def f():\n    return 1")).value == 1
    if attack.without:
        assert not gets_through(attack, facts, attack.without)
    assert gets_through(attack, facts, attack.without | {attack.defence})


def test_there_are_forty() -> None:
    """Red: attacks were lost."""
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS) >= 40
