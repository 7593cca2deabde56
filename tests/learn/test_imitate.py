"""BC-Max on a task of its own: contexts in each of which another baseline is the best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from unseat.core.errors import ContractError, LimitReached
from unseat.core.outcome import Outcome
from unseat.core.policy import Policy, Session, View
from unseat.learn.imitate import BCMax, Episode


@dataclass(frozen=True)
class Table(Policy):
    """Answers by the number that it sees."""

    name: str
    answers: tuple[int, ...]

    def start(self, view: View, seed: int) -> Session:
        return Session()


RIGHT = (0, 0, 1, 1)
SIZES = (1.0, 10.0, 100.0, 1000.0)


def play(problem: int, policy: Policy, seed: int) -> Sequence[Episode]:
    """Problem n has the contexts 2n and 2n + 1, in each of which a wrong answer costs a tenth more."""
    assert isinstance(policy, Table)
    made = []
    for context in (2 * problem, 2 * problem + 1):
        action = policy.answers[context]
        cost = SIZES[context] * (1.0 if action == RIGHT[context] else 1.1)
        made.append(Episode(str(context), np.full((3, 1), context), np.full(3, action), cost))
    return made


class Cloning:
    """Clones by weighted majority, and remembers what it was given."""

    __module__, __qualname__ = __name__, "Cloning"

    def __init__(self) -> None:
        self.weights: list[dict[int, float]] = []

    def __call__(
        self, seen: NDArray[Any], actions: NDArray[np.int64], weights: NDArray[np.float64], seed: int
    ) -> Policy:
        places = seen[:, 0]
        self.weights.append({int(place): float(weights[places == place].mean()) for place in np.unique(places)})
        votes = [weights[(places == place) & (actions == 1)].sum() for place in range(4)]
        against = [weights[(places == place) & (actions == 0)].sum() for place in range(4)]
        return Table("clone", tuple(int(one > other) for one, other in zip(votes, against, strict=True)))


def baselines() -> Mapping[str, Policy]:
    """None is right everywhere; two of three are wrong in the last contexts."""
    return {
        "zeros": Table("zeros", (0, 0, 0, 0)),
        "also": Table("also", (0, 1, 0, 0)),
        "ones": Table("ones", (1, 1, 1, 1)),
    }


class FakeStudy:
    """As much of a study as a learner asks for here: two training instances, and one with all contexts to validate."""

    train, valid, seed, limits = ("0", "1"), ("v",), 0, None

    def __init__(self, runs: int = 10**6) -> None:
        self.runs, self.proposed = runs, list[Policy]()

    def load(self, instance: str) -> int:
        return int(instance)

    def charge(self, runs: int) -> None:
        if self.runs < runs:
            raise LimitReached("spent")
        self.runs -= runs

    def run(self, instance: str, policy: Policy) -> Outcome:
        self.charge(1)
        return Outcome(sum(episode.cost for number in (0, 1) for episode in play(number, policy, 0)))

    def propose(self, policy: Policy) -> None:
        self.proposed.append(policy)


def learner(**options: Any) -> BCMax:
    return BCMax("bc", play, Cloning(), baselines, **options)


def test_the_best_of_each_context_is_cloned() -> None:
    """Red: a baseline is cloned where another one is better, so that the clone is no better than one of them."""
    study, bc = FakeStudy(), learner()
    found = bc.fit(study)  # type: ignore[arg-type]
    assert found == Table("bc", RIGHT)
    assert [line.policy for line in bc.table] == ["ones", "iteration 1", "iteration 2", "iteration 3"]
    assert bc.table[1].train == bc.table[1].best == sum(SIZES) / 4 < bc.table[0].train
    assert study.proposed[-1] == found


def test_plain_cloning_follows_the_many() -> None:
    """Red: the comparison is the same algorithm, so that it shows nothing."""
    bc = learner(best=False, rounds=1)
    bc.fit(FakeStudy())  # type: ignore[arg-type]
    assert bc.table[1].train > sum(SIZES) / 4


def test_weights_grow_where_the_last_policy_lost() -> None:
    """Red: the weights are those of the best contexts, or do not change."""
    bc = learner(bins=2)
    bc.fit(FakeStudy())  # type: ignore[arg-type]
    assert isinstance(bc.clone, Cloning)
    first = bc.clone.weights[0]
    # The best baseline, ones, is wrong in the two small contexts.
    assert first[0] == first[1] > first[2] == first[3] > 0
    plain = learner(weighted=False)
    plain.fit(FakeStudy())  # type: ignore[arg-type]
    assert isinstance(plain.clone, Cloning) and set(plain.clone.weights[0].values()) == {1.0}


def test_a_limit_leaves_the_best_so_far() -> None:
    """Red: a fit that is cut short gives nothing, or what it had not finished."""
    for runs in range(9):
        study = FakeStudy(runs)
        found = learner().fit(study)  # type: ignore[arg-type]
        assert found == study.proposed[-1] and found.name == "bc"


def test_policies_must_be_played_in_the_same_contexts() -> None:
    """Red: episodes of different modules are compared."""

    def other(problem: int, policy: Policy, seed: int) -> Sequence[Episode]:
        episodes = play(problem, policy, seed)
        return episodes if policy.name == "zeros" else episodes[::-1]

    with pytest.raises(ContractError, match="different contexts"):
        BCMax("bc", other, Cloning(), baselines).fit(FakeStudy())  # type: ignore[arg-type]


def test_two_baselines_are_too_few() -> None:
    """Red: the paper's algorithm is run on less than it asks for."""
    with pytest.raises(ContractError, match="needs three"):
        BCMax("bc", play, Cloning(), lambda: dict(list(baselines().items())[:2])).fit(FakeStudy())  # type: ignore[arg-type]
