"""Who goes next at a language model's server, and to which replica does a request go: needs nothing but Python.

`Scheduler.priority` has the shape of vLLM's request priority (`--scheduling-policy priority`): a number for each
request that waits, the lower the sooner. `Scheduler.route` gives the number of a replica, `Scheduler.admits` says
whether to take a request at all, `Scheduler.budget` how many tokens the next batch may have. Tell `Scheduler.ended`
of each answer: the expected length of the next ones is learned from it.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

POLICY: dict[str, Any] = {"name": "fcfs", "settings": {}, "weights": [], "lengths": [],
                          "token_s": 1e-4, "ttft_s": 2.0, "tpot_s": 0.05, "may_miss": 0.1,
                          "dense": [], "output": [], "attention": [], "extra_s": 0.0, "hop_s": 0.0}  # fmt: skip

FCFS, SHORTEST_PROMPT, RESPONSE_RATIO, SHORTEST_LEFT, LEARNED_ORDER, _, CHEAPEST = range(7)
ROUND_ROBIN, LEAST_LOADED, PREFIX, LEARNED_ROUTER, _, SOONEST = range(6)
ADMIT_ALL, ADMIT_IN_TIME, LEARNED_ADMISSION, ADMIT_BY_COST = range(4)
USUAL = 0.1
LEAST_BUDGET, STEPS = 64, 9
LATE = 1e6
HIDDEN, F_REQUEST, F_PLACE, F_ROUTE = 6, 8, 5, 6
F = F_REQUEST + F_PLACE
BUCKETS, DEPTH, PRIOR, MEMORY_OF = 20, 64, 8.0, 500.0


@dataclass
class Request:
    """A request that waits, or comes.

    Attributes:
        arrived_s: When it came, by any clock.
        prompt: Tokens of its prompt.
        hashes: Of the chunks that its prompt begins with, each for all before it too.
        generated: Tokens that it already has.
        cached: Tokens of its prompt that its replica has in the cache.
        expected: Tokens of the answer that are expected: `Scheduler.expected`.
    """

    arrived_s: float
    prompt: int
    hashes: Sequence[Any] = ()
    generated: int = 0
    cached: int = 0
    expected: float = 256.0


@dataclass
class Replica:
    """What is known of a replica.

    Attributes:
        queued: Tokens of prompts that are to be computed there.
        running, waiting, filling: Requests that run, that wait, and that run but have no token yet.
        memory: Share of its cache that is in use.
        decoding_s: Seconds of an iteration of those that decode.
        seats: Requests that it runs at most.
        cached: Tokens of the request's prompt that it has in the cache, for `route`.
        waits: `Scheduler.cost` of each request that waits.
        begun: Of each prompt that is begun: tokens that are computed, and those that are not.
        lead_s: By how much those that decode are ahead of their time per token, in the mean.
    """

    queued: int = 0
    running: int = 0
    waiting: int = 0
    filling: int = 0
    memory: float = 0.0
    decoding_s: float = 0.0
    seats: int = 256
    cached: int = 0
    waits: Sequence[tuple[float, float]] = ()
    begun: Sequence[tuple[int, int]] = ()
    lead_s: float = 0.0


@dataclass
class Scheduler:
    """The policy. It holds the lengths of answers that it was told of, and which cost is dear.

    Attributes:
        missed: Requests that have missed an objective, those that were refused too: count the others here.

    Args:
        policy: As `POLICY`.
    """

    policy: dict[str, Any] = field(default_factory=lambda: POLICY)

    def __post_init__(self) -> None:
        self.p: dict[str, float] = self.policy["settings"]
        self.w: list[float] = self.policy["weights"]
        self.ttft_s, self.tpot_s, self.token_s = (float(self.policy[name]) for name in ("ttft_s", "tpot_s", "token_s"))
        self._past: dict[Any, list[float]] = {}
        self._turn, self._dear, self._came, self.missed = -1, 0.0, 0, 0

    @property
    def shortest_first(self) -> bool:
        """Whether the order is that of prompts, the shortest first."""
        return int(self.p.get("order", 0)) == SHORTEST_PROMPT

    def priority(self, request: Request, replica: Replica, now_s: float) -> float:
        """A number for a request that waits: the lower, the sooner."""
        kind = int(self.p.get("order", 0))
        waited = now_s - request.arrived_s
        score = waited
        if kind == SHORTEST_PROMPT:
            score = -float(request.prompt)
        elif kind == RESPONSE_RATIO:
            score = waited / max(request.prompt, 1)
        elif kind == SHORTEST_LEFT:
            score = -(request.prompt + self.p["long"] * max(request.expected - request.generated, 1.0))
        needs = request.prompt * self.token_s
        if kind in (CHEAPEST, LEARNED_ORDER):
            key, needs = self.cost(request)
            score = self.p["urgent"] * waited / self.ttft_s - math.log2(key + 1e-6)
        if kind == LEARNED_ORDER:
            score += self._network(self._request(request, now_s) + self._place(replica))
        limit = self.p.get("late_last", 0.0)
        if limit > 0.0 and request.generated == 0 and waited + needs > self.ttft_s * limit:
            score -= LATE
        return -score

    def cost(self, request: Request) -> tuple[float, float]:
        """Seconds of a replica that a request costs, and those of them that are its prompt's."""
        left = request.prompt - request.cached
        own = left * self.token_s + self._attention(request.cached, left)
        output = max(request.expected - request.generated, 1.0)
        return own + self.p.get("long", 0.0) * output * self.token_s, own

    def route(self, request: Request, replicas: Sequence[Replica]) -> int:
        """The number of the replica that gets a request."""
        kind, loads = int(self.p.get("router", 0)), [one.running + one.waiting for one in replicas]
        if kind == ROUND_ROBIN:
            self._turn += 1
            return self._turn % len(replicas)
        least = loads.index(min(loads))
        if kind == LEAST_LOADED:
            return least
        if kind == PREFIX:
            best = max(range(len(replicas)), key=lambda place: (replicas[place].cached, -loads[place], -place))
            uneven = max(loads) - min(loads) > self.p["imbalance"] and max(loads) > 1.5 * min(loads)
            short = replicas[best].cached / request.prompt < self.p["affinity"]
            return least if uneven or short else best
        best_hit = max(one.cached for one in replicas) * self.token_s / self.ttft_s
        costs = [self._route_cost(request, one, best_hit) for one in replicas]
        return costs.index(min(costs))

    def _route_cost(self, request: Request, one: Replica, best_hit: float) -> float:
        there = replace(request, cached=one.cached)
        total = one.decoding_s / self.tpot_s * self.p["decoding"]
        total += (self._wait_s(there, one) + self.p["affinity"] * self.cost(there)[1]) / self.ttft_s
        if int(self.p["router"]) == LEARNED_ROUTER:
            first = F * HIDDEN + 2 * HIDDEN + F + 1 + F_PLACE + 1 + F
            x = [_within(one.queued * self.token_s / self.ttft_s, 0, 8), (one.running - one.filling) / one.seats,
                 one.memory, _within((one.running + one.waiting) / 64, 0, 8), one.cached * self.token_s / self.ttft_s,
                 best_hit]  # fmt: skip
            total += sum(a * b for a, b in zip(self.w[first : first + F_ROUTE], x, strict=True))
        return total

    def _wait_s(self, request: Request, one: Replica) -> float:
        key, own = self.cost(request)
        ahead = sum(other[1] for other in one.waits if other[0] <= key)
        ahead += sum(left for _, left in one.begun) * self.token_s
        share = 1.0
        if one.running > one.filling:
            share = max(1.0 - one.decoding_s / (self.p["pace"] * self.tpot_s), 0.05)
        return (self.p["ahead"] * ahead + own) / share

    def admits(self, request: Request, replica: Replica, ahead: int) -> bool:
        """Whether a request is taken; `ahead` are the tokens of prompts that go before it."""
        kind = int(self.p.get("admission", 0))
        if kind == ADMIT_IN_TIME:
            share = max(1.0 - replica.decoding_s / self.tpot_s, 0.1) if self.p.get("pace", 0.0) > 0.0 else 1.0
            return bool((ahead + request.prompt) * self.token_s / share <= self.p["patient"] * self.ttft_s)
        if kind not in (LEARNED_ADMISSION, ADMIT_BY_COST):
            return True
        patient = self.p["patient"]
        if kind == LEARNED_ADMISSION:
            first = F * HIDDEN + 2 * HIDDEN + F + 1 + F_PLACE
            x = self._request(request, request.arrived_s) + self._place(replica)
            more = self.w[first] + sum(a * b for a, b in zip(self.w[first + 1 : first + 1 + F], x, strict=True))
            patient *= _within(1.0 + more, 0.1, 8.0)
        taken = self._worthy(request, replica, patient)
        self._came += 1
        self.missed += not taken
        return taken

    def _worthy(self, request: Request, replica: Replica, patient: float) -> bool:
        """Whether it would be on time, and is not so dear that to refuse it is the best use of the promise."""
        may_miss, value, wait = self.policy["may_miss"], math.log2(max(self.cost(request)[0], 1e-6)), 0.0
        wait, share = self._wait_s(request, replica), self.p["spare"] * may_miss
        dear, step = self._came > 10 and value > self._dear, max(2.0 / (1.0 + self._came) ** 0.7, 0.05)
        if self._came == 0:
            self._dear = value + 2.0
        else:
            self._dear += step * (1.0 - share) if value > self._dear else -step * share
        # The less may be missed, the nearer to all of the objective, or beyond: to refuse is a miss for certain.
        if wait > max(patient, 1.0 + (patient - 1.0) * min(may_miss / USUAL, 1.0)) * self.ttft_s:
            return False
        room = self.missed < self.p["saved"] * may_miss * self._came
        return not (dear and room and wait > self.p["pressed"] * self.ttft_s)

    def budget(self, replica: Replica, following: Request | None = None) -> int:
        """Tokens that the next batch may have; `following` is who goes next of those that wait."""
        most, pace = self.p.get("budget", 2048.0), self.p.get("pace", 0.0)
        running, kind = replica.running - replica.filling, int(self.p.get("order", 0))
        if pace <= 0.0 or running == 0:
            return int(most)
        if kind not in (CHEAPEST, LEARNED_ORDER):
            left = pace * self.tpot_s - replica.decoding_s
            return int(min(running + max(left, 0.0) / self.token_s, most))
        more = 0.0
        if kind == LEARNED_ORDER:
            first = F * HIDDEN + 2 * HIDDEN + F
            x = self._place(replica)
            more = self.w[first] + sum(a * b for a, b in zip(self.w[first + 1 : first + 1 + F_PLACE], x, strict=True))
        queued = replica.queued * self.token_s / self.ttft_s
        ease = 1.0 - self.p["ease"] * max(0.0, 1.0 - queued / max(self.p["easy"], 1e-3))
        seconds = (pace * ease * self.tpot_s + self.p["slack"] * replica.lead_s) * _within(1.0 + more, 0.1, 8.0)
        return running + self._fitting(replica, following, seconds, int(most))

    def _fitting(self, replica: Replica, following: Request | None, seconds: float, most: int) -> int:
        """Tokens of prompts that an iteration of at most that time has room for."""
        if self._iteration_s(replica, following, LEAST_BUDGET) > seconds:
            return 0
        if self._iteration_s(replica, following, most) <= seconds:
            return max(most, LEAST_BUDGET)
        low, high = math.log(LEAST_BUDGET), math.log(max(most, LEAST_BUDGET))
        for _ in range(STEPS):
            middle = 0.5 * (low + high)
            if self._iteration_s(replica, following, int(math.exp(middle))) <= seconds:
                low = middle
            else:
                high = middle
        return int(math.exp(low))

    def _iteration_s(self, replica: Replica, following: Request | None, tokens: int) -> float:
        running, left, total = replica.running - replica.filling, tokens, replica.decoding_s
        parts = list(replica.begun)
        if following is not None:
            parts.append((following.cached, following.prompt - following.cached))
        for done, todo in parts:
            part = min(todo, left)
            total += self._attention(done, part) if part > 0 else 0.0
            left -= part
        total += self._attention(0, left) if left > 0 else 0.0
        for table, more in ((self.policy["dense"], tokens), (self.policy["output"], 1)):
            total += _line(table, running + more) - _line(table, running)
        return total + float(self.policy["extra_s"]) * tokens + float(self.policy["hop_s"])

    def _attention(self, before: float, tokens: float) -> float:
        """Seconds of the attention of a part of a prompt."""
        whole = self.policy["attention"]
        if not whole:
            return 0.0
        return max(_square(whole, before + tokens) - _square(whole, before), _line(whole, 1))

    def expected(self, request: Request) -> float:
        """Tokens that its answer is expected to have, from its prompt and from the answers to those like it."""
        weights = self.policy["lengths"]
        if not weights:
            return 256.0
        length = math.log2(1.0 + request.prompt)
        of_all = self._shrunk("all", PRIOR, 2.0)
        of_length = self._shrunk(self._bucket(request.prompt), of_all, 8.0)
        of_prefix, found = of_length, 0.0
        for one in list(request.hashes)[:DEPTH]:
            if ("chunk", one) not in self._past:
                break
            of_prefix, found = self._shrunk(("chunk", one), of_prefix, 2.0), 1.0
        x = (1.0, length / 16.0, length * length / 256.0, of_all, of_length, of_prefix, found)
        return float(2.0 ** _within(sum(a * b for a, b in zip(weights, x, strict=True)), 0.0, 16.0) - 1.0)

    def ended(self, request: Request, output: int) -> None:
        """A request has its answer, of so many tokens."""
        value = math.log2(1.0 + output)
        chunks = [("chunk", one) for one in list(request.hashes)[:DEPTH]]
        for key in ("all", self._bucket(request.prompt), *chunks):
            mean = self._past.setdefault(key, [0.0, 0.0])
            mean[1] = min(mean[1] + 1.0, MEMORY_OF)
            mean[0] += (value - mean[0]) / mean[1]

    def _bucket(self, prompt: int) -> Any:
        return ("length", min(int(math.log2(1.0 + prompt)), BUCKETS - 1))

    def _shrunk(self, key: Any, to: float, weight: float) -> float:
        mean, count = self._past.get(key, (0.0, 0.0))
        return (mean * count + to * weight) / (count + weight)

    def _request(self, one: Request, now_s: float) -> list[float]:
        left, waited = one.prompt - one.cached, now_s - one.arrived_s
        slack = (self.ttft_s - waited - left * self.token_s) / self.ttft_s
        return [_within(waited / self.ttft_s, 0, 8), _within(left / 8192, 0, 16), math.log2(1.0 + left) / 16,
                math.log2(1.0 + one.expected) / 16, one.cached / one.prompt, _within(slack, -4, 1),
                float(slack < 0 and one.generated == 0), float(one.generated > 0)]  # fmt: skip

    def _place(self, one: Replica) -> list[float]:
        return [_within(one.queued * self.token_s / self.ttft_s, 0, 8), (one.running - one.filling) / one.seats,
                one.memory, _within(one.decoding_s / self.tpot_s, 0, 4), _within(one.filling / 8, 0, 4)]  # fmt: skip

    def _network(self, x: list[float]) -> float:
        bias, out, linear = F * HIDDEN, F * HIDDEN + HIDDEN, F * HIDDEN + 2 * HIDDEN
        total = sum(a * b for a, b in zip(self.w[linear : linear + F], x, strict=True))
        for h in range(HIDDEN):
            inner = self.w[bias + h] + sum(a * b for a, b in zip(self.w[h * F : h * F + F], x, strict=True))
            total += self.w[out + h] * max(inner, 0.0)
        return total


def _line(table: Sequence[Sequence[float]], x: float) -> float:
    """Linear between points, and beyond the last."""
    if not table:
        return 0.0
    if x <= table[0][0]:
        return table[0][1]
    place = min(max(bisect_right(table, x, key=lambda point: point[0]) - 1, 0), len(table) - 2)
    (left, below), (right, above) = table[place], table[place + 1]
    return below + (above - below) * (x - left) / (right - left)


def _square(table: Sequence[Sequence[float]], x: float) -> float:
    """The same for whole prompts, whose time grows with the square beyond the last point."""
    if x <= 0:
        return 0.0
    last, value = table[-1]
    return value * (x / last) * (x / last) if x > last else _line(table, x)


def _within(x: float, low: float, high: float) -> float:
    return min(max(x, low), high)
