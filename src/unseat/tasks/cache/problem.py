"""One trace at one capacity, and how a session serves it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from unseat.core.errors import ContractError
from unseat.core.outcome import Outcome
from unseat.core.policy import DeadlineReached, Session, View
from unseat.tasks.cache.engine.simulate import Counts
from unseat.tasks.cache.engine.trace import Int32, Int64, Trace

LEARN_EVERY = 10_000
"""Requests between two calls of `Session.learn`, in every instance."""

CLOCK_EVERY = 1_000_000
"""Requests between two looks at the clock, for sessions that do not learn."""

WINDOWS = 24
"""Stretches of the judged part whose part of the objective is a metric of its own, for the bootstrap over time."""

QUESTION = "evict"


@dataclass(frozen=True, eq=False)
class Problem:
    """What the engine runs.

    Attributes:
        trace: The requests.
        capacity: Objects, or bytes where the trace has sizes.
        judged_from: Requests before this one warm the cache and are not judged.
    """

    trace: Trace
    capacity: int
    judged_from: int

    @property
    def sizes(self) -> Int64:
        """Bytes of each object; empty where all count one."""
        return np.empty(0, np.int64) if self.trace.sizes is None else self.trace.sizes

    def view(self, deadline: float | None = None) -> View:
        """What a policy is told: the capacity. The size of the id space is for loops that hold the engine too."""
        facts = {"capacity": self.capacity, "sized": self.trace.sizes is not None, "id_space": self.trace.n_objects}
        return View(QUESTION, facts, deadline=deadline)

    def outcome(self, warm: Counts, judged: Counts, *, start_s: float, learn_s: float, serve_s: float) -> Outcome:
        """What a run measured: the value is the (byte) miss ratio of the judged part."""
        asked = self.judged_total
        metrics = {
            "requests": warm.requests + judged.requests,
            "judged_requests": judged.requests,
            "misses": warm.misses + judged.misses,
            "judged_misses": judged.misses,
            "judged_missed_bytes": judged.missed_bytes,
            "judged_bytes": asked,
            "capacity": self.capacity,
            "objects": self.trace.n_objects,
            "requests_per_s": (warm.requests + judged.requests) / max(serve_s, 1e-9),
        }
        if self.trace.sizes is None:
            del metrics["judged_missed_bytes"], metrics["judged_bytes"]
        decisions = warm.evictions + judged.evictions
        value = judged.missed_bytes / asked
        return Outcome(value, decisions=decisions, start_s=start_s, learn_s=learn_s, metrics=metrics)

    @cached_property
    def judged_total(self) -> int:
        """What the objective divides by: judged requests, or their bytes."""
        return self.trace.n_requests - self.judged_from if self.trace.sizes is None else self._judged_bytes

    @cached_property
    def _judged_bytes(self) -> int:
        return int(self.sizes[self.trace.ids[self.judged_from :]].sum())

    @cached_property
    def window_ends(self) -> list[int]:
        """Where the stretches of the judged part end; none where it is too short to be divided."""
        judged = self.trace.n_requests - self.judged_from
        if judged < 100 * WINDOWS:
            return []
        return [self.judged_from - (-stretch * judged // WINDOWS) for stretch in range(1, WINDOWS + 1)]

    def windows(self, missed: Sequence[int]) -> dict[str, float]:
        """Metrics of the stretches; their mean is the objective. `missed` is what each missed."""
        return {f"window.{place}": float(part * WINDOWS / self.judged_total) for place, part in enumerate(missed)}

    def seen(self, stop: int) -> Seen:
        """The requests before `stop`, not to be written to."""
        past, sizes = self.trace.ids[:stop], self.sizes.view()
        past.flags.writeable = sizes.flags.writeable = False
        return Seen(past, sizes)


@dataclass(frozen=True, eq=False)
class Seen:
    """A session's past, up to the moment of learning.

    Attributes:
        ids: int32[t], the requests so far, as dense ids.
        sizes: int64[objects], bytes of each object; empty where all count one. Only those of seen ids may be read.
    """

    ids: Int32
    sizes: Int64


@dataclass(frozen=True)
class Served:
    """Counts of warm-up and judged part, seconds the session took to learn, and what each window missed."""

    warm: Counts
    judged: Counts
    learn_s: float
    missed: list[int]


Advance = Callable[[int, int, Int64], None]
"""Serves the requests from one number up to another, adding to the counts."""


def fused(problem: Problem, session: Session) -> Advance:
    """Serve by the session's own loop, which holds the cache too.

    The loop is read anew at each stretch, since the session may exchange it where it learns.
    """

    def advance(start: int, stop: int, counts: Int64) -> None:
        if session.kernel is None:
            raise ContractError(f"{type(session).__name__} has no compiled loop")
        loop, state = session.kernel
        loop(problem.trace.ids, problem.sizes, start, stop, problem.capacity, state, counts)

    return advance


def serve(problem: Problem, session: Session, advance: Advance, deadline: float | None = None) -> Served:
    """Serve the whole trace, stopping where the session may learn, where judging begins and to look at the clock.

    Raises:
        DeadlineReached: The time was up.
    """
    learns = type(session).learn is not Session.learn
    requests = problem.trace.n_requests
    every = LEARN_EVERY if learns else CLOCK_EVERY
    stops = sorted({problem.judged_from, requests, *range(every, requests, every), *problem.window_ends} - {0})
    warm, judged = np.zeros(4, np.int64), np.zeros(4, np.int64)
    learn_s, start, ended, ends = 0.0, 0, [0], set(problem.window_ends)
    for stop in stops:
        advance(start, stop, warm if stop <= problem.judged_from else judged)
        start = stop
        if stop in ends:
            ended.append(int(judged[2]))
        if deadline is not None and time.monotonic() > deadline:
            raise DeadlineReached(f"time was up after {stop} of {requests} requests")
        if learns and stop % LEARN_EVERY == 0:
            began = time.perf_counter()
            session.learn(problem.seen(stop))
            learn_s += time.perf_counter() - began
    return Served(Counts(*warm.tolist()), Counts(*judged.tolist()), learn_s, np.diff(ended).tolist())
