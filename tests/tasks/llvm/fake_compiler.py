"""What stands in for a compiler, and goes wrong: ``python -I -S fake_compiler.py HOW BASE``."""

from __future__ import annotations

import json
import os
import signal
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

NAMES = ("first", "second", "third")
HEADER = {
    "features": [{"name": name, "type": "int64_t", "port": 0, "shape": [1]} for name in NAMES],
    "advice": {"name": "decision", "type": "int64_t", "port": 0, "shape": [1]},
}
PAYLOAD = struct.Struct("<3q")


def header() -> bytes:
    """The first line."""
    return json.dumps(HEADER).encode() + b"\n"


def observation(number: int) -> bytes:
    """A whole decision."""
    return b'{"observation":%d}\n' % number + PAYLOAD.pack(number, -number, 7) + b"\n"


class Pipes:
    """The compiler's ends."""

    def __init__(self, base: str) -> None:
        self.questions = os.open(f"{base}.out", os.O_WRONLY)
        self.answers = os.open(f"{base}.in", os.O_RDONLY)

    def say(self, data: bytes) -> None:
        """Send bytes."""
        while data:
            data = data[os.write(self.questions, data) :]

    def hear(self) -> int:
        """Wait for an answer."""
        got = b""
        while len(got) < 8:
            got += os.read(self.answers, 8 - len(got))
        return int(struct.unpack("<q", got)[0])


def talk(pipes: Pipes) -> None:
    """As it should be, with context lines between, and a message in two pieces."""
    pipes.say(header() + b'{"context":"f"}\n')
    heard = []
    for number in range(3):
        data = observation(number)
        pipes.say(data[:5])
        pipes.say(data[5:])
        heard.append(pipes.hear())
    Path("heard").write_text(json.dumps(heard))


def child() -> int:
    """Leaves a process behind that keeps everything open which it inherits."""
    left = subprocess.Popen([sys.executable, "-I", "-S", "-c", "import signal; signal.pause()"], close_fds=False)
    Path("child").write_text(str(left.pid))
    return left.pid


def hang() -> None:
    """For ever, whatever is asked nicely."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        signal.pause()


def leaves_a_child(pipes: Pipes) -> None:
    talk(pipes)
    child()


def floods(pipes: Pipes) -> None:
    os.write(2, b"error: what it says first\n")
    for _ in range(100):
        os.write(2, bytes(100_000))
    talk(pipes)


def crashes(pipes: Pipes) -> None:
    pipes.say(header() + observation(0))
    pipes.hear()
    os.abort()


def is_killed(pipes: Pipes) -> None:
    pipes.say(header() + observation(0))
    os.kill(os.getpid(), signal.SIGKILL)


def fails(pipes: Pipes) -> None:
    os.write(2, b"note: nothing\nerror: out of registers\n")
    sys.exit(3)


def hangs(pipes: Pipes) -> None:
    pipes.say(header() + observation(0))
    child()
    hang()


def hangs_at_the_end(pipes: Pipes) -> None:
    talk(pipes)
    os.close(pipes.questions)
    os.close(2)
    hang()


def garbage(pipes: Pipes) -> None:
    pipes.say(bytes(range(256)) * 1000)


def garbage_later(pipes: Pipes) -> None:
    pipes.say(header() + observation(0))
    pipes.hear()
    pipes.say(b"\x00" * 40)
    hang()


def other_json(pipes: Pipes) -> None:
    pipes.say(b'{"something": "else"}\n')
    hang()


def a_list(pipes: Pipes) -> None:
    pipes.say(b"{}[]\n")
    hang()


def no_header(pipes: Pipes) -> None:
    pipes.say(observation(0))
    hang()


def wrong_header(pipes: Pipes) -> None:
    pipes.say(header().replace(b"int64_t", b"string"))
    hang()


def huge_header(pipes: Pipes) -> None:
    pipes.say(header().replace(b"[1]", b"[1048576]", 1))
    hang()


def wrong_length(pipes: Pipes) -> None:
    pipes.say(header() + observation(0)[:-1] + bytes(64))
    hang()


def endless_line(pipes: Pipes) -> None:
    pipes.say(b"{")
    while True:
        pipes.say(b'"' * 65536)


def closes_early(pipes: Pipes) -> None:
    pipes.say(header() + observation(0)[:20])


def dies_early(pipes: Pipes) -> None:
    """Never gets here: `main` leaves before the pipes are opened."""


HOW: dict[str, Callable[[Pipes], None]] = {
    name: function
    for name, function in list(globals().items())
    if callable(function) and getattr(function, "__annotations__", {}).get("pipes") == "Pipes"
}


def main() -> None:
    """Go wrong in the way that is asked for."""
    if sys.argv[1] == "dies_early":
        sys.exit(1)
    HOW[sys.argv[1]](Pipes(sys.argv[2]))


if __name__ == "__main__":
    main()
