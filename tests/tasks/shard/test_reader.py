"""Files of the contest are read as they are, and broken ones are refused with one line that names the place."""

from __future__ import annotations

import copy
import gzip
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tasks.shard import small

from unseat.core.errors import UserError
from unseat.tasks.shard.data import binary, reader
from unseat.tasks.shard.data.reader import read_json
from unseat.tasks.shard.engine.problem import NO_LIMIT


def broken(where: str, value: Any) -> dict[str, Any]:
    """The contest's example with one thing changed; a place is keys and numbers with dots."""
    changed = copy.deepcopy(small.EXAMPLE)
    part: Any = changed
    *path, last = where.split(".")
    for key in path:
        part = part[int(key) if key.isdigit() else key]
    part[int(last) if last.isdigit() else last] = value
    return changed


@pytest.mark.parametrize(
    ("where", "value", "said"),
    [
        ("edges.costs.2", [90, 10, 20], "edges.costs, list 2: it must hold a number for each pair"),
        ("edges.nodes.3", [2, 5], "edges.nodes, list 3: there are 5 nodes"),
        ("edges.nodes.3", [2, -1], "edges.nodes, list 3"),
        ("edges.nodes.1", [0, 1, 2], "edges.nodes, list 1: it must hold 2 numbers"),
        ("nodes.costs.1", [], "not as long as|needs a strategy"),
        ("nodes.usages.4", [15, 15], "nodes.usages, list 4: not as long as the node's costs"),
        ("nodes.usages.0", [-1], "nodes.usages, list 0: a negative number"),
        ("nodes.costs.3", [85, -75], "nodes.costs, list 3: a negative number"),
        ("nodes.intervals.2", [120, 50], "nodes.intervals, list 2: it ends before it begins"),
        ("nodes.intervals.2", [-3, 50], "nodes.intervals, list 2: a time is negative"),
        ("nodes.costs.3", [85, 2**63], "nodes.costs, list 3: a number does not fit into 64 bits"),
        ("nodes.costs.3", [85, 7.5], "nodes.costs, list 3: a whole number must stand here"),
        ("nodes.costs.3", [85, "a"], "nodes.costs, list 3: a whole number must stand here"),
        ("nodes.costs.3", [85, [1]], "nodes.costs, list 3: a list where none must stand"),
        ("usage_limit", 2**70, "usage_limit is .* does not fit into 64 bits"),
        ("usage_limit", -5, "usage_limit is -5"),
        ("usage_limit", "much", "usage_limit is"),
        ("usage_limit", 49, "usage_limit 49 cannot be kept: at time 50 .* need 50"),
        ("nodes", {}, "there is no problem.nodes.intervals"),
    ],
)  # fmt: skip
def test_a_broken_instance_is_refused_where_it_is_broken(tmp_path: Path, where: str, value: Any, said: str) -> None:
    """Red: an instance that is none is solved, or the person who gave it is not told what is wrong and where."""
    path = small.write(tmp_path / "broken.json", broken(where, value))
    with pytest.raises(UserError, match=said) as error:
        read_json(path)
    assert str(error.value).startswith(str(path)) and "\n" not in str(error.value)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_truncated_file_is_refused(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Red: a file that ends in the middle is read as if it were whole, or ends in a traceback."""
    whole = json.dumps({"problem": small.EXAMPLE})
    packed = data.draw(st.booleans())
    content = gzip.compress(whole.encode()) if packed else whole.encode()
    path = tmp_path_factory.mktemp("cut") / "cut.json"
    path.write_bytes(content[: data.draw(st.integers(0, len(content) - 2))])
    with pytest.raises(UserError):
        read_json(path)


@settings(max_examples=40, deadline=None)
@given(small.problems(most=2**62), st.integers(1, 40), st.booleans())
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, problem: Any, chunk: int, packed: bool
) -> None:
    """Red: numbers at the border of two chunks are torn, or a plain and a gzipped file differ."""

    def rows(values: Any, at: Any) -> list[list[int]]:
        return [values[a:b].tolist() for a, b in pairwise(at)]

    text = {
        "name": "made", "usage_limit": None if problem.limit == NO_LIMIT else problem.limit,
        "other": {"deep": [1, "}", {"x": None}]},
        "nodes": {"intervals": problem.intervals.tolist(), "costs": rows(problem.costs, problem.offsets),
                  "usages": rows(problem.usages, problem.offsets)},
        "edges": {"nodes": problem.edges.tolist(), "costs": rows(problem.edge_costs, problem.edge_offsets)},
    }  # fmt: skip
    path = tmp_path_factory.mktemp("written") / "made.json"
    content = json.dumps({"problem": text}, indent=2).encode()
    path.write_bytes(gzip.compress(content) if packed else content)
    before, reader._CHUNK = reader._CHUNK, chunk
    try:
        again = read_json(path)
    finally:
        reader._CHUNK = before
    for name, part in problem.facts().items():
        assert np.array_equal(getattr(again, name), part), name


def test_a_large_instance_is_reopened_from_its_arrays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red: a file is parsed at each run, or its arrays differ from it, or a run could change them on disk."""
    monkeypatch.setenv("UNSEAT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(binary, "_SMALL", 0)
    path = small.write(tmp_path / "example.json", small.EXAMPLE)
    first = binary.opened(path, "a" * 64)
    path.unlink()
    again = binary.opened(path, "a" * 64)
    for name, part in first.facts().items():
        assert np.array_equal(getattr(again, name), part)
    assert not again.costs.flags.writeable
