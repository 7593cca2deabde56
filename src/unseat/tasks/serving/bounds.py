"""What no policy can beat: the goodput of a relaxed cluster that knows all lengths.

The relaxation keeps of each request j, which comes at r_j, two facts.

1. *Prompt.* To be on time its prompt is computed within [r_j, r_j + D], D the objective of time to first token. That
   takes at least p_j seconds of one lane: its tokens that can be in no cache (all chunks that an earlier request began
   with are, at best), at the least time that any iteration takes a token, and its own attention. All L lanes together
   are one machine of L times the speed that may be preempted at will; but no prompt is computed by two lanes at once.
2. *All tokens.* Within r_j + D + (n_j - 1) T, T the objective of time per token, it takes at least w_j seconds, the
   least of its prompt and of its tokens in the largest batches. The machine has L seconds a second from the first
   arrival to the last of these deadlines.

By 1, deadlines come in the order of arrivals, so that first come first served is as good an order as any for a set of
requests that can all be on time, and the largest such set is found by taking one after the other and dropping, whenever
the last is late, the one without which it ends soonest (H. Kise, T. Ibaraki, H. Mine, "A Solvable Case of the
One-Machine Scheduling Problem with Ready and Due Times", Operations Research 26, 1978). By 2, it is at most the number
of the smallest w_j that the machine has time for. Both are relaxations, so that the smaller is one too.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from unseat.core.jit import jit
from unseat.core.learner import Bounder, Kind
from unseat.core.outcome import Limits, Outcome
from unseat.core.srpt import srpt
from unseat.tasks.serving.engine import costs
from unseat.tasks.serving.engine import layout as at
from unseat.tasks.serving.engine.layout import Float64
from unseat.tasks.serving.problem import Problem, Requests


class Least(NamedTuple):
    """The least seconds of a lane that each request takes: float64 [n] each."""

    prompt: Float64
    all: Float64


class OnTime(Bounder):
    """The highest rate at which the relaxed cluster has enough requests on time."""

    name, kind = "relaxed on time", Kind.RELAXATION

    def solve(self, problem: Any, *, seed: int, limits: Limits) -> Outcome:
        """See the module."""
        need = least(problem)
        count = len(need.prompt)
        allowed = int((1 - problem.attainment) * count)

        def served(rate: float) -> bool:
            return count - relaxed(problem, need, rate) <= allowed

        low = high = problem.capacity
        while served(high) and high < 2**20 * problem.capacity:
            high *= 2
        while not served(low) and low > problem.lowest:
            low /= 2
        for _ in range(20):
            middle = float(np.sqrt(low * high))
            low, high = (middle, high) if served(middle) else (low, middle)
        rate = problem.capacity / 2
        at_s = (problem.requests.at_s - problem.requests.at_s[0]) * problem.requests.rate / rate
        srpt_s = float((srpt(at_s, need.all / problem.serving.lanes) - at_s).sum()) / count
        return Outcome(max(high, problem.lowest), metrics={"srpt_mean_latency_s": srpt_s})


def relaxed(problem: Problem, need: Least, rate: float) -> int:
    """Requests that the relaxed cluster has on time at a rate, at most."""
    serving, f = problem.serving, problem.empty.f
    within = serving.ttft_s - f[at.ENTRY] + 1e-9
    at_s = (problem.requests.at_s - problem.requests.at_s[0]) * problem.requests.rate / rate
    possible = need.prompt <= within
    by_prompt = on_time(at_s[possible], need.prompt[possible] / serving.lanes, within)
    ends = at_s + serving.ttft_s + (problem.requests.output - 1) * (serving.tpot_s + 1e-8)
    room = serving.lanes * float(ends.max(initial=0.0))
    by_work = int(np.searchsorted(np.cumsum(np.sort(need.all[possible])), room, side="right"))
    return min(by_prompt, by_work)


def least(problem: Problem) -> Least:
    """What each request takes at least; see the module."""
    requests, serving, cost, f = problem.requests, problem.serving, problem.empty.cost, problem.empty.f
    scale, overhead = f[at.SCALE], f[at.OVERHEAD] + f[at.HOP]
    tokens = float(max(serving.tokens, at.LEAST_BUDGET, int(requests.prompt.max(initial=1)) + serving.seats * 16))
    # Between two points of the grid time over tokens is monotone, so that the least is at one of them.
    grid = cost[costs.X_TOKENS : costs.X_TOKENS + costs.N_TOKENS]
    points = np.unique(np.append(grid[grid <= tokens], tokens))
    token_s = min((scale * costs.linear(cost, t) + overhead) / t for t in points.tolist())
    seats = np.arange(1, serving.seats * (1 + serving.drafts) + 1)
    head_s = scale * min(costs.sampled(cost, float(n)) / n for n in seats.tolist())
    table = cost[costs.DECODE :].reshape(costs.N_BATCHES, costs.N_LENGTHS)
    batches = cost[costs.X_BATCHES : costs.X_BATCHES + costs.N_BATCHES]
    attention_s = scale * float((table.min(axis=1) / batches).min()) / (1 + serving.drafts)
    hits = cached(requests, serving.chunk) if serving.chunk else np.zeros(len(requests.at_s), np.int64)
    own = np.array([costs.whole(cost, float(p)) - costs.whole(cost, float(h))
                    for p, h in zip(requests.prompt.tolist(), hits.tolist(), strict=True)])  # fmt: skip
    prompt = (requests.prompt - hits) * token_s + scale * np.maximum(own, 0.0)
    # The last iteration of a prompt gives the first token, and a draft may come with any other.
    return Least(prompt, prompt + (requests.output - 1) * (token_s + head_s + attention_s))


def cached(requests: Requests, chunk: int) -> Any:
    """int64 [n], the tokens of each prompt that an earlier one began with too, at most all but one."""
    seen: set[int] = set()
    hits = np.zeros(len(requests.at_s), np.int64)
    for i, prompt in enumerate(requests.prompt.tolist()):
        own = requests.hashes[requests.first[i] : requests.first[i + 1]].tolist()
        found = 0
        for one in own:
            if one not in seen:
                break
            found += 1
        hits[i] = min(found, (prompt - 1) // chunk) * chunk
        seen.update(own)
    return hits


@jit
def on_time(at_s: Float64, work_s: Float64, within_s: float) -> int:
    """The most jobs that one machine can end within so long of their coming; `at_s` ascends. See the module."""
    taken = np.zeros(at_s.size, np.int64)
    ends = np.zeros(at_s.size + 1)
    count = 0
    for j in range(at_s.size):
        taken[count] = j
        ends[count + 1] = max(ends[count], at_s[j]) + work_s[j]
        count += 1
        if ends[count] <= at_s[j] + within_s + 1e-9:
            continue
        # Without job k those behind it come sooner by its share of the time, but none before it has come itself.
        best, gain, slack = count - 1, -1.0, 1e300
        for k in range(count - 1, -1, -1):
            sooner = min(ends[k + 1] - ends[k], slack)
            if sooner > gain:
                best, gain = k, sooner
            slack = min(slack, max(ends[k] - at_s[taken[k]], 0.0))
        for k in range(best, count - 1):
            taken[k] = taken[k + 1]
            ends[k + 1] = max(ends[k], at_s[taken[k]]) + work_s[taken[k]]
        count -= 1
    return count
