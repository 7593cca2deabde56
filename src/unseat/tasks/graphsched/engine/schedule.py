"""A schedule: subgraphs one after the other, each with its granularity, order of tiles and what stays resident."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from unseat.core.policy import InvalidAnswer
from unseat.tasks.graphsched.engine.latency import ALL, LEAST, BadSubgraph, Int64, Shape, best, entered, latency, shaped
from unseat.tasks.graphsched.engine.problem import Problem


@dataclass(frozen=True)
class Step:
    """One subgraph.

    Attributes:
        ops: Its operators; one that runs in several subgraphs is computed anew.
        keep: Tensors that stay in the fast memory after it.
        granularity: Width and height of a tile, and the step along the inner dimension; the best one, if None.
        order: Order of tiles by number (`latency.ROWS` and others), or as a permutation.
    """

    ops: frozenset[int]
    keep: frozenset[int] = frozenset()
    granularity: tuple[int, int, int] | None = None
    order: int | tuple[int, ...] = 0


class Evaluator:
    """Evaluates schedules of a problem, and remembers each subgraph's best granularity.

    Args:
        problem: The problem.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.machine = np.array([problem.capacity, problem.bandwidth, *problem.native], np.int64)
        self._shapes: dict[tuple[frozenset[int], frozenset[int]], Shape | str] = {}
        self._best: dict[Any, tuple[float, int, int, int, int]] = {}

    def shape(self, ops: frozenset[int], needed: frozenset[int]) -> Shape:
        """See `latency.shaped`; remembered.

        Raises:
            BadSubgraph: There is none.
        """
        key = ops, needed
        if key not in self._shapes:
            try:
                self._shapes[key] = shaped(self.problem, ops, needed)
            except BadSubgraph as error:
                self._shapes[key] = str(error)
        found = self._shapes[key]
        if isinstance(found, str):
            raise BadSubgraph(found)
        return found

    def latencies(self, steps: Sequence[Step]) -> list[float]:
        """What each step takes; infinite where it does not fit.

        Raises:
            BadSubgraph: It is no schedule; the message names the step.
        """
        return [took for took, _ in self.completed(steps)]

    def total(self, steps: Sequence[Step]) -> float:
        """What a schedule takes; infinite where it is none."""
        try:
            return sum(self.latencies(steps))
        except BadSubgraph:
            return float("inf")

    def completed(self, steps: Sequence[Step]) -> list[tuple[float, Step]]:
        """Each step's latency, and the step with its granularity and order."""
        problem, found = self.problem, []
        needs = self.needs(steps)
        slow, resident = set(range(len(problem.widths))) - set(problem.outputs), frozenset[int]()
        for at, step in enumerate(steps):
            made, reads, needed, later = needs[at]
            try:
                shape = self.shape(step.ops, needed)
            except BadSubgraph as error:
                raise BadSubgraph(f"step {at}: {error}") from error
            missing = reads - slow - resident
            if missing:
                raise BadSubgraph(f"step {at}: tensor {min(missing)} is read before it is there")
            boundary = frozenset(shape.tensors)
            strange = step.keep - resident - boundary
            if strange:
                raise BadSubgraph(f"step {at}: tensor {min(strange)} cannot stay, for it is not there")
            left = resident - step.keep - slow
            lost = {tensor for tensor in left if tensor in later or tensor in problem.results}
            space = sum(problem.size[one] for one in (resident | step.keep) - boundary)
            extra = float(sum(problem.size[one] for one in lost))
            found.append(self.step(step, shape, resident & boundary, step.keep & boundary, extra, space))
            slow |= lost | {tensor for tensor in needed if tensor not in step.keep}
            resident = step.keep
        if problem.results - slow:
            raise BadSubgraph(f"tensor {min(problem.results - slow)} does not end in the slow memory")
        return found

    def needs(
        self, steps: Sequence[Step]
    ) -> list[tuple[frozenset[int], frozenset[int], frozenset[int], frozenset[int]]]:
        """Of each step: what it makes, reads from outside, makes for later, and what is read later."""
        problem = self.problem
        if frozenset[int]().union(*(step.ops for step in steps)) != frozenset(range(problem.operators)):
            missing = set(range(problem.operators)) - {op for step in steps for op in step.ops}
            raise BadSubgraph(
                f"operator {min(missing) if missing else '?'} is in no step, or there is no such operator"
            )
        made = [frozenset(problem.outputs[op] for op in step.ops) for step in steps]
        reads = [frozenset(t for op in step.ops for t in problem.inputs[op]) - own
                 for step, own in zip(steps, made, strict=True)]  # fmt: skip
        later: list[frozenset[int]] = [frozenset()] * len(steps)
        for at in range(len(steps) - 2, -1, -1):
            later[at] = later[at + 1] | reads[at + 1]
        known, found = frozenset[int](), []
        for at in range(len(steps)):
            needed = (made[at] - known) & (later[at] | problem.results)
            found.append((made[at], reads[at], needed, later[at]))
            known |= needed
        return found

    def step(
        self, step: Step, shape: Shape, resident: frozenset[int], kept: frozenset[int], extra: float, space: int
    ) -> tuple[float, Step]:
        """What one step takes, and the step with its granularity, the best one where it states none."""
        if step.granularity is None:
            key = id(shape), resident, kept, extra, space
            if key not in self._best:
                self._best[key] = best(shape.slices, shape.work, _mask(shape, resident), _mask(shape, kept), extra,
                                       space, shape.width, shape.height, shape.inner, LEAST, self.machine)  # fmt: skip
            took, w, h, k, order = self._best[key]
            return took, Step(step.ops, step.keep, (w, h, k), order)
        w, h, k = step.granularity
        tiles, last = tiled(step.order, -(-shape.height // h), -(-shape.width // w))
        took = latency(shape.slices, shape.work, _mask(shape, resident), _mask(shape, kept), extra, space, shape.inner,
                       w, h, k, tiles, last, self.machine)  # fmt: skip
        return float(took), step


def _mask(shape: Shape, tensors: frozenset[int]) -> Any:
    return np.array([one in tensors for one in shape.tensors], np.bool_)


def tiled(order: int | Sequence[int], rows: int, columns: int) -> tuple[Int64, int]:
    """How tiles are entered in an order; see `latency.latency`.

    Raises:
        BadSubgraph: It is no permutation of the tiles.
    """
    tiles = np.zeros(9, np.int64)
    if isinstance(order, int):
        return tiles, int(entered(order, rows, columns, tiles))
    if sorted(order) != list(range(rows * columns)):
        raise BadSubgraph(f"its traversal order is no permutation of its {rows * columns} tiles")
    last = ALL
    tiles[ALL] = 1
    for before, after in pairwise(order):
        last = int(before % columns != after % columns) + 2 * int(before // columns != after // columns)
        tiles[last] += 1
    return tiles, last


def permutation(order: int, rows: int, columns: int) -> list[int] | None:
    """An order of tiles as the contest writes it; None for the default."""
    if order == 0 or rows * columns == 1:
        return None
    if order == 2:
        return [row * columns + column for column in range(columns)
                for row in (range(rows) if column % 2 == 0 else range(rows - 1, -1, -1))]  # fmt: skip
    return [row * columns + column for row in range(rows)
            for column in (range(columns) if row % 2 == 0 or order == 3 else range(columns - 1, -1, -1))]  # fmt: skip


def to_json(evaluator: Evaluator, steps: Sequence[Step]) -> dict[str, Any]:
    """A schedule in the contest's form, latencies included."""
    done, problem = evaluator.completed(steps), evaluator.problem
    shapes = [evaluator.shape(step.ops, needs[2]) for step, needs in zip(steps, evaluator.needs(steps), strict=True)]
    orders = []
    for (_, step), shape in zip(done, shapes, strict=True):
        assert step.granularity is not None
        rows, columns = -(-shape.height // step.granularity[1]), -(-shape.width // step.granularity[0])
        orders.append(permutation(step.order, rows, columns) if isinstance(step.order, int) else list(step.order))
    place = {op: at for at, op in enumerate(problem.order)}
    return {
        "subgraphs": [sorted(step.ops, key=place.__getitem__) for step in steps],
        "granularities": [list(step.granularity or ()) for _, step in done],
        "tensors_to_retain": [sorted(step.keep) for step in steps], "traversal_orders": orders,
        "subgraph_latencies": [took for took, _ in done],
    }  # fmt: skip


def from_json(answer: Any, problem: Problem) -> list[Step]:
    """A schedule of the contest's form.

    Raises:
        InvalidAnswer: It is none.
    """
    if not isinstance(answer, Mapping):
        raise InvalidAnswer("a schedule is an object with subgraphs, granularities, tensors_to_retain")
    groups, sizes, keeps = (answer.get(name) for name in ("subgraphs", "granularities", "tensors_to_retain"))
    orders = answer.get("traversal_orders")
    if not isinstance(groups, list) or not groups:
        raise InvalidAnswer("subgraphs must be a list of lists of operators")
    orders = [None] * len(groups) if orders is None else orders
    for name, part in (("granularities", sizes), ("tensors_to_retain", keeps), ("traversal_orders", orders)):
        if not isinstance(part, list) or len(part) != len(groups):
            raise InvalidAnswer(f"{name} must have an entry for each of the {len(groups)} subgraphs")
    steps = []
    for at, (ops, size, keep, order) in enumerate(zip(groups, sizes or [], keeps or [], orders, strict=True)):
        found = _whole(ops, problem.operators, f"subgraph {at}"), _whole(keep, len(problem.widths), f"retained {at}")
        if not found[0] or len(set(found[0])) < len(found[0]):
            raise InvalidAnswer(f"subgraph {at} is empty, or names an operator twice")
        tile = _whole(size, 2**40, f"granularity {at}")
        if len(tile) != 3 or min(tile) < 1:
            raise InvalidAnswer(f"granularity {at} must be three numbers above 0")
        path: int | tuple[int, ...] = 0 if order is None else tuple(_whole(order, 2**40, f"traversal order {at}"))
        steps.append(Step(frozenset(found[0]), frozenset(found[1]), (tile[0], tile[1], tile[2]), path))
    return steps


def _whole(values: Any, below: int, what: str) -> list[int]:
    if not isinstance(values, list) or not all(isinstance(one, int) and not isinstance(one, bool) for one in values):
        raise InvalidAnswer(f"{what} must be a list of whole numbers")
    if any(not 0 <= one < below for one in values):
        raise InvalidAnswer(f"{what} names what there is not")
    return values
