"""The published job graphs: read as published, and never by running what a file asks for."""

from __future__ import annotations

import os
import pickle
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unseat.core.errors import UserError
from unseat.data import load_manifest
from unseat.tasks.schedule.data import tpch
from unseat.tasks.schedule.data.npy import read_numbers, read_object

MANIFEST = Path(tpch.__file__).parents[1] / "data.toml"
WAVES = {
    "fresh_durations": {5: [900, 900], 2: []},
    "first_wave": {5: [900, 30, 900, 900], 2: [40, 50]},
    "rest_wave": {5: [20], 2: [11, 12, 13]},
}


def npy(path: Path, pickled: bytes, shape: str = "()", descr: str = "|O") -> Path:
    """A file with a header of NumPy's and any pickle behind it."""
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + pickled)
    return path


def saved(path: Path, value: object) -> Path:
    """As NumPy itself writes one object."""
    array = np.empty((), object)
    array[()] = value
    np.save(path, array, allow_pickle=True)
    return path


class Call:
    """Pickles as a call."""

    def __init__(self, what: Callable[..., Any], *arguments: object) -> None:
        self.what, self.arguments = what, arguments

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[object, ...]]:
        return self.what, self.arguments


def test_what_numpy_writes_is_read(tmp_path: Path) -> None:
    """Red: an object or an array of numbers as NumPy writes it, today's or that of Python 2, is refused or changed."""
    value = {0: {"a": [1, 2], "b": (3, 4.5, "x", None, True)}}
    assert read_object(saved(tmp_path / "a.npy", value)) == value
    old = (
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01)cnumpy\ndtype\n"
        b"U\x02O8K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK?tb\x89]}U\x01aK\x07satb."
    )
    assert read_object(npy(tmp_path / "old.npy", old)) == {"a": 7}
    for array in (np.arange(6.0).reshape(2, 3), np.asfortranarray(np.arange(6).reshape(2, 3)), np.ones(3, bool)):
        np.save(tmp_path / "b.npy", array)
        assert (read_numbers(tmp_path / "b.npy") == array).all()


def evil(tmp_path: Path) -> dict[str, tuple[bytes, str]]:
    """Pickles that would leave a file `ran` behind, or reach for what no file of numbers needs."""
    ran = str(tmp_path / "ran")
    array = np.empty((), object)
    array[()] = Call(os.mkdir, ran)
    numeric = pickle.dumps(np.zeros(3))
    structured = np.empty((), np.dtype([("a", object)]))
    known = b"cnumpy.core.multiarray\n_reconstruct\n"
    return {
        "system": (pickle.dumps(Call(os.system, f"touch {ran}")), r"posix\.system|nt\.system"),
        "eval": (pickle.dumps(Call(eval, f"open({ran!r}, 'w')")), r"builtins\.eval"),
        "protocol 0": (pickle.dumps(Call(os.mkdir, ran), 0), r"posix\.mkdir|nt\.mkdir"),
        "inside": (pickle.dumps(array), r"posix\.mkdir|nt\.mkdir"),
        "getattr": (b"cbuiltins\ngetattr\n.", r"builtins\.getattr"),
        "dotted": (b"\x80\x04\x8c\x05numpy\x8c\x0cndarray.dump\x93.", r"numpy\.ndarray\.dump"),
        "other numpy": (b"cnumpy\nload\n(S'x'\ntR.", r"numpy\.load"),
        "scalar": (pickle.dumps(np.float64(1.0)), r"scalar"),
        "numbers": (numeric, r"wants to load"),
        "structured": (pickle.dumps(structured), r"wants to load"),
        "huge": (known + b"cnumpy\nndarray\n(L999999999999L\ntS'b'\n\x87R.", "_reconstruct with other arguments"),
        "named twice": (known + b"}S'__defaults__'\n)s\x86b.", r"wants to load|damaged"),
        "attributes": (known + b"N}S'__doc__'\nS'x'\ns\x86b.", "other attributes of _reconstruct"),
        "new": (b"\x80\x02cnumpy\nndarray\n)\x81.", "damaged"),
        "persistent": (b"Pxyz\n.", "damaged"),
        "no array": (pickle.dumps({"a": 1}), "no array after its header"),
        "truncated": (pickle.dumps(np.array({"a": 1}, dtype=object))[:-9], "damaged or truncated"),
        "nothing": (b"", "damaged or truncated"),
        "memo": (b"]r\xff\xff\xff", "damaged or truncated"),
        "long text": (b"\x8d" + struct.pack("<Q", 2**62) + b"a.", "damaged or truncated"),
    }


@pytest.mark.parametrize("name", sorted(evil(Path("x"))))
def test_no_code_runs(tmp_path: Path, name: str) -> None:
    """Red: a crafted file runs code, is read as data, or ends in anything but one line that names it."""
    content, message = evil(tmp_path)[name]
    path = npy(tmp_path / "a.npy", content)
    with pytest.raises(UserError, match=message) as error:
        read_object(path)
    assert str(path) in str(error.value) and "\n" not in str(error.value)
    assert not (tmp_path / "ran").exists()
    assert read_object(saved(tmp_path / "b.npy", [1])) == [1]  # nothing of it stays behind


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a .npy file"),
        (b"PK\x03\x04 some zip file", "not a .npy file"),
        (b"\x93NUMPY\x09\x00" + bytes(200), "version"),
        (b"\x93NUMPY\x01\x00\xff\xff{", "not a .npy file"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    """Red: a file of another format, or one cut in its header, ends in a traceback."""
    path = tmp_path / "a.npy"
    path.write_bytes(content)
    for read in (read_numbers, read_object):
        with pytest.raises(UserError, match=message):
            read(path)
    with pytest.raises(UserError, match="cannot be read"):
        read_numbers(tmp_path / "absent")


@pytest.mark.parametrize(
    ("shape", "descr", "content", "message"),
    [
        ("(999999999999, 999999999999)", "<f8", bytes(64), "64 bytes of numbers"),
        ("(4,)", "<f8", bytes(31), "31 bytes of numbers"),
        ("(4,)", "<f8", bytes(33), "33 bytes of numbers"),
        ("(-1,)", "<f8", b"", "no plain array"),
        ("(2,)", "<U4", bytes(32), "numbers are expected"),
        ("()", "|O", pickle.dumps(1), "numbers are expected"),
        ("__import__('os').getcwd()", "<f8", b"", "not a .npy file"),
    ],
)
def test_numbers_are_no_more_than_told(tmp_path: Path, shape: str, descr: str, content: bytes, message: str) -> None:
    """Red: a header's count is believed before the bytes are there, or something else is taken for numbers."""
    with pytest.raises(UserError, match=message):
        read_numbers(npy(tmp_path / "a.npy", content, shape, descr))


@given(st.binary(max_size=200))
def test_any_pickle_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """Red: some bytes make the reader raise anything but UserError."""
    path = npy(tmp_path_factory.mktemp("npy") / "a.npy", content)
    try:
        read_object(path)
    except UserError as error:
        assert "\n" not in str(error)


def graph_files(tmp_path: Path, edges: object, durations: object) -> tuple[Path, Path]:
    np.save(tmp_path / "edges.npy", np.array(edges))
    return tmp_path / "edges.npy", saved(tmp_path / "durations.npy", durations)


def test_waves_are_cleaned_as_published(tmp_path: Path) -> None:
    """Red: task counts, waves or edges differ from what the published loader makes of the same file."""
    again = {name: dict(waves) for name, waves in WAVES.items()}
    again["first_wave"] = {2: [7], 10: [900, 900]}  # at 10 all are fresh: the wave of 2 is carried on
    again["fresh_durations"] = {2: [], 10: [900, 900]}
    again["rest_wave"] = {2: [5], 10: []}
    edges, durations = graph_files(tmp_path, [[0, 1.0], [0, 0]], {0: WAVES, 1: again})
    graph = tpch.read_graph("g", "t", edges, durations)
    assert [stage.tasks for stage in graph.stages] == [5, 2]  # of the first key in the file: 4 + 1, 1 + 1
    assert [stage.parents for stage in graph.stages] == [(), (0,)]

    def lists(place: int) -> list[tuple[int, list[list[int]]]]:
        return [(one.executors, [w.tolist() for w in one.waves()]) for one in graph.stages[place].profiles]

    # What was measured with 2 executors is carried on, and then left out, as no run draws from it.
    assert lists(0) == [(5, [[900, 900], [30, 900], [20]])]
    assert lists(1) == [(10, [[900, 900], [7], []])]
    assert graph.stages[1].mean_ms == pytest.approx((900 + 900 + 7) / 3)


def test_the_largest_number_is_kept(tmp_path: Path) -> None:
    """Red: a small stage, which was measured with no number that runs draw from, has no durations left."""
    waves = {"fresh_durations": {2: [], 3: [9]}, "first_wave": {2: [1], 3: [8, 9]}, "rest_wave": {2: [3], 3: [2]}}
    stage = tpch.read_graph("g", "t", *graph_files(tmp_path, [[0]], {0: waves})).stages[0]
    assert [one.executors for one in stage.profiles] == [3]


@given(st.lists(st.integers(1, 4)), st.lists(st.integers(1, 4)))
def test_without_is_a_difference_of_multisets(durations: list[int], taken: list[int]) -> None:
    """Red: equal durations are taken out more or less often than fresh executors had them, or order is lost."""
    left = list(taken)
    expected = []
    for duration in durations:
        if duration in left:
            left.remove(duration)
        else:
            expected.append(duration)
    assert tpch.without(durations, taken) == expected


def test_a_profile_without_firsts_borrows_the_nearest(tmp_path: Path) -> None:
    """Red: a stage measured without any first task at some number of executors ends in an error in a simulation."""
    waves = {"fresh_durations": {5: [], 10: [9]}, "first_wave": {5: [], 10: [8, 9]}, "rest_wave": {5: [3, 4], 10: [2]}}
    stage = tpch.read_graph("g", "t", *graph_files(tmp_path, [[0]], {0: waves})).stages[0]
    assert [[w.tolist() for w in one.waves()] for one in stage.profiles] == [[[9], [8], [3, 4]], [[9], [8], [2]]]


@pytest.mark.parametrize(
    ("edges", "change", "message"),
    [
        ([[0, 1]], {}, "no square matrix"),
        ([[2]], {}, "no square matrix"),
        ([[0, 0], [0, 0]], {}, "not the durations of 2 stages"),
        ([[0]], {"first_wave": None}, "stage 0: no first_wave"),
        ([[0]], {"rest_wave": {2: []}}, "different numbers of executors"),
        ([[0]], {"rest_wave": {2: [], 5: [0]}}, "rest_wave: 0 is no duration"),
        ([[0]], {"rest_wave": {2: [], 5: [True]}}, "rest_wave: True is no duration"),
        ([[0]], {"rest_wave": {2: [], 5: [10**12]}}, "is no duration"),
        ([[0]], {"rest_wave": {2: [], "5": []}}, "not lists of durations by executors"),
        ([[0]], {"rest_wave": {2: [], 5: 7}}, "not lists of durations by executors"),
    ],
)
def test_other_durations_are_refused(tmp_path: Path, edges: object, change: dict[str, Any], message: str) -> None:
    """Red: durations of another query, or damaged ones, become a job graph or a traceback."""
    with pytest.raises(UserError, match=message) as error:
        tpch.read_graph("g", "t", *graph_files(tmp_path, edges, {0: {**WAVES, **change}}))
    assert str(tmp_path) in str(error.value)


def test_the_manifest_names_all_graphs() -> None:
    """Red: a published graph cannot be fetched, or from an address that may change under its name."""
    manifest = load_manifest(MANIFEST)
    kinds = ("adj_mat", "task_duration")
    assert {entry.name for entry in manifest.files} == {
        f"tpch/{size}/{kind}_{query}.npy" for size in tpch.SIZES for query in tpch.QUERIES for kind in kinds
    }
    commits = {entry.urls[0].split("/")[5] for entry in manifest.files}
    assert len(commits) == 1 and len(commits.pop()) == 40
    assert all(entry.urls[0].endswith(f"/spark_env/{entry.name}") for entry in manifest.files)


def test_an_unknown_query_is_told() -> None:
    """Red: a wrong size or query ends in a traceback or a download."""
    for size, query in (("3g", 1), ("2g", 23), ("2g", 0)):
        with pytest.raises(UserError, match="no TPC-H query"):
            tpch.tpch(size, query)


def test_published_graphs_where_they_are_here() -> None:
    """Red: the published files are read as other graphs than they are (skipped where they are not on this machine)."""
    from unseat.data import status

    if any(state.where not in ("found", "cached") for state in status([load_manifest(MANIFEST)])):
        pytest.skip("the published job graphs are not here; `unseat data fetch schedule` brings them")
    graphs = [tpch.tpch(size, query) for size in tpch.SIZES for query in tpch.QUERIES]
    assert (sum(len(graph.stages) for graph in graphs), sum(graph.tasks for graph in graphs)) == (1414, 177_890)
    assert len({graph.name for graph in graphs}) == 154 and len({graph.template for graph in graphs}) == 22
    third = tpch.tpch("100g", 3)
    assert [stage.tasks for stage in third.stages] == [19, 133, 200, 593, 200, 1]
    assert [stage.parents for stage in third.stages] == [(), (), (0, 1), (), (2, 3), (4,)]


def test_the_crafted_files_are_files_of_numpy(tmp_path: Path) -> None:
    """Red: the files of these tests have no header of NumPy's, so that they are refused for the wrong reason."""
    crafted = npy(tmp_path / "a.npy", np.arange(2.0).tobytes(), "(2,)", "<f8")
    assert np.load(crafted, allow_pickle=False).tolist() == read_numbers(crafted).tolist() == [0.0, 1.0]
