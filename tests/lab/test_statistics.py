"""The statistics against hand-computed cases, slow loops, and simulated data whose truth is known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseat.core.errors import ContractError
from unseat.core.learner import Kind, Role
from unseat.core.outcome import Outcome, Status
from unseat.core.task import Objective
from unseat.lab import statistics
from unseat.lab.records import Run
from unseat.lab.statistics import bootstrap, windows
from unseat.lab.statistics.pairs import Design

MISSES = Objective("miss ratio", "", lambda problem, limits: 1.0)
SPEED = Objective("speed", "1/s", lambda problem, limits: 0.001, minimise=False)
SIGNED = Objective("loss", "", lambda problem, limits: 1.0, can_be_zero=True)


def run(name: str, instance: int, value: float, role: Role = Role.CHALLENGER, **given: Any) -> Run:
    """A run on an instance that is a group of its own unless told otherwise."""
    fields = {"group": f"g{instance}", "series": f"s{instance}", "seed": 0, "weight": 1.0, "block": None, **given}
    status = fields.pop("status", Status.OK)
    metrics = fields.pop("metrics", {})
    outcome = Outcome(value, status, metrics=metrics)
    key = f"{name}/{instance}/{sorted(given.items())}"
    return Run(key=key, task="toy-v0", contender=name, role=role, instance=f"i{instance:03}", split="test",
               level=None, outcome=outcome, artefact=None, job={}, provenance={}, **fields)  # fmt: skip


def runs(name: str, values: Sequence[float] | np.ndarray, role: Role = Role.CHALLENGER, **given: Any) -> list[Run]:
    """One run an instance."""
    return [run(name, index, float(value), role, **given) for index, value in enumerate(values)]


def test_a_comparison_by_hand() -> None:
    """Red: ratio, difference, gap, median, regressions or the headroom rule is not the formula on the page."""
    a = runs("a", [0.2, 0.5, 0.3, 0.40, 0.4, 0.1])
    b = runs("b", [0.4, 0.4, 0.5, 0.40, 0.6, 0.1])
    bound = runs("opt", [0.2, 0.2, 0.1, 0.399, 0.2, 0.1], Role.BOUND)
    shown = statistics.compare(a, b, objective=MISSES, bound=bound, min_headroom=0.01)
    assert shown.ratio is not None and shown.gap_closed is not None and shown.gap_median is not None
    assert shown.ratio.point == pytest.approx(1.9 / 2.4)
    assert shown.difference.point == pytest.approx(-0.5 / 6)
    # Instances 3 and 5 have no headroom of .01 and leave the gap figures only.
    assert shown.gap_closed.point == pytest.approx((0.2 - 0.1 + 0.2 + 0.2) / (0.2 + 0.2 + 0.4 + 0.4))
    assert shown.gap_median.point == pytest.approx(0.5)
    # Four groups are left with headroom, too few for an interval; six have values.
    assert shown.gap_closed.low is None and shown.ratio.low is not None
    assert shown.regressions == 1 and shown.worst == pytest.approx(1.25)
    assert (shown.instances, shown.groups, shown.seeds) == (6, 6, 1)
    assert (shown.task, shown.a, shown.b, shown.hindsight) == ("toy-v0", "a", "b", False)


def test_gap_closed_is_never_clamped() -> None:
    """Red: a challenger that is far worse than the incumbent looks as if it merely closed nothing."""
    shown = statistics.compare(runs("a", [0.9] * 6), runs("b", [0.5] * 6), objective=MISSES,
                               bound=runs("opt", [0.4] * 6))  # fmt: skip
    assert shown.gap_closed is not None and shown.gap_closed.point == pytest.approx(-4.0)
    assert shown.p_better == 0.0 and shown.p_holm is not None and shown.p_holm > 0.99


def test_headroom_counts_from_the_best_incumbent() -> None:
    """Red: an instance whose best incumbent is at the bound enters the gap, since the single best one is not."""
    a, b = runs("a", [0.3, 0.3]), runs("b", [0.4, 0.4])
    best = runs("best", [0.4, 0.2005])
    shown = statistics.compare(a, b, objective=MISSES, bound=runs("o", [0.2, 0.2]), best=best, min_headroom=0.003)
    assert shown.gap_closed is not None and shown.gap_closed.point == pytest.approx(0.5)
    assert shown.per_group == {"g0": pytest.approx(0.5)}


def test_maximised_objectives_are_costs_too() -> None:
    """Red: a faster contender shows a ratio above one."""
    shown = statistics.compare(runs("a", [4.0] * 6), runs("b", [2.0] * 6), objective=SPEED,
                               bound=runs("o", [6.0] * 6))  # fmt: skip
    assert shown.ratio is not None and shown.ratio.point == pytest.approx(0.5)
    assert shown.difference.point == pytest.approx(-2.0)
    assert shown.gap_closed is not None and shown.gap_closed.point == pytest.approx(0.5)
    assert shown.regressions == 0 and shown.worst == pytest.approx(0.5) and shown.p_better == 1.0


def test_objectives_that_can_be_zero_have_no_ratio() -> None:
    """Red: a ratio of values around zero is printed."""
    shown = statistics.compare(runs("a", [0.0, -1.0, 3.0]), runs("b", [0.0, 0.0, 0.0]), objective=SIGNED)
    assert shown.ratio is None and shown.worst == 3.0 and shown.gap_closed is None
    assert shown.per_group == {"g0": 0.0, "g1": -1.0, "g2": 3.0}


def test_an_instance_without_misses_has_no_ratio_of_its_own() -> None:
    """Red: infinity or a division by zero gets into the JSON document."""
    shown = statistics.compare(runs("a", [0.0, 0.1, 0.5]), runs("b", [0.0, 0.0, 0.5]), objective=MISSES)
    assert (shown.regressions, shown.worst) == (1, 1.0)
    nothing = statistics.compare(runs("a", [0.0]), runs("b", [0.0]), objective=MISSES)
    assert nothing.ratio is None and nothing.p_better == 0.5


def test_few_groups_get_a_value_each_and_no_interval() -> None:
    """Red: four traces claim to speak for all traces."""
    shown = statistics.compare(runs("a", [0.1, 0.2, 0.3, 0.4]), runs("b", [0.2] * 4), objective=MISSES)
    assert shown.ratio is not None and shown.ratio.low is None and shown.difference.high is None
    assert shown.p_holm is None and "too few" in shown.method
    assert shown.per_group == pytest.approx({"g0": 0.5, "g1": 1.0, "g2": 1.5, "g3": 2.0})


def test_few_groups_with_headroom_get_a_value_each_too() -> None:
    """Red: six groups of which two have headroom give one gap figure without an interval, and nothing beside it."""
    b, bound = runs("b", [0.4, 0.4, *[0.2] * 4]), runs("opt", [0.2] * 6, Role.BOUND)
    shown = statistics.compare(runs("a", [0.3, 0.2, *[0.2] * 4]), b, objective=MISSES, bound=bound, min_headroom=0.1)
    assert shown.gap_closed is not None and shown.gap_closed.low is None
    assert shown.ratio is not None and shown.ratio.low is not None
    assert shown.per_group == pytest.approx({"g0": 0.5, "g1": 1.0})


def test_failures_count_with_their_value() -> None:
    """Red: a contender that crashes where it is bad looks good."""
    a = [run("a", index, 1.0 if index == 2 else 0.2, status=Status.CRASHED if index == 2 else Status.OK)
         for index in range(6)]  # fmt: skip
    shown = statistics.compare(a, runs("b", [0.4] * 6), objective=MISSES)
    assert shown.ratio is not None and shown.ratio.point == pytest.approx(2.0 / 2.4)
    assert shown.instances == 6 and shown.worst == pytest.approx(2.5)


def test_what_was_not_run_is_an_error() -> None:
    """Red: an instance that one contender lacks is silently left out of the mean, or seeds are paired at random."""
    with pytest.raises(ContractError, match="b has no run on i002"):
        statistics.compare(runs("a", [0.1] * 3), runs("b", [0.1] * 2), objective=MISSES)
    left = [*runs("a", [0.1]), *runs("a", [0.1], seed=1)]
    right = [*runs("b", [0.1], seed=1), *runs("b", [0.1], seed=2)]
    with pytest.raises(ContractError, match="seeds cannot be paired"):
        statistics.compare(left, right, objective=MISSES)
    with pytest.raises(ContractError, match="finite"):
        statistics.compare(runs("a", [math.inf]), runs("b", [0.1]), objective=MISSES)


def test_one_seed_stands_beside_all() -> None:
    """Red: a deterministic incumbent that ran once cannot be compared with a learner of three seeds."""
    a = [run("a", index, 0.1 + 0.1 * seed, seed=seed) for index in range(6) for seed in range(3)]
    shown = statistics.compare(a, runs("b", [0.4] * 6), objective=MISSES)
    assert shown.ratio is not None and shown.ratio.point == pytest.approx(0.5)
    assert shown.seeds == 3 and shown.ratio.low is not None and shown.ratio.low < 0.5


def test_only_one_block_is_paired() -> None:
    """Red: a run timed on a quiet machine is held against one that was timed on a busy one."""
    a = [run("a", 0, 1.0, block="x"), run("a", 0, 9.0, block="y")]
    b = [run("b", 0, 2.0, block="x"), run("b", 0, 4.0, block="x")]
    shown = statistics.compare(a, b, objective=MISSES)
    assert shown.ratio is not None and shown.ratio.point == pytest.approx(1.0 / 3.0)
    with pytest.raises(ContractError, match="same block"):
        statistics.compare(a, [run("b", 0, 2.0, block="z")], objective=MISSES)


def test_levels_of_a_series_are_drawn_together() -> None:
    """Red: twenty capacities of one trace narrow the interval as if they were twenty traces."""
    effects = np.random.default_rng(3).normal(0, 0.05, 12)
    drawn = [(index // 2, index, 0.5 + effect) for index, effect in enumerate(effects)]
    alone = [run("a", index, value, group=f"g{group}") for group, index, value in drawn]
    levels = [run("a", 100 * index + level, value, group=f"g{group}", series=f"s{index}")
              for group, index, value in drawn for level in range(20)]  # fmt: skip
    shown = [statistics.compare(ran, [replace(one, contender="b", outcome=Outcome(0.5)) for one in ran],
                                objective=MISSES, resamples=2000).difference for ran in (alone, levels)]  # fmt: skip
    assert shown[0].low == pytest.approx(shown[1].low, abs=1e-9)
    assert shown[0].high == pytest.approx(shown[1].high, abs=1e-9)


values = st.integers(1, 1000).map(lambda value: value / 1000)
triples = st.lists(st.tuples(values, values, values, st.integers(0, 3), st.floats(0.1, 3)), min_size=1, max_size=12)


@given(triples)
@settings(max_examples=60, deadline=None)
def test_points_against_a_slow_loop(rows: list[tuple[float, float, float, int, float]]) -> None:
    """Red: the vectorised figures are not those of the obvious loop."""

    def make(name: str, column: int) -> list[Run]:
        return [run(name, index, float(row[column]), group=f"g{row[3]}", weight=row[4])
                for index, row in enumerate(rows)]  # fmt: skip

    shown = statistics.compare(make("a", 0), make("b", 1), objective=MISSES, bound=make("o", 2), min_headroom=0.0505,
                               resamples=50)  # fmt: skip
    total_a = total_b = total_weight = gain = room = 0.0
    gaps = []
    for a, b, bound, _, weight in rows:
        total_a, total_b, total_weight = total_a + weight * a, total_b + weight * b, total_weight + weight
        if b - bound >= 0.0505:
            gain, room = gain + weight * (b - a), room + weight * (b - bound)
            gaps.append(((b - a) / (b - bound), weight))
    assert shown.ratio is not None and shown.ratio.point == pytest.approx(total_a / total_b)
    assert shown.difference.point == pytest.approx((total_a - total_b) / total_weight)
    assert shown.regressions == sum(a > b for a, b, *_ in rows)
    assert shown.worst == pytest.approx(max(a / b for a, b, *_ in rows))
    if gaps:
        assert shown.gap_closed is not None and shown.gap_closed.point == pytest.approx(gain / room)
        assert shown.gap_median is not None
        low = sum(weight for gap, weight in gaps if gap < shown.gap_median.point - 1e-9)
        high = sum(weight for gap, weight in gaps if gap > shown.gap_median.point + 1e-9)
        half = sum(weight for _, weight in gaps) / 2
        assert low <= half * (1 + 1e-9) and high <= half * (1 + 1e-9)
    else:
        assert shown.gap_closed is None


@given(st.lists(st.tuples(values, values), min_size=5, max_size=10), st.integers(0, 100))
@settings(max_examples=25, deadline=None)
def test_swapping_inverts(rows: list[tuple[float, float]], seed: int) -> None:
    """Red: who is called a changes the verdict."""
    a, b = runs("a", [row[0] for row in rows]), runs("b", [row[1] for row in rows])
    one = statistics.compare(a, b, objective=MISSES, resamples=500, seed=seed)
    other = statistics.compare(b, a, objective=MISSES, resamples=500, seed=seed)
    assert one.ratio is not None and other.ratio is not None
    assert one.ratio.point == pytest.approx(1 / other.ratio.point)
    assert one.difference.point == pytest.approx(-other.difference.point)
    assert one.difference.low == pytest.approx(-(other.difference.high or 0), abs=1e-12)
    assert one.p_better == pytest.approx(1 - other.p_better)
    assert one == statistics.compare(a[::-1], b, objective=MISSES, resamples=500, seed=seed)


def test_resampling_against_a_slow_loop() -> None:
    """Red: groups, series or seeds are not drawn as the page says: groups, then series, and seeds at once."""
    rng = np.random.default_rng(0)
    group = np.array([0, 0, 0, 1, 1, 2, 2, 2, 3, 4, 4])
    series = np.array([0, 0, 1, 2, 3, 4, 4, 5, 6, 7, 8])
    design = Design(tuple(map(str, range(11))), tuple("abcde"), group, series, np.ones(11), (0, 1, 2))
    costs = rng.normal(size=(11, 3)) + 3 * rng.normal(size=3)
    fast = bootstrap.values(design, [costs], lambda weights, drawn: (weights * drawn[0]).sum(1) / weights.sum(1),
                            resamples=20_000)  # fmt: skip
    slow = []
    for _ in range(4_000):
        seeds = rng.integers(3, size=3)
        chosen: list[float] = []
        for drawn in rng.integers(5, size=5):
            members = np.unique(series[group == drawn])
            for member in rng.choice(members, size=len(members)):
                chosen += [float(costs[row, seeds].mean()) for row in np.flatnonzero(series == member)]
        slow.append(np.mean(chosen))
    assert fast.mean() == pytest.approx(np.mean(slow), abs=0.1)
    for share in (0.05, 0.25, 0.75, 0.95):
        assert np.quantile(fast, share) == pytest.approx(np.quantile(slow, share), abs=0.15)


@pytest.mark.parametrize(("groups", "members", "between"), [(6, 3, 1.0), (12, 1, 1.0), (20, 4, 1.0)])
def test_the_interval_covers_the_truth(groups: int, members: int, between: float) -> None:
    """Red: a 95% interval does not hold the truth about 95 times in a hundred."""
    rng, hits, trials = np.random.default_rng(7), 0, 400
    group = np.repeat(np.arange(groups), members)
    size = groups * members
    design = Design(tuple(map(str, range(size))), tuple(map(str, range(groups))), group, np.arange(size),
                    np.ones(size), (0,))  # fmt: skip
    for trial in range(trials):
        costs = (rng.normal(0, between, groups)[group] + rng.normal(0, 1, size))[:, np.newaxis]
        drawn = bootstrap.values(design, [costs], lambda weights, cost: (weights * cost[0]).sum(1) / weights.sum(1),
                                 resamples=1_000, seed=trial)  # fmt: skip
        low, high = bootstrap.interval(drawn, groups)
        hits += low <= 0 <= high
    assert 0.90 <= hits / trials <= 0.985


def test_p_agrees_with_the_interval() -> None:
    """Red: the page says that a challenger is better with p under .025 beside an interval that holds zero."""
    rng = np.random.default_rng(1)
    for trial in range(30):
        a, b = runs("a", rng.uniform(0.3, 0.6, 8)), runs("b", [0.5] * 8)
        shown = statistics.compare(a, b, objective=MISSES, seed=trial)
        assert shown.difference.high is not None and shown.p_holm is not None
        if abs(shown.p_holm - 0.025) > 0.002:
            assert (shown.difference.high < 0) == (shown.p_holm < 0.025)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_by_its_definition(p_values: list[float]) -> None:
    """Red: the corrected p-values do not reject what Holm's step-down procedure rejects."""
    adjusted = statistics.holm_p(p_values)
    for level in (0.01, 0.05, 0.2, 0.5):
        rejected: set[int] = set()
        for step, index in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
            if p_values[index] * (len(p_values) - step) > level:
                break
            rejected.add(index)
        ours = {index for index, p in enumerate(adjusted) if p <= level}
        ties = {index for index, p in enumerate(adjusted) if math.isclose(p, level)}
        assert ours - ties == rejected - ties
    assert all(p >= raw for p, raw in zip(adjusted, p_values, strict=True))


def test_holm_corrects_comparisons() -> None:
    """Red: with three challengers each is held against the threshold of one."""
    rng = np.random.default_rng(5)
    b = runs("b", [0.5] * 8)
    raw = [statistics.compare(runs(name, rng.uniform(0.4, 0.58, 8)), b, objective=MISSES) for name in "xyz"]
    few = statistics.compare(runs("w", [0.4] * 3), runs("b", [0.5] * 3), objective=MISSES)
    corrected = statistics.holm([*raw, few])
    assert [one.p_holm for one in corrected[:3]] == statistics.holm_p([one.p_holm or 0.0 for one in raw])
    assert corrected[3].p_holm is None


def test_choices_are_made_by_mean_cost() -> None:
    """Red: the incumbent to beat or the headline challenger is not the best one, or a baseline is taken for one."""
    ran = [*runs("lru", [0.5, 0.5], Role.INCUMBENT), *runs("s3", [0.1, 0.8], Role.INCUMBENT),
           *runs("never", [0.0, 0.0], Role.BASELINE), *runs("net", [0.4, 0.5]), *runs("tree", [0.2, 0.6])]  # fmt: skip
    assert statistics.choose_incumbent(ran, MISSES) == "s3"
    assert statistics.choose_incumbent(ran, SPEED) == "lru"
    assert statistics.choose_challenger(ran, MISSES) == "tree"
    assert statistics.choose_challenger(runs("lru", [1.0], Role.INCUMBENT), MISSES) is None
    heavy = [run("x", 0, 0.1, weight=3.0), run("x", 1, 0.9), run("y", 0, 0.4, weight=3.0), run("y", 1, 0.4)]
    assert statistics.choose_challenger(heavy, MISSES) == "x"
    assert statistics.mean_values(heavy, MISSES) == pytest.approx({"x": 0.3, "y": 0.4})


def test_hindsight_takes_the_best_of_each_instance() -> None:
    """Red: the hindsight column shows one incumbent, or lets a challenger or a baseline stand in for one."""
    ran = [*runs("lru", [0.5, 0.2, 0.3], Role.INCUMBENT), *runs("arc", [0.4, 0.3, 0.3], Role.INCUMBENT),
           *runs("zero", [0.0] * 3, Role.BASELINE), *runs("net", [0.0] * 3)]  # fmt: skip
    best = statistics.hindsight(ran, MISSES)
    assert {one.instance: one.outcome.value for one in best} == {"i000": 0.4, "i001": 0.2, "i002": 0.3}
    shown = statistics.compare([one for one in ran if one.contender == "net"], best, objective=MISSES)
    assert shown.hindsight and shown.b == statistics.HINDSIGHT


def test_ranks_share_what_the_interval_cannot_part() -> None:
    """Red: a difference that is noise makes a second place, or a real one does not."""
    rng = np.random.default_rng(2)
    base = rng.uniform(0.3, 0.6, 10)
    ran = [*runs("good", base - 0.1), *runs("twin", base - 0.1 + rng.normal(0, 0.01, 10)), *runs("bad", base + 0.1)]
    assert statistics.ranks_with_ties(ran, MISSES) == {"good": 1, "twin": 1, "bad": 3}
    flipped = statistics.ranks_with_ties(ran, SPEED)
    assert flipped["bad"] == 1 and flipped["good"] == flipped["twin"] == 2
    few = [*runs("x", [0.2, 0.2]), *runs("y", [0.2, 0.2]), *runs("z", [0.2, 0.3])]
    assert statistics.ranks_with_ties(few, MISSES) == {"x": 1, "y": 1, "z": 3}


def test_a_beaten_bound_is_an_error_that_names_both() -> None:
    """Red: a bound that is wrong stays on the page as one, or rounding or a best known value raises an alarm."""
    bounds = [*runs("belady", [0.2, 0.2, 0.2], Role.BOUND), *runs("known", [0.9] * 3, Role.BOUND)]
    ran = [run("net", 0, 0.19), run("net", 1, 0.2 * (1 - 1e-14)), run("net", 2, 0.0, status=Status.CRASHED)]
    kinds = {"belady": Kind.OPTIMAL, "known": Kind.BEST_KNOWN}
    [found] = statistics.violations([*ran, *bounds], kinds, MISSES)
    assert (found.contender, found.bound, found.instance) == ("net", "belady", "i000")
    assert (found.value, found.bound_value) == (0.19, 0.2)
    assert len(statistics.violations([*ran, *bounds], {"belady": Kind.RELAXATION}, SPEED)) == 0
    faster = runs("net", [0.3], Role.CHALLENGER)
    assert len(statistics.violations([*faster, *bounds], {"belady": Kind.RELAXATION}, SPEED)) == 1


def test_a_bound_of_timed_runs_is_beaten_by_the_whole_interval_only() -> None:
    """Red: one lucky repetition of a timed run accuses the bound."""
    bound = [run("opt", 0, 1.0, Role.BOUND, block="x")]
    lucky = [run("net", 0, 0.9, block="x"), run("net", 0, 1.1, block="x")]
    assert statistics.violations([*bound, *lucky], {"opt": Kind.OPTIMAL}, MISSES, timed=True) == []
    always = [run("net", 0, 0.9, block="x"), run("net", 0, 0.95, block="x")]
    assert len(statistics.violations([*bound, *always], {"opt": Kind.OPTIMAL}, MISSES, timed=True)) == 1


def _with_windows(name: str, instance: int, record: np.ndarray, **given: Any) -> Run:
    metrics = {f"{windows.PREFIX}{index}": float(value) for index, value in enumerate(record)}
    return run(name, instance, float(record.mean()), metrics=metrics, **given)


def test_one_trace_with_windows_gets_an_interval_over_time() -> None:
    """Red: a user's own trace gets no interval at all, or one that does not say what it speaks for."""
    rng = np.random.default_rng(0)
    shared = rng.uniform(0.3, 0.5, 60)
    level: dict[str, Any] = {"group": "mine", "series": "trace"}
    a = [_with_windows("a", index, shared - 0.05 + rng.normal(0, 0.01, 60), **level) for index in range(2)]
    b = [_with_windows("b", index, shared, **level) for index in range(2)]
    bound = [_with_windows("opt", index, shared - 0.2, **level) for index in range(2)]
    shown = statistics.compare(a, b, objective=MISSES, bound=bound)
    assert "over time" in shown.method and shown.p_holm is None and shown.per_group.keys() == {"mine"}
    assert shown.gap_closed is not None and shown.gap_closed.low is not None and shown.gap_closed.high is not None
    assert shown.gap_closed.low < 0.25 < shown.gap_closed.high and shown.gap_closed.low > 0.2
    mixed = statistics.compare(a, [run("b", index, 0.4, **level) for index in range(2)], objective=MISSES)
    assert mixed.difference.low is None and "over time" not in mixed.method


def test_blocks_over_time_cover_a_record_that_remembers() -> None:
    """Red: windows are drawn one by one, and what lasts for a while looks surer than it is."""
    rng, hits = np.random.default_rng(4), 0
    for trial in range(200):
        noise = rng.normal(size=200)
        record = np.convolve(noise, np.ones(4) / 4, "valid")
        a = _with_windows("a", 0, 5.0 + record)
        b = _with_windows("b", 0, np.full(len(record), 5.0))
        shown = statistics.compare([a], [b], objective=MISSES, resamples=500, seed=trial)
        low, high = shown.difference.low, shown.difference.high
        assert low is not None and high is not None
        hits += low <= 0 <= high
    assert 0.82 <= hits / 200 <= 0.97
