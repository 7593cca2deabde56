"""From ledger rows to matrices: the same instances and seeds of several contenders, side by side."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unseat.core.errors import ContractError
from unseat.core.task import Objective
from unseat.lab.records import Run

Matrix = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Design:
    """What is resampled: the instances of a comparison and how they depend on each other.

    Attributes:
        instances: Ids of the instances, sorted.
        groups: Names of the groups, the units of independence.
        group: For each instance the index of its group.
        series: For each instance the index of its series; the levels of a series stay together.
        weight: For each instance its weight in means.
        seeds: The seeds, sorted.
    """

    instances: tuple[str, ...]
    groups: tuple[str, ...]
    group: Codes
    series: Codes
    weight: Matrix
    seeds: tuple[int, ...]

    def take(self, rows: NDArray[np.bool_]) -> Design:
        """The design of some of the instances, with the groups that are left."""
        kept, group = np.unique(self.group[rows], return_inverse=True)
        _, series = np.unique(self.series[rows], return_inverse=True)
        names = tuple(name for name, keep in zip(self.instances, rows, strict=True) if keep)
        groups = tuple(self.groups[index] for index in kept)
        return Design(names, groups, group.astype(np.int64), series.astype(np.int64), self.weight[rows], self.seeds)


def sign(objective: Objective) -> float:
    """What turns a value into a cost: less is better."""
    return 1.0 if objective.minimise else -1.0


def design(runs: Sequence[Run]) -> Design:
    """The instances and seeds that runs cover.

    Raises:
        ContractError: There is no run.
    """
    if not runs:
        raise ContractError("there are no runs to compare")
    first = {run.instance: run for run in reversed(runs)}
    rows = [first[name] for name in sorted(first)]
    groups, group = np.unique([run.group for run in rows], return_inverse=True)
    # Two groups may name their series alike.
    _, series = np.unique([f"{code}/{run.series or run.instance}" for code, run in zip(group, rows, strict=True)],
                          return_inverse=True)  # fmt: skip
    weight = np.array([run.weight for run in rows])
    seeds = tuple(sorted({run.seed for run in runs}))
    return Design(tuple(sorted(first)), tuple(map(str, groups)), group.astype(np.int64), series.astype(np.int64),
                  weight, seeds)  # fmt: skip


def paired(contenders: Sequence[Sequence[Run]], objective: Objective) -> tuple[Design, list[Matrix]]:
    """Costs of several contenders on the same instances and seeds.

    Repetitions of a run in one block are averaged, and only what every contender ran in the same block is used. A
    contender that ran an instance with one seed only (nothing in it is random) stands beside every seed of the
    others. Failures count with their value, and nothing else is left out: a missing run is an error.

    Returns:
        The design, and a matrix [instances, seeds] for each contender.

    Raises:
        ContractError: A contender lacks an instance, a seed or a block that another one has, or a value is infinite.
    """
    found = design([run for runs in contenders for run in runs])
    cells = [_cells(runs) for runs in contenders]
    matrices = [np.empty((len(found.instances), len(found.seeds))) for _ in contenders]
    for row, instance in enumerate(found.instances):
        shared = _shared_blocks(instance, contenders, cells)
        columns = [{seed: np.mean([value for block in shared for value in blocks.get(block, [])])
                    for seed, blocks in own[instance].items()} for own in cells]  # fmt: skip
        _check_seeds(instance, contenders, columns)
        for matrix, column in zip(matrices, columns, strict=True):
            # A seed that an instance never had takes the mean of its others, which leaves every mean as it is.
            matrix[row] = [column.get(seed, np.mean(list(column.values()))) for seed in found.seeds]
    return found, [sign(objective) * matrix for matrix in matrices]


_Cells = dict[str, dict[int, dict[str | None, list[float]]]]


def _cells(runs: Sequence[Run]) -> _Cells:
    """Values by instance, seed and block."""
    cells: _Cells = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for run in runs:
        if not math.isfinite(run.outcome.value):
            raise ContractError(f"{run.contender} on {run.instance}: its value is {run.outcome.value}; a failed run "
                                "must count with a finite one")  # fmt: skip
        cells[run.instance][run.seed][run.block].append(run.outcome.value)
    return cells


def _shared_blocks(instance: str, contenders: Sequence[Sequence[Run]], cells: list[_Cells]) -> set[str | None]:
    """The blocks that all contenders share on an instance."""
    for runs, own in zip(contenders, cells, strict=True):
        if instance not in own:
            raise ContractError(f"{runs[0].contender} has no run on {instance}; run it first")
    shared = set.intersection(*({block for seed in own[instance].values() for block in seed} for own in cells))
    if not shared:
        names = ", ".join(sorted({runs[0].contender for runs in contenders}))
        raise ContractError(f"{instance}: {names} were never timed in the same block; run them together")
    return shared


def _check_seeds(instance: str, contenders: Sequence[Sequence[Run]], columns: Sequence[dict[int, np.floating]]) -> None:
    """Refuse contenders whose seeds cannot be paired."""
    several = {frozenset(column) for column in columns if len(column) > 1}
    if len(several) > 1:
        shown = "; ".join(f"{runs[0].contender} has seeds {sorted(column)}"
                          for runs, column in zip(contenders, columns, strict=True))  # fmt: skip
        raise ContractError(f"{instance}: the seeds cannot be paired: {shown}")
