"""The problem: operators in a graph, a small fast memory, a slow link to the large one.

The definition is PROBLEM.md of the MLSys 2026 contest (yarongmu-google/MLSys).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from unseat.core.errors import UserError

MATMUL, POINTWISE = "MatMul", "Pointwise"
_MOST = 2**40


@dataclass(frozen=True)
class Problem:
    """A graph of operators. Each has one output.

    Attributes:
        widths, heights: Of each tensor.
        inputs: The tensors that each operator reads; of a MatMul left, then right.
        outputs: The tensor that each operator makes.
        costs: Time of each operator for one tile of the native size.
        matmul: Whether each operator is a MatMul, and not pointwise.
        capacity: Elements that the fast memory holds.
        bandwidth: Elements that move to or from the slow memory in a unit of time.
        native: Width and height of a native tile.
        seconds: Wall time that a solver is given.
    """

    widths: tuple[int, ...]
    heights: tuple[int, ...]
    inputs: tuple[tuple[int, ...], ...]
    outputs: tuple[int, ...]
    costs: tuple[int, ...]
    matmul: tuple[bool, ...]
    capacity: int
    bandwidth: int
    native: tuple[int, int]
    seconds: float = math.inf

    @property
    def operators(self) -> int:
        """How many operators there are."""
        return len(self.outputs)

    @cached_property
    def size(self) -> tuple[int, ...]:
        """Elements of each tensor."""
        return tuple(w * h for w, h in zip(self.widths, self.heights, strict=True))

    @cached_property
    def producer(self) -> Mapping[int, int]:
        """The operator that makes each tensor that is made."""
        return {tensor: op for op, tensor in enumerate(self.outputs)}

    @cached_property
    def readers(self) -> Mapping[int, tuple[int, ...]]:
        """The operators that read each tensor that is read."""
        found: dict[int, list[int]] = {}
        for op, tensors in enumerate(self.inputs):
            for tensor in dict.fromkeys(tensors):
                found.setdefault(tensor, []).append(op)
        return {tensor: tuple(ops) for tensor, ops in found.items()}

    @cached_property
    def results(self) -> frozenset[int]:
        """Tensors that are made and never read: they must end in the slow memory."""
        return frozenset(self.outputs) - set(self.readers)

    @cached_property
    def order(self) -> tuple[int, ...]:
        """The operators, each after those it reads from; by number where that leaves a choice."""
        import heapq

        waits = [len({self.producer[t] for t in tensors if t in self.producer}) for tensors in self.inputs]
        ready, found = [op for op, count in enumerate(waits) if not count], []
        heapq.heapify(ready)
        while ready:
            op = heapq.heappop(ready)
            found.append(op)
            for reader in self.readers.get(self.outputs[op], ()):
                waits[reader] -= 1
                if not waits[reader]:
                    heapq.heappush(ready, reader)
        return tuple(found)

    def reduction(self, op: int) -> int:
        """The inner dimension of a MatMul; 1 of a pointwise operator."""
        return self.widths[self.inputs[op][0]] if self.matmul[op] else 1

    def facts(self) -> dict[str, Any]:
        """What a policy is told: everything."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def to_json(self) -> dict[str, Any]:
        """The contest's form."""
        return {
            "widths": list(self.widths), "heights": list(self.heights), "inputs": [list(one) for one in self.inputs],
            "outputs": [[one] for one in self.outputs], "base_costs": list(self.costs),
            "op_types": [MATMUL if one else POINTWISE for one in self.matmul],
            "fast_memory_capacity": self.capacity, "slow_memory_bandwidth": self.bandwidth,
            "native_granularity": list(self.native),
        }  # fmt: skip


def read_json(path: Path) -> Problem:
    """Read an instance of the contest.

    Raises:
        UserError: It cannot be read, or is none; the line names the place.
    """
    try:
        text = path.read_text(encoding="utf-8")
        return parsed(json.loads(text), str(path))
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror or error}); give a file of the contest") from error
    except json.JSONDecodeError as error:
        raise UserError(f"{path}: line {error.lineno}, column {error.colno}: {error.msg}; the file is no JSON, or "
                        "truncated") from error  # fmt: skip
    except (UnicodeDecodeError, RecursionError) as error:
        raise UserError(f"{path}: no JSON ({type(error).__name__}); give a file of the contest") from error


def parsed(data: Any, where: str) -> Problem:
    """A problem of the contest's JSON.

    Raises:
        UserError: It is none.
    """
    if not isinstance(data, dict):
        raise UserError(f"{where}: the file must hold an object; give an instance of the contest")
    widths, heights = (_numbers(data, name, where) for name in ("widths", "heights"))
    if len(widths) != len(heights):
        raise UserError(f"{where}: {len(widths)} widths and {len(heights)} heights")
    costs = _numbers(data, "base_costs", where, least=0)
    inputs, outputs = (_lists(data, name, len(costs), len(widths), where) for name in ("inputs", "outputs"))
    kinds = data.get("op_types")
    if not isinstance(kinds, list) or len(kinds) != len(costs):
        raise UserError(f"{where}: op_types must name the type of each of the {len(costs)} operators")
    for op, kind in enumerate(kinds):
        if kind not in (MATMUL, POINTWISE):
            raise UserError(f"{where}: op_types, operator {op}: {kind!r:.40} is neither {MATMUL} nor {POINTWISE}")
        if len(outputs[op]) != 1:
            raise UserError(f"{where}: outputs, operator {op}: it must make one tensor, and makes {len(outputs[op])}")
    capacity, bandwidth = (_number(data, name, where) for name in ("fast_memory_capacity", "slow_memory_bandwidth"))
    native = _numbers(data, "native_granularity", where)
    if len(native) != 2:
        raise UserError(f"{where}: native_granularity must be a width and a height")
    problem = Problem(widths, heights, inputs, tuple(one[0] for one in outputs), costs,
                      tuple(kind == MATMUL for kind in kinds), capacity, bandwidth, (native[0], native[1]))  # fmt: skip
    _consistent(problem, where)
    return problem


def _number(data: Mapping[str, Any], name: str, where: str) -> int:
    return _whole(data.get(name), f"{where}: {name}", 1)


def _numbers(data: Mapping[str, Any], name: str, where: str, least: int = 1) -> tuple[int, ...]:
    found = data.get(name)
    if not isinstance(found, list) or not found:
        raise UserError(f"{where}: {name} must be a list of numbers")
    return tuple(_whole(one, f"{where}: {name}, number {at}", least) for at, one in enumerate(found))


def _whole(value: Any, where: str, least: int) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= _MOST:
        raise UserError(f"{where}: {value!r:.40} must be a whole number from {least} to 2^40")
    return value


def _lists(data: Mapping[str, Any], name: str, count: int, tensors: int, where: str) -> tuple[tuple[int, ...], ...]:
    found = data.get(name)
    if not isinstance(found, list) or len(found) != count:
        raise UserError(f"{where}: {name} must hold a list for each of the {count} operators")
    for op, one in enumerate(found):
        if not isinstance(one, list) or not one:
            raise UserError(f"{where}: {name}, operator {op}: must be a list of tensors")
        for tensor in one:
            if not isinstance(tensor, int) or isinstance(tensor, bool) or not 0 <= tensor < tensors:
                raise UserError(f"{where}: {name}, operator {op}: there is no tensor {tensor!r:.20}; "
                                f"they are 0 to {tensors - 1}")  # fmt: skip
    return tuple(tuple(one) for one in found)


def _consistent(problem: Problem, where: str) -> None:
    if len(set(problem.outputs)) < problem.operators:
        twice = next(one for one in problem.outputs if problem.outputs.count(one) > 1)
        raise UserError(f"{where}: outputs: tensor {twice} is made by two operators")
    for op, tensors in enumerate(problem.inputs):
        shape = problem.widths[problem.outputs[op]], problem.heights[problem.outputs[op]]
        if problem.matmul[op]:
            if len(tensors) != 2:
                raise UserError(f"{where}: inputs, operator {op}: a MatMul reads two tensors, and this {len(tensors)}")
            left, right = tensors
            fits = problem.widths[left] == problem.heights[right]
            if not fits or shape != (problem.widths[right], problem.heights[left]):
                raise UserError(f"{where}: operator {op}: the shapes of its tensors do not fit a MatMul")
        elif any((problem.widths[one], problem.heights[one]) != shape for one in tensors):
            raise UserError(f"{where}: operator {op}: a pointwise operator's tensors must have one shape")
    if len(problem.order) < problem.operators:
        stuck = min(set(range(problem.operators)) - set(problem.order))
        raise UserError(f"{where}: operator {stuck} waits for its own result; the graph must have no cycle")
