"""Graphene: each job in an order of its own, which is made offline; jobs by packing and remaining work.

R. Grandl, S. Kandula, S. Rao, A. Akella, J. Kulkarni, "GRAPHENE: Packing and Dependency-aware Scheduling for
Data-Parallel Clusters", OSDI 2016.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache

from unseat.tasks.schedule.exporters.parts.cluster import Job, Question, children_of, downward, left_us, shape
from unseat.tasks.schedule.exporters.parts.rules import alignment, capped


def graphene(asked: Question, cap: float | None = None, short: float = 1.0) -> tuple[Job, int, int] | None:
    """The job with the best sum of packing and little remaining work, and the stage that its order has first.

    Args:
        asked: The question.
        cap: Exponent of the jobs' limits; None: there are none.
        short: Weight of the remaining work.
    """
    left, aligned, found = 0.0, 0.0, []
    for job, places in asked.candidates:
        place = min(places, key=order(shape(job), asked.executors).index)
        left += left_us(job)
        aligned += alignment(asked, job, place)
        found.append((job, place))
    epsilon = short * aligned / max(left, 1.0)
    best, best_score = None, -math.inf
    for job, place in found:
        score = alignment(asked, job, place) - epsilon * left_us(job)
        if score > best_score:
            best, best_score = (job, place), score
    assert best is not None
    return (*best, capped(asked, best[0], cap))


@lru_cache(maxsize=4096)
def order(stages: tuple[tuple[int, tuple[int, ...], float], ...], executors: int) -> tuple[int, ...]:
    """Places of a job's stages, by their begin in the shortest virtual schedule that was found.

    Troublesome stages are placed first, the others around them. Candidates for the troublesome set are all that a
    threshold on the length of a stage's tasks or on how badly it packs gives (section 4.1), each with all that lies on
    a path between two of it. Each set is tried with the orders of the four subsets that cannot get stuck (section 4.2).
    """
    parents = [above for _, above, _ in stages]
    children = children_of(parents)
    best: tuple[int, tuple[int, ...]] | None = None
    for troublesome in troublesome_sets(stages, executors):
        above = reached(troublesome, parents) - troublesome
        below = reached(troublesome, children) - troublesome
        others = set(range(len(stages))) - troublesome - above - below
        for subsets in ("TOCP", "TOPC", "TPOC", "TCOP"):
            sets = {"T": troublesome, "O": others, "P": above, "C": below}
            space = Space(stages, executors)
            for name in subsets:
                # Parents end before what is placed already begins; others go where parents are still to be placed.
                backward = name == "P" or (name == "O" and "C" in subsets[: subsets.index("O")])
                space.place(sets[name], backward)
            found = space.length(), space.order()
            if best is None or found < best:
                best = found
    assert best is not None
    return best[1]


def troublesome_sets(stages: tuple[tuple[int, tuple[int, ...], float], ...], executors: int) -> Iterator[set[int]]:
    """Sets of stages to place first."""
    longest = max(mean_ms for _, _, mean_ms in stages)
    lengths = [mean_ms / longest for _, _, mean_ms in stages]
    packing = [tasks / (executors * -(-tasks // executors)) for tasks, _, _ in stages]
    parents = [above for _, above, _ in stages]
    children = children_of(parents)
    seen: set[frozenset[int]] = set()
    for long in sorted({*lengths, 2.0}):
        for bad in (0.0, 0.25, 0.5):
            chosen = {
                place
                for place in range(len(stages))
                if lengths[place] >= long or (packing[place] < bad and lengths[place] >= 0.1)
            }
            chosen |= reached(chosen, parents) & reached(chosen, children)
            if chosen and frozenset(chosen) not in seen:
                seen.add(frozenset(chosen))
                yield chosen


def reached(chosen: set[int], links: Sequence[Sequence[int]]) -> set[int]:
    """All that some stages lead to by one link or more."""
    found: set[int] = set()
    stack = [other for place in chosen for other in links[place]]
    while stack:
        place = stack.pop()
        if place not in found:
            found.add(place)
            stack += links[place]
    return found


class Space:
    """The virtual space of time (µs) and executors; times may be negative, as what is placed backward goes before.

    A stage is one block: as wide as it has tasks, or as there are executors, and as long as its waves take.
    """

    def __init__(self, stages: tuple[tuple[int, tuple[int, ...], float], ...], executors: int) -> None:
        self.stages, self.executors = stages, executors
        self.parents = [above for _, above, _ in stages]
        self.children, self.downward = children_of(self.parents), downward(self.parents)
        self.spans: dict[int, tuple[int, int]] = {}

    def place(self, places: set[int], backward: bool) -> None:
        """Place stages, forward after their parents or backward before their children."""
        chosen = [place for place in self.downward if place in places]
        for place in reversed(chosen) if backward else chosen:
            tasks, _, mean_ms = self.stages[place]
            length = max(1, round(1000 * mean_ms)) * -(-tasks // self.executors)
            width = min(tasks, self.executors)
            above = [self.spans[other][1] for other in self.parents[place] if other in self.spans]
            below = [self.spans[other][0] for other in self.children[place] if other in self.spans]
            if backward:
                latest = min(below, default=max((end for _, end in self.spans.values()), default=0))
                ends = sorted({latest, *(b for b, _ in self.spans.values() if b < latest)}, reverse=True)
                last = min((begin for begin, _ in self.spans.values()), default=latest)
                begin = next(end for end in (*ends, min(last, latest)) if self.free(end - length, length, width))
                begin -= length
            else:
                earliest = max(above, default=min((b for b, _ in self.spans.values()), default=0))
                begins = sorted({earliest, *(e for _, e in self.spans.values() if e > earliest)})
                begin = next(start for start in begins if self.free(start, length, width))
            self.spans[place] = begin, begin + length

    def free(self, begin: int, length: int, width: int) -> bool:
        """Whether so many executors are free all the time."""
        busy = [(span, place) for place, span in self.spans.items() if span[0] < begin + length and span[1] > begin]
        moments = [begin, *(span[0] for span, _ in busy if span[0] > begin)]
        for moment in moments:
            beside = [self.stages[place][0] for span, place in busy if span[0] <= moment < span[1]]
            if sum(min(tasks, self.executors) for tasks in beside) + width > self.executors:
                return False
        return True

    def length(self) -> int:
        """From the first begin to the last end."""
        return max(end for _, end in self.spans.values()) - min(begin for begin, _ in self.spans.values())

    def order(self) -> tuple[int, ...]:
        """Stages by their begin."""
        return tuple(sorted(self.spans, key=lambda place: (self.spans[place][0], place)))
