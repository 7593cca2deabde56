"""W-TinyLFU with hill climbing (Einziger, Friedman and Manes, ACM TOS 13(4), 2017; Einziger et al., Middleware 2018).

A small LRU window takes every new object. What falls out of it competes with the oldest object of the main space's
probation part, and the one that a frequency sketch says is requested less often leaves. A hit in probation promotes to
the protected part. A climber moves places between window and protected by what the hit rate did since its last step.

The version is the simulator of the Caffeine library (HillClimberWindowTinyLfuPolicy, SimpleClimber, CountMin4 with
periodic reset) with its published settings: window 1%, protected 80% of the rest, step 6.25% of the cache and a decay
of .98, samples of 10 times the capacity, a restart when the hit rate moves by 5%. Its hash is kept, with dense ids as
keys. Left out: the random admission of warm candidates, a defence against attacks, which would make runs depend on a
generator, and the slower decay for caches of up to 512 entries that the simulator gained in 2026. One rule differs:
the window keeps at least one place, because here an object must enter the cache when it is requested, while Caffeine's
climber may shrink the window to nothing.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unseat.core.jit import inlined, jit
from unseat.tasks.cache.engine.evictions import note
from unseat.tasks.cache.engine.lists import append, empty_lists, unlink
from unseat.tasks.cache.engine.trace import Int32, Int64

Int8 = npt.NDArray[np.int8]
Float64 = npt.NDArray[np.float64]
UInt64 = npt.NDArray[np.uint64]
State = tuple[Int64, Float64, UInt64, Int32, Int8]
WINDOW, PROBATION, PROTECTED, ABSENT = 0, 1, 2, 3

# scalars: lengths of the three queues, resident, most in window and protected, ...
RESIDENT, MOST_WINDOW, MOST_PROTECTED, HITS, SAMPLED, SAMPLE, ADDITIONS, PERIOD, GROWING = 3, 4, 5, 6, 7, 8, 9, 10, 11
# numbers: how far the window has moved between two whole places, ...
FRACTION, STEP, FIRST_STEP, LAST_RATE, DECAY, RESTART = 0, 1, 2, 3, 4, 5

# All arithmetic of the sketch is on unsigned numbers: those wrap, while signed overflow is undefined in compiled code.
LOW32 = np.uint64(0xFFFFFFFF)
SIGNED32 = np.uint64(0xFFFFFFFF00000000)
SEED_0 = np.uint64(0xC3A5C85C97CB3127)
SEED_1 = np.uint64(0xB492B66FBE98F273)
SEED_2 = np.uint64(0x9AE16A3B2F90404F)
SEED_3 = np.uint64(0xCBF29CE484222325)
MIX = np.uint64(0x45D9F3B)
HALVES = np.uint64(0x7777777777777777)
ODD = np.uint64(0x1111111111111111)
S16 = np.uint64(16)
S31 = np.uint64(31)
S32 = np.uint64(32)
U0 = np.uint64(0)
U1 = np.uint64(1)
U3 = np.uint64(3)
U15 = np.uint64(15)


def init(n_objects: int, capacity: int, window: float = 0.01, step: float = 0.0625, sample: float = 10.0) -> State:
    """``(scalars, numbers, sketch: 16 four-bit counters a word, links with three anchors, where)``."""
    main = int(capacity * (1.0 - window))
    words = 1
    while words < capacity:
        words *= 2
    scalars = np.zeros(12, np.int64)
    scalars[MOST_WINDOW] = capacity - main
    scalars[MOST_PROTECTED] = int(main * 0.8)
    scalars[SAMPLE] = max(1, int(sample * capacity))
    scalars[PERIOD] = 10 * words
    numbers = np.array([0.0, step * capacity, step * capacity, 0.0, 0.98, 0.05])
    where = np.full(n_objects, ABSENT, np.int8)
    return scalars, numbers, np.zeros(words, np.uint64), empty_lists(n_objects, 3), where


@inlined
def spread(x: int) -> np.uint64:
    """The sketch's 32-bit mixing of a key, with the sign extended to 64 bits."""
    z = np.uint64(x)
    z = (((z >> S16) ^ z) * MIX) & LOW32
    z = (((z >> S16) ^ z) * MIX) & LOW32
    z = (z >> S16) ^ z
    if z >> S31:
        z |= SIGNED32
    return z


@inlined
def word_of(mixed: np.uint64, row: int, words: int) -> int:
    """The word that holds a key's counter in one of the four rows."""
    seed = SEED_0
    if row == 1:
        seed = SEED_1
    elif row == 2:
        seed = SEED_2
    elif row == 3:
        seed = SEED_3
    product = (mixed + seed) * seed
    return int(np.int64((product + (product >> S32)) & np.uint64(words - 1)))


@inlined
def shift_of(mixed: np.uint64, row: int) -> np.uint64:
    """Where in its word that counter lies: the key's low bits choose one of four groups, the row one in the group."""
    return np.uint64(4 * (4 * np.int64(mixed & U3) + row))


@inlined
def frequency(sketch: UInt64, x: int) -> int:
    """How often the sketch believes ``x`` was requested lately, 15 at most."""
    mixed = spread(x)
    least = 15
    for row in range(4):
        count = (sketch[word_of(mixed, row, sketch.shape[0])] >> shift_of(mixed, row)) & U15
        least = min(least, int(np.int64(count)))
    return least


@inlined
def record(sketch: UInt64, scalars: Int64, x: int) -> None:
    """Count a request; when the period is over, halve every counter."""
    mixed = spread(x)
    added = False
    for row in range(4):
        word = word_of(mixed, row, sketch.shape[0])
        shift = shift_of(mixed, row)
        if (sketch[word] >> shift) & U15 != U15:
            sketch[word] += U1 << shift
            added = True
    if not added:
        return
    scalars[ADDITIONS] += 1
    if scalars[ADDITIONS] != scalars[PERIOD]:
        return
    odd = 0
    for word in range(sketch.shape[0]):
        ones = sketch[word] & ODD
        while ones != U0:
            ones &= ones - U1
            odd += 1
        sketch[word] = (sketch[word] >> U1) & HALVES
    scalars[ADDITIONS] = (scalars[ADDITIONS] - (odd >> 2)) >> 1


@inlined
def move(links: Int32, where: Int8, scalars: Int64, x: int, queue: int) -> None:
    """Put ``x`` at the new end of a queue, out of the one it is in."""
    if where[x] != ABSENT:
        unlink(links, x)
        scalars[where[x]] -= 1
    append(links, where.shape[0] + queue, x)
    where[x] = queue
    scalars[queue] += 1


@inlined
def demote(links: Int32, where: Int8, scalars: Int64) -> None:
    """Keep the protected part within its share."""
    if scalars[PROTECTED] > scalars[MOST_PROTECTED]:
        move(links, where, scalars, links[where.shape[0] + PROTECTED, 1], PROBATION)


@inlined
def resize(links: Int32, where: Int8, scalars: Int64, numbers: Float64, amount: float) -> None:
    """Move places from the protected part to the window, or back when ``amount`` is negative."""
    anchor = where.shape[0]
    if amount > 0.0:
        amount = min(amount, float(scalars[MOST_PROTECTED]))
    else:
        amount = -min(-amount, float(scalars[MOST_WINDOW] - 1))
    size = scalars[WINDOW] + numbers[FRACTION]
    steps = int(size + amount) - scalars[WINDOW]
    numbers[FRACTION] = size + amount - int(size + amount)
    scalars[MOST_WINDOW] += steps
    scalars[MOST_PROTECTED] -= steps
    while steps > 0:
        demote(links, where, scalars)
        move(links, where, scalars, links[anchor + PROBATION, 1], WINDOW)
        steps -= 1
    while steps < 0:
        x = links[anchor + WINDOW, 1]
        unlink(links, x)
        scalars[WINDOW] -= 1
        append(links, links[anchor + PROBATION, 1], x)  # behind the oldest: x is then next to leave
        where[x] = PROBATION
        scalars[PROBATION] += 1
        steps += 1


@inlined
def climb(links: Int32, where: Int8, scalars: Int64, numbers: Float64) -> None:
    """After a sample, turn round if the hit rate fell, and take a step."""
    rate = scalars[HITS] / scalars[SAMPLED]
    if rate < numbers[LAST_RATE]:
        scalars[GROWING] = 1 - scalars[GROWING]
    if abs(rate - numbers[LAST_RATE]) >= numbers[RESTART]:
        numbers[STEP] = numbers[FIRST_STEP]
    amount = numbers[STEP]
    if scalars[GROWING] == 0:
        amount = -amount
    numbers[STEP] *= numbers[DECAY]
    numbers[LAST_RATE] = rate
    scalars[HITS] = 0
    scalars[SAMPLED] = 0
    resize(links, where, scalars, numbers, amount)


@jit
def run(ids: Int32, sizes: Int64, start: int, stop: int, capacity: int, state: State, counts: Int64) -> None:
    """Serve requests ``[start, stop)``; see `unseat.tasks.cache.incumbents` for the signature."""
    scalars, numbers, sketch, links, where = state
    anchor = where.shape[0]
    misses = 0
    evictions = 0
    for t in range(start, stop):
        x = ids[t]
        full = scalars[RESIDENT] == capacity
        found = where[x]
        record(sketch, scalars, x)
        if found == ABSENT:
            misses += 1
            move(links, where, scalars, x, WINDOW)
            scalars[RESIDENT] += 1
            if scalars[WINDOW] > scalars[MOST_WINDOW]:
                candidate = links[anchor + WINDOW, 1]
                move(links, where, scalars, candidate, PROBATION)
                if full:
                    victim = links[anchor + PROBATION, 1]
                    if frequency(sketch, candidate) <= frequency(sketch, victim):
                        victim = candidate
                    unlink(links, victim)
                    where[victim] = ABSENT
                    note(counts, victim)
                    scalars[PROBATION] -= 1
                    scalars[RESIDENT] -= 1
                    evictions += 1
        elif found == WINDOW:
            move(links, where, scalars, x, WINDOW)
        else:
            move(links, where, scalars, x, PROTECTED)
            demote(links, where, scalars)
        if full:
            scalars[SAMPLED] += 1
            if found != ABSENT:
                scalars[HITS] += 1
            if scalars[SAMPLED] >= scalars[SAMPLE]:
                climb(links, where, scalars, numbers)
    counts[0] += stop - start
    counts[1] += misses
    counts[2] += misses
    counts[3] += evictions
