"""The solver: reductions, a dual bound with prices of memory, rounding, then tree blocks until the time is up.

Block moves go in rounds. In each a temperature falls, and what memory costs is drawn anew for each short spell of it,
up to its dual price: at full price a spell frees memory, at none it spends what is free. The limit itself is a filter:
no block may pass it, or pass it by more than before while the solution is not within it yet.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from unseat.tasks.shard.engine.problem import Int64, Problem
from unseat.tasks.shard.solver.blocks import BEST, COST, Spells, State
from unseat.tasks.shard.solver.dual import Dual, start
from unseat.tasks.shard.solver.eliminate import Float64
from unseat.tasks.shard.solver.fuse import fused
from unseat.tasks.shard.solver.moves import Arm, Uniform
from unseat.tasks.shard.solver.presolve import Reduction, reduced
from unseat.tasks.shard.solver.prices import Prices, Steps

_STARTS = (1.0, 0.0), (2.0, 0.0), (4.0, 0.0), (0.5, 0.0), (1.0, 0.1), (2.0, 0.1), (1.0, 1.0), (2.0, 1.0)
"""What a search tries to begin from first, before it draws more: how dear memory is, as a multiple of its price, and
noise as a multiple of the mean cost of a node."""
_DEAR = 0.0, 0.3, 1.0, 3.0
"""How dear memory is in mixtures, as multiples of its price."""
_IDLE = 3, 12
"""Spells without anything better after which blocks have settled, on small graphs and on large ones."""


@dataclass(frozen=True)
class Schedule(Steps):
    """What there is to set, of prices and of what follows.

    Attributes:
        dual_share: Share of the time for messages and prices.
        hot: Temperature at which blocks begin, as a multiple of the mean cost of a node.
        cold: Share of it at which they end.
        rounds: How often the temperature falls; each time begins at a third of the time before.
        greedy_share: Share of a round at no temperature, at its end.
        start_share: Share of the time to look for what to begin from.
    """

    dual_share: float = 0.3
    hot: float = 0.1
    cold: float = 1e-3
    rounds: int = 8
    greedy_share: float = 0.2
    start_share: float = 0.3


class Clock:
    """The share of a run that is gone, by CPU seconds of this thread and by wall time, whichever is more.

    Args:
        cpu_s: CPU seconds that there are.
        deadline: `time.monotonic()` at which to end; None without one.
    """

    def __init__(self, cpu_s: float, deadline: float | None = None) -> None:
        self.cpu_s, self.began, self.cpu = cpu_s, time.monotonic(), time.thread_time()
        self.wall_s = np.inf if deadline is None else max(deadline - self.began, 1e-6)

    def spent(self) -> float:
        """From 0 at the beginning to 1 at the end."""
        return max((time.thread_time() - self.cpu) / self.cpu_s, (time.monotonic() - self.began) / self.wall_s)

    def until(self, share: float) -> float:
        """`time.thread_time()` at which that share is gone, if no time is lost to others."""
        left = min(self.cpu_s * share - (time.thread_time() - self.cpu),
                   self.wall_s * share - (time.monotonic() - self.began))  # fmt: skip
        return time.thread_time() + left


@dataclass
class Found:
    """What a search has found.

    Attributes:
        cost: Cost of the best solution within the limit, exact but for what a file's numbers over 2^53 lose.
        bound: What no solution can go below, in the search's numbers.
        curve: (share of the time, cost) of each better solution.
    """

    cost: float = np.inf
    bound: float = -np.inf
    curve: list[tuple[float, float]] = field(default_factory=list)


def search(
    problem: Problem, clock: Clock, report: Callable[[Int64], None], *, schedule: Schedule = Schedule(), seed: int = 0,
    selector: Uniform | None = None, reduction: Reduction | None = None,
) -> Found:  # fmt: skip
    """Look for the cheapest solution until the time is up or it is proven.

    Args:
        problem: The problem.
        clock: How long.
        report: Gets each better solution (int64 [nodes]).
        schedule: Settings.
        seed: Of all draws.
        selector: Chooses the next spell's kind of block; uniformly, if not given.
        reduction: The problem's reduction, where it is at hand.
    """
    made = reduction or reduced(problem)
    return _Search(made, clock, report, schedule, seed, selector or Uniform()).run()


class _Search:
    def __init__(
        self, reduction: Reduction, clock: Clock, report: Callable[[Int64], None], schedule: Schedule, seed: int,
        selector: Uniform,
    ) -> None:  # fmt: skip
        self.reduction, self.graph, self.clock, self.tell = reduction, reduction.graph, clock, report
        self.schedule, self.seed, self.selector = schedule, seed, selector
        self.rng = np.random.default_rng(seed)
        self.found, self.spells = Found(), Spells(self.graph)
        self.rounded: Int64 | None = None
        self.state: State

    def run(self) -> Found:
        graph = self.graph
        if not graph.nodes:
            self.found.cost = self.found.bound = graph.constant
            self.tell(self.reduction.expand(np.zeros(0, np.int64)))
            return self.found
        dual = self._dual()
        self.found.bound = dual.bound + graph.constant
        self.scale, self.prices = max(dual.bound, 1.0) / graph.nodes, dual.best_prices
        self._start(dual)
        begun = self.clock.spent()
        ends = begun + (1 - begun) * np.cumsum(np.full(self.schedule.rounds, 1.0)) / self.schedule.rounds
        for number, end in enumerate(ends):
            self._round(float(end), self.schedule.hot / 3**number)
            if (self.state.slack >= 0).all():
                self._mixed(State.of(graph, self.state.best, 0), self.state.chosen, dual.best_prices)
            self.state = State.of(graph, self.state.best, self.seed + number + 1)
            if self._proven():
                break
        return self.found

    def _dual(self) -> Dual:
        """Messages and prices; each solution that they come across is told."""
        prices = Prices(self.graph, self.spells, self.schedule, self._rounded)
        return prices.run(self.clock.until, self.schedule.dual_share)

    def _rounded(self, chosen: Int64, cost: float) -> None:
        self.rounded = chosen
        self._tell(chosen, cost)

    def _into_the_limit(self) -> None:
        """Blocks at prices that rise where the limit is passed, until it is kept."""
        prices, tries = self.prices.copy(), 0
        while (over := self.state.slack < 0).any() and self.clock.spent() < 0.9:
            rise = np.maximum(self.prices.max(), 1e-3) * 0.02
            self.prices[over] = np.maximum(1.15 * self.prices[over], rise)
            self._spell(Arm(100, 1.0), 0.0, False)
            tries += 1
            if tries == 150:
                self._least()
        # What was needed to get here would keep everything small from now on.
        self.prices, state = prices, self.state
        if (state.slack >= 0).all():
            state.numbers[BEST] = state.numbers[COST]
            state.best[:] = state.chosen
        if not self.found.cost < np.inf:
            self._report()

    def _start(self, dual: Dual) -> None:
        """The best of what many roundings of the messages settle to, and of what was rounded before.

        What blocks without a temperature end at depends on where they begin more than on how long they are given: with
        memory dearer or cheaper than its price, or with noise, messages round to solutions in other places.
        """
        end, number = self.clock.spent() + self.schedule.start_share, 0
        best = State.of(self.graph, self.rounded, self.seed) if self.rounded is not None else None
        kept = dual.best_prices
        while number == 0 or self.clock.spent() < end:
            dear, noise = _STARTS[number] if number < len(_STARTS) else (
                4.0 ** self.rng.uniform(-1, 1), 10.0 ** self.rng.uniform(-2, 0.5))  # fmt: skip
            number += 1
            self.prices = dear * dual.best_prices
            disturbed = noise * self.scale * self.rng.gumbel(size=len(self.graph.costs))
            self.state = State.of(self.graph, start(self.graph, dual, self.prices, disturbed), self.seed + number)
            self._report()
            self._into_the_limit()
            self._settle(end)
            if best is None or self.state.numbers[BEST] < best.numbers[BEST]:
                kept = self.prices
            best = self.state if best is None else self._mixed(best, self.state.best, dual.best_prices)
        assert best is not None
        self.prices = kept
        self.state = State.of(self.graph, best.best, self.seed) if best.numbers[BEST] < np.inf else best

    def _mixed(self, best: State, other: Int64, prices: Float64) -> State:
        """The best of two solutions and some of their mixtures, which spare memory more or less."""
        found = [best, State.of(self.graph, other, 0)]
        if all(each.numbers[BEST] < np.inf for each in found):
            found += [State.of(self.graph, fused(self.graph, best.best, other, dear * prices), 0) for dear in _DEAR]
        self.state = min(found, key=lambda each: float(each.numbers[BEST]))
        self._report()
        return self.state

    def _settle(self, end: float) -> None:
        """Blocks without a temperature, until some spells have found nothing better."""
        least, idle, most = np.inf, 0, min(max(self.graph.nodes // 500, _IDLE[0]), _IDLE[1])
        while idle < most and self.clock.spent() < end:
            self._spell(self.selector.pick(self.rng, 0.0), 0.0, True)
            self._report()
            found = float(self.state.numbers[BEST])
            least, idle = (found, 0) if found < least else (least, idle + 1)

    def _least(self) -> None:
        """Begin again from the strategies that use least over all their time."""
        graph = self.graph
        least = np.zeros(graph.nodes, np.int64)
        for v in range(graph.nodes):
            pieces = slice(graph.pieces[v], graph.pieces[v + 1])
            held = graph.usages[graph.uses[pieces.start] : graph.uses[pieces.stop]].reshape(
                pieces.stop - pieces.start, -1
            )
            least[v] = np.argmin((graph.last - graph.first)[pieces] @ held)
        self.state = State.of(graph, least, self.seed)

    def _round(self, end: float, hot: float) -> None:
        """One fall of the temperature, in spells."""
        begun, state = self.clock.spent(), self.state
        scale = self.scale
        greedy = self.schedule.greedy_share
        while (now := self.clock.spent()) < end:
            done = (now - begun) / (end - begun)
            cooling = done / (1 - greedy)
            temperature = hot * scale * self.schedule.cold**cooling if cooling < 1 else 0.0
            arm = self.selector.pick(self.rng, done)
            before, began = float(state.numbers[COST]), time.thread_time()
            self._spell(arm, temperature, True)
            self.selector.learn(arm, (before - float(state.numbers[COST])) / scale, time.thread_time() - began)
            self._report()
            if self._proven():
                return

    def _spell(self, arm: Arm, temperature: float, feasible: bool) -> None:
        """Some blocks of a kind."""
        self.spells.run(self.state, arm, temperature, self.prices, feasible=feasible)

    def _proven(self) -> bool:
        """Whether nothing better is left; costs are whole numbers."""
        return self.found.cost - self.found.bound < 1 - 1e-6

    def _report(self) -> None:
        if self.state.numbers[BEST] + self.graph.constant < self.found.cost:
            self._tell(self.state.best, float(self.state.numbers[BEST]))

    def _tell(self, chosen: Int64, cost: float) -> None:
        self.found.cost = cost + self.graph.constant
        self.found.curve.append((self.clock.spent(), self.found.cost))
        self.tell(self.reduction.expand(chosen))


def least_memory(problem: Problem) -> Int64:
    """The strategy of each node that uses least, of these the cheapest (int64 [nodes])."""
    owner = np.repeat(np.arange(problem.nodes), np.diff(problem.offsets))
    order = np.lexsort((problem.costs, problem.usages, owner))
    return order[problem.offsets[:-1]] - problem.offsets[:-1]


def together(
    problem: Problem, cpu_s: float, deadline: float | None, report: Callable[[Int64], None], *, threads: int,
    schedule: Schedule, seed: int, selectors: Sequence[Uniform],
) -> list[Found]:  # fmt: skip
    """A search a thread, each with its seed; what is better than all before is reported.

    The first report is what uses least memory: whenever a run is stopped, there is an answer within the limit.
    """
    from concurrent.futures import ThreadPoolExecutor
    from threading import Lock

    safe = least_memory(problem)
    report(safe)
    reduction, lock, best = reduced(problem), Lock(), [problem.cost(safe)]

    def better(chosen: Int64) -> None:
        cost = problem.cost(chosen)
        with lock:
            if cost < best[0]:
                best[0] = cost
                report(chosen)

    def one(number: int) -> Found:
        return search(problem, Clock(cpu_s, deadline), better, schedule=schedule, seed=seed + 1000 * number,
                      selector=selectors[number], reduction=reduction)  # fmt: skip

    if threads == 1:
        return [one(0)]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(one, range(threads)))


def bound_of(problem: Problem, cpu_s: float, deadline: float | None = None) -> tuple[float, Float64]:
    """A dual bound of a problem, and the prices that prove it; see `unseat.tasks.shard.solver.dual`."""
    clock = Clock(min(cpu_s, 1e9), deadline)
    graph = reduced(problem).graph
    if not graph.nodes:
        return graph.constant, np.zeros(0)
    dual = Prices(graph, Spells(graph), Steps(), lambda chosen, cost: None).run(clock.until, 1.0)
    return dual.bound + graph.constant, dual.best_prices
