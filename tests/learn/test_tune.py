"""Tuning: what is searched, how runs are spent, what is chosen, and that it can be repeated."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseat import Instance, LimitReached, Limits, Outcome, Policy, Session, View
from unseat.core.errors import ContractError
from unseat.learn.tune import OptunaSearch, Parameter, RandomSearch, Search

SPACE = {"x": Parameter(0, 1), "scale": Parameter(1e-3, 10, log=True), "count": Parameter(1, 9, integer=True)}
DEFAULT = {"x": 0.9, "scale": 1.0, "count": 8}
SEARCHES = [RandomSearch, OptunaSearch]


@dataclass(frozen=True)
class Point(Policy):
    """A policy that is nothing but its parameters."""

    name: str
    x: float
    scale: float
    count: int

    def start(self, view: View, seed: int) -> Session:
        raise NotImplementedError


def point(parameters: Mapping[str, float]) -> Policy:
    return Point("point", parameters["x"], parameters["scale"], int(parameters["count"]))


def instances(split: Any, groups: int, each: int) -> list[Instance]:
    return [Instance(f"{split}{g}/{i}", f"{split}{g}", split) for g in range(groups) for i in range(each)]


@dataclass
class Fake:
    """A study whose objective is known: the nearer x is to `best` of the split and count to 3, the better.

    Values of unlike instances lie orders of magnitude apart, as those of real ones do.
    """

    limits: Limits
    train: Sequence[Instance] = field(default_factory=lambda: instances("train", 3, 2))
    valid: Sequence[Instance] = field(default_factory=lambda: instances("valid", 2, 2))
    seed: int = 0
    best: Mapping[str, float] = field(default_factory=lambda: {"train": 0.2, "valid": 0.2})
    sign: float = 1.0
    ran: list[tuple[str, Policy]] = field(default_factory=list)
    proposed: list[Policy] = field(default_factory=list)

    def load(self, instance: Instance) -> Any:
        raise NotImplementedError

    def env(self, instance: Instance) -> Any:
        raise NotImplementedError

    def run(self, instance: Instance, policy: Policy) -> Outcome:
        if self.limits.runs is not None and len(self.ran) >= self.limits.runs:
            raise LimitReached("runs")
        assert isinstance(policy, Point)
        self.ran.append((instance.id, policy))
        weight = 10.0 ** (sum(instance.id.encode()) % 7 - 3)
        return Outcome(self.sign * weight * (1 + abs(policy.x - self.best[instance.split]) + abs(policy.count - 3) / 9))

    def charge(self, runs: int) -> None:
        raise NotImplementedError

    def spend(self, *, tokens: int = 0, dollars: float = 0.0) -> None:
        raise NotImplementedError

    def propose(self, policy: Policy) -> None:
        self.proposed.append(policy)


def searched(kind: type[Search], study: Fake, **options: Any) -> Point:
    found = kind("tuned", point, SPACE, default=DEFAULT, **options).fit(study)
    assert isinstance(found, Point)
    return found


@pytest.mark.parametrize("kind", SEARCHES)
def test_search_finds_what_is_best(kind: type[Search]) -> None:
    """Red: the search does not move towards better parameters, or one large instance drowns all others."""
    study = Fake(Limits(runs=600))
    found = searched(kind, study)
    assert abs(found.x - 0.2) < 0.25 and abs(found.count - 3) <= 1
    assert found.name == "tuned"
    assert study.proposed[-1] == found


def test_optuna_finds_more_than_chance() -> None:
    """Red: the sampler does not learn from its trials, so it is no better than random search."""

    def miss(kind: type[Search], seed: int) -> float:
        found = searched(kind, Fake(Limits(runs=700), seed=seed))
        return abs(found.x - 0.2) + abs(found.count - 3) / 9

    seeds = range(5)
    assert sum(miss(OptunaSearch, seed) for seed in seeds) < sum(miss(RandomSearch, seed) for seed in seeds)


@pytest.mark.parametrize("kind", SEARCHES)
@pytest.mark.parametrize("prune", [False, True])
def test_equal_seed_and_runs_give_an_equal_policy(kind: type[Search], prune: bool) -> None:
    """Red: a fit cannot be repeated."""
    first, again, other = (Fake(Limits(runs=150), seed=seed) for seed in (1, 1, 2))
    results = [searched(kind, study, prune=prune) for study in (first, again, other)]
    assert results[0] == results[1]
    assert first.ran == again.ran
    assert first.ran != other.ran


@pytest.mark.parametrize("kind", SEARCHES)
def test_objective_that_is_maximised(kind: type[Search]) -> None:
    """Red: an objective where more is better is minimised."""
    found = searched(kind, Fake(Limits(runs=400), sign=-1.0), minimise=False)
    assert abs(found.x - 0.2) < 0.3


def test_choice_is_made_on_valid() -> None:
    """Red: the policy that is best on the training instances is taken, though validation says otherwise."""
    study = Fake(Limits(runs=2000), best={"train": 0.2, "valid": 0.3})
    found = searched(RandomSearch, study, top=10)
    on_valid = {policy for name, policy in study.ran if name.startswith("valid")} - {point(DEFAULT)}
    assert len(on_valid) == 10
    best = min(on_valid, key=lambda p: abs(p.x - 0.3) + abs(p.count - 3) / 9)  # type: ignore[attr-defined]
    assert found == best.renamed("tuned")
    assert study.proposed[-1] == found


def test_search_that_finds_nothing_keeps_the_default() -> None:
    """Red: a search returns something worse than what it began with."""
    space = {**SPACE, "x": Parameter(0.2, 0.9), "count": Parameter(3, 9, integer=True)}
    best = {"x": 0.2, "scale": 1.0, "count": 3}
    found = RandomSearch("tuned", point, space, default=best).fit(Fake(Limits(runs=100)))
    assert found == Point("tuned", **best)  # type: ignore[arg-type]


@settings(max_examples=25, deadline=None)
@given(
    runs=st.integers(1, 150), groups=st.integers(1, 4), each=st.integers(1, 4), valid=st.integers(0, 3),
    prune=st.booleans(), kind=st.sampled_from(SEARCHES),
)  # fmt: skip
def test_runs_are_never_overdrawn(
    runs: int, groups: int, each: int, valid: int, prune: bool, kind: type[Search]
) -> None:
    """Red: with some number of runs or instances the search fails, or begins what it cannot finish."""
    study = Fake(Limits(runs=runs), instances("train", groups, each), instances("valid", valid, each))
    found = searched(kind, study, prune=prune)
    assert study.proposed and study.proposed[-1] == found
    assert len(study.ran) <= runs


def test_few_runs_are_spread_over_groups_and_candidates() -> None:
    """Red: a small budget is spent on a handful of candidates, or on the instances of one group."""
    study = Fake(Limits(runs=120), instances("train", 3, 50))
    searched(RandomSearch, study)
    used = {name for name, _ in study.ran if name.startswith("train")}
    assert len({name.partition("/")[0] for name in used}) == 3
    assert len({policy for name, policy in study.ran}) >= 20


def test_limit_in_the_middle_keeps_the_best() -> None:
    """Red: a study that stops the fit without warning, as a limit in seconds does, loses what was found."""
    study = Fake(Limits())
    stop = iter(range(100))
    run = study.run

    def interrupted(instance: Instance, policy: Policy) -> Outcome:
        if next(stop) == 70:
            raise LimitReached("time")
        return run(instance, policy)

    study.run = interrupted  # type: ignore[method-assign]
    found = searched(RandomSearch, study)
    assert found == study.proposed[-1] != point(DEFAULT).renamed("tuned")


def test_limit_before_the_first_run_leaves_the_default() -> None:
    """Red: a fit that is stopped at once leaves no policy."""
    study = Fake(Limits())

    def spent(instance: Instance, policy: Policy) -> Outcome:
        raise LimitReached("time")

    study.run = spent  # type: ignore[method-assign]
    assert searched(OptunaSearch, study) == point(DEFAULT).renamed("tuned") == study.proposed[0]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Fake]:
    """A study on a clock that only its runs move, so that nothing hangs on how busy this machine is."""
    now = [0.0]
    read = SimpleNamespace(monotonic=lambda: now[0], process_time=lambda: now[0])
    monkeypatch.setattr("unseat.learn.tune.time", read)

    def study(seconds: Iterator[float], *parts: Any) -> Fake:
        made = Fake(*parts)
        run = made.run

        def timed(instance: Instance, policy: Policy) -> Outcome:
            now[0] += next(seconds)
            return run(instance, policy)

        made.run = timed  # type: ignore[method-assign]
        return made

    return study


def tried(study: Fake) -> int:
    """How many candidates met training instances, the default among them."""
    return len({policy for name, policy in study.ran if name.startswith("train")})


@pytest.mark.parametrize("limits", [Limits(cpu_s=0.7), Limits(wall_s=0.7)])
def test_time_limit_leaves_time_to_validate(clock: Callable[..., Fake], limits: Limits) -> None:
    """Red: a limit in seconds is spent on the search alone, and nothing is left for the choice."""
    study = clock(itertools.repeat(0.001), limits)
    searched(RandomSearch, study)
    assert any(name.startswith("valid") for name, _ in study.ran)
    assert tried(study) > 20 and len(study.ran) <= 700


@pytest.mark.parametrize("first", [0.001, 0.4])
def test_time_limit_leaves_room_for_candidates(clock: Callable[..., Fake], first: float) -> None:
    """Red: with many instances, or a first run that compiles, a limit in seconds goes into the default alone."""
    study = clock(itertools.chain([first], itertools.repeat(0.001)), Limits(cpu_s=1.0), instances("train", 5, 1000))
    searched(RandomSearch, study)
    assert 15 <= tried(study) <= 60
    assert len({name for name, _ in study.ran if name.startswith("train")}) >= 10


def test_trials_end_an_unlimited_study() -> None:
    """Red: a study without limits never ends."""
    study = Fake(Limits())
    searched(RandomSearch, study, trials=7)
    assert len({policy for name, policy in study.ran if name.startswith("train")}) == 8


def test_small_space_is_exhausted() -> None:
    """Red: a space with few points keeps the search busy for ever, or costs a run for every repetition."""
    study = Fake(Limits(runs=10**6))
    space = {"x": Parameter(0, 1, integer=True), "scale": Parameter(1, 2, integer=True)}

    def corner(parameters: Mapping[str, float]) -> Policy:
        return Point("corner", parameters["x"], parameters["scale"], 3)

    found = RandomSearch("tuned", corner, space).fit(study)
    assert isinstance(found, Point) and found.x == 0
    assert len(study.ran) <= 4 * (len(study.train) + len(study.valid))


def test_pruning_saves_runs() -> None:
    """Red: candidates that lag behind are run on every instance all the same."""
    whole, pruned = Fake(Limits()), Fake(Limits())
    for study, prune in ((whole, False), (pruned, True)):
        searched(RandomSearch, study, trials=60, prune=prune)
    assert len(pruned.ran) < 0.9 * len(whole.ran)


@pytest.mark.parametrize("value", [float("nan"), float("-inf")])
def test_failed_candidates_do_not_win(value: float) -> None:
    """Red: an objective that is not a number counts as the best, or ends the search."""
    study = Fake(Limits(runs=200))
    run = study.run

    def broken(instance: Instance, policy: Policy) -> Outcome:
        outcome = run(instance, policy)
        return Outcome(value) if isinstance(policy, Point) and policy.x < 0.5 else outcome

    study.run = broken  # type: ignore[method-assign]
    assert searched(OptunaSearch, study).x >= 0.5


def test_large_values_do_not_drown_small_ones() -> None:
    """Red: one instance with large values decides alone, though most instances say otherwise."""
    study = Fake(Limits(runs=300), instances("train", 4, 1), [])

    def unlike(instance: Instance, policy: Policy) -> Outcome:
        assert isinstance(policy, Point)
        study.ran.append((instance.id, policy))
        large = instance.group == "train0"
        return Outcome(1e6 * (1 + 0.1 * policy.x) if large else 2 - policy.x)

    study.run = unlike  # type: ignore[method-assign]
    found = RandomSearch("tuned", point, SPACE, trials=50).fit(study)
    assert isinstance(found, Point) and found.x > 0.8


@given(low=st.floats(-1e6, 1e6), width=st.floats(-1e6, 1e6), log=st.booleans())
def test_ranges_hold_their_middle(low: float, width: float, log: bool) -> None:
    """Red: the default lies outside its range, or a range that is none is taken."""
    high = low + width
    if low < high and not (log and low <= 0):
        assert low <= Parameter(low, high, log).middle <= high
    else:
        with pytest.raises(ContractError, match="no range"):
            Parameter(low, high, log)


@pytest.mark.parametrize("default", [{"x": 2.0}, {"x": 0.5, "y": 1.0}, {}])
def test_default_outside_the_space_is_refused(default: dict[str, float]) -> None:
    """Red: a search begins outside its space, where no sampler would go."""
    with pytest.raises(ContractError, match="does not lie in the space"):
        RandomSearch("tuned", point, {"x": Parameter(0, 1), "z": Parameter(0, 1)}, default=default or {"q": 1.0})


def test_configuration_tells_searches_apart() -> None:
    """Red: two unlike searches have one key in the ledger, so one's result is taken for the other's."""
    import json

    made = [
        RandomSearch("a", point, SPACE), RandomSearch("a", point, SPACE, default=DEFAULT),
        RandomSearch("a", point, SPACE, top=2), RandomSearch("a", point, SPACE, prune=True),
        RandomSearch("a", point, {**SPACE, "x": Parameter(0, 2)}), RandomSearch("a", other_point, SPACE),
    ]  # fmt: skip
    assert len({json.dumps(search.config(), sort_keys=True) for search in made}) == len(made)


def other_point(parameters: Mapping[str, float]) -> Policy:
    return point(parameters)


def test_optuna_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    """Red: a fit writes log lines to a terminal that belongs to the progress bar, or silences Optuna for others."""
    import optuna

    before = optuna.logging.get_verbosity()
    try:
        optuna.logging.set_verbosity(optuna.logging.DEBUG)
        searched(OptunaSearch, Fake(Limits(runs=60)))
        assert optuna.logging.get_verbosity() == optuna.logging.DEBUG
    finally:
        optuna.logging.set_verbosity(before)
    searched(OptunaSearch, Fake(Limits(runs=60)))
    assert capfd.readouterr() == ("", "")
