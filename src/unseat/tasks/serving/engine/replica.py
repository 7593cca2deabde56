"""One replica: what waits, what runs, and one iteration after the other.

A request that has waited longer than the engine's patience goes first, whatever the policy says, and nobody passes it;
the oldest request that runs is never preempted. So the oldest request of a replica always comes to its end, and by
induction all do: no policy can starve one.
"""

from __future__ import annotations

from unseat.core.jit import jit
from unseat.tasks.serving.engine import costs
from unseat.tasks.serving.engine import layout as at
from unseat.tasks.serving.engine.blocks import available, hold, matched, release, share, take
from unseat.tasks.serving.engine.layout import NONE, State
from unseat.tasks.serving.engine.lengths import remember


@jit
def blocks_of(s: State, tokens: int) -> int:
    """Blocks that hold so many tokens."""
    return int((tokens + s.g[at.BLOCK] - 1) // s.g[at.BLOCK])


@jit
def queue(s: State, r: int, i: int) -> None:
    """Put a request behind those that wait; one that was preempted too (its age is that of its arrival)."""
    last = s.rep[r, at.LAST_WAIT]
    s.q[i, at.BEFORE], s.q[i, at.AFTER] = last, NONE
    if last == NONE:
        s.rep[r, at.FIRST_WAIT] = i
    else:
        s.q[last, at.AFTER] = i
    s.rep[r, at.LAST_WAIT] = i
    s.rep[r, at.N_WAIT] += 1
    s.q[i, at.STATE] = at.WAITS
    if not s.q[i, at.SWAPPED]:
        s.rep[r, at.QUEUED] += s.q[i, at.TARGET] - s.q[i, at.DONE]


@jit
def unqueue(s: State, r: int, i: int) -> None:
    """Take a request out of those that wait."""
    before, after = s.q[i, at.BEFORE], s.q[i, at.AFTER]
    if before == NONE:
        s.rep[r, at.FIRST_WAIT] = after
    else:
        s.q[before, at.AFTER] = after
    if after == NONE:
        s.rep[r, at.LAST_WAIT] = before
    else:
        s.q[after, at.BEFORE] = before
    s.rep[r, at.N_WAIT] -= 1


@jit
def late(s: State, i: int) -> None:
    """Count a request that misses an objective, once."""
    if not s.q[i, at.MISS]:
        s.q[i, at.MISS] = 1
        s.g[at.MISSED] += 1


@jit
def end(s: State, r: int, i: int, now: float) -> None:
    """A request has all of its tokens."""
    s.when[i, at.END] = now + s.f[at.ENTRY]
    s.q[i, at.STATE] = at.ENDED
    tokens = s.fixed[i, at.OUTPUT]
    # Beneath the clock's resolution two sums of the same intervals may differ.
    if tokens > 1 and (s.when[i, at.END] - s.when[i, at.FIRST]) / (tokens - 1) > s.f[at.TPOT] + 1e-9:
        late(s, i)
    release(s, r, i)
    remember(s.past, s.fixed[i, at.PROMPT], tokens, s.hashes, s.fixed[i, at.HASH_FROM], s.fixed[i, at.HASH_TO])
    if s.g[at.CLOSED] and s.g[at.NEXT] < s.g[at.REQUESTS]:
        following = s.g[at.NEXT]
        s.g[at.NEXT] += 1
        s.when[following, at.ARRIVAL] = now
        enter(s, r, following, now)


@jit
def enter(s: State, r: int, i: int, now: float) -> None:
    """A request comes to a replica; one that would never fit is turned away."""
    s.q[i, at.AT] = r
    s.g[at.PROMPT_TOKENS] += s.fixed[i, at.PROMPT]
    most = s.fixed[i, at.PROMPT] + s.fixed[i, at.OUTPUT] + s.g[at.DRAFTS] + 1
    if blocks_of(s, most) + int(s.f[at.WATERMARK] * s.g[at.BLOCKS]) + 1 > s.g[at.BLOCKS]:
        s.q[i, at.STATE] = at.TOO_LARGE
        late(s, i)
        return
    s.q[i, at.TARGET] = s.fixed[i, at.PROMPT]
    if s.rep[r, at.N_RUN] == 0 and s.rep[r, at.N_WAIT] == 0 and not s.rep[r, at.BUSY]:
        s.clock[r, at.NOW] = max(s.clock[r, at.NOW], now)
    queue(s, r, i)


@jit
def arrive_with_cache(s: State, r: int, i: int, now: float) -> None:
    """A request comes from another replica, which has computed its prompt."""
    s.q[i, at.AT], s.q[i, at.SWAPPED] = r, 1
    if s.rep[r, at.N_RUN] == 0 and s.rep[r, at.N_WAIT] == 0 and not s.rep[r, at.BUSY]:
        s.clock[r, at.NOW] = max(s.clock[r, at.NOW], now)
    queue(s, r, i)


@jit
def held(s: State, i: int) -> int:
    """Tokens that a request has in the cache, or had when it was swapped out."""
    if s.q[i, at.DONE] < s.q[i, at.TARGET]:
        return int(s.q[i, at.DONE])
    return int(s.fixed[i, at.PROMPT] + s.q[i, at.GENERATED] - 1)


@jit
def step_tokens(s: State, i: int) -> int:
    """Tokens that one iteration of a request that decodes writes at most, drafts included."""
    return int(min(1 + s.g[at.DRAFTS], s.fixed[i, at.OUTPUT] - s.q[i, at.GENERATED]))


@jit
def needed(s: State, r: int) -> int:
    """Blocks that the next iteration of those that decode takes."""
    need = 0
    for place in range(s.rep[r, at.N_RUN]):
        i = s.run[r, place, 0]
        if s.q[i, at.DONE] >= s.q[i, at.TARGET]:
            have = s.q[i, at.OWN] * s.g[at.BLOCK] + s.q[i, at.SHARED] * s.g[at.CHUNK]
            more = held(s, i) + step_tokens(s, i) - have
            if more > 0:
                need += blocks_of(s, more)
    return need


@jit
def oldest(s: State, r: int) -> int:
    """Place of the running request that arrived first: it is never preempted."""
    best = 0
    for place in range(1, s.rep[r, at.N_RUN]):
        i, j = s.run[r, place, 0], s.run[r, best, 0]
        if s.when[i, at.ARRIVAL] < s.when[j, at.ARRIVAL] or (s.when[i, at.ARRIVAL] == s.when[j, at.ARRIVAL] and i < j):
            best = place
    return best


@jit
def preempt(s: State, r: int, place: int) -> None:
    """Put a running request back among those that wait: its cache is copied out, or computed again later."""
    i = s.run[r, place, 0]
    if s.q[i, at.DONE] < s.q[i, at.TARGET]:
        s.rep[r, at.QUEUED] -= s.q[i, at.TARGET] - s.q[i, at.DONE]
        s.rep[r, at.FILLING] -= 1
    else:
        s.rep[r, at.CONTEXT] -= held(s, i)
    if s.g[at.SWAPS] and s.q[i, at.DONE] >= s.q[i, at.TARGET]:
        s.q[i, at.SWAPPED] = 1
        s.clock[r, at.SWAP_S] += held(s, i) * s.f[at.TOKEN_SWAP]
    else:
        s.q[i, at.REDONE] += s.q[i, at.DONE]
        s.q[i, at.TARGET] = s.fixed[i, at.PROMPT] + s.q[i, at.GENERATED]
        s.q[i, at.DONE] = 0
    release(s, r, i)
    s.q[i, at.TIMES_OUT] += 1
    s.g[at.PREEMPTIONS] += 1
    leave(s, r, place)
    queue(s, r, i)


@jit
def leave(s: State, r: int, place: int) -> None:
    """Close the gap that a request leaves among those that run."""
    last = s.rep[r, at.N_RUN] - 1
    for other in range(place, last):
        s.run[r, other, 0], s.run[r, other, 1] = s.run[r, other + 1, 0], s.run[r, other + 1, 1]
    s.rep[r, at.N_RUN] = last


@jit
def admit(s: State, r: int, i: int, reserved: int) -> bool:
    """Let a waiting request run, if there are a seat and the blocks of its whole prompt beside those reserved."""
    if s.rep[r, at.N_RUN] >= s.g[at.SEATS]:
        return False
    known = 0 if s.q[i, at.SWAPPED] else matched(s, r, i)
    tokens = s.q[i, at.TARGET] - known * s.g[at.CHUNK]
    if s.q[i, at.SWAPPED]:
        tokens = held(s, i) + step_tokens(s, i)
    # Blocks of chunks that this request is about to use are not there for others.
    idle = 0
    for place in range(known):
        if s.node[r, s.hashes[s.fixed[i, at.HASH_FROM] + place], at.REF] == 0:
            idle += 1
    kept = int(s.f[at.WATERMARK] * s.g[at.BLOCKS]) if s.rep[r, at.N_RUN] else 0
    free = available(s, r) - idle * s.g[at.CHUNK] // s.g[at.BLOCK]
    if blocks_of(s, tokens) + kept + reserved > free:
        return False
    unqueue(s, r, i)
    for place in range(known):
        hold(s, r, s.hashes[s.fixed[i, at.HASH_FROM] + place])
    s.q[i, at.SHARED] = known
    take(s, r, i, blocks_of(s, tokens))
    if s.q[i, at.SWAPPED]:
        s.q[i, at.SWAPPED] = 0
        s.clock[r, at.SWAP_S] += held(s, i) * s.f[at.TOKEN_SWAP] if s.q[i, at.TIMES_OUT] else 0.0
        s.rep[r, at.CONTEXT] += held(s, i)
    else:
        s.q[i, at.DONE] = known * s.g[at.CHUNK]
        s.rep[r, at.QUEUED] -= s.q[i, at.DONE]
        s.rep[r, at.FILLING] += 1
        s.q[i, at.HITS] += s.q[i, at.DONE]
        s.g[at.HIT_TOKENS] += s.q[i, at.DONE]
    s.q[i, at.STATE] = at.RUNS
    s.when[i, at.ADMITTED] = s.clock[r, at.NOW]
    place = s.rep[r, at.N_RUN]
    s.run[r, place, 0], s.run[r, place, 1] = i, 0
    s.rep[r, at.N_RUN] += 1
    return True


@jit
def following(s: State, r: int) -> int:
    """Who of those that wait is next: the oldest that has waited for too long, else the one with the highest score."""
    now, best, aged = s.clock[r, at.NOW], NONE, NONE
    i = s.rep[r, at.FIRST_WAIT]
    while i != NONE:
        if now - s.when[i, at.ARRIVAL] > s.f[at.PATIENCE]:
            if aged == NONE or s.when[i, at.ARRIVAL] < s.when[aged, at.ARRIVAL]:
                aged = i
        elif best == NONE or s.when[i, at.SCORE] > s.when[best, at.SCORE]:
            best = i
        i = s.q[i, at.AFTER]
    return int(best if aged == NONE else aged)


@jit
def compose(s: State, r: int) -> None:
    """Make the next batch and start it. `run[:, :, 1]` is the tokens of each: of its prompt, or one that decodes."""
    mode, budget = s.g[at.MODE], s.g[at.BUDGET]
    decoding = 0
    for place in range(s.rep[r, at.N_RUN]):
        i = s.run[r, place, 0]
        decodes = s.q[i, at.DONE] >= s.q[i, at.TARGET]
        decoding += decodes
        s.run[r, place, 1] = 1 if decodes else 0
    left = budget - decoding * (1 + s.g[at.DRAFTS]) if mode == at.MIXED else budget
    # A prompt that was begun must end, or its blocks would be lost for ever.
    left = max(left, at.LEAST_BUDGET if s.rep[r, at.FILLING] or not decoding else 0)
    whole, filled = mode != at.MIXED, 0
    for place in range(s.rep[r, at.N_RUN]):
        i = s.run[r, place, 0]
        todo = s.q[i, at.TARGET] - s.q[i, at.DONE]
        if todo > 0 and left > 0:
            tokens = todo if whole else min(todo, left)
            s.run[r, place, 1], left, filled = tokens, left - tokens, filled + tokens
    reserved = needed(s, r)
    closed = mode == at.STATIC and s.rep[r, at.N_RUN] > 0
    while left > 0 and not closed and s.rep[r, at.N_WAIT] > 0:
        i = following(s, r)
        if not s.q[i, at.SWAPPED] and whole and filled > 0 and s.q[i, at.TARGET] > left:
            break
        if not admit(s, r, i, reserved):
            break
        place = s.rep[r, at.N_RUN] - 1
        todo = s.q[i, at.TARGET] - s.q[i, at.DONE]
        tokens = todo if whole else min(todo, left)
        # What comes with its cache decodes at once.
        s.run[r, place, 1] = tokens if todo > 0 else 1
        left, filled = left - max(tokens, 1), filled + tokens
    if whole and filled > 0:
        for place in range(s.rep[r, at.N_RUN]):
            i = s.run[r, place, 0]
            if s.q[i, at.DONE] >= s.q[i, at.TARGET]:
                s.run[r, place, 1] = 0
    begin(s, r)


@jit
def begin(s: State, r: int) -> None:
    """Give those that decode their blocks, and find out when the iteration ends."""
    tokens, sequences, batch, attention, context = 0, 0, 0, 0.0, 0
    drafts = s.g[at.DRAFTS]
    for place in range(s.rep[r, at.N_RUN]):
        i, part = s.run[r, place, 0], s.run[r, place, 1]
        if part == 0:
            continue
        if s.q[i, at.DONE] < s.q[i, at.TARGET]:
            attention += costs.chunk(s.cost, s.q[i, at.DONE], part)
            tokens += part
            sequences += s.q[i, at.DONE] + part == s.q[i, at.TARGET]
            continue
        have = s.q[i, at.OWN] * s.g[at.BLOCK] + s.q[i, at.SHARED] * s.g[at.CHUNK]
        more = held(s, i) + step_tokens(s, i) - have
        if more > 0:
            take(s, r, i, blocks_of(s, more))
        batch += 1
        context += held(s, i) + 1
    prompt = tokens
    tokens += batch * (1 + drafts)
    sequences += batch * (1 + drafts)
    if tokens == 0:
        s.g[at.FAULT] = at.STUCK
        return
    seconds = costs.linear(s.cost, tokens) + costs.sampled(s.cost, max(sequences, 1)) + attention
    seconds += costs.decode(s.cost, batch, context)
    if drafts:
        seconds *= 1.0 + drafts * s.f[at.DRAFT_COST]
    seconds = s.f[at.SCALE] * seconds + s.f[at.EXTRA] * prompt + s.f[at.OVERHEAD] + s.f[at.HOP] + s.clock[r, at.SWAP_S]
    s.clock[r, at.SWAP_S] = 0.0
    s.clock[r, at.ENDS] = s.clock[r, at.NOW] + seconds
    s.clock[r, at.BUSY_S] += seconds
    s.rep[r, at.BUSY], s.rep[r, at.ANSWERED] = 1, 0
    s.g[at.ITERATIONS] += 1


@jit
def accepted(s: State, i: int) -> int:
    """Tokens that a step of a request gives: one, and drafts up to the first that is refused, by a draw of its own."""
    count, most = 1, step_tokens(s, i)
    bits = (s.g[at.SEED] * 1_000_003 + i * 7_919 + s.q[i, at.GENERATED] * 104_729) & 0x7FFFFFFF
    while count < most:
        bits = (bits * 1_103_515_245 + 12_345) & 0x7FFFFFFF
        if (bits >> 7) / 16_777_216.0 >= s.f[at.ACCEPT]:
            break
        count += 1
    return count


@jit
def finish(s: State, r: int) -> None:
    """The iteration is over: prompts have come on, tokens have come out, and some requests are done."""
    now = s.clock[r, at.ENDS]
    s.clock[r, at.NOW], s.rep[r, at.BUSY] = now, 0
    count, kept = s.rep[r, at.N_RUN], 0
    for place in range(count):
        i, part = s.run[r, place, 0], s.run[r, place, 1]
        stays = True
        if part > 0:
            if s.q[i, at.DONE] < s.q[i, at.TARGET]:
                s.q[i, at.DONE] += part
                s.rep[r, at.QUEUED] -= part
                share(s, r, i)
                if s.q[i, at.DONE] == s.q[i, at.TARGET]:
                    stays = first_token(s, r, i, now)
            else:
                tokens = accepted(s, i) if s.g[at.DRAFTS] else 1
                s.q[i, at.GENERATED] += tokens
                s.rep[r, at.CONTEXT] += tokens
                stays = s.q[i, at.GENERATED] < s.fixed[i, at.OUTPUT]
                if not stays:
                    s.rep[r, at.CONTEXT] -= held(s, i)
        if stays:
            s.run[r, kept, 0], s.run[r, kept, 1] = i, 0
            kept += 1
        elif s.q[i, at.STATE] == at.RUNS:
            end(s, r, i, now)
    s.rep[r, at.N_RUN] = kept


@jit
def first_token(s: State, r: int, i: int, now: float) -> bool:
    """A prompt is done, and with it a token more; False where the request leaves the replica."""
    s.rep[r, at.FILLING] -= 1
    if s.q[i, at.GENERATED] == 0:
        s.when[i, at.FIRST] = now + s.f[at.ENTRY]
        if s.when[i, at.FIRST] - s.when[i, at.ARRIVAL] > s.f[at.TTFT]:
            late(s, i)
    s.q[i, at.GENERATED] += 1
    if s.q[i, at.GENERATED] >= s.fixed[i, at.OUTPUT]:
        return False
    if s.g[at.PREFILLERS] > 0 and r < s.g[at.PREFILLERS]:
        s.when[i, at.READY] = now + s.f[at.MOVE] + held(s, i) * s.f[at.TOKEN_MOVE]
        s.q[i, at.STATE] = at.MOVES
        s.g[at.PENDING] += 1
        release(s, r, i)
        return False
    s.rep[r, at.CONTEXT] += held(s, i)
    return True
