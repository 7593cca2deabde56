"""The frame of tasks over sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from unseat.core.learner import Contender
from unseat.core.outcome import Limits, Outcome
from unseat.core.policy import Policy, Question
from unseat.core.sources import SourcedTask
from unseat.core.task import Instance


@dataclass(frozen=True)
class Counted:
    """A source that tells how often its problem was made."""

    name: str
    made: list[str] = field(default_factory=list, compare=False, hash=False)

    def instance(self) -> Instance:
        return Instance(self.name, self.name, "test")

    def problem(self) -> list[str]:
        self.made.append(self.name)
        return [self.name]

    def digest(self) -> str:
        return f"digest of {self.name}"


class Counting(SourcedTask[Counted]):
    """Keeps two problems."""

    kept = 2
    questions: Mapping[str, Question] = {}

    def built_in(self) -> Sequence[Counted]:
        return [Counted("own")]

    def run(self, problem: list[str], policy: Policy, *, seed: int, limits: Limits) -> Outcome:
        raise NotImplementedError

    def contenders(self) -> Mapping[str, Contender]:
        return {}


def test_the_last_few_problems_are_kept() -> None:
    """Red: a problem is made again for each run, or all that were ever made stay in memory."""
    made: list[str] = []
    task = Counting([Counted(f"kept {name}", made) for name in "abc"])
    a, b, c = task.instances()
    for one in (a, b, a, c, b):
        assert task.load(one) == [one.id]
    assert made == [a.id, b.id, c.id, b.id]
    assert task.content(a) == "digest of kept a" and not Counting([]).instances()


def test_the_built_in_sources_are_used_where_there_are_no_others() -> None:
    """Red: a user's own data is judged together with what a task brings along, or instead of it."""
    assert [one.id for one in Counting().instances()] == ["own"]
    assert [one.id for one in Counting([Counted("mine")]).instances()] == ["mine"]
