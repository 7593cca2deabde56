"""What a policy reports while it runs: copied and stamped as it comes, and in a file, so that it survives a kill."""

from __future__ import annotations

import json
import os
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, Self, cast

from numpy.typing import NDArray

from unseat.core.answers import from_plain, to_plain
from unseat.core.outcome import Limits
from unseat.core.policy import Artefact, InvalidAnswer, Policy, Session, View

MOST = 10_000
"""Answers that are kept of one run: each is scored, and a run must not keep the scorer busy for ever.

Of more than so many the newest takes the place of the last: a solver that gets better all the time loses nothing.
"""
_HEAD = struct.Struct("<dQ")


class Reports:
    """The answers of one run as they are reported, each with the second since its clock began.

    An answer is kept as bytes, so that what a policy does to it afterwards does not matter.

    Args:
        path: A file that gets each report as it comes, for whoever finds the run's process killed.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.kept: list[tuple[float, bytes]] = []
        self.closed = False
        self._began, self._path, self._lock = time.monotonic(), path, threading.Lock()
        self._file: BinaryIO | None = None
        self._last = 0

    def begin(self) -> None:
        """The clock begins."""
        self._began = time.monotonic()

    def add(self, answer: Any) -> None:
        """Take an answer, unless the clock has stopped; a thread of the policy may call this too.

        Raises:
            InvalidAnswer: It is not JSON with arrays.
        """
        second = time.monotonic() - self._began
        data = _to_bytes(answer)
        with self._lock:
            if self.closed:
                return
            full = len(self.kept) == MOST
            self.kept[MOST - 1 :] = [(second, data)]
            if self._path is None:
                return
            self._file = self._file or self._path.open("ab")
            if full:
                self._file.truncate(self._last)
            else:
                self._last = self._file.tell()
            self._file.write(_HEAD.pack(second, len(data)) + data)
            self._file.flush()

    def close(self) -> None:
        """The clock has stopped: what comes now is too late. Takes no lock, for a signal handler may call it."""
        self.closed = True

    def in_time(self, limits: Limits) -> tuple[list[tuple[float, bytes]], bool]:
        """What was reported in time, oldest first, for `answer_of`; and whether something came too late."""
        most = limits.wall_s or float("inf")
        return [(at, data) for at, data in self.kept if at <= most], any(at > most for at, _ in self.kept)

    @classmethod
    def read(cls, path: Path) -> Self:
        """What a run that was killed has left in its file; a report that was cut short is none."""
        made = cls()
        made.close()
        # The policy had this file in its hands. What is no plain file, such as a pipe, might never end.
        if not path.is_file():
            return made
        with path.open("rb") as file:
            whole = os.fstat(file.fileno()).st_size
            while len(made.kept) < MOST and len(head := file.read(_HEAD.size)) == _HEAD.size:
                second, size = _HEAD.unpack(head)
                if file.tell() + size > whole:
                    break
                made.kept.append((second, file.read(size)))
        return made


class Heard(Policy):
    """A policy whose reports are heard: all else is the policy's own."""

    def __init__(self, inner: Policy, hear: Callable[[Any], None]) -> None:
        self.inner, self.hear, self.name, self.questions = inner, hear, inner.name, inner.questions
        cast(Any, self).form = inner.form

    def start(self, view: View, seed: int) -> Session:
        """Start the policy, and hear what it reports."""
        view.listener = self.hear
        return self.inner.start(view, seed)

    @property
    def artefact(self) -> Artefact:
        """The policy's own."""
        return self.inner.artefact


def _to_bytes(answer: Any) -> bytes:
    from safetensors import SafetensorError
    from safetensors.numpy import save

    arrays: dict[str, NDArray[Any]] = {}
    try:
        plain = json.dumps(to_plain(answer, arrays))
        return save(arrays, {"answer": plain})
    except (ValueError, RecursionError, SafetensorError) as error:
        raise InvalidAnswer(f"an answer is JSON and arrays of numbers: {error}") from error


def answer_of(data: bytes) -> Any:
    """A report as the answer that it was, a new one on each call."""
    from safetensors.numpy import load

    size = int.from_bytes(data[:8], "little")
    plain = json.loads(data[8 : 8 + size])["__metadata__"]["answer"]
    return from_plain(json.loads(plain), load(data))
