"""All replicas: an engine that runs until it has a question, and goes on when it is answered.

Replicas meet only where a request comes, so each is run by itself up to the next one that does; with separate replicas
for prompts and for tokens, those for prompts are run first.
"""

from __future__ import annotations

from unseat.core.jit import jit
from unseat.tasks.serving.engine import layout as at
from unseat.tasks.serving.engine.blocks import available
from unseat.tasks.serving.engine.layout import NEVER, NONE, State
from unseat.tasks.serving.engine.replica import (
    arrive_with_cache,
    compose,
    enter,
    finish,
    late,
    needed,
    oldest,
    preempt,
)


@jit
def advance(s: State) -> int:
    """Run up to the next question, whose number it gives: `ROUTE`, `ADMIT`, `PREEMPT`, `BATCH`, or `OVER`."""
    g, f = s.g, s.f
    while g[at.FAULT] == 0:
        if g[at.MISSED] > g[at.ALLOWED]:
            g[at.CUT] = 1
            return at.OVER
        phase = g[at.PHASE]
        if phase == at.FETCH:
            following = g[at.NEXT]
            f[at.UNTIL] = s.when[following, at.ARRIVAL] if following < g[at.REQUESTS] and not waits(s) else NEVER
            g[at.CURRENT], g[at.PHASE] = 0, at.RUN_FIRST
        elif phase == at.RUN_FIRST:
            last = g[at.PREFILLERS] if g[at.PREFILLERS] else g[at.REPLICAS]
            asked = run_some(s, last, f[at.UNTIL])
            if asked:
                return asked
            if g[at.PREFILLERS]:
                g[at.PHASE] = at.HAND_OVER
            elif f[at.UNTIL] == NEVER:
                return at.OVER
            else:
                open_route(s, g[at.NEXT], 0, last)
        elif phase == at.HAND_OVER:
            f[at.UNTIL_SUB] = min(soonest(s), f[at.UNTIL])
            g[at.CURRENT], g[at.PHASE] = g[at.PREFILLERS], at.RUN_SECOND
        elif phase == at.RUN_SECOND:
            asked = run_some(s, g[at.REPLICAS], f[at.UNTIL_SUB])
            if asked:
                return asked
            moved = soonest_of(s)
            if moved != NONE and s.when[moved, at.READY] <= f[at.UNTIL]:
                open_route(s, moved, g[at.PREFILLERS], g[at.REPLICAS])
            elif f[at.UNTIL] == NEVER:
                return at.OVER
            else:
                open_route(s, g[at.NEXT], 0, g[at.PREFILLERS])
        elif phase == at.DELIVER:
            if g[at.QUESTION] == at.ADMIT:
                return at.ADMIT
            # A policy need not be asked where there is no choice.
            if g[at.TO] - g[at.FROM] > 1:
                return at.ROUTE
            answer_route(s, 0)
    return at.OVER


@jit
def waits(s: State) -> bool:
    """Whether the next request waits for another to end: with a fixed number of clients, behind the first of them."""
    return bool(s.g[at.CLOSED] > 0 and s.g[at.NEXT] >= s.g[at.CLOSED])


@jit
def open_route(s: State, i: int, first: int, last: int) -> None:
    """Ask where a request goes."""
    s.g[at.ASKED], s.g[at.FROM], s.g[at.TO] = i, first, last
    s.g[at.QUESTION], s.g[at.PHASE] = at.ROUTE, at.DELIVER


@jit
def soonest_of(s: State) -> int:
    """The request on its way between replicas that comes first."""
    best = NONE
    if s.g[at.PENDING]:
        for i in range(s.g[at.NEXT]):
            if s.q[i, at.STATE] == at.MOVES and (best == NONE or s.when[i, at.READY] < s.when[best, at.READY]):
                best = i
    return best


@jit
def soonest(s: State) -> float:
    """When it comes."""
    i = soonest_of(s)
    return NEVER if i == NONE else float(s.when[i, at.READY])


@jit
def run_some(s: State, last: int, until: float) -> int:
    """Run the current replica and those after it up to a time; gives the number of a question, or 0."""
    g = s.g
    while g[at.CURRENT] < last:
        asked = run(s, g[at.CURRENT], until)
        if asked:
            return asked
        g[at.CURRENT] += 1
    return 0


@jit
def run(s: State, r: int, until: float) -> int:
    """Run one replica up to a time: what ends at that moment has ended."""
    g, rep = s.g, s.rep
    while g[at.FAULT] == 0 and g[at.MISSED] <= g[at.ALLOWED]:
        if rep[r, at.BUSY]:
            if s.clock[r, at.ENDS] > until:
                return 0
            finish(s, r)
        # Whoever comes at this very moment is there before the next batch is made.
        if (rep[r, at.N_RUN] == 0 and rep[r, at.N_WAIT] == 0) or s.clock[r, at.NOW] >= until:
            return 0
        if not rep[r, at.ANSWERED]:
            if rep[r, at.N_RUN] > 1 and needed(s, r) > available(s, r):
                g[at.ASKED], g[at.TURN] = r, oldest(s, r)
                return at.PREEMPT
            if rep[r, at.N_WAIT] > 0 or rep[r, at.FILLING] > 0:
                g[at.ASKED] = r
                return at.BATCH
        compose(s, r)
    return 0


@jit
def answer_route(s: State, place: int) -> None:
    """The request goes to that replica, counted from the first one that was offered."""
    count = s.g[at.TO] - s.g[at.FROM]
    r = s.g[at.FROM] + place % count
    i = s.g[at.ASKED]
    s.g[at.TAKEN], s.g[at.QUESTION] = r, at.ADMIT
    if s.q[i, at.STATE] == at.MOVES:
        s.g[at.PENDING] -= 1
        arrive_with_cache(s, r, i, s.when[i, at.READY])
        s.g[at.PHASE] = at.HAND_OVER
    s.g[at.DECISIONS] += count > 1


@jit
def answer_admit(s: State, accept: bool) -> None:
    """The request is taken, or refused at once."""
    i = s.g[at.ASKED]
    if accept:
        enter(s, s.g[at.TAKEN], i, s.when[i, at.ARRIVAL])
    else:
        s.q[i, at.STATE] = at.REFUSED_STATE
        s.g[at.REFUSED] += 1
        late(s, i)
    s.g[at.NEXT] += 1
    s.g[at.PHASE] = at.FETCH
    s.g[at.DECISIONS] += 1


@jit
def answer_preempt(s: State, place: int) -> None:
    """That request goes back to those that wait; if it is the oldest, or not there, the one that came last."""
    r = s.g[at.ASKED]
    last = s.rep[r, at.N_RUN] - 1
    if place < 0 or place > last or place == s.g[at.TURN]:
        place = last if s.g[at.TURN] != last else last - 1
    preempt(s, r, place)
    s.g[at.DECISIONS] += 1


@jit
def answer_batch(s: State, mode: int, budget: int) -> None:
    """The scores are in `when`; so many tokens at most, and the way the batch is made."""
    s.g[at.MODE] = mode
    s.g[at.BUDGET] = min(max(budget, at.LEAST_BUDGET), s.g[at.MOST_TOKENS])
    s.rep[s.g[at.ASKED], at.ANSWERED] = 1
    s.g[at.DECISIONS] += 1
