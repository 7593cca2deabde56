"""Where the engine keeps what: a few tables, whose columns are numbered here.

Numba takes each array as seven numbers, so that few wide tables are faster than many narrow ones.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Int64 = NDArray[np.int64]
Int32 = NDArray[np.int32]
Float64 = NDArray[np.float64]

NONE = -1
NEVER = 1e18

# Globals `g`.
(REPLICAS, PREFILLERS, REQUESTS, BLOCK, BLOCKS, SEATS, MOST_TOKENS, CHUNK, SWAPS, CLOSED, DRAFTS, SEED,
 PHASE, CURRENT, QUESTION, NEXT, PENDING, FROM, TO, ASKED, TAKEN, BUDGET, MODE, DECISIONS, ITERATIONS, MISSED, ALLOWED,
 REFUSED, PREEMPTIONS, FAULT, TURN, DRAW, HIT_TOKENS, PROMPT_TOKENS, CUT) = range(35)  # fmt: skip
GLOBALS = 35

# Globals `f`, seconds unless said otherwise.
(PACE, PATIENCE, TTFT, TPOT, TOKEN_SWAP, TOKEN_MOVE, MOVE, ACCEPT, DRAFT_COST, UNTIL, UNTIL_SUB, SCALE, OVERHEAD, HOP,
 WATERMARK, ENTRY, TOKEN_S, EXTRA, MAY_MISS, DEAR) = range(20)  # fmt: skip
FLOATS = 20

# Requests, what does not change: `fixed`.
PROMPT, OUTPUT, HASH_FROM, HASH_TO = range(4)

# Requests, times: `when`. A score is the policy's: the greater, the sooner; so are what it costs, all and its prompt.
ARRIVAL, FIRST, END, ADMITTED, GUESS, SCORE, READY, KEY, OWN_S = range(9)
TIMES = 9

# Requests, what changes: `q`.
(STATE, AT, DONE, TARGET, GENERATED, OWN, HEAD, TAIL, SHARED, SWAPPED, BEFORE, AFTER, TIMES_OUT, MISS, HITS,
 REDONE) = range(16)  # fmt: skip
FIELDS = 16
COMING, WAITS, RUNS, MOVES, ENDED, REFUSED_STATE, TOO_LARGE = range(7)

# Replicas: `rep` and `clock`.
(
    N_RUN,
    N_WAIT,
    FIRST_WAIT,
    LAST_WAIT,
    FREE,
    N_FREE,
    LRU_HEAD,
    LRU_TAIL,
    N_IDLE,
    BUSY,
    ANSWERED,
    QUEUED,
    CONTEXT,
    FILLING,
) = range(14)
REPLICA = 14
NOW, ENDS, SWAP_S, BUSY_S = range(4)
CLOCKS = 4

# Cached chunks of prompts: `node`.
REF, PREV, NEXT_NODE, NODE_HEAD = range(4)

# Blocks: `block`. An owner is a request, or -2 - chunk; -1 is free.
NEXT_BLOCK, OWNER = range(2)

# What the engine asks.
OVER, ROUTE, ADMIT, PREEMPT, BATCH = range(5)

# Phases of the loop.
FETCH, RUN_FIRST, HAND_OVER, RUN_SECOND, DELIVER, ENTER = range(6)

# How a batch is made.
STATIC, PREFILL_FIRST, MIXED = range(3)

LEAST_BUDGET = 64
"""No policy may give prompts less than this in an iteration: a started prompt must end."""

# Faults, which no run may have.
BLOCK_TWICE, NO_BLOCK, STUCK = 1, 2, 3


class State(NamedTuple):
    """All there is. `cost`: see `engine.costs`, `past`: `engine.lengths`; others: a row a request, replica or block."""

    g: Int64
    f: Float64
    cost: Float64
    fixed: Int64
    hashes: Int64
    when: Float64
    q: Int64
    rep: Int64
    clock: Float64
    run: Int64
    node: Int32
    block: Int32
    past: Float64
