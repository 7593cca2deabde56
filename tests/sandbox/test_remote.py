"""A stranger's policy behind `Remote` is an ordinary policy, and whatever it does is a failed run at worst."""

from __future__ import annotations

import gc
import time
from typing import Any

import numpy as np
import psutil
import pytest
from tests.tasks.cache.small import SmallCache

from unseat.core.outcome import Limits, Status
from unseat.core.policy import Policy, Session, View
from unseat.lab.attempt import attempt
from unseat.sandbox import Remote, bubblewrap
from unseat.sandbox.remote import decide_all

pytestmark = pytest.mark.skipif(bubblewrap.found() is None, reason=f"no bubblewrap here; {bubblewrap.INSTALL}")
LRU = """
import numpy as np
from unseat.core.policy import Policy, Session
class S(Session):
    def __init__(self, column):
        self.column, self.earned = column, 0.0
    def reward(self, amount):
        self.earned += amount
    def decide(self, features):
        return int(np.argmax(features[:, self.column]))
class P(Policy):
    name = "stranger"
    def __init__(self, column):
        self.column = column
    def start(self, view, seed):
        return S(self.column)
"""


class Here(Policy):
    """The same in this process."""

    name = "here"

    def start(self, view: View, seed: int) -> Session:
        class S(Session):
            def decide(self, observation: Any) -> Any:
                return int(np.argmax(observation[:, 0]))

        return S()


def test_it_decides_like_any_policy() -> None:
    """Red: behind the sandbox a policy decides otherwise, or does not come back from its artefact."""
    task = SmallCache()
    # The larger capacity: fewer questions.
    instance = next(one for one in task.instances() if one.id.endswith("20%"))
    remote = Remote("stranger", LRU, "P", {"column": 0}).artefact.restore()
    there = attempt(task, instance, remote, seed=0, limits=Limits())
    here = attempt(task, instance, Here(), seed=0, limits=Limits())
    assert there.status is Status.OK, there.message
    assert (there.value, there.decisions) == (here.value, here.decisions)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("return int(np.argmax(features[:, self.column]))", "return 99"), "not in Discrete"),
        (("return int(np.argmax(features[:, self.column]))", "return object()"), "WireError"),
        (("return int(np.argmax(features[:, self.column]))", "raise SystemExit"), "no answer"),
        (("return int(np.argmax(features[:, self.column]))", "import os; os._exit(0)"), "no answer"),
        (("return int(np.argmax(features[:, self.column]))", "import time; time.sleep(60)"), "did not answer"),
        (("return int(np.argmax(features[:, self.column]))", "return 'x' * 10**6"), "at most"),
        (("return int(np.argmax(features[:, self.column]))", "import os; os.write(4, b'y' * 99)"), "bytes"),
        (("return S(self.column)", "return open('/etc/passwd')"), "FileNotFoundError"),
        (("import numpy as np", "import nothing_like_this"), "no answer"),
    ],
)
def test_whatever_it_does(change: tuple[str, str], words: str) -> None:
    """Red: a stranger's policy stops the experiment, hangs it, or gets through with what is no answer."""
    task = SmallCache()
    limits = {"wall_s": 3.0, "output": 1000}
    remote = Remote("stranger", LRU.replace(*change), "P", {"column": 0}, limits)
    began = time.monotonic()
    outcome = attempt(task, next(iter(task.instances())), remote, seed=0, limits=Limits())
    assert outcome.status is Status.INVALID and words in outcome.message, outcome
    assert outcome.value == 1.0 and time.monotonic() - began < 50


LEARNER = """
from unseat.core.policy import Policy, Session
class S(Session):
    def __init__(self):
        self.seen, self.earned = 0, 0.0
    def learn(self, seen):
        self.seen = len(seen["ids"])
    def reward(self, amount):
        self.earned += amount
    def decide(self, features):
        return 3 if self.seen else 0
class P(Policy):
    name = "learner"
    def start(self, view, seed):
        return S()
"""


def test_what_it_listens_to_is_told() -> None:
    """Red: a session in the sandbox that learns is not told its past; or one that does not is."""
    from unseat.tasks.cache.problem import Seen

    view = View("evict", {"capacity": 4})
    learner, deaf = (
        Remote("learner", LEARNER, "P").start(view, 0),
        Remote("deaf", LRU, "P", {"column": 0}).start(view, 0),
    )
    assert type(learner).learn is not Session.learn and type(deaf).learn is Session.learn
    row = np.eye(4, dtype=np.float32)
    assert learner.decide(row) == 0
    learner.learn(Seen(np.arange(5, dtype=np.int32), np.empty(0, np.int64)))
    learner.reward(1.0)
    assert learner.decide(row) == 3


def test_lanes() -> None:
    """Red: lanes in lockstep get each other's answers, or sandboxes stay behind when their sessions are gone."""
    views = [View("evict", {"capacity": 4}) for _ in range(3)]
    sessions = Remote("stranger", LRU, "P", {"column": 0}).lanes(views, [0, 1, 2])
    seen = [np.eye(4, dtype=np.float32)[:, [lane]] for lane in range(3)]
    assert decide_all(sessions, seen) == [0, 1, 2]
    assert decide_all([sessions[2], sessions[0]], [seen[2], seen[0]]) == [2, 0]
    inside = [one for one in psutil.Process().children(recursive=True) if one.name() == "bwrap"]
    assert inside
    del sessions
    gc.collect()
    assert not psutil.wait_procs(inside, timeout=20)[1]
