"""What choosing evictions gains on programs that nobody learned from, beside LLVM's greedy heuristic, 95% intervals.

    python -m benchmarks.regalloc_gain [--of corpus|projects] [--split test] [--jobs 1] [--search 0]

Every program of the corpus's split, or every real project (`UNSEAT_DATA` or `unseat data fetch inline`), module by
module and put together. Printed for each contender: the ratio of its mean size to LLVM's (hierarchical bootstrap over
programs), on how many instances it loses, and the ratio of instructions executed where they are counted (geometric
mean). Then how many objects `greedy-weight` makes as LLVM does, to the byte, of those in which anything is asked. With
`--search N` each module is compiled N times more, from the best known answers with one of them changed at random: what
choosing with hindsight would gain, which no policy of a question at a time can.
Exit status 1 where no challenger is at least 0.3% smaller.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from benchmarks.telling import teller

import unseat
from unseat.core.learner import Role
from unseat.core.policy import Asker, Session, View
from unseat.core.task import Instance
from unseat.lab.ledger import Ledger
from unseat.lab.records import Results
from unseat.tasks.llvm.data.builds import Module
from unseat.tasks.llvm.data.projects import listed
from unseat.tasks.llvm.engine import workplace
from unseat.tasks.llvm.engine.channel import Answer, Header
from unseat.tasks.llvm.engine.compiler import Compiler
from unseat.tasks.llvm.engine.elf import text_bytes
from unseat.tasks.llvm.regalloc.policies import GreedyWeight
from unseat.tasks.llvm.regalloc.question import Answering, reader
from unseat.tasks.llvm.regalloc.suites import built_in
from unseat.tasks.llvm.regalloc.task import RegallocTask

GREEDY = "LLVM greedy"
TARGET = 0.003


class Corpus(RegallocTask):
    """The task on the corpus alone."""

    def __init__(self) -> None:
        super().__init__([one for one in built_in() if one.program.name not in listed()])


class Projects(RegallocTask):
    """The task on the real projects, which are all for testing."""

    def __init__(self) -> None:
        super().__init__([one for one in built_in() if one.program.name in listed()])


TASKS = {"corpus": Corpus, "projects": Projects}


def contenders(of: str, split: str, jobs: int) -> bool:
    """Print every contender's ratio; whether a challenger reaches the target."""
    reached = False
    with tempfile.TemporaryDirectory() as folder, Ledger.open(str(Path(folder) / "ledger.db")) as ledger:
        asked = {"suite": "full", "split": split, "ledger": ledger, "jobs": jobs}
        task = f"benchmarks.regalloc_gain:{TASKS[of].__name__}"
        results = unseat.evaluate(task, progress=teller(of), **asked)  # type: ignore[arg-type]
        executed = instructions(results)
        for name, contender in TASKS[of]().contenders().items():
            if name == GREEDY:
                continue
            found = unseat.compare(task, name, GREEDY, **asked)  # type: ignore[arg-type]
            assert found.ratio is not None
            counted = f", instructions {executed[name]:.4f}" if name in executed else ""
            ratio = found.ratio
            print(f"{contender.role:10} {name:22} {ratio.point:.4f} [{ratio.low:.4f}, {ratio.high:.4f}], loses"
                  f" on {found.regressions} of {found.instances} in {found.groups} programs{counted}",
                  flush=True)  # fmt: skip
            reached |= contender.role is Role.CHALLENGER and found.ratio.point <= 1 - TARGET
    return reached


def instructions(results: Results) -> Mapping[str, float]:
    """Geometric mean of the ratio to LLVM's, where instructions are counted."""
    counts: dict[str, dict[str, float]] = {}
    for run in results.runs:
        if "instructions" in run.outcome.metrics:
            counts.setdefault(run.contender, {})[run.instance] = run.outcome.metrics["instructions"]
    greedy = counts.get(GREEDY, {})
    return {
        name: math.exp(np.mean([math.log(count / greedy[instance]) for instance, count in found.items()]))
        for name, found in counts.items()
    }


def modules(of: str, split: str) -> list[tuple[Instance, Module]]:
    """The modules of all programs that are compiled module by module."""
    task = TASKS[of]()
    chosen = [one for one in task.instances() if one.split == split and not one.facts["whole"]]
    return [(instance, module) for instance in chosen for module in task.load(instance).modules]


def rule() -> Session:
    """LLVM's rule at work."""
    return GreedyWeight("greedy-weight").start(View("evict"), 0)


def equality(of: str, split: str) -> None:
    """Print how many objects LLVM's rule, told from what LLVM sends, makes as LLVM does."""
    compiler, question = Compiler.here(), TASKS[of]().questions["evict"]
    equal = asked = 0
    with workplace.folder() as folder:
        source, ours, theirs = folder / "module.bc", folder / "ours.o", folder / "theirs.o"
        for _, module in modules(of, split):
            source.write_bytes(module.bitcode)
            if compiler.asked_evictions(source, ours, Answering(Asker(rule(), question)).begin):
                compiler.compiled(source, theirs)
                asked += 1
                equal += ours.read_bytes() == theirs.read_bytes()
    print(f"greedy-weight: {equal} of {asked} objects in which anything is asked are LLVM's own, to the byte")


def search(of: str, split: str, tries: int) -> None:
    """Print what is gained by changing single answers of LLVM's rule and keeping what makes a module smaller."""
    compiler, rng = Compiler.here(), np.random.default_rng(0)
    before: dict[str, int] = {}
    after: dict[str, int] = {}
    with workplace.folder() as folder:
        for instance, module in modules(of, split):
            (folder / "module.bc").write_bytes(module.bitcode)
            played = Played({})
            size = least = played.size(compiler, folder)
            for _ in range(tries if played.legal else 0):
                at = int(rng.integers(len(played.legal)))
                other = Played({**played.changed, at: int(rng.choice(played.legal[at]))})
                size = other.size(compiler, folder)
                if size < least:
                    played, least = other, size
            compiler.compiled(folder / "module.bc", folder / "module.o")
            before[instance.id] = before.get(instance.id, 0) + text_bytes(folder / "module.o")
            after[instance.id] = after.get(instance.id, 0) + least
    ratios = [after[name] / before[name] for name in before]
    print(f"with hindsight, {tries} compilations a module: {np.mean(ratios):.4f} of LLVM's size in the mean of "
          f"{len(ratios)} programs, {min(ratios):.4f} to {max(ratios):.4f}")  # fmt: skip


class Played:
    """LLVM's rule, but for some answers by their number; a change that is not legal any more is left out.

    Attributes:
        changed: Number of the question to the row answered.
        legal: The rows that were legal, of each question.
    """

    def __init__(self, changed: Mapping[int, int]) -> None:
        self.changed = dict(changed)
        self.legal: list[list[int]] = []

    def size(self, compiler: Compiler, folder: Path) -> int:
        """Bytes of the module's object."""
        compiler.asked_evictions(folder / "module.bc", folder / "module.o", self._begin)
        return text_bytes(folder / "module.o")

    def _begin(self, header: Header) -> Answer:
        observe, greedy = reader(header), rule()

        def answer(data: bytes) -> int:
            seen = observe(data)
            legal = np.flatnonzero(seen["action_mask"]).tolist()
            wanted = self.changed.get(len(self.legal), -1)
            self.legal.append(legal)
            return wanted if wanted in legal else int(greedy.decide(seen))

        return answer


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--of", default="corpus", choices=tuple(TASKS))
    parser.add_argument("--split", default="test", choices=("test", "valid"))
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--search", type=int, default=0, help="compilations a module")
    arguments = parser.parse_args()
    reached = contenders(arguments.of, arguments.split, arguments.jobs)
    equality(arguments.of, arguments.split)
    if arguments.search:
        search(arguments.of, arguments.split, arguments.search)
    print(f"at least {TARGET:.1%} smaller than LLVM's own: {'reached' if reached else 'MISSED'}")
    return int(not reached)


if __name__ == "__main__":
    sys.exit(main())
