"""What a policy sees of a request and of a replica, as numbers of about the same size."""

from __future__ import annotations

import math

from unseat.core.jit import jit
from unseat.tasks.serving.engine import costs
from unseat.tasks.serving.engine import layout as at
from unseat.tasks.serving.engine.blocks import available, matched
from unseat.tasks.serving.engine.layout import NONE, Float64, State

REQUEST = ("waited", "to compute", "to compute, log", "expected output, log", "cached", "slack", "late", "begun")
"""Of a request: how long it has waited, in objectives of time to first token; tokens of its prompt that are to be
computed, over 8,192, and their logarithm; the logarithm of the expected output; the share of the prompt that is cached;
what is left of its objective when its prompt were computed at once, if nothing is, and whether it was preempted."""

PLACE = ("waiting", "decoding", "memory", "pace", "filling")
"""Of its replica: seconds of prompts that are to be computed, in objectives; seats that decode; memory in use; an
iteration of those that decode, in objectives of time per token; prompts that are begun."""

F_REQUEST, F_PLACE = len(REQUEST), len(PLACE)
F = F_REQUEST + F_PLACE

ROUTES = ("waiting", "decoding", "memory", "requests", "cached", "best cached")
"""Of a replica, for a request that comes: as above, requests that wait or run, and what its cache would save."""
F_ROUTE = len(ROUTES)


@jit
def bounded(x: float, low: float, high: float) -> float:
    """x within limits."""
    return float(min(max(x, low), high))


@jit
def place_features(s: State, r: int, out: Float64) -> None:
    """Write `PLACE` of a replica."""
    seats, blocks = float(s.g[at.SEATS]), float(s.g[at.BLOCKS])
    running = s.rep[r, at.N_RUN] - s.rep[r, at.FILLING]
    out[0] = bounded(s.rep[r, at.QUEUED] * s.f[at.TOKEN_S] / s.f[at.TTFT], 0.0, 8.0)
    out[1] = running / seats
    out[2] = 1.0 - available(s, r) / blocks
    out[3] = bounded(decoding_s(s, r) / s.f[at.TPOT], 0.0, 4.0)
    out[4] = bounded(s.rep[r, at.FILLING] / 8.0, 0.0, 4.0)


@jit
def decoding_s(s: State, r: int) -> float:
    """Seconds of an iteration of those that decode now, and of nothing else."""
    running = s.rep[r, at.N_RUN] - s.rep[r, at.FILLING]
    if running <= 0:
        return float(s.f[at.OVERHEAD])
    seconds = costs.linear(s.cost, running) + costs.sampled(s.cost, running)
    return float(s.f[at.SCALE] * (seconds + costs.decode(s.cost, running, s.rep[r, at.CONTEXT])) + s.f[at.OVERHEAD])


@jit
def request_features(s: State, r: int, i: int, now: float, out: Float64) -> None:
    """Write `REQUEST` of a request that waits at a replica, or comes to it."""
    hits = 0 if s.q[i, at.SWAPPED] else matched(s, r, i) * s.g[at.CHUNK]
    target = max(s.q[i, at.TARGET], s.fixed[i, at.PROMPT])
    left = 0 if s.q[i, at.SWAPPED] else target - hits
    waited = now - s.when[i, at.ARRIVAL]
    out[0] = bounded(waited / s.f[at.TTFT], 0.0, 8.0)
    out[1] = bounded(left / 8192.0, 0.0, 16.0)
    out[2] = math.log2(1.0 + left) / 16.0
    out[3] = math.log2(1.0 + s.when[i, at.GUESS]) / 16.0
    out[4] = hits / target
    slack = (s.f[at.TTFT] - waited - left * s.f[at.TOKEN_S]) / s.f[at.TTFT]
    out[5] = bounded(slack, -4.0, 1.0)
    out[6] = 1.0 if slack < 0.0 and s.q[i, at.GENERATED] == 0 else 0.0
    out[7] = 1.0 if s.q[i, at.GENERATED] > 0 else 0.0


@jit
def waiting_features(s: State, r: int, out: Float64) -> int:
    """Write a row for each request that waits, in order of coming, as many as there is room for; gives their number."""
    count, i, now = 0, s.rep[r, at.FIRST_WAIT], s.clock[r, at.NOW]
    while i != NONE and count < out.shape[0]:
        request_features(s, r, i, now, out[count, :F_REQUEST])
        place_features(s, r, out[count, F_REQUEST:])
        count += 1
        i = s.q[i, at.AFTER]
    return count


@jit
def route_features(s: State, i: int, r: int, best: float, out: Float64) -> None:
    """Write `ROUTES` of a replica for a request; `best` is the most that any cache would save, in objectives."""
    out[0] = bounded(s.rep[r, at.QUEUED] * s.f[at.TOKEN_S] / s.f[at.TTFT], 0.0, 8.0)
    out[1] = (s.rep[r, at.N_RUN] - s.rep[r, at.FILLING]) / float(s.g[at.SEATS])
    out[2] = 1.0 - available(s, r) / float(s.g[at.BLOCKS])
    out[3] = bounded((s.rep[r, at.N_RUN] + s.rep[r, at.N_WAIT]) / 64.0, 0.0, 8.0)
    out[4] = saved(s, r, i)
    out[5] = best


@jit
def saved(s: State, r: int, i: int) -> float:
    """What a replica's cache saves a request, in objectives of time to first token."""
    return float(matched(s, r, i) * s.g[at.CHUNK] * s.f[at.TOKEN_S] / s.f[at.TTFT])
