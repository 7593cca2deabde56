"""The paged cache: blocks, their owners, and chunks of prompts that several requests share.

A block is free, of one request, or of one cached chunk. Chunks that nobody uses stay until their blocks are needed,
those that were used last the longest; of one prompt its end goes first, as a chunk is worth nothing without those
before it (W. Kwon et al., "PagedAttention", SOSP 2023; L. Zheng et al., "SGLang", NeurIPS 2024).
"""

from __future__ import annotations

from unseat.core.jit import jit
from unseat.tasks.serving.engine import layout as at
from unseat.tasks.serving.engine.layout import NONE, State


@jit
def available(s: State, r: int) -> int:
    """Blocks that are free or hold chunks that nobody uses."""
    if s.g[at.CHUNK] == 0:
        return int(s.rep[r, at.N_FREE])
    return int(s.rep[r, at.N_FREE] + s.rep[r, at.N_IDLE] * (s.g[at.CHUNK] // s.g[at.BLOCK]))


@jit
def give(s: State, r: int, b: int) -> None:
    """Make a block free."""
    s.block[r, b, at.OWNER] = NONE
    s.block[r, b, at.NEXT_BLOCK] = s.rep[r, at.FREE]
    s.rep[r, at.FREE] = b
    s.rep[r, at.N_FREE] += 1


@jit
def unlink(s: State, r: int, chunk: int) -> None:
    """Take a chunk out of the list of those that nobody uses."""
    before, after = s.node[r, chunk, at.PREV], s.node[r, chunk, at.NEXT_NODE]
    if before == NONE:
        s.rep[r, at.LRU_HEAD] = after
    else:
        s.node[r, before, at.NEXT_NODE] = after
    if after == NONE:
        s.rep[r, at.LRU_TAIL] = before
    else:
        s.node[r, after, at.PREV] = before
    s.rep[r, at.N_IDLE] -= 1


@jit
def evict(s: State, r: int) -> None:
    """Let the chunk go that was used longest ago."""
    chunk = s.rep[r, at.LRU_HEAD]
    unlink(s, r, chunk)
    b = s.node[r, chunk, at.NODE_HEAD]
    while b != NONE:
        after = s.block[r, b, at.NEXT_BLOCK]
        give(s, r, b)
        b = after
    s.node[r, chunk, at.REF] = NONE
    s.node[r, chunk, at.NODE_HEAD] = NONE


@jit
def take(s: State, r: int, i: int, count: int) -> None:
    """Give a request so many blocks, behind those that it has."""
    for _ in range(count):
        while s.rep[r, at.N_FREE] == 0 and s.rep[r, at.N_IDLE] > 0:
            evict(s, r)
        b = s.rep[r, at.FREE]
        if b == NONE:
            s.g[at.FAULT] = at.NO_BLOCK
            return
        if s.block[r, b, at.OWNER] != NONE:
            s.g[at.FAULT] = at.BLOCK_TWICE
        s.rep[r, at.FREE] = s.block[r, b, at.NEXT_BLOCK]
        s.rep[r, at.N_FREE] -= 1
        s.block[r, b, at.OWNER] = i
        s.block[r, b, at.NEXT_BLOCK] = NONE
        if s.q[i, at.OWN] == 0:
            s.q[i, at.HEAD] = b
        else:
            s.block[r, s.q[i, at.TAIL], at.NEXT_BLOCK] = b
        s.q[i, at.TAIL] = b
        s.q[i, at.OWN] += 1


@jit
def matched(s: State, r: int, i: int) -> int:
    """Chunks at the beginning of a prompt that are in a replica's cache; at least one token is left to compute."""
    if s.g[at.CHUNK] == 0:
        return 0
    found, first = 0, s.fixed[i, at.HASH_FROM]
    most = min(s.fixed[i, at.HASH_TO] - first, (s.fixed[i, at.PROMPT] - 1) // s.g[at.CHUNK])
    while found < most and s.node[r, s.hashes[first + found], at.REF] != NONE:
        found += 1
    return int(found)


@jit
def hold(s: State, r: int, chunk: int) -> None:
    """One more request uses a chunk."""
    if s.node[r, chunk, at.REF] == 0:
        unlink(s, r, chunk)
    s.node[r, chunk, at.REF] += 1


@jit
def share(s: State, r: int, i: int) -> None:
    """Hand the chunks that a request has computed to the cache; where another was faster, its own blocks are freed."""
    size = s.g[at.CHUNK]
    if size == 0:
        return
    first = s.fixed[i, at.HASH_FROM]
    done = min(s.q[i, at.DONE] // size, s.fixed[i, at.HASH_TO] - first)
    while s.q[i, at.SHARED] < done:
        chunk = s.hashes[first + s.q[i, at.SHARED]]
        known = s.node[r, chunk, at.REF] != NONE
        b = s.q[i, at.HEAD]
        if not known:
            s.node[r, chunk, at.NODE_HEAD] = b
        for left in range(size // s.g[at.BLOCK], 0, -1):
            after = s.block[r, b, at.NEXT_BLOCK]
            if known:
                give(s, r, b)
            else:
                s.block[r, b, at.OWNER] = -2 - chunk
                if left == 1:
                    s.block[r, b, at.NEXT_BLOCK] = NONE
            b = after
            s.q[i, at.OWN] -= 1
        s.q[i, at.HEAD] = b
        if s.q[i, at.OWN] == 0:
            s.q[i, at.TAIL] = NONE
        if known:
            hold(s, r, chunk)
        else:
            s.node[r, chunk, at.REF] = 1
        s.q[i, at.SHARED] += 1


@jit
def release(s: State, r: int, i: int) -> None:
    """Take everything from a request: its blocks are free, its chunks stay for others."""
    b = s.q[i, at.HEAD]
    for _ in range(s.q[i, at.OWN]):
        after = s.block[r, b, at.NEXT_BLOCK]
        give(s, r, b)
        b = after
    s.q[i, at.OWN], s.q[i, at.HEAD], s.q[i, at.TAIL] = 0, NONE, NONE
    for place in range(s.q[i, at.SHARED] - 1, -1, -1):
        chunk = s.hashes[s.fixed[i, at.HASH_FROM] + place]
        s.node[r, chunk, at.REF] -= 1
        if s.node[r, chunk, at.REF] == 0:
            last = s.rep[r, at.LRU_TAIL]
            s.node[r, chunk, at.PREV], s.node[r, chunk, at.NEXT_NODE] = last, NONE
            if last == NONE:
                s.rep[r, at.LRU_HEAD] = chunk
            else:
                s.node[r, last, at.NEXT_NODE] = chunk
            s.rep[r, at.LRU_TAIL] = chunk
            s.rep[r, at.N_IDLE] += 1
    s.q[i, at.SHARED] = 0
