"""Requests and a cluster, a run at a rate, and the search for the highest rate that is served well enough."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from unseat.core.errors import ContractError
from unseat.core.policy import DeadlineReached, View
from unseat.tasks.serving.cluster import Serving
from unseat.tasks.serving.engine import layout as at
from unseat.tasks.serving.engine.layout import Float64, Int64, State
from unseat.tasks.serving.engine.lengths import FIRST_CHUNK

FAULTS = {
    at.BLOCK_TWICE: "a block of the cache has two owners",
    at.NO_BLOCK: "a block was taken that is not there",
    at.STUCK: "requests are left that nothing can be done for",
}


class Requests(NamedTuple):
    """What came, in order of coming.

    Attributes:
        at_s: float64 [n], seconds.
        prompt, output: int64 [n], tokens.
        first: int64 [n + 1], where each request's hashes begin in `hashes`.
        hashes: int64 [...], dense numbers of the chunks that its prompt begins with, each for all before it too.
    """

    at_s: Float64
    prompt: Int64
    output: Int64
    first: Int64
    hashes: Int64

    def part(self, begin: int, end: int) -> Requests:
        """Requests begin to end - 1, with hashes numbered anew."""
        first = self.first[begin : end + 1]
        known, dense = np.unique(self.hashes[first[0] : first[-1]], return_inverse=True)
        at_s = self.at_s[begin:end]
        return Requests(at_s - at_s[:1].min(initial=np.inf) if at_s.size else at_s, self.prompt[begin:end],
                        self.output[begin:end], first - first[0], dense.astype(np.int64))  # fmt: skip

    @property
    def rate(self) -> float:
        """Requests a second, in the mean."""
        return (len(self.at_s) - 1) / max(float(self.at_s[-1] - self.at_s[0]), 1e-9)


@dataclass(frozen=True, eq=False)
class Problem:
    """What the engine runs.

    Attributes:
        requests: The requests.
        serving: The cluster.
        begin_rate: Requests a second at which the search begins; if 0, what the cluster and mean lengths give.
        attainment: The share of requests that must meet both objectives.
        steps: Halvings of the search's interval, once it is found.
    """

    requests: Requests
    serving: Serving
    begin_rate: float = 0.0
    attainment: float = 0.9
    steps: int = 6

    @cached_property
    def empty(self) -> State:
        """The state before the first event, at the trace's own rate; never changed."""
        requests, serving = self.requests, self.serving
        n, lanes, blocks = len(requests.at_s), serving.lanes, serving.blocks
        fixed = np.stack([requests.prompt, requests.output, requests.first[:-1], requests.first[1:]], axis=1)
        chunks = int(requests.hashes.max(initial=-1)) + 1 if serving.chunk else 1
        when = np.zeros((n, at.TIMES))
        when[:, at.ARRIVAL], when[:, at.FIRST : at.ADMITTED + 1] = requests.at_s - requests.at_s[0], np.nan
        q = np.zeros((n, at.FIELDS), np.int64)
        q[:, [at.AT, at.HEAD, at.TAIL, at.BEFORE, at.AFTER]] = at.NONE
        rep = np.zeros((lanes, at.REPLICA), np.int64)
        rep[:, [at.FIRST_WAIT, at.LAST_WAIT, at.LRU_HEAD, at.LRU_TAIL]] = at.NONE
        rep[:, at.N_FREE] = blocks
        block = np.full((lanes, blocks, 2), at.NONE, np.int32)
        block[:, :-1, at.NEXT_BLOCK] = np.arange(1, blocks)
        return State(
            serving.integers(n, 0), serving.floats(), serving.cost, fixed.astype(np.int64),
            requests.hashes, when, q, rep, np.zeros((lanes, at.CLOCKS)),
            np.zeros((lanes, serving.seats, 2), np.int64),
            np.full((lanes, chunks, 4) if serving.chunk else (1, 1, 4), at.NONE, np.int32), block,
            np.zeros((FIRST_CHUNK + int(requests.hashes.max(initial=-1)) + 1, 2)),
        )  # fmt: skip

    def begin(self, seed: int, rate: float, allowed: int | None = None, attainment: float = 0.0) -> State:
        """A state to run.

        Args:
            seed: Of draws.
            rate: Requests a second: the trace's times are scaled.
            allowed: The run ends when more requests than that have missed an objective.
            attainment: What is promised, if it is not what the problem says.
        """
        s = State(*(part.copy() if name not in {"cost", "fixed", "hashes"} else part
                    for name, part in self.empty._asdict().items()))  # fmt: skip
        s.when[:, at.ARRIVAL] *= self.requests.rate / rate
        s.when[:, at.GUESS] = 256.0
        s.g[at.SEED], s.g[at.DRAW] = seed & 0xFFFFFFFF, (seed & 0xFFFFFF) + 1
        s.f[at.MAY_MISS] = 1 - (attainment or self.attainment)
        if allowed is not None:
            s.g[at.ALLOWED] = allowed
        return s

    @cached_property
    def capacity(self) -> float:
        """Requests a second that keep the cluster busy if all decode in full batches: where the search begins."""
        if self.begin_rate:
            return self.begin_rate
        f, serving = self.serving.floats(), self.serving
        share = float(self.requests.prompt.mean()) * f[at.TOKEN_S]
        tokens = max(float(self.requests.output.mean()), 1.0) * f[at.TPOT] / min(64, serving.seats)
        return float(serving.lanes / (share + tokens))

    @property
    def lowest(self) -> float:
        """The least rate that the search looks at: what a policy gets that serves not even this well."""
        return self.capacity / 64

    @property
    def worst(self) -> float:
        """What a failed run counts with."""
        return self.lowest / 2

    def view(self, question: str, deadline: float | None = None) -> View:
        """What a policy is told beforehand: the cluster and what is promised."""
        return View(question, {**self.serving.facts(), "attainment": self.attainment}, deadline=deadline)

    def goodput(self, play: Callable[[State], None], seed: int, attainment: float,
                deadline: float | None = None, begin: float = 0.0, steps: int = 0) -> float:  # fmt: skip
        """The highest rate at which the share of requests meets both objectives, by doubling and halving.

        Args:
            play: Runs a state to its end.
            seed: Of draws.
            attainment: The share.
            deadline: Of the monotonic clock.
            begin: Where the search begins; if 0, at the capacity.
            steps: Halvings, if they are not the problem's.

        Raises:
            ContractError: The engine found a fault.
            DeadlineReached: The time was up.
        """
        allowed = int((1 - attainment) * len(self.requests.at_s))

        def served(rate: float) -> bool:
            s = self.begin(seed, rate, allowed, attainment)
            play(s)
            sound(s)
            if deadline is not None and time.monotonic() > deadline:
                raise DeadlineReached(f"time was up at {rate:.3g} requests a second")
            return bool(s.g[at.MISSED] <= allowed)

        rate, lowest, highest = begin or self.capacity, self.lowest, 64 * self.capacity
        if served(rate):
            low, high = rate, rate
            while high == low and low < highest:
                high = 2 * low
                low, high = (high, high) if served(high) else (low, high)
        else:
            low, high = rate, rate
            while low == high and high > lowest:
                low = high / 2
                low, high = (low, high) if low <= lowest or served(low) else (low, low)
            if low <= lowest and not served(lowest):
                return float(lowest)
        for _ in range(steps or self.steps):
            middle = float(np.sqrt(low * high))
            low, high = (middle, high) if served(middle) else (low, middle)
        return float(low)


def sound(s: State) -> None:
    """Check that the engine found no fault.

    Raises:
        ContractError: It did.
    """
    if s.g[at.FAULT]:
        raise ContractError(FAULTS[int(s.g[at.FAULT])])


def measured(s: State) -> Mapping[str, float]:
    """What a run at one rate measured; what was refused or too large counts as a miss, and has no latency."""
    when, output = s.when, s.fixed[:, at.OUTPUT]
    done = s.q[:, at.STATE] == at.ENDED
    ttft = (when[:, at.FIRST] - when[:, at.ARRIVAL])[done]
    whole = (when[:, at.END] - when[:, at.ARRIVAL])[done]
    several = done & (output > 1)
    tpot = (when[:, at.END] - when[:, at.FIRST])[several] / (output[several] - 1)

    def of(values: Any, name: str) -> dict[str, float]:
        if not values.size:
            return {}
        return {f"mean_{name}": float(values.mean()), f"p99_{name}": float(np.quantile(values, 0.99))}

    return {
        **of(ttft, "ttft_s"), **of(tpot, "tpot_s"), **of(whole / output[done], "normalized_s"),
        "attainment": 1 - float(s.g[at.MISSED]) / len(when), "refused": float(s.g[at.REFUSED]),
        "preemptions": float(s.g[at.PREEMPTIONS]), "iterations": float(s.g[at.ITERATIONS]),
        "cached_share": float(s.g[at.HIT_TOKENS]) / max(1.0, float(s.g[at.PROMPT_TOKENS])),
    }  # fmt: skip
