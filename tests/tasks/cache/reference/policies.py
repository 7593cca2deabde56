"""Each policy as plain Python over lists and dictionaries: ``policy(requests, capacity, ...) -> hits``.

``requests`` is a list of keys, the answer a list with True for each hit. Queues are lists or `OrderedDict`s with the
oldest first. The sized forms take ``size``, a function from key to bytes.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence

Size = Callable[[int], int]


def one(_key: int) -> int:
    """Every object counts one."""
    return 1


def fifo(requests: Sequence[int], capacity: int, size: Size = one) -> list[bool]:
    queue: list[int] = []
    hits = []
    for x in requests:
        hits.append(x in queue)
        if x not in queue and size(x) <= capacity:
            while sum(map(size, queue)) + size(x) > capacity:
                queue.pop(0)
            queue.append(x)
    return hits


def lru(requests: Sequence[int], capacity: int, size: Size = one) -> list[bool]:
    queue: list[int] = []
    hits = []
    for x in requests:
        hits.append(x in queue)
        if x in queue:
            queue.remove(x)
            queue.append(x)
        elif size(x) <= capacity:
            while sum(map(size, queue)) + size(x) > capacity:
                queue.pop(0)
            queue.append(x)
    return hits


def clock(requests: Sequence[int], capacity: int, bits: int = 1) -> list[bool]:
    queue: OrderedDict[int, int] = OrderedDict()  # key -> references since the hand passed
    hits = []
    for x in requests:
        hits.append(x in queue)
        if x in queue:
            queue[x] = min(queue[x] + 1, 2**bits - 1)
            continue
        if len(queue) == capacity:
            while True:
                oldest, references = queue.popitem(last=False)
                if references == 0:
                    break
                queue[oldest] = references - 1
        queue[x] = 0
    return hits


def sieve(requests: Sequence[int], capacity: int, size: Size = one) -> list[bool]:
    queue: list[int] = []
    visited: set[int] = set()
    hand: int | None = None  # the key that the hand points to; None: start from the oldest
    hits = []
    for x in requests:
        hits.append(x in queue)
        if x in queue:
            visited.add(x)
            continue
        if size(x) > capacity:
            continue
        while sum(map(size, queue)) + size(x) > capacity:
            at = 0 if hand is None else queue.index(hand)
            while queue[at] in visited:
                visited.remove(queue[at])
                at = (at + 1) % len(queue)
            queue.pop(at)
            hand = queue[at] if at < len(queue) else None
        queue.append(x)
    return hits


def s3fifo(
    requests: Sequence[int],
    capacity: int,
    small: float = 0.1,
    ghost: float = 0.9,
    threshold: int = 2,
    size: Size = one,
) -> list[bool]:
    s: list[int] = []
    m: list[int] = []
    g: list[int] = []
    frequency: Counter[int] = Counter()
    s_share = int(capacity * small)
    filling = True
    hits = []

    def used(queue: list[int]) -> int:
        return sum(map(size, queue))

    def evict_from_m() -> None:
        while m:
            x = m.pop(0)
            if frequency[x] == 0:
                return
            frequency[x] = min(frequency[x], 3) - 1
            m.append(x)

    def evict_from_s() -> None:
        while s:
            x = s.pop(0)
            if frequency[x] < threshold:
                if size(x) <= int(capacity * ghost):
                    while used(g) + size(x) > int(capacity * ghost):
                        g.pop(0)
                    g.append(x)
                return
            frequency[x] = 0
            m.append(x)

    for x in requests:
        hits.append(x in s or x in m)
        if hits[-1]:
            frequency[x] += 1
            continue
        if size(x) > capacity:
            continue
        remembered = x in g
        if remembered:
            g.remove(x)
        while used(s) + used(m) + size(x) > capacity:
            filling = False
            if used(m) > capacity - s_share or not s:
                evict_from_m()
            else:
                evict_from_s()
        flows_over = filling and used(s) + size(x) > s_share
        (m if remembered or (size is not one and size(x) > s_share) or flows_over else s).append(x)
        frequency[x] = 0
    return hits


def lfu(requests: Sequence[int], capacity: int) -> list[bool]:
    cached: dict[int, tuple[int, int]] = {}  # key -> (requests since it entered, time of the last)
    hits = []
    for t, x in enumerate(requests):
        hits.append(x in cached)
        if x not in cached and len(cached) == capacity:
            del cached[min(cached, key=lambda y: cached[y])]
        cached[x] = (cached.get(x, (0, 0))[0] + 1, t)
    return hits


def arc(requests: Sequence[int], capacity: int) -> list[bool]:
    t1: list[int] = []
    t2: list[int] = []
    b1: list[int] = []
    b2: list[int] = []
    p = 0.0
    hits = []

    def replace(in_b2: bool) -> None:
        if t1 and (len(t1) > p or (in_b2 and len(t1) == p)):
            b1.append(t1.pop(0))
        else:
            b2.append(t2.pop(0))

    for x in requests:
        hits.append(x in t1 or x in t2)
        if hits[-1]:
            (t1 if x in t1 else t2).remove(x)
            t2.append(x)
        elif x in b1:
            p = min(p + max(len(b2) / len(b1), 1), capacity)
            replace(False)
            b1.remove(x)
            t2.append(x)
        elif x in b2:
            p = max(p - max(len(b1) / len(b2), 1), 0)
            replace(True)
            b2.remove(x)
            t2.append(x)
        else:
            if len(t1) + len(b1) == capacity:
                if len(t1) < capacity:
                    b1.pop(0)
                    replace(False)
                else:
                    t1.pop(0)
            else:
                total = len(t1) + len(t2) + len(b1) + len(b2)
                if total >= capacity:
                    if total == 2 * capacity:
                        b2.pop(0)
                    replace(False)
            t1.append(x)
    return hits


def lirs(requests: Sequence[int], capacity: int, queue: float = 0.01) -> list[bool]:
    stack: list[int] = []
    hir: list[int] = []  # the resident ones, oldest first
    lir: set[int] = set()
    places = min(max(2, int(capacity * queue)), max(1, capacity - 1))
    previous = None
    hits = []
    for x in requests:
        hits.append(x in lir or x in hir)
        if x == previous:
            continue
        previous = x
        in_stack = x in stack
        if in_stack:
            stack.remove(x)
        stack.append(x)
        if x in lir:
            pass
        elif x not in hir and len(lir) < capacity - places:
            lir.add(x)
        else:
            if x in hir:
                hir.remove(x)
            elif len(lir) + len(hir) == capacity:
                hir.pop(0)
            if in_stack:
                lir.add(x)
                lir.remove(stack[0])
                hir.append(stack[0])
            else:
                hir.append(x)
        while stack and stack[0] not in lir:
            stack.pop(0)
    return hits


class Sketch:
    """Four rows of counters up to 15, hashed as Caffeine's simulator does, halved once a period."""

    SEEDS = (0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F, 0xCBF29CE484222325)

    def __init__(self, capacity: int) -> None:
        self.words = 1
        while self.words < capacity:
            self.words *= 2
        self.counts: Counter[tuple[int, int]] = Counter()
        self.additions = 0

    def cells(self, key: int) -> list[tuple[int, int]]:
        x = key
        for _ in range(2):
            x = ((x >> 16 ^ x) * 0x45D9F3B) % 2**32
        x = x >> 16 ^ x
        signed = x - 2**32 if x >= 2**31 else x
        cells = []
        for row, seed in enumerate(self.SEEDS):
            product = (signed + seed) * seed % 2**64
            cells.append(((product + (product >> 32)) % self.words, 4 * (x % 4) + row))
        return cells

    def frequency(self, key: int) -> int:
        return min(self.counts[cell] for cell in self.cells(key))

    def record(self, key: int) -> None:
        free = [cell for cell in self.cells(key) if self.counts[cell] < 15]
        for cell in free:
            self.counts[cell] += 1
        if free:
            self.additions += 1
            if self.additions == 10 * self.words:
                odd = sum(count % 2 for count in self.counts.values())
                self.counts = Counter({cell: count // 2 for cell, count in self.counts.items()})
                self.additions = (self.additions - odd // 4) // 2


def wtinylfu(
    requests: Sequence[int], capacity: int, window: float = 0.01, step: float = 0.0625, sample: float = 10.0
) -> list[bool]:
    in_window: list[int] = []
    probation: list[int] = []
    protected: list[int] = []
    sketch = Sketch(capacity)
    main = int(capacity * (1 - window))
    most_window = capacity - main
    most_protected = int(main * 0.8)
    fraction = 0.0  # of a place, that the window has been given beyond its whole ones
    stride = step * capacity
    growing = False
    last_rate = 0.0
    sampled: list[bool] = []
    hits = []

    def demote() -> None:
        if len(protected) > most_protected:
            probation.append(protected.pop(0))

    for x in requests:
        full = len(in_window) + len(probation) + len(protected) == capacity
        sketch.record(x)
        hits.append(x in in_window or x in probation or x in protected)
        if x in in_window:
            in_window.remove(x)
            in_window.append(x)
        elif hits[-1]:
            (probation if x in probation else protected).remove(x)
            protected.append(x)
            demote()
        else:
            in_window.append(x)
            if len(in_window) > most_window:
                candidate = in_window.pop(0)
                probation.append(candidate)
                if full:
                    victim = probation[0]
                    admitted = sketch.frequency(candidate) > sketch.frequency(victim)
                    probation.remove(victim if admitted else candidate)
        if not full:
            continue
        sampled.append(hits[-1])
        if len(sampled) < max(1, int(sample * capacity)):
            continue
        rate = sum(sampled) / len(sampled)
        sampled.clear()
        if rate < last_rate:
            growing = not growing
        if abs(rate - last_rate) >= 0.05:
            stride = step * capacity
        last_rate = rate
        amount = min(stride, most_protected) if growing else -min(stride, most_window - 1)
        stride *= 0.98
        wanted = len(in_window) + fraction + amount
        fraction = wanted - int(wanted)
        while len(in_window) < int(wanted):
            most_window += 1
            most_protected -= 1
            demote()
            in_window.append(probation.pop(0))
        while len(in_window) > int(wanted):
            most_window -= 1
            most_protected += 1
            probation.insert(0, in_window.pop(0))
    return hits


def gdsf(requests: Sequence[int], capacity: int, cost: float = 0.0, size: Size = one) -> list[bool]:
    cached: dict[int, tuple[float, int]] = {}  # key -> (priority, time of the last request)
    frequency: Counter[int] = Counter()
    age = 0.0
    hits = []
    for t, x in enumerate(requests):
        hits.append(x in cached)
        if x in cached:
            frequency[x] += 1
        elif size(x) > capacity:
            continue
        else:
            while sum(map(size, cached)) + size(x) > capacity:
                victim = min(cached, key=lambda y: cached[y])
                age = cached.pop(victim)[0]
            frequency[x] = 1
        cached[x] = (age + frequency[x] * float(size(x)) ** (cost - 1.0), t)
    return hits
