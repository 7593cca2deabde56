"""The channel, with compilers that do what they should and with such that go wrong."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest
from tests.tasks.llvm import fake_compiler
from tests.tasks.llvm.fake_compiler import HEADER, NAMES, PAYLOAD

from unseat.core.outcome import Status
from unseat.core.policy import DeadlineReached, InvalidAnswer
from unseat.tasks.llvm.engine import process, workplace
from unseat.tasks.llvm.engine.channel import Answer, Channel, ChannelBroken, Header
from unseat.tasks.llvm.engine.process import Process, ToolError

pytestmark = pytest.mark.usefixtures("nothing_left")

BRIEF_S = 0.3
"""Silence after which a fake hangs. One that is slow to start is taken to hang too, which only `hangs` must do."""


def play(
    how: str, begin: Callable[[Header], Answer], folder: Path, *, deadline: float | None = None, silence_s: float = 60.0
) -> int:
    """Serve a fake compiler."""
    with Channel(folder) as channel:
        command = [sys.executable, "-I", "-S", str(fake_compiler.__file__), how, str(channel.base)]
        with Process(command, folder, deadline=deadline, silence_s=silence_s) as fake:
            return channel.serve(fake, begin)


def always(header: Header) -> Answer:
    return lambda data: 1


@pytest.mark.parametrize("how", ["talk", "leaves_a_child", "floods"])
def test_every_decision_comes_and_every_answer_arrives(how: str) -> None:
    """Red: a message in pieces is misread, an answer is lost, or what a compiler prints or leaves behind stops it."""
    seen: list[tuple[int, ...]] = []

    def begin(header: Header) -> Answer:
        assert [tensor.name for tensor in header.features] == list(NAMES)
        assert header.uniform == np.dtype(np.int64)

        def answer(data: bytes) -> int:
            seen.append(PAYLOAD.unpack(data))
            return 10 - len(seen)

        return answer

    with workplace.folder() as folder:
        assert play(how, begin, folder) == 3
        assert json.loads((folder / "heard").read_text()) == [9, 8, 7]
        gone(folder)
    assert seen == [(0, 0, 7), (1, -1, 7), (2, -2, 7)]


def gone(folder: Path) -> None:
    """What the fake has started ends with it."""
    if (folder / "child").exists():
        try:
            psutil.Process(int((folder / "child").read_text())).wait(60)
        except psutil.NoSuchProcess:
            return


@pytest.mark.parametrize(
    ("how", "error", "says"),
    [
        ("crashes", process.Crashed, "SIGABRT"),
        ("is_killed", process.Crashed, "SIGKILL"),
        ("fails", process.Failed, "exit code 3: error: out of registers"),
        ("dies_early", process.Failed, "exit code 1"),
        ("garbage", ChannelBroken, "no message"),
        ("garbage_later", ChannelBroken, "no message"),
        ("other_json", ChannelBroken, "no message"),
        ("a_list", ChannelBroken, "no message"),
        ("no_header", ChannelBroken, "no message"),
        ("wrong_header", ChannelBroken, "no header"),
        ("huge_header", ChannelBroken, "never asks"),
        ("wrong_length", ChannelBroken, "longer or shorter"),
        ("endless_line", ChannelBroken, "mebibytes"),
        ("closes_early", ChannelBroken, "amid a message"),
    ],
)
def test_a_compiler_that_goes_wrong_is_told_by_its_kind(how: str, error: type[ToolError], says: str) -> None:
    """Red: a fault hangs, passes for success or is taken for another one."""
    with workplace.folder() as folder:
        with pytest.raises(error, match=says) as raised:
            play(how, always, folder)
        assert raised.value.status is Status.CRASHED


@pytest.mark.parametrize("how", ["hangs", "hangs_at_the_end"])
def test_a_compiler_that_hangs_is_ended(how: str) -> None:
    """Red: we wait for ever, or a process of its own survives it."""
    with workplace.folder() as folder:
        with pytest.raises(process.Hung) as raised:
            play(how, always, folder, silence_s=BRIEF_S)
        assert raised.value.status is Status.TIMEOUT
        gone(folder)


def test_the_runs_deadline_ends_a_compiler_that_hangs() -> None:
    """Red: the deadline is not heeded while a compiler is at work, or is taken for the compiler's fault."""
    with workplace.folder() as folder, pytest.raises(DeadlineReached):
        play("hangs", always, folder, deadline=time.monotonic() + BRIEF_S)


@pytest.mark.parametrize("error", [InvalidAnswer("no"), ZeroDivisionError(), KeyboardInterrupt(), SystemExit()])
def test_what_a_policy_raises_passes_through(error: BaseException) -> None:
    """Red: a policy that fails leaves a compiler waiting, or its error is swallowed."""

    def begin(header: Header) -> Answer:
        def answer(data: bytes) -> int:
            raise error

        return answer

    with workplace.folder() as folder, pytest.raises(type(error)):
        play("talk", begin, folder)


def test_two_compilers_may_be_at_work_in_one_process() -> None:
    """Red: two channels get into each other's way."""
    with workplace.folder() as one, workplace.folder() as other:

        def within(header: Header) -> Answer:
            assert play("talk", always, other) == 3
            return lambda data: 0

        assert play("talk", within, one) == 3


def test_tensors_of_every_kind_are_split() -> None:
    """Red: shapes or types of a header are not heeded (those of the register allocator are not all alike)."""
    plain = {
        "features": [
            {"name": "mask", "type": "int64_t", "shape": [1, 3]},
            {"name": "weight", "type": "float", "shape": [1, 3]},
            {"name": "progress", "type": "float", "shape": [1]},
        ],
        "advice": HEADER["advice"],
    }
    header = Header.parse(json.dumps(plain).encode())
    assert header.uniform is None
    mask, weight = np.arange(3), np.linspace(0, 1, 3, dtype=np.float32)
    data = mask.tobytes() + weight.tobytes() + np.float32(0.5).tobytes()
    assert header.nbytes == len(data)
    tensors = header.split(data)
    assert tensors["mask"].tolist() == [[0, 1, 2]] and tensors["weight"].tolist() == [[0, 0.5, 1]]
    assert tensors["progress"].tolist() == [0.5]
