"""The evaluator is the contest's, exact however large the numbers are."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tasks.shard import small

from unseat.core.jit import python
from unseat.core.outcome import Limits
from unseat.core.policy import InvalidAnswer, Policy, Session, View
from unseat.learn.baselines import Constant
from unseat.tasks.shard.data.reader import read_json
from unseat.tasks.shard.engine import problem as engine
from unseat.tasks.shard.suites import built_in
from unseat.tasks.shard.task import ShardTask


@pytest.mark.parametrize(("chosen", "cost"), [([0, 0, 2, 0, 0], 545), ([0, 0, 2, 1, 0], 445)])
def test_the_contests_example(tmp_path: Path, chosen: list[int], cost: int) -> None:
    """Red: an answer has another cost than on the contest's own page."""
    problem = read_json(small.write(tmp_path / "example.json", small.EXAMPLE))
    assert problem.cost(np.array(chosen)) == cost
    assert ShardTask().score(problem, chosen).value == cost


def test_the_contests_example_keeps_its_limit(tmp_path: Path) -> None:
    """Red: an answer that uses more than 50 at a time passes, or one that uses just 50 does not."""
    problem = read_json(small.write(tmp_path / "example.json", small.EXAMPLE))
    assert problem.peak(np.array([0, 0, 2, 1, 0])) == 50
    with pytest.raises(InvalidAnswer, match="uses 55 bytes at its peak, and the limit is 50"):
        ShardTask().score(problem, [0, 0, 1, 1, 0])


def test_ten_forbidden_edges_are_counted_exactly() -> None:
    """Red: a total over 64 bits wraps around, and a forbidden answer looks like a good one."""
    edges = [[0, 1]] * 10
    problem = small.made([[0, 0]] * 2, [[1, 2], [0]], [[0, 0], [0]], edges, [[10**18, 0]] * 10)
    assert problem.cost(np.array([0, 0])) == 10 * 10**18 + 1
    assert problem.cost(np.array([1, 0])) == 2


def test_memory_over_64_bits_is_counted_exactly() -> None:
    """Red: what a hundred nodes use at a time wraps around, and fits."""
    most = 2**63 - 1
    problem = small.made([[0, 2]] * 100, [[0]] * 100, [[most]] * 100, [], [], most)
    assert problem.peak(np.zeros(100, np.int64)) == 100 * most


@settings(deadline=None)
@given(small.problems(most=2**62), st.data())
def test_cost_and_peak_are_those_of_brute_force(problem: engine.Problem, data: st.DataObject) -> None:
    """Red: cost or peak of some answer is not what adding up one by one gives."""
    chosen = [data.draw(st.integers(0, int(size) - 1)) for size in np.diff(problem.offsets)]
    array = np.array(chosen, np.int64)
    assert problem.cost(array) == small.slow_cost(problem, chosen)
    assert problem.peak(array) == small.slow_peak(problem, chosen)
    assert problem.worst() > small.slow_cost(problem, chosen)


@settings(deadline=None)
@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=9))
def test_a_sum_in_two_parts_is_the_sum(values: list[int]) -> None:
    """Red: the compiled sum, or its plain Python form, is not Python's."""
    array, places = np.array(values, np.int64), np.arange(len(values))
    for total in (engine.total, python(engine.total)):
        high, low = total(array, places)
        assert (int(high) << 32) + int(low) == sum(values)


@pytest.mark.parametrize("answer", [[0, 0, 0, 0], [0, 0, 3, 0, 0], [0, -1, 0, 0, 0], [0.0] * 5, "no", None])
def test_what_is_no_answer_is_refused(tmp_path: Path, answer: object) -> None:
    """Red: an answer of the wrong length, range or kind is scored."""
    problem = read_json(small.write(tmp_path / "example.json", small.EXAMPLE))
    with pytest.raises(InvalidAnswer):
        ShardTask().score(problem, answer)


def test_every_published_instance_names_what_is_known_of_it() -> None:
    """Red: a published instance lost its best cost, bound or time limit, or could be learned from."""
    published = [source for source in built_in() if source.entry]
    assert len(published) == 7
    for source in published:
        assert source.entry is not None and source.split == "test"
        assert source.entry.details["lower_bound"] <= source.entry.details["best_known"]
        assert source.entry.details["limit_s"] >= 60


@pytest.mark.parametrize(("given", "most"), [(300.0, 2.0), (None, 2.0), (1.0, 1.0)])
def test_an_instance_says_how_long_a_solver_has(given: float | None, most: float) -> None:
    """Red: every solver takes the run's limit, which is minutes, so that the quick suite takes an hour."""
    problem = replace(small.made([[0, 0]], [[1, 2]], [[0, 0]], [], []), seconds=2.0)
    asked = Deadline("deadline")
    began = time.monotonic()
    ShardTask().run(problem, asked, seed=0, limits=Limits(wall_s=given))
    assert began < asked.seen[0] <= time.monotonic() + most


@dataclass(frozen=True)
class Deadline(Policy):
    """Answers at once, and keeps the time at which it would have had to."""

    name: str
    seen: list[float] = field(default_factory=list)

    def start(self, view: View, seed: int) -> Session:
        assert view.deadline is not None
        self.seen.append(view.deadline)
        return Constant("constant", np.zeros(1, np.int64)).start(view, seed)
