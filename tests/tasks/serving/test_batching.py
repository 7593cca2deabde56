"""Batches are made as the papers say: by hand, where every iteration takes a second."""

from __future__ import annotations

import numpy as np
import pytest

from unseat.tasks.serving.cluster import Serving
from unseat.tasks.serving.engine import layout as at
from unseat.tasks.serving.engine import play as of
from unseat.tasks.serving.engine.layout import State
from unseat.tasks.serving.policies import RuleOf
from unseat.tasks.serving.problem import Problem, Requests

NONE = np.zeros(0, np.int64)


def seconds(
    prompt: list[int],
    output: list[int],
    at_s: list[float],
    policy: RuleOf,
    serving: Serving,
    chunks: list[list[int]] | None = None,
) -> State:
    """The last state of a run in which every iteration takes a second."""
    chunks = chunks or [[] for _ in prompt]
    first = np.concatenate([[0], np.cumsum([len(chunk) for chunk in chunks])]).astype(np.int64)
    flat = np.array([one for chunk in chunks for one in chunk], np.int64)
    requests = Requests(np.array(at_s), np.array(prompt), np.array(output), first, flat)
    s = Problem(requests, serving).begin(0, requests.rate)
    s.f[at.SCALE], s.f[at.EXTRA], s.f[at.ENTRY], s.f[at.HOP], s.f[at.OVERHEAD] = 0.0, 0.0, 0.0, 0.0, 1.0
    policy.play(s)
    assert s.g[at.FAULT] == 0
    return s


@pytest.mark.parametrize(
    ("mode", "budget", "first", "end"),
    [
        (at.STATIC, 8192, [1, 4], [3, 5]),  # the second waits for the first batch to end
        (at.PREFILL_FIRST, 8192, [1, 2], [4, 3]),  # the second's prompt stalls the first's tokens
        (at.MIXED, 128, [1, 4], [3, 5]),  # the second's prompt comes in parts, beside the first's tokens
    ],
)
def test_two_requests(mode: int, budget: int, first: list[int], end: list[int]) -> None:
    """Red: a way of batching does not give the tokens when its paper says."""
    policy = RuleOf("hand", {"mode": mode, "budget": budget})
    s = seconds([100, 300], [3, 2], [0.0, 0.5], policy, Serving(replicas=1))
    assert s.when[:, at.FIRST].tolist() == first
    assert s.when[:, at.END].tolist() == end


def test_orders() -> None:
    """Red: an order does not put first whom its name says."""
    prompt, at_s = [50, 400, 100, 300], [0.0, 0.1, 0.2, 0.3]
    wanted = {of.FCFS: [0, 1, 2, 3], of.SHORTEST_PROMPT: [0, 2, 3, 1], of.RESPONSE_RATIO: [0, 2, 3, 1]}
    for order, right in wanted.items():
        s = seconds(prompt, [1] * 4, at_s, RuleOf("hand", {"order": order}), Serving(replicas=1, seats=1))
        assert np.argsort(s.when[:, at.FIRST]).tolist() == right


def test_a_common_beginning_is_computed_once() -> None:
    """Red: a cached chunk is computed again, is taken before it was computed, or more than the prompt less one is."""
    serving = Serving(replicas=1, chunk=64)
    chunks = [[0, 1], [0, 1], [0, 2]]
    s = seconds([128, 128, 150], [1] * 3, [0.0, 2.0, 4.0], RuleOf("hand", {}), serving, chunks)
    assert s.q[:, at.HITS].tolist() == [0, 64, 64]
    s = seconds([128, 128, 150], [1] * 3, [0.0, 0.0, 0.0001], RuleOf("hand", {}), serving, chunks)
    assert s.q[:, at.HITS].tolist() == [0, 0, 64]


def test_separate_replicas() -> None:
    """Red: a prompt's replica gives further tokens, or a request does not go on where its cache was copied to."""
    s = seconds([100, 100], [3, 3], [0.0, 0.0001], RuleOf("hand", {}), Serving(replicas=2, prefillers=1))
    assert (s.q[:, at.AT] == 1).all()
    assert s.when[0, at.FIRST] == 1.0
    assert s.when[0, at.END] == pytest.approx(1.0 + 0.002 + 100 * s.f[at.TOKEN_MOVE] + 2.0)


def test_drafts_that_are_all_accepted() -> None:
    """Red: speculative decoding loses tokens, or gives fewer than were accepted."""
    s = seconds([10, 10], [9, 9], [0.0, 0.0001], RuleOf("hand", {}), Serving(replicas=1, drafts=3, accept=1.0))
    # One token of the prompt, and four a step.
    assert s.when[0, at.END] == 3.0
    assert (s.q[:, at.GENERATED] == 9).all()


def test_pipeline_stages_are_lanes() -> None:
    """Red: a pipeline of two stages does not run two batches at once."""
    s = seconds(
        [10, 10],
        [2, 2],
        [0.0, 0.0001],
        RuleOf("hand", {"router": of.ROUND_ROBIN}),
        Serving(replicas=1, pp=2, tp=1, seats=1),
    )
    assert s.when[:, at.END] == pytest.approx([2.0, 2.0], abs=1e-3)


def test_swap_and_recompute() -> None:
    """Red: who is preempted loses tokens, or a copied cache is computed again."""
    for swaps in (False, True):
        serving = Serving(replicas=1, memory=10, swaps=swaps)
        s = seconds([60, 60], [40, 40], [0.0, 0.0001], RuleOf("hand", {}), serving)
        assert s.g[at.PREEMPTIONS] > 0
        assert (s.q[:, at.GENERATED] == 40).all()
        assert (s.q[:, at.REDONE].sum() == 0) == swaps
