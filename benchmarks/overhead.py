"""What the platform itself costs: outcomes a second through the ledger for runs that do nothing, and the start.

Run it with ``python benchmarks/overhead.py``; it prints both figures and exits with 1 where one is missed.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from unseat.core.card import Card
from unseat.core.learner import Contender, Role
from unseat.core.outcome import Limits, Outcome
from unseat.core.policy import Form, Policy, Question, Session, View
from unseat.core.task import Instance, Objective, Task
from unseat.lab.evaluate import evaluate

INSTANCES = 2000
WANTED_A_SECOND = 500.0
WANTED_START_S = 0.3
STARTS = 5
COMMAND = "from unseat.cli import main; main()"  # what the installed script does


@dataclass(frozen=True)
class Nothing(Policy):
    """Is never asked."""

    name: str
    number: int

    def start(self, view: View, seed: int) -> Session:
        """Begin nothing."""
        return Session()


class NothingTask(Task):
    """A task whose runs do nothing."""

    objective = Objective("nothing", "", worst=lambda problem, limits: 1.0)
    forms = frozenset({Form.DECIDE})
    card = Card(id="nothing", version=0, title="nothing?", system="none", problem="none", summary="Does nothing.",
                measured="not at all", repeatability="exact", min_headroom=0)  # fmt: skip

    @property
    def questions(self) -> Mapping[str, Question]:
        """None is ever asked."""
        return {"nothing": Question("nothing?")}

    def instances(self) -> Sequence[Instance]:
        """Many."""
        return [Instance(f"i{number}", f"g{number % 10}", "test", suites=frozenset({"quick"}))
                for number in range(INSTANCES)]  # fmt: skip

    def instance(self, name: str) -> Instance:
        """Found without a search, which would be the task's cost and not the platform's."""
        number = int(name[1:])
        return Instance(name, f"g{number % 10}", "test", suites=frozenset({"quick"}))

    def load(self, instance: Instance) -> None:
        """There is nothing to load."""

    def run(self, problem: object, policy: Policy, *, seed: int, limits: Limits) -> Outcome:
        """Do nothing."""
        return Outcome(0.5)

    def contenders(self) -> Mapping[str, Contender]:
        """Two policies."""
        return {name: Contender(name, Role.INCUMBENT, lambda name=name, number=number: Nothing(name, number))  # type: ignore[misc]
                for number, name in enumerate(("first", "second"))}  # fmt: skip


def outcomes_a_second() -> float:
    """Outcomes a second of a whole experiment with one child process, its start included."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        results = evaluate("overhead:NothingTask", ledger=str(Path(folder) / "ledger.db"))
        return len(results.runs) / (time.perf_counter() - began)


def start_s() -> float:
    """The quickest of several starts of ``unseat --help``, in seconds."""
    times = []
    for _ in range(STARTS):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", COMMAND, "--help"], check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - began)
    return min(times)


def main() -> int:
    """Measure, print, and say whether both figures were reached."""
    rate, start = outcomes_a_second(), start_s()
    print(f"outcomes a second through the ledger: {rate:.0f} (wanted: at least {WANTED_A_SECOND:.0f})")
    print(f"start of `unseat --help`: {start:.3f} s (wanted: under {WANTED_START_S} s)")
    return 0 if rate >= WANTED_A_SECOND and start < WANTED_START_S else 1


if __name__ == "__main__":
    sys.exit(main())
