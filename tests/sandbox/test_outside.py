"""Why the scorer is outside: each of these gets through where a candidate runs in the scorer's own process."""

from __future__ import annotations

import gc
import pickle
import sys
import time
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from unseat.core.jit import jit
from unseat.sandbox import Cage, End, Ending, Job, Sandbox, bubblewrap
from unseat.sandbox.program import ProgramError, compiled

pytestmark = pytest.mark.skipif(bubblewrap.found() is None, reason=f"no bubblewrap here; {bubblewrap.INSTALL}")
ANSWER = 4711.25


class Checker(types.ModuleType):
    """The scorer's module, which a candidate can find by its name."""

    @staticmethod
    def right(given: Any, expected: Any) -> bool:
        """Whether an answer is right."""
        return bool(given == expected)


def naive(source: str) -> tuple[bool, float]:
    """What a scorer does that runs candidates itself: whether the answer was right, and how long it took."""
    expected = [ANSWER]
    scope: dict[str, Any] = {}
    real = time.perf_counter
    sys.modules["checker"] = Checker("checker")
    try:
        began = time.perf_counter()
        exec(source, scope)
        given = scope["f"]()
        seconds = time.perf_counter() - began
        return sys.modules["checker"].right(given, expected), seconds
    finally:
        time.perf_counter = real
        del sys.modules["checker"]


def apart(box: Sandbox, source: str) -> tuple[bool, float]:
    """What ours does: the same with the candidate in the sandbox."""
    ending = box.run(Job("f", source))
    return ending.end is End.OK and ending.value == [ANSWER], ending.wall_s


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    """One sandbox."""
    with Sandbox(Cage(wall_s=20)) as made:
        yield made


CHEATS = {
    "equals everything": "class E:\n    __eq__ = lambda self, other: True\ndef f():\n    return E()",
    "a list that equals everything": "class L(list):\n    __eq__ = lambda self, other: True\ndef f():\n    return L()",
    "a number that equals everything":
    "class F(float):\n    __eq__ = lambda self, other: True\ndef f():\n    return F(1)",
    "reads the answer in the caller's frame": "import sys\ndef f():\n    frame = sys._getframe()\n    while frame:\n"
    "        if 'expected' in frame.f_locals:\n            return frame.f_locals['expected']\n"
    "        frame = frame.f_back",
    "finds the answer among all objects": "import gc\ndef f():\n    return next(o for o in gc.get_objects()\n"
    "        if type(o) is list and len(o) == 1 and type(o[0]) is float and o[0] == 4700 + 11.25)",
    "patches the checker": "import sys\ndef f():\n    sys.modules['checker'].right = lambda given, expected: True",
    "replaces the checker": "import sys, types\ndef f():\n    sys.modules['checker'] = types.SimpleNamespace(\n"
    "        right=lambda given, expected: True)",
    "traces the checker": "import sys\ndef trace(frame, event, what):\n    if frame.f_code.co_name == 'right':\n"
    "        frame.f_locals['expected'][:] = [0]\n    return None\ndef f():\n    sys.settrace(trace)\n    return [0]",
}  # fmt: skip


@pytest.mark.parametrize("name", CHEATS)
def test_answers(box: Sandbox, name: str) -> None:
    """Red: a candidate that knows nothing passes the check; or the cheat is a dud."""
    gc.collect()
    try:
        assert naive(CHEATS[name])[0]
    finally:
        sys.settrace(None)
    assert not apart(box, CHEATS[name])[0]


def test_clock(box: Sandbox) -> None:
    """Red: a candidate that patches the clock is fast."""
    slow = "import time\ntime.perf_counter = lambda: 0.0\ndef f():\n    time.sleep(0.05)\n    return [4711.25]"
    assert naive(slow)[1] <= 0
    right, seconds = apart(box, slow)
    assert right and seconds >= 0.05


def test_pickle(box: Sandbox) -> None:
    """Red: an answer runs code in the scorer."""
    source = (
        "class P:\n    def __reduce__(self):\n        return exec, ('import sys; sys.unseat_was_here = True',)\n"
        "def f():\n    return P()"
    )
    scope: dict[str, Any] = {}
    exec(source, scope)
    pickle.loads(pickle.dumps(scope["f"]()))  # noqa: S301
    assert getattr(sys, "unseat_was_here", False)
    del sys.unseat_was_here  # type: ignore[attr-defined]
    ending: Ending = box.run(Job("f", source))
    assert ending.end is End.FAILED and not hasattr(sys, "unseat_was_here")


JIT_CHEAT = "def score(features):\n    features[16, 0] = 0.0\n    return 0.0\n"


def test_machine_code_that_writes_outside_its_array() -> None:
    """Red: a compiled candidate reaches the scorer's counts, which lie behind its features."""
    memory = np.ones((17, 3))
    features, misses = memory[:16], memory[16:]
    scope: dict[str, Any] = {}
    exec(JIT_CHEAT, scope)
    kernel: Callable[[Any], float] = scope["score"]
    # Without bounds checks, as every kernel is compiled; `cache=True` needs a file, so this one is told apart by name.
    jit.__globals__["numba"].njit(kernel)(features)
    assert misses[0, 0] == 0.0
    with pytest.raises(ProgramError):
        compiled(JIT_CHEAT, ("features",))
