"""Whether a block's move fits into memory, and what part of it does where the whole does not.

In a part, each node of the tree either takes its new strategy or keeps the one that it has. The cheapest part, at
prices of memory where the limit would be passed, is found by dynamic programming on the tree; these rise until it fits.
"""

from __future__ import annotations

import numpy as np

from unseat.core.jit import jit
from unseat.tasks.shard.engine.problem import Int64
from unseat.tasks.shard.solver.dual import Pieces
from unseat.tasks.shard.solver.graph import Float64

_FEW = 48
"""Moments that are put in order one by one."""


@jit
def fits(
    count: int, order: Int64, new: Int64, memory: Pieces, chosen: Int64, slack: Float64, over: Float64, when: Int64,
    amount: Float64,
) -> int:  # fmt: skip
    """Change `slack` if a tree's new strategies keep the limit, or pass it nowhere by more than now.

    Returns:
        Zero if so. Otherwise of how many moments `when` and `amount` tell, in order, by how much the use of memory
        would change; there is room for two for each piece.
    """
    pieces, uses, usages, first, last = memory
    events, grows = 0, False
    for p in range(count):
        v = order[p]
        if new[p] == chosen[v]:
            continue
        for piece in range(pieces[v], pieces[v + 1]):
            more = usages[uses[piece] + new[p]] - usages[uses[piece] + chosen[v]]
            if more != 0:
                grows = grows or more > 0
                when[events], amount[events] = first[piece], more
                when[events + 1], amount[events + 1] = last[piece], -more
                events += 2
    if events > _FEW:
        by_time = np.argsort(when[:events])
        when[:events], amount[:events] = when[by_time], amount[by_time]
    else:
        for event in range(1, events):
            moment, change, place = when[event], amount[event], event
            while place > 0 and when[place - 1] > moment:
                when[place], amount[place] = when[place - 1], amount[place - 1]
                place -= 1
            when[place], amount[place] = moment, change
    if grows:
        more = 0.0
        for event in range(events - 1):
            more += amount[event]
            if more > 0:
                # A count and not a search, so that it is compiled to vector instructions.
                passed = 0
                for step in range(when[event], when[event + 1]):
                    passed += slack[step] < more
                if passed:
                    for step in range(when[event], when[event + 1]):
                        over[step] += slack[step] < more
                    return events
    more = 0.0
    for event in range(events - 1):
        more += amount[event]
        if more != 0:
            for step in range(when[event], when[event + 1]):
                slack[step] -= more
    return 0


_TRIES, _DEARER = 4, 3.0
"""Parts that are tried, and what prices rise by from one to the next."""


@jit
def part_that_fits(
    count: int, order: Int64, parent: Int64, at: Int64, new: Int64, raw: Float64, events: int, when: Int64,
    amount: Float64, offsets: Int64, memory: Pieces, table: Int64, entries: Float64, chosen: Int64, slack: Float64,
    over: Float64, low: Float64, price: Float64,
) -> bool:  # fmt: skip
    """Leave out what does not fit of a move that was refused; false if nothing is left.

    Args:
        events, when, amount: What `fits` told of it.
        raw: The costs by which the tree was solved, without what hangs below, where `at` says.
        low, price: Scratch, two for each place, and one for each event and one more.
    """
    gain = 0.0
    for p in range(count):
        v = order[p]
        gain += raw[at[p] + chosen[v]] - raw[at[p] + new[p]]
        if p:
            q, row, width = parent[2 * p + 1], table[parent[2 * p]], at[p + 1] - at[p]
            gain += entries[row + chosen[order[q]] * width + chosen[v]] - entries[row + new[q] * width + new[p]]
    worth = 0.5 * gain
    for _ in range(_TRIES):
        _price(events, when, amount, slack, worth, price)
        if not _cheapest(count, order, parent, at, new, raw, events, when, price, memory, table, entries, chosen, low):
            return False
        events = fits(count, order, new, memory, chosen, slack, over, when, amount)
        if not events:
            return True
        worth *= _DEARER
    return False


@jit
def _price(events: int, when: Int64, amount: Float64, slack: Float64, worth: float, price: Float64) -> None:
    """What a byte costs from the first moment to each, such that all that is too much costs `worth`."""
    total, more = 0.0, 0.0
    price[0] = 0.0
    for event in range(events - 1):
        more += amount[event]
        passed = 0.0
        if more > 0:
            for step in range(when[event], when[event + 1]):
                passed = max(passed, more - slack[step])
        price[event + 1] = price[event] + passed
        total += passed * more
    price[events] = price[events - 1]
    if total > 0:
        for event in range(events + 1):
            price[event] *= worth / total


@jit
def _cheapest(
    count: int, order: Int64, parent: Int64, at: Int64, new: Int64, raw: Float64, events: int, when: Int64,
    price: Float64, memory: Pieces, table: Int64, entries: Float64, chosen: Int64, low: Float64,
) -> bool:  # fmt: skip
    """Set `new` back where the cheapest part does not take it; whether anything is left."""
    pieces, uses, usages, first, last = memory
    for p in range(count):
        v = order[p]
        low[2 * p], low[2 * p + 1] = raw[at[p] + chosen[v]], raw[at[p] + new[p]]
        if new[p] == chosen[v]:
            continue
        for piece in range(pieces[v], pieces[v + 1]):
            more = usages[uses[piece] + new[p]] - usages[uses[piece] + chosen[v]]
            if more != 0:
                begin, end = np.searchsorted(when[:events], first[piece]), np.searchsorted(when[:events], last[piece])
                low[2 * p + 1] += more * (price[end] - price[begin])
    for p in range(count - 1, 0, -1):
        v, q = order[p], parent[2 * p + 1]
        u, width, t = order[q], at[p + 1] - at[p], table[parent[2 * p]]
        row = t + chosen[u] * width
        low[2 * q] += min(low[2 * p] + entries[row + chosen[v]], low[2 * p + 1] + entries[row + new[p]])
        row = t + new[q] * width
        low[2 * q + 1] += min(low[2 * p] + entries[row + chosen[v]], low[2 * p + 1] + entries[row + new[p]])
    some = False
    for p in range(count):
        v, row = order[p], 0
        if p:
            row = table[parent[2 * p]] + new[parent[2 * p + 1]] * (at[p + 1] - at[p])
        beside = entries[row + new[p]] - entries[row + chosen[v]] if p else 0.0
        if low[2 * p] <= low[2 * p + 1] + beside:
            new[p] = chosen[v]
        some = some or new[p] != chosen[v]
    return some
