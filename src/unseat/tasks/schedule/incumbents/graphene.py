"""Graphene's order of a job's stages: the troublesome ones are placed first, the others around them.

R. Grandl, S. Kandula, S. Rao, A. Akella, J. Kulkarni, "GRAPHENE: Packing and Dependency-aware Scheduling for
Data-Parallel Clusters", OSDI 2016, section 4 (BuildSchedule, PlaceTasks). A stage is placed as one block of the virtual
space: as wide as it has tasks, or as there are executors, and as long as its waves take.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from unseat.tasks.schedule.engine.graphs import JobGraph
from unseat.tasks.schedule.engine.layout import Float64


@lru_cache(maxsize=4096)
def order(graph: JobGraph, executors: int) -> tuple[int, ...]:
    """Places of a graph's stages, by their begin in the shortest virtual schedule that was found.

    Candidates for the troublesome set are all that a threshold on the length of a stage's tasks or on how badly it
    packs gives (section 4.1); each with all that lies on a path between two of it. Each set is tried with the orders of
    the four subsets that cannot get stuck (section 4.2).
    """
    best: tuple[int, tuple[int, ...]] | None = None
    for troublesome in _candidates(graph, executors):
        parents = _reached(troublesome, [stage.parents for stage in graph.stages]) - troublesome
        children = _reached(troublesome, graph.children) - troublesome
        others = set(range(len(graph.stages))) - troublesome - parents - children
        for subsets in ("TOCP", "TOPC", "TPOC", "TCOP"):
            sets = {"T": troublesome, "O": others, "P": parents, "C": children}
            space = _Space(graph, executors)
            for name in subsets:
                # Parents end before what is placed already begins; others go where parents are still to be placed.
                backward = name == "P" or (name == "O" and "C" in subsets[: subsets.index("O")])
                space.place(sets[name], backward)
            found = space.length, space.order()
            if best is None or found < best:
                best = found
    assert best is not None
    return best[1]


def ranks(graphs: Sequence[JobGraph], executors: int) -> Float64:
    """For all stages of some jobs, one after the other: what comes first in its job has the highest rank."""
    return np.concatenate([-np.argsort(order(graph, executors)).astype(float) for graph in graphs])


def _candidates(graph: JobGraph, executors: int) -> Iterator[set[int]]:
    longest = max(stage.mean_ms for stage in graph.stages)
    lengths = [stage.mean_ms / longest for stage in graph.stages]
    packing = [stage.tasks / (executors * -(-stage.tasks // executors)) for stage in graph.stages]
    seen: set[frozenset[int]] = set()
    for long in sorted({*lengths, 2.0}):
        for bad in (0.0, 0.25, 0.5):
            chosen = {
                place
                for place in range(len(graph.stages))
                if lengths[place] >= long or (packing[place] < bad and lengths[place] >= 0.1)
            }
            chosen |= _between(graph, chosen)
            if chosen and frozenset(chosen) not in seen:
                seen.add(frozenset(chosen))
                yield chosen


def _between(graph: JobGraph, chosen: set[int]) -> set[int]:
    return _reached(chosen, [stage.parents for stage in graph.stages]) & _reached(chosen, graph.children)


def _reached(chosen: set[int], links: Sequence[Sequence[int]]) -> set[int]:
    """All that some stages lead to by one link or more."""
    found: set[int] = set()
    stack = [other for place in chosen for other in links[place]]
    while stack:
        place = stack.pop()
        if place not in found:
            found.add(place)
            stack += links[place]
    return found


@dataclass
class _Space:
    """The virtual space of time (µs) and executors; times may be negative, as what is placed backward goes before."""

    graph: JobGraph
    executors: int
    spans: dict[int, tuple[int, int]] = field(default_factory=dict)

    def place(self, places: set[int], backward: bool) -> None:
        """Place stages, forward after their parents or backward before their children, the longest path first."""
        order = [place for place in self.graph.order if place in places]
        for place in reversed(order) if backward else order:
            stage = self.graph.stages[place]
            length = max(1, round(1000 * stage.mean_ms)) * -(-stage.tasks // self.executors)
            width = min(stage.tasks, self.executors)
            above = [self.spans[other][1] for other in stage.parents if other in self.spans]
            below = [self.spans[other][0] for other in self.graph.children[place] if other in self.spans]
            if backward:
                latest = min(below, default=max((end for _, end in self.spans.values()), default=0))
                ends = sorted({latest, *(b for b, _ in self.spans.values() if b < latest)}, reverse=True)
                last = min((begin for begin, _ in self.spans.values()), default=latest)
                begin = next(end for end in (*ends, min(last, latest)) if self._free(end - length, length, width))
                begin -= length
            else:
                earliest = max(above, default=min((b for b, _ in self.spans.values()), default=0))
                begins = sorted({earliest, *(e for _, e in self.spans.values() if e > earliest)})
                begin = next(start for start in begins if self._free(start, length, width))
            self.spans[place] = begin, begin + length

    @property
    def length(self) -> int:
        """From the first begin to the last end."""
        return max(end for _, end in self.spans.values()) - min(begin for begin, _ in self.spans.values())

    def order(self) -> tuple[int, ...]:
        """Stages by their begin."""
        return tuple(sorted(self.spans, key=lambda place: (self.spans[place][0], place)))

    def _free(self, begin: int, length: int, width: int) -> bool:
        """Whether so many executors are free all the time."""
        busy = [(span, place) for place, span in self.spans.items() if span[0] < begin + length and span[1] > begin]
        moments = [begin, *(span[0] for span, _ in busy if span[0] > begin)]
        for moment in moments:
            beside = [self.graph.stages[place].tasks for span, place in busy if span[0] <= moment < span[1]]
            if sum(min(tasks, self.executors) for tasks in beside) + width > self.executors:
                return False
        return True
