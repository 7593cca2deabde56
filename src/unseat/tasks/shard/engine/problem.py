"""The problem: one strategy a node, least node plus edge cost, usage under a limit at every time step.

The definition is the one of the ASPLOS 2025 / EuroSys 2025 contest on intra-operator parallelism (google/iopddl).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseat.core.jit import jit
from unseat.core.policy import InvalidAnswer

Int64 = NDArray[np.int64]

NO_LIMIT = -1
"""The limit of a problem that has none."""
_HALF = 32


@dataclass(frozen=True)
class Problem:
    """A graph whose nodes each get one of their strategies.

    Attributes:
        name: What the file calls it.
        intervals: When a node's memory is in use (int64 [nodes, 2]), half-open; empty where both are equal.
        offsets: Where a node's strategies begin in `costs` and `usages` (int64 [nodes + 1]).
        costs: Cost of each strategy (int64 [strategies]).
        usages: Bytes that each strategy uses, at least 0 (int64 [strategies]).
        edges: The two nodes of each edge (int64 [edges, 2]).
        edge_offsets: Where an edge's table begins in `edge_costs` (int64 [edges + 1]).
        edge_costs: Tables, the first node's strategy a row (int64 [entries]).
        limit: Bytes that may be in use at any time, or `NO_LIMIT`.
        seconds: Wall time that a solver is given.
    """

    name: str
    intervals: Int64
    offsets: Int64
    costs: Int64
    usages: Int64
    edges: Int64
    edge_offsets: Int64
    edge_costs: Int64
    limit: int
    seconds: float = math.inf

    @property
    def nodes(self) -> int:
        """How many nodes there are."""
        return len(self.offsets) - 1

    @property
    def nbytes(self) -> int:
        """Size of all arrays in bytes."""
        return sum(part.nbytes for part in self.facts().values() if isinstance(part, np.ndarray))

    def facts(self) -> Mapping[str, Any]:
        """What a policy is told: everything."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def checked(self, answer: Any) -> Int64:
        """An answer as one strategy a node (int64 [nodes]).

        Raises:
            InvalidAnswer: It is none, or it uses more memory than there is.
        """
        chosen = np.asarray(answer)
        if chosen.shape != (self.nodes,) or chosen.dtype.kind not in "iu":
            raise InvalidAnswer(f"it must be an integer for each of the {self.nodes} nodes")
        chosen = chosen.astype(np.int64)
        wrong = np.flatnonzero((chosen < 0) | (chosen >= np.diff(self.offsets)))
        if len(wrong):
            node = int(wrong[0])
            most = int(self.offsets[node + 1] - self.offsets[node])
            raise InvalidAnswer(f"node {node} has {most} strategies, numbered from 0, and not {int(chosen[node])}")
        return chosen

    def cost(self, chosen: Int64) -> int:
        """Node plus edge cost, exact however large."""
        high, low = total(self.costs, self.offsets[:-1] + chosen)
        edge_high, edge_low = total(self.edge_costs, self.rows(chosen))
        return ((int(high) + int(edge_high)) << _HALF) + int(low) + int(edge_low)

    def rows(self, chosen: Int64) -> Int64:
        """The entry of each edge's table that the strategies choose (int64 [edges])."""
        first, second = self.edges[:, 0], self.edges[:, 1]
        return self.edge_offsets[:-1] + chosen[first] * np.diff(self.offsets)[second] + chosen[second]

    def profile(self, chosen: Int64) -> tuple[Int64, list[int]]:
        """The memory in use: times at which it changes (int64 [times]), and the bytes from each on, exact."""
        used = self.usages[self.offsets[:-1] + chosen]
        live = self.intervals[:, 0] < self.intervals[:, 1]
        times, place = np.unique(self.intervals[live], return_inverse=True)
        place = place.reshape(-1, 2)
        high, low = running(place, used[live], len(times))
        return times, [(up << _HALF) + down for up, down in zip(high.tolist(), low.tolist(), strict=True)]

    def peak(self, chosen: Int64) -> int:
        """Most bytes in use at any time, exact."""
        return max(self.profile(chosen)[1], default=0)

    def worst(self) -> float:
        """More than any answer costs: each node and edge at its dearest."""
        if not self.nodes:
            return 1.0
        nodes = np.maximum.reduceat(self.costs.astype(np.float64), self.offsets[:-1]).sum()
        edges = np.maximum.reduceat(self.edge_costs.astype(np.float64), self.edge_offsets[:-1]).sum() if len(
            self.edges) else 0.0  # fmt: skip
        return 1.0 + 1.001 * float(nodes + edges)


@jit
def total(values: Int64, places: Int64) -> tuple[int, int]:
    """The sum of some values in two parts, high * 2^32 + low: each part holds the sum of 2^31 of them."""
    high, low = 0, 0
    for place in places:
        value = int(values[place])
        high += value >> 32
        low += value & 0xFFFFFFFF
    return high, low


@jit
def running(place: Int64, used: Int64, times: int) -> tuple[Int64, Int64]:
    """Bytes in use from each time on, in two parts like `total`."""
    high, low = np.zeros(times, np.int64), np.zeros(times, np.int64)
    for node in range(len(used)):
        up, down = used[node] >> 32, used[node] & 0xFFFFFFFF
        high[place[node, 0]] += up
        low[place[node, 0]] += down
        high[place[node, 1]] -= up
        low[place[node, 1]] -= down
    for time in range(1, times):
        high[time] += high[time - 1]
        low[time] += low[time - 1]
    return high, low
