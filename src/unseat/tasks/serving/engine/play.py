"""Every built-in policy in one loop with the engine: rules and learned weights answer the same four questions.

A policy is a vector `p` of settings (`ROUTER` and so on, below) and a vector `w` of weights, used where a setting says
that it is learned.
"""

from __future__ import annotations

import math

import numpy as np

from unseat.core.jit import jit
from unseat.tasks.serving.engine import layout as at
from unseat.tasks.serving.engine.cluster import (
    advance,
    answer_admit,
    answer_batch,
    answer_preempt,
    answer_route,
)
from unseat.tasks.serving.engine.features import (
    F_PLACE,
    F_REQUEST,
    F_ROUTE,
    F,
    decoding_s,
    place_features,
    request_features,
    route_features,
    saved,
)
from unseat.tasks.serving.engine.layout import NONE, Float64, State
from unseat.tasks.serving.engine.lengths import N_KNOWN, expected
from unseat.tasks.serving.engine.worth import ahead_s, fitting, lead_s, note_cost, prompt_s, prompt_share

(ROUTER, ORDER, MODE, BUDGET, ADMISSION, PATIENT, PACE, AFFINITY, IMBALANCE, LATE_LAST, VICTIM, LONG, AHEAD, SPARE,
 PRESSED, SAVED, DECODING, SLACK, EASE, EASY, URGENT) = range(21)  # fmt: skip
SETTINGS = 21

# Values of `ROUTER`, `ORDER` and `ADMISSION`.
ROUND_ROBIN, LEAST_LOADED, PREFIX, LEARNED_ROUTER, RANDOM_ROUTER, SOONEST = range(6)
FCFS, SHORTEST_PROMPT, RESPONSE_RATIO, SHORTEST_LEFT, LEARNED_ORDER, RANDOM_ORDER, CHEAPEST = range(7)
ADMIT_ALL, ADMIT_IN_TIME, LEARNED_ADMISSION, ADMIT_BY_COST = range(4)

HIDDEN = 6
W_HIDDEN = 0
W_BIAS = W_HIDDEN + F * HIDDEN
W_OUT = W_BIAS + HIDDEN
W_LINEAR = W_OUT + HIDDEN
W_PACE = W_LINEAR + F
W_ADMIT = W_PACE + 1 + F_PLACE
W_ROUTE = W_ADMIT + 1 + F
WEIGHTS = W_ROUTE + F_ROUTE
"""Of a learned policy, beside what the adaptive one does: a hidden layer, what it gives, the linear part; pace;
admission; routing. All zero is the adaptive one."""

USUAL = 0.1
"""Share of the requests that may miss where policies are fitted."""

LATE = 1e6
"""Comes off the score of a request whose objective is missed already, where a policy puts those last."""


@jit
def play(s: State, p: Float64, w: Float64, lengths: Float64) -> None:
    """Run to the end; `lengths` are the weights of the length prediction, or empty."""
    x, known = np.zeros(F), np.zeros(N_KNOWN)
    while True:
        asked = advance(s)
        if asked == at.OVER:
            return
        if asked == at.BATCH:
            order(s, p, w, x)
            answer_batch(s, int(p[MODE]), budget(s, s.g[at.ASKED], p, w, x))
        else:
            answer_other(s, asked, p, w, lengths, x, known)


@jit
def answer_other(s: State, asked: int, p: Float64, w: Float64, lengths: Float64, x: Float64, known: Float64) -> None:
    """Answer a question that is not who is in the next batch."""
    if asked == at.ROUTE:
        expect(s, lengths, known)
        answer_route(s, route(s, p, w))
    elif asked == at.ADMIT:
        expect(s, lengths, known)
        answer_admit(s, accepts(s, p, w, x))
    else:
        answer_preempt(s, victim(s, p))


@jit
def expect(s: State, lengths: Float64, known: Float64) -> None:
    """Predict the output of the request that comes, once."""
    i = s.g[at.ASKED]
    if lengths.size and s.q[i, at.STATE] == at.COMING:
        first, last = s.fixed[i, at.HASH_FROM], s.fixed[i, at.HASH_TO]
        s.when[i, at.GUESS] = expected(s.past, s.fixed[i, at.PROMPT], s.hashes, first, last, lengths, known)


@jit
def drawn(s: State) -> int:
    """The next number of a generator of the engine's own, for policies that draw; no clock can change it."""
    s.g[at.DRAW] = (s.g[at.DRAW] * 1_103_515_245 + 12_345) & 0x7FFFFFFF
    return int(s.g[at.DRAW] >> 8)


@jit
def order(s: State, p: Float64, w: Float64, x: Float64) -> None:
    """Score those that wait: the greater, the sooner."""
    r, kind = s.g[at.ASKED], int(p[ORDER])
    now, i = s.clock[r, at.NOW], s.rep[r, at.FIRST_WAIT]
    learned, adaptive = kind == LEARNED_ORDER, kind in (CHEAPEST, LEARNED_ORDER)
    if learned:
        place_features(s, r, x[F_REQUEST:])
    while i != NONE:
        left = 0 if s.q[i, at.SWAPPED] else s.q[i, at.TARGET] - s.q[i, at.DONE]
        waited = now - s.when[i, at.ARRIVAL]
        score = waited
        if adaptive:
            score = p[URGENT] * waited / s.f[at.TTFT] - math.log2(s.when[i, at.KEY] + 1e-6)
        elif kind == SHORTEST_PROMPT:
            score = -float(left)
        elif kind == RESPONSE_RATIO:
            score = waited / max(left, 1)
        elif kind == SHORTEST_LEFT:
            output = max(s.when[i, at.GUESS] - s.q[i, at.GENERATED], 1.0)
            score = -(left + p[LONG] * output)
        elif kind == RANDOM_ORDER:
            score = float(drawn(s))
        if learned:
            request_features(s, r, i, now, x[:F_REQUEST])
            score += network(x, w)
        if p[LATE_LAST] > 0.0 and s.q[i, at.GENERATED] == 0:
            needs = s.when[i, at.OWN_S] if adaptive else left * s.f[at.TOKEN_S]
            lost = waited + needs > s.f[at.TTFT] * p[LATE_LAST]
            score -= LATE if lost else 0.0
        s.when[i, at.SCORE] = score
        i = s.q[i, at.AFTER]


@jit
def network(x: Float64, w: Float64) -> float:
    """One hidden layer and a linear part."""
    total = 0.0
    for k in range(F):
        total += w[W_LINEAR + k] * x[k]
    for h in range(HIDDEN):
        inner = w[W_BIAS + h]
        for k in range(F):
            inner += w[W_HIDDEN + h * F + k] * x[k]
        if inner > 0.0:
            total += w[W_OUT + h] * inner
    return float(total)


@jit
def budget(s: State, r: int, p: Float64, w: Float64, x: Float64) -> int:
    """Tokens of the next batch: fixed, or as many as leave those that decode their time per token."""
    kind, running = int(p[ORDER]), s.rep[r, at.N_RUN] - s.rep[r, at.FILLING]
    if p[PACE] <= 0.0 or running == 0:
        return int(p[BUDGET])
    if kind in (CHEAPEST, LEARNED_ORDER):
        more = 0.0
        if kind == LEARNED_ORDER:
            place_features(s, r, x[F_REQUEST:])
            more = w[W_PACE]
            for k in range(F_PLACE):
                more += w[W_PACE + 1 + k] * x[F_REQUEST + k]
        seconds = iteration_allowed(s, r, p) * min(max(1.0 + more, 0.1), 8.0)
        return int(running * (1 + s.g[at.DRAFTS])) + fitting(s, r, seconds, int(p[BUDGET]))
    left = p[PACE] * s.f[at.TPOT] - decoding_s(s, r)
    return int(min(running + max(left, 0.0) / s.f[at.TOKEN_S], p[BUDGET]))


@jit
def iteration_allowed(s: State, r: int, p: Float64) -> float:
    """Seconds of the next iteration: less than the whole pace where few tokens wait, for those that decode."""
    queued = s.rep[r, at.QUEUED] * s.f[at.TOKEN_S] / s.f[at.TTFT]
    ease = 1.0 - p[EASE] * max(0.0, 1.0 - queued / max(p[EASY], 1e-3))
    seconds = p[PACE] * ease * s.f[at.TPOT]
    return float(seconds + p[SLACK] * lead_s(s, r) if p[SLACK] > 0.0 else seconds)


@jit
def wait_s(s: State, r: int, key: float, own: float, p: Float64) -> float:
    """Seconds after which a request that comes to a replica would have its first token."""
    share = prompt_share(s, r, p[PACE] * s.f[at.TPOT])
    return float((p[AHEAD] * ahead_s(s, r, key) + own) / share)


@jit
def judge(s: State, r: int, i: int, p: Float64) -> None:
    """Write what a request costs a replica."""
    own = prompt_s(s, r, i)
    output = max(s.when[i, at.GUESS] - s.q[i, at.GENERATED], 1.0)
    s.when[i, at.OWN_S], s.when[i, at.KEY] = own, own + p[LONG] * output * s.f[at.TOKEN_S]


@jit
def patience(s: State, patient: float) -> float:
    """Which share of the time to first token the expected wait may be.

    As the policy says where a tenth may miss. The less may, the nearer to all of it, if it is less: to refuse is a miss
    for certain.
    """
    return float(max(patient, 1.0 + (patient - 1.0) * min(s.f[at.MAY_MISS] / USUAL, 1.0)))


@jit
def worthy(s: State, r: int, i: int, p: Float64, patient: float) -> bool:
    """Whether a request would be on time, and is not so dear that to refuse it is the best use of the promise."""
    key, own = s.when[i, at.KEY], s.when[i, at.OWN_S]
    share = p[SPARE] * s.f[at.MAY_MISS]
    wait = wait_s(s, r, key, own, p)
    dear = s.g[at.NEXT] > 10 and math.log2(max(key, 1e-6)) > s.f[at.DEAR]
    note_cost(s, key, share)
    if wait > patience(s, patient) * s.f[at.TTFT]:
        return False
    room = s.g[at.MISSED] < p[SAVED] * s.f[at.MAY_MISS] * s.g[at.NEXT]
    return not (dear and room and wait > p[PRESSED] * s.f[at.TTFT])


@jit
def accepts(s: State, p: Float64, w: Float64, x: Float64) -> bool:
    """Whether a request is taken."""
    kind = int(p[ADMISSION])
    i, r = s.g[at.ASKED], s.g[at.TAKEN]
    if int(p[ORDER]) in (CHEAPEST, LEARNED_ORDER) or kind in (ADMIT_BY_COST, LEARNED_ADMISSION):
        judge(s, r, i, p)
    if kind == ADMIT_ALL:
        return True
    now = s.when[i, at.ARRIVAL]
    if kind == ADMIT_BY_COST:
        return worthy(s, r, i, p, p[PATIENT])
    if kind == LEARNED_ADMISSION:
        request_features(s, r, i, now, x[:F_REQUEST])
        place_features(s, r, x[F_REQUEST:])
        total = w[W_ADMIT]
        for k in range(F):
            total += w[W_ADMIT + 1 + k] * x[k]
        return worthy(s, r, i, p, p[PATIENT] * min(max(1.0 + total, 0.1), 8.0))
    # What goes first: all that is begun, and what waits and is shorter, or came sooner.
    ahead, own = 0, s.fixed[i, at.PROMPT]
    shortest = int(p[ORDER]) == SHORTEST_PROMPT
    for place in range(s.rep[r, at.N_RUN]):
        other = s.run[r, place, 0]
        ahead += s.q[other, at.TARGET] - s.q[other, at.DONE] if s.q[other, at.DONE] < s.q[other, at.TARGET] else 0
    other = s.rep[r, at.FIRST_WAIT]
    while other != NONE:
        if not s.q[other, at.SWAPPED] and (not shortest or s.q[other, at.TARGET] <= own):
            ahead += s.q[other, at.TARGET]
        other = s.q[other, at.AFTER]
    share = max(1.0 - decoding_s(s, r) / s.f[at.TPOT], 0.1) if p[PACE] > 0.0 else 1.0
    return bool((ahead + own) * s.f[at.TOKEN_S] / share <= p[PATIENT] * s.f[at.TTFT])


@jit
def load(s: State, r: int) -> int:
    """Requests that a replica has."""
    return int(s.rep[r, at.N_RUN] + s.rep[r, at.N_WAIT])


@jit
def route(s: State, p: Float64, w: Float64) -> int:
    """The place of a replica among those offered."""
    first, count, i, kind = s.g[at.FROM], s.g[at.TO] - s.g[at.FROM], s.g[at.ASKED], int(p[ROUTER])
    if kind == ROUND_ROBIN:
        return int(i % count)
    if kind == RANDOM_ROUTER:
        return int(drawn(s) % count)
    if kind in (SOONEST, LEARNED_ROUTER):
        return soonest(s, p, w)
    least, most, best, hits = 0, 0, 0, -1.0
    for place in range(count):
        r = first + place
        if load(s, r) < load(s, first + least):
            least = place
        if load(s, r) > load(s, first + most):
            most = place
        found = saved(s, r, i)
        if found > hits or (found == hits and load(s, r) < load(s, first + best)):
            best, hits = place, found
    if kind == LEAST_LOADED:
        return least
    # SGLang's router: the longest prefix, unless the loads are too unlike.
    low, high = load(s, first + least), load(s, first + most)
    uneven = high - low > p[IMBALANCE] and high > 1.5 * low
    share = hits * s.f[at.TTFT] / s.f[at.TOKEN_S] / s.fixed[i, at.PROMPT]
    return least if uneven or share < p[AFFINITY] else best


@jit
def soonest(s: State, p: Float64, w: Float64) -> int:
    """The replica with the least sum of the wait, what the request costs there, and those that decode."""
    first, i, chosen, lowest, best = s.g[at.FROM], s.g[at.ASKED], 0, 1e300, 0.0
    moves, learned, x = s.q[i, at.STATE] == at.MOVES, int(p[ROUTER]) == LEARNED_ROUTER, np.zeros(F_ROUTE)
    if learned:
        for r in range(first, s.g[at.TO]):
            best = max(best, saved(s, r, i))
    for place in range(s.g[at.TO] - first):
        r = first + place
        cost = decoding_s(s, r) / s.f[at.TPOT] * p[DECODING]
        if not moves:
            judge(s, r, i, p)
            own = s.when[i, at.OWN_S]
            cost += (wait_s(s, r, s.when[i, at.KEY], own, p) + p[AFFINITY] * own) / s.f[at.TTFT]
        if learned:
            route_features(s, i, r, best, x)
            for k in range(F_ROUTE):
                cost += w[W_ROUTE + k] * x[k]
        if cost < lowest:
            chosen, lowest = place, cost
    return chosen


@jit
def victim(s: State, p: Float64) -> int:
    """Who is preempted: the last that came, or the one with the most in the cache."""
    r = s.g[at.ASKED]
    if p[VICTIM] <= 0.0:
        return int(s.rep[r, at.N_RUN] - 1)
    best = -1
    for place in range(s.rep[r, at.N_RUN]):
        if place != s.g[at.TURN] and (best < 0 or s.q[s.run[r, place, 0], at.OWN] > s.q[s.run[r, best, 0], at.OWN]):
            best = place
    return best
