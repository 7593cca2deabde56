"""The suites: which traces, at which capacities, read how."""

from __future__ import annotations

from pathlib import Path

import pytest

from unseat.core.errors import UserError
from unseat.core.task import Task
from unseat.tasks.cache.options import capacities, share
from unseat.tasks.cache.suites import LEAST
from unseat.tasks.cache.task import CacheTask


@pytest.mark.parametrize("sized", [False, True])
def test_capacities_are_shares_of_the_right_footprint(sized: bool) -> None:
    """Red: sizes in a page trace make its objects count bytes, or a capacity is below what the suites promise."""
    task = CacheTask(sized)
    for instance in task.instances():
        if "quick" in instance.suites:
            problem = task.load(instance)
            assert (problem.trace.sizes is not None) == sized
            assert instance.level is not None
            assert problem.capacity == round(instance.level * problem.trace.footprint)
            assert sized or problem.capacity >= LEAST
            assert problem.judged_from == int(0.3 * problem.trace.n_requests)


def test_the_study_s_cells_are_instances() -> None:
    """Red: the card lists a cell that is none, or one that was generated or recorded to train."""
    task = CacheTask(False)
    whole = [one for one in task.instances() if not one.series.endswith("-50k") and one.level in (0.01, 0.1)]
    groups = {one.id: one.group for one in whole}
    training = ("synthetic", "perl", "binary", "duckdb")
    assert set(task.card.cells) == {name for name, group in groups.items() if not group.startswith(training)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1%", (0.01, None)), ("500", (None, 500)), ("64MiB", (None, 2**26)), ("2k", (None, 2048)), ("100%", (1.0, None))],
)
def test_capacity_units(text: str, expected: tuple[float | None, int | None]) -> None:
    """Red: a unit is read wrongly."""
    (found,) = capacities(text)
    assert (found.share, found.amount) == expected


@pytest.mark.parametrize("text", ["0", "0%", "101%", "-5", "x", "", "1%,1%", "nan%", "0.4", "1e3"])
def test_wrong_capacities_are_refused(text: str) -> None:
    """Red: a capacity that holds nothing, or is none, gets through."""
    with pytest.raises(UserError, match="--capacity"):
        capacities(text)


@pytest.mark.parametrize("text", ["100%", "-1%", "x", "1.0", ""])
def test_wrong_shares_are_refused(text: str) -> None:
    """Red: a warm-up that leaves nothing to judge gets through."""
    with pytest.raises(UserError, match="--warmup"):
        share(text, "--warmup")


def opened(path: Path, **options: str) -> Task:
    return CacheTask(False).open(str(path), options)


def test_own_trace_with_sizes_counts_objects(tmp_path: Path) -> None:
    """Red: a size column of one's own trace changes the task for equal sizes."""
    path = tmp_path / "own.csv"
    path.write_text("key,size\n" + "".join(f"{k % 7},{100 + k % 7}\n" for k in range(50)))
    task = opened(path, capacity="3")
    assert task.load(task.instances()[0]).trace.sizes is None


@pytest.mark.parametrize("options", [{"capacity": "8"}, {"capacity": "1%"}, {"format": "nope"}, {"requests": "0"}])
def test_wrong_options_are_refused(tmp_path: Path, options: dict[str, str]) -> None:
    """Red: a capacity over the footprint or under one object, or a wrong option, is found only in the run."""
    path = tmp_path / "own.txt"
    path.write_text("\n".join(str(k % 7) for k in range(50)))
    with pytest.raises(UserError):
        opened(path, **options)


def test_a_folder_of_traces(tmp_path: Path) -> None:
    """Red: the traces of a folder are not each a group of their own, or an empty one is no error."""
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("\n".join(str(k % 7) for k in range(50)))
    assert {instance.group for instance in opened(tmp_path, capacity="3").instances()} == {"a.txt", "b.txt"}
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="empty folder"):
        opened(tmp_path / "empty")
