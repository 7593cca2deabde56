"""LLVM's interactive channel: the compiler sends what it sees over a named pipe, and waits for the answer on another.

The compiler writes a line of JSON that describes the tensors, then for every decision a line of JSON and the tensors'
bytes; lines that name a context come between. The answer is the bytes of one tensor. See `InteractiveModelRunner` and
`TrainingLogger` in LLVM's `Analysis` library.
"""

from __future__ import annotations

import json
import math
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from unseat.tasks.llvm.engine.process import Process, ToolError

TYPES = {
    "float": np.float32, "double": np.float64, "int8_t": np.int8, "uint8_t": np.uint8, "int16_t": np.int16,
    "uint16_t": np.uint16, "int32_t": np.int32, "uint32_t": np.uint32, "int64_t": np.int64, "uint64_t": np.uint64,
}  # fmt: skip
"""LLVM's names of types."""

Answer = Callable[[bytes], int]
"""From the tensors of a decision, one after the other as they came, to the answer."""

_LONGEST = 1 << 20
_OBSERVATION = b'{"observation"'
_NEWLINE = 10


class ChannelBroken(ToolError):
    """What came over the channel is not what LLVM sends."""


@dataclass(frozen=True)
class Tensor:
    """A tensor as the compiler describes it."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]

    @property
    def nbytes(self) -> int:
        """Its bytes."""
        return math.prod(self.shape) * self.dtype.itemsize

    @classmethod
    def of(cls, plain: Any) -> Tensor:
        """From the header's JSON; raises KeyError, TypeError or ValueError where it is none."""
        shape = tuple(int(length) for length in plain["shape"])
        if not all(0 < length <= _LONGEST for length in shape):
            raise ValueError(f"a shape of {shape}")
        return cls(str(plain["name"]), np.dtype(TYPES[plain["type"]]).newbyteorder("<"), shape)


@dataclass(frozen=True)
class Header:
    """What the compiler will send with every decision, and what it wants back."""

    features: tuple[Tensor, ...]
    advice: Tensor

    @property
    def nbytes(self) -> int:
        """Bytes of a decision."""
        return sum(tensor.nbytes for tensor in self.features)

    @property
    def uniform(self) -> np.dtype[Any] | None:
        """The type of all features where each is a single number of that type, so that they are one array."""
        kinds = {(tensor.dtype, math.prod(tensor.shape)) for tensor in self.features}
        return next(iter(kinds))[0] if len(kinds) == 1 and next(iter(kinds))[1] == 1 else None

    def split(self, data: bytes) -> dict[str, NDArray[Any]]:
        """A decision's tensors by name; they are read-only views of `data`."""
        tensors, at = {}, 0
        for tensor in self.features:
            flat = np.frombuffer(data, tensor.dtype, math.prod(tensor.shape), at)
            tensors[tensor.name] = flat.reshape(tensor.shape)
            at += tensor.nbytes
        return tensors

    @classmethod
    def parse(cls, line: bytes) -> Header:
        """Read the first line.

        Raises:
            ChannelBroken: It is no header, or one of more than a mebibyte a decision.
        """
        plain = _json(line)
        try:
            made = cls(tuple(map(Tensor.of, plain["features"])), Tensor.of(plain["advice"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ChannelBroken(f"no header of LLVM's: {line[:80]!r} ({error})") from error
        if not made.features or made.nbytes > _LONGEST or made.advice.shape != (1,) or made.advice.dtype.kind != "i":
            raise ChannelBroken(f"a header that asks for what LLVM never asks: {line[:80]!r}")
        return made


class Channel:
    """Two named pipes; to be used in a ``with``.

    Args:
        folder: Where they are made.
    """

    def __init__(self, folder: Path) -> None:
        self.base = folder / "channel"
        paths = [f"{self.base}.{end}" for end in ("out", "in")]
        for path in paths:
            os.mkfifo(path, 0o600)
        # Open for both directions: nothing blocks, here or there, whoever opens first or never, and no write can find
        # the pipe without a reader. That the compiler has gone is told by its process.
        self._questions, self._answers = (os.open(path, os.O_RDWR | os.O_NONBLOCK) for path in paths)
        self._header: Header | None = None
        self._came = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for descriptor in (self._questions, self._answers):
            os.close(descriptor)
        for end in ("out", "in"):
            Path(f"{self.base}.{end}").unlink(missing_ok=True)

    def serve(self, process: Process, begin: Callable[[Header], Answer]) -> int:
        """Answer the compiler until it asks no more, and see that it ended well.

        Args:
            process: The compiler, which was started with this channel's `base`.
            begin: Gets the header, and gives who answers. What either raises passes through.

        Returns:
            How many decisions it asked for.

        Raises:
            ChannelBroken: Something else came than what LLVM sends.
            ToolError: As `Process.finish`.
            DeadlineReached: The run's time is up.
        """
        process.watch(self._questions)
        decisions, pack = 0, _PACKERS[np.dtype(np.int64).char]
        answer: Answer = _unasked
        while (data := self._next(process)) is not None:
            if isinstance(data, Header):
                answer, pack = begin(data), _PACKERS[data.advice.dtype.char]
                continue
            try:
                os.write(self._answers, pack(answer(data)))
            except BlockingIOError as error:
                raise ChannelBroken(f"{process.name} asks and reads no answers") from error
            decisions += 1
        process.finish()
        if self._came:
            raise ChannelBroken(f"{process.name} ended amid a message of the channel")
        return decisions

    def _next(self, process: Process) -> bytes | Header | None:
        """The next decision's bytes, or a header; None when there will be no more."""
        while True:
            came = self._came
            if came.startswith(_OBSERVATION) and self._header is not None:
                begin = came.find(b"\n") + 1
                end = begin + self._header.nbytes
                if begin and len(came) > end:
                    if came[end] != _NEWLINE:
                        raise ChannelBroken("a decision is longer or shorter than the header says")
                    self._came = came[end + 1 :]
                    return came[begin:end]
            elif b"\n" in came:
                line, _, self._came = came.partition(b"\n")
                if self._take(line):
                    return self._header
                continue
            elif came and not came.startswith(b"{"):
                raise ChannelBroken(f"no message of LLVM's: {came[:80]!r}")
            if len(came) > 2 * _LONGEST:
                raise ChannelBroken("a message of more than two mebibytes")
            more = self._read(process)
            if not more:
                return None
            self._came += more

    def _take(self, line: bytes) -> bool:
        """Take a line that is no decision; whether it is a header."""
        plain = _json(line)
        if "features" in plain:
            self._header = Header.parse(line)
            return True
        if self._header is None or not ("context" in plain or "outcome" in plain):
            raise ChannelBroken(f"no message of LLVM's: {line[:80]!r}")
        return False

    def _read(self, process: Process) -> bytes:
        """What has come, after a wait; nothing when the compiler has ended and all is read."""
        while True:
            working = process.wait()
            try:
                return os.read(self._questions, 1 << 16)
            except BlockingIOError:
                if not working:
                    return b""


_PACKERS: dict[str, Callable[[int], bytes]] = {
    np.dtype(kind).char: struct.Struct("<" + code).pack
    for kind, code in ((np.int8, "b"), (np.int16, "h"), (np.int32, "i"), (np.int64, "q"))
}


def _unasked(data: bytes) -> int:
    raise ChannelBroken("a decision came before the header")


def _json(line: bytes) -> dict[str, Any]:
    try:
        plain = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ChannelBroken(f"no message of LLVM's: {line[:80]!r}") from error
    if not isinstance(plain, dict):
        raise ChannelBroken(f"no message of LLVM's: {line[:80]!r}")
    return plain
