"""What an index is given: refused where something would be lost, and copied or shared as a whole."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unseat.core.errors import UserError
from unseat.structures import LearnedIndex


def test_masks_are_not_lost() -> None:
    """Goes red if what is masked counts as a key, or as a query."""
    masked = np.ma.MaskedArray(np.arange(3), [False, True, False])
    words = np.ma.MaskedArray(np.array(["a", "b"]), [False, True])
    numbers, texts = LearnedIndex(np.arange(3)), LearnedIndex(["a"])
    for call in (lambda: LearnedIndex(masked), lambda: numbers.search(masked), lambda: numbers.insert(masked),
                 lambda: LearnedIndex(words), lambda: texts.search(words), lambda: texts.insert(words)):  # fmt: skip
        with pytest.raises(UserError, match="masked"):
            call()


@pytest.mark.parametrize(
    "keys", [[2**63, 2**64 - 1], ["b", "a"], [1.5], [b"x"], np.array(["2026-01-01"], "M8[D]"), "a", 7]
)
def test_an_index_of_nothing_takes_any_keys(keys: Any, tmp_path: Path) -> None:
    """Goes red if the type of no keys binds those that come."""
    LearnedIndex([]).save(tmp_path / "x")
    for index in (LearnedIndex([]), LearnedIndex.load(tmp_path / "x")):
        assert np.all(np.asarray(index.search(keys)) == 0)
        index.insert([])
        count = index.insert(keys)
        assert len(index) == count and not index.search(keys if count == 1 else keys[:1]) > 1
        with pytest.raises(UserError):
            index.insert([object()])
    typed = LearnedIndex(np.array([], np.int32))
    with pytest.raises(UserError):
        typed.insert("a")


def test_queries_of_any_shape() -> None:
    """Goes red if texts must be flat, rows of texts become keys, or no times need a unit."""
    words = LearnedIndex(["a", "b"])
    assert words.search([["a", "b"], ["c", ""]]).tolist() == [[0, 1], [2, 0]]
    assert words.search([[], []]).shape == (2, 0)
    with pytest.raises(UserError, match="cannot be compared"):
        words.search([["a"], ["b", "c"]])
    with pytest.raises(UserError, match="cannot be compared"):
        words.search([[1], [2]])
    for rows in ([["a", "b"]], np.array([["a", "b"]], object)):
        with pytest.raises(UserError, match="one-dimensional"):
            words.insert(rows)
    with pytest.raises(UserError, match="one-dimensional"):
        LearnedIndex(np.array([["a", "b"]], object))
    days = LearnedIndex(np.array(["2026-01-01"], "M8[D]"))
    assert days.search(np.array([], "M8")).shape == (0,)


@pytest.mark.parametrize("budget", ["0.1", float("nan"), float("inf"), -1, [0.1], True])
def test_budgets_are_shares(budget: Any) -> None:
    """Goes red if something that is no share ends in a traceback."""
    with pytest.raises(UserError, match="budget = "):
        LearnedIndex([1], budget=budget)


@pytest.mark.parametrize("keys", [np.arange(0, 30_000, 3), ["a", "b", "bc"], []])
def test_copies(keys: Any) -> None:
    """Goes red if an index cannot be sent to another process, or a copy changes with the first."""
    index = LearnedIndex(keys, budget=0.2)
    if len(index):
        index.insert([index[1]])
    for other in (copy.copy(index), copy.deepcopy(index), pickle.loads(pickle.dumps(index))):  # noqa: S301
        assert list(other.keys) == list(index.keys) and other.explain() == index.explain()
        if len(index):
            other.delete([other[0]])
            assert len(other) == len(index) - 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_child_of_a_fork_can_change_an_index() -> None:
    """Goes red if a lock that another thread held at the fork is held in the child for ever."""
    program = (
        "import os, signal\nfrom unseat.structures import LearnedIndex\n"
        "index = LearnedIndex([1, 2])\nindex.insert(3)\n"
        "with index._changing:\n    child = os.fork()\n    if not child:\n"
        "        signal.alarm(20)\n        os._exit(index.insert(4) + len(index))\n"
        "raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 5
