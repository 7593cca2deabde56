"""The scorer's side of a candidate: hearing it out within its limits, and how it ended."""

from __future__ import annotations

import json
import os
import selectors
import socket
import time
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from unseat.core.errors import UnseatError
from unseat.sandbox.inside import wire
from unseat.sandbox.limits import Cage, Defence


class SandboxError(UnseatError):
    """The sandbox itself failed; no candidate's answer is known."""


class End(StrEnum):
    """How a candidate ended."""

    OK = "ok"
    FAILED = "failed"
    INVALID = "invalid"
    WALL = "wall"
    CPU = "cpu"
    MEMORY = "memory"
    OUTPUT = "output"


@dataclass(frozen=True)
class Ending:
    """How a candidate ended and what it said. Nothing in it is to be believed; it is data, and can do nothing.

    Attributes:
        end: How; measured outside.
        value: Its answer; None unless `end` is ok.
        text: What it printed, its errors too.
        wall_s: Seconds, by the clock outside.
        cpu_s: CPU seconds of its tree.
        memory: Most bytes that were seen.
        parent_s: CPU seconds of the warm parent so far, all candidates of its life together.
        message: One line for a person.
    """

    end: End
    value: Any = None
    text: str = ""
    wall_s: float = 0.0
    cpu_s: float = 0.0
    memory: int = 0
    parent_s: float = 0.0
    message: str = ""


class Listener:
    """Waits for a candidate's end: reads what it says up to the limit, and looks at the clock."""

    def __init__(
        self, control: socket.socket, answer: int, text: int, cage: Cage, on: frozenset[Defence], command: bool
    ) -> None:
        self.control, self.cage, self.command = control, cage, command
        self.most = cage.output if Defence.OUTPUT in on else 1 << 62
        self.wall = cage.wall_s if Defence.WALL in on else 1e6
        self.heard = {answer: bytearray(), text: bytearray()}
        self.answer, self.text = answer, text
        self.why: End | None = None

    def wait(self, patience: float) -> Ending:
        """The ending, once the warm parent has told of it.

        Raises:
            SandboxError: It does not, or is no more.
        """
        try:
            return self._heard_out(patience)
        except OSError as error:
            raise SandboxError(f"the sandbox has ended: {error}") from error

    def _heard_out(self, patience: float) -> Ending:
        began = time.monotonic()
        ask_at, give_up_at = began + self.wall, float("inf")
        with selectors.DefaultSelector() as selector:
            for each in (self.control.fileno(), *self.heard):
                selector.register(each, selectors.EVENT_READ)
            while True:
                now = time.monotonic()
                if now > give_up_at:
                    raise SandboxError("the sandbox does not answer")
                if give_up_at == float("inf") and (self.why or now > ask_at):
                    self.why = self.why or End.WALL
                    self.control.send(b"end")
                    give_up_at = now + patience
                ready = selector.select(max(0.0, min(ask_at, give_up_at) - now) if not self.why else 0.5)
                files = {key.fileobj for key, _ in ready}
                for each in self.heard.keys() & files:
                    if not self._read(each):
                        selector.unregister(each)
                if self.control.fileno() in files:
                    return self._ending(self.control.recv(1 << 16), time.monotonic() - began)

    def _read(self, pipe: int) -> bool:
        """Read once; False at the end."""
        told = os.read(pipe, 1 << 16)
        into = self.heard[pipe]
        if len(into) < self.most:
            into += told
        if len(into) >= self.most:
            self.why = self.why or End.OUTPUT
        return bool(told)

    def _ending(self, told: bytes, wall_s: float) -> Ending:
        if not told:
            raise SandboxError("the sandbox has ended")
        for pipe in self.heard:
            os.set_blocking(pipe, False)
            try:
                while self._read(pipe):
                    if self.why is End.OUTPUT:
                        break
            except BlockingIOError:
                pass  # something that outlived it holds the pipe; its words do not count
        report = json.loads(told)
        why, status = report["why"], report["status"]
        text = self.heard[self.text].decode(errors="replace")
        about = {"text": text, "wall_s": wall_s, **{key: report.get(key, 0) for key in ("cpu_s", "memory", "parent_s")}}
        if self.why or why in ("memory", "cpu"):
            end = self.why or End(why)
            return Ending(end, message=f"it was stopped: over its limit of {_LIMITS[end]}", **about)
        if status:
            last = text.strip().splitlines()[-1:] or [""]
            return Ending(End.FAILED, message=f"it ended with status {status}: {last[0]:.200}", **about)
        if self.command:
            return Ending(End.OK, text, **about)
        try:
            return Ending(End.OK, wire.decode(bytes(self.heard[self.answer])), **about)
        except wire.WireError as error:
            return Ending(End.INVALID, message=f"its answer cannot be read: {error}", **about)


_LIMITS = {End.WALL: "time", End.CPU: "CPU time", End.MEMORY: "memory", End.OUTPUT: "output"}


class Talk:
    """A candidate that answers message after message.

    Args:
        line: The socket to it.
        control: The socket to its warm parent.
        cage: Its limits; `wall_s` holds for one answer.
    """

    def __init__(self, line: socket.socket, control: socket.socket, cage: Cage) -> None:
        self.line, self.control, self.cage = line, control, cage
        line.settimeout(cage.wall_s)

    def ask(self, kind: str, content: Any) -> Any:
        """Send a message and wait for the answer, which is not to be believed.

        Raises:
            SandboxError: It gives none, in time, of the size allowed, that can be read; or it failed.
        """
        told = wire.encode({"kind": kind, "content": content})
        until = time.monotonic() + self.cage.wall_s
        try:
            self.line.sendall(len(told).to_bytes(8, "little") + told)
            size = int.from_bytes(self._read(8, until), "little")
            if size > self.cage.output:
                raise SandboxError(f"its answer has {size} bytes; at most {self.cage.output} are read")
            answer = wire.decode(self._read(size, until))
        except TimeoutError:
            raise SandboxError(f"it did not answer within {self.cage.wall_s:g} s") from None
        except (OSError, wire.WireError) as error:
            raise SandboxError(f"it gives no answer: {error}") from None
        if not isinstance(answer, dict) or answer.keys() != {"answer"}:
            said = answer.get("error") if isinstance(answer, dict) else None
            raise SandboxError(f"it failed: {said!s:.300}")
        return answer["answer"]

    def close(self) -> None:
        """End it, with all its processes."""
        if self.line.fileno() < 0:
            return
        self.line.close()
        try:
            self.control.send(b"end")
            self.control.recv(1 << 16)
        except OSError:
            pass  # the sandbox has ended

    def _read(self, size: int, until: float) -> bytes:
        parts, left = [], size
        while left:
            self.line.settimeout(max(until - time.monotonic(), 1e-3))
            part = self.line.recv(min(left, 1 << 20))
            if not part:
                raise OSError("it has ended")
            parts.append(part)
            left -= len(part)
        return b"".join(parts)
