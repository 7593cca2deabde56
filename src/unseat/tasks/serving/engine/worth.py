"""What a request costs, how soon it would be served, and how large a batch may be: what the adaptive policies go by.

Costs are seconds of a replica: of what is to be computed of a prompt (what is cached is not), and of the expected
answer. Goodput at an attainment of nine in ten is won by serving many cheap requests, so the cheapest goes first, and
what is dear is refused while the promise has room for that.
"""

from __future__ import annotations

import math

import numpy as np

from unseat.core.jit import jit
from unseat.tasks.serving.engine import costs
from unseat.tasks.serving.engine import layout as at
from unseat.tasks.serving.engine.blocks import matched
from unseat.tasks.serving.engine.features import decoding_s
from unseat.tasks.serving.engine.layout import NONE, Int64, State
from unseat.tasks.serving.engine.replica import following

STEPS = 9
"""Halvings when the size of a batch is searched."""


@jit
def prompt_s(s: State, r: int, i: int) -> float:
    """Seconds of the part of a prompt that a replica has not in its cache."""
    if s.q[i, at.SWAPPED]:
        return 0.0
    hits = matched(s, r, i) * s.g[at.CHUNK]
    left = max(s.q[i, at.TARGET], s.fixed[i, at.PROMPT]) - hits
    return float(left * s.f[at.TOKEN_S] + s.f[at.SCALE] * costs.chunk(s.cost, hits, left))


@jit
def ahead_s(s: State, r: int, key: float) -> float:
    """Seconds of prompts that go before a request with that cost: those that are begun, and those that are cheaper."""
    tokens, begun, total = 0, s.rep[r, at.FILLING], 0.0
    for place in range(s.rep[r, at.N_RUN]):
        if begun == 0:
            break
        i = s.run[r, place, 0]
        if s.q[i, at.DONE] < s.q[i, at.TARGET]:
            tokens += s.q[i, at.TARGET] - s.q[i, at.DONE]
            begun -= 1
    i = s.rep[r, at.FIRST_WAIT]
    while i != NONE:
        if s.when[i, at.KEY] <= key:
            total += s.when[i, at.OWN_S]
        i = s.q[i, at.AFTER]
    return float(total + tokens * s.f[at.TOKEN_S])


@jit
def lead_s(s: State, r: int) -> float:
    """By how much those that decode are ahead of their time per token, in the mean; of each at most a few tokens."""
    total, count, now, each = 0.0, 0, s.clock[r, at.NOW], s.f[at.TPOT]
    for place in range(s.rep[r, at.N_RUN]):
        i = s.run[r, place, 0]
        if s.q[i, at.DONE] >= s.q[i, at.TARGET] and s.q[i, at.GENERATED] > 0:
            lead = s.when[i, at.FIRST] - s.f[at.ENTRY] + (s.q[i, at.GENERATED] - 1) * each - now
            total += min(max(lead, -4.0 * each), 8.0 * each)
            count += 1
    return float(total / count) if count else 0.0


@jit
def prompts(s: State, r: int) -> Int64:
    """int64 [n, 2], tokens that are computed and that are not: of each prompt that is begun, then of who is next."""
    begun, rows = s.rep[r, at.FILLING], 0
    parts = np.zeros((begun + 1, 2), np.int64)
    for place in range(s.rep[r, at.N_RUN]):
        if rows == begun:
            break
        i = s.run[r, place, 0]
        if s.q[i, at.DONE] < s.q[i, at.TARGET]:
            parts[rows, 0], parts[rows, 1] = s.q[i, at.DONE], s.q[i, at.TARGET] - s.q[i, at.DONE]
            rows += 1
    if s.rep[r, at.N_WAIT] > 0:
        i = following(s, r)
        if not s.q[i, at.SWAPPED]:
            parts[rows, 0] = matched(s, r, i) * s.g[at.CHUNK]
            parts[rows, 1] = s.q[i, at.TARGET] - parts[rows, 0]
    return parts


@jit
def prompts_s(s: State, parts: Int64, decode: int, tokens: int) -> float:
    """Seconds of so many tokens of prompts beside so many that decode; what is beyond `parts` is a new prompt."""
    left, attention = tokens, 0.0
    for row in range(parts.shape[0]):
        if left > 0 and parts[row, 1] > 0:
            part = min(parts[row, 1], left)
            attention += costs.chunk(s.cost, parts[row, 0], part)
            left -= part
    if left > 0:
        attention += costs.whole(s.cost, left)
    return float(s.f[at.SCALE] * (costs.linear(s.cost, decode + tokens) + attention) + s.f[at.EXTRA] * tokens)


@jit
def fitting(s: State, r: int, seconds: float, most: int) -> int:
    """Tokens of prompts that an iteration of at most that time has room for; those that wait have their scores."""
    running = s.rep[r, at.N_RUN] - s.rep[r, at.FILLING]
    decode, parts = running * (1 + s.g[at.DRAFTS]), prompts(s, r)
    others = costs.sampled(s.cost, running + 1) + costs.decode(s.cost, running, s.rep[r, at.CONTEXT])
    left = seconds - s.f[at.SCALE] * others - s.f[at.OVERHEAD] - s.f[at.HOP]
    if prompts_s(s, parts, decode, at.LEAST_BUDGET) > left:
        return 0
    if prompts_s(s, parts, decode, most) <= left:
        return max(most, at.LEAST_BUDGET)
    low, high = math.log(float(at.LEAST_BUDGET)), math.log(float(max(most, at.LEAST_BUDGET)))
    for _ in range(STEPS):
        middle = 0.5 * (low + high)
        if prompts_s(s, parts, decode, int(math.exp(middle))) <= left:
            low = middle
        else:
            high = middle
    return int(math.exp(low))


@jit
def prompt_share(s: State, r: int, seconds: float) -> float:
    """The share of a full replica's time that prompts get, if an iteration takes so long."""
    if s.rep[r, at.N_RUN] == s.rep[r, at.FILLING]:
        return 1.0
    return float(max(1.0 - decoding_s(s, r) / seconds, 0.05))


@jit
def note_cost(s: State, cost: float, share: float) -> None:
    """Move the cost that so large a share of the requests exceeds, by what has just come (Robbins and Monro, 1951)."""
    value, count = math.log2(max(cost, 1e-6)), float(s.g[at.NEXT])
    step = max(2.0 / (1.0 + count) ** 0.7, 0.05)
    if count == 0.0:
        s.f[at.DEAR] = value + 2.0
    elif value > s.f[at.DEAR]:
        s.f[at.DEAR] += step * (1.0 - share)
    else:
        s.f[at.DEAR] -= step * share
