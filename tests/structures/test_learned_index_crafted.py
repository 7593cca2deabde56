"""Saved indexes that no version wrote, with right checksums: refused, or searched without what is wrong in them."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from unseat.core.errors import UserError
from unseat.structures import (
    LearnedIndex,
    eytzinger,
    interpolation,
    pgm,
    radix_spline,
    radix_table,
    rmi,
    saved,
    search,
    static_btree,
)
from unseat.structures.checked import _KERNELS, fits
from unseat.structures.contents import Numbers, admit_keys
from unseat.structures.locator import Build
from unseat.structures.pending import State
from unseat.structures.selection import Choice, kernel, name_of

BUILDS: dict[str, Build] = {
    "plain": search.plain,
    "branchless": search.branchless,
    "interleaved": search.interleaved,
    "numpy": search.numpy_searchsorted,
    **{f"interpolation, {form}": partial(interpolation.build, form=form) for form in interpolation.FORMS},
    "eytzinger": eytzinger.build,
    "btree": static_btree.build,
    "narrow": partial(static_btree.build, lines=5),
    "radix": radix_table.build,
    "counts": rmi.build,
    "crowded": partial(rmi.build, leaves=1),
    "logarithmic": partial(rmi.build, logarithmic=True, bits=6),
    "spline": partial(rmi.build, leaf="spline"),
    "regression": partial(rmi.build, leaf="regression", logarithmic=True),
    "pgm": partial(pgm.build, error=1),
    "radix_spline": radix_spline.build,
    "log_radix_spline": partial(radix_spline.build, logarithmic=True),
}
Arrays = dict[str, NDArray[Any]]
Change = Callable[[dict[str, Any], Arrays], object]


def _keys(dtype: str, size: int) -> NDArray[Any]:
    random = np.random.default_rng(size)
    return np.sort((random.lognormal(0, 2, size) * 1000).astype(dtype))


def _state(keys: Any, build: Build = search.interleaved) -> State:
    contents = admit_keys(keys)
    return State.of(contents, Choice(build(contents.modelled, None)))


def _craft(path: Path, state: State, change: Change) -> None:
    about, arrays = saved.parts(state, 0.1)
    change(about, arrays)
    with path.open("wb") as file:
        saved._write(file, arrays, about)


def test_every_kernel_is_known() -> None:
    """Goes red if a structure cannot be saved, or a check is of a kernel that there is no more."""
    assert {name_of(build(np.arange(100), None)) for build in BUILDS.values()} == set(_KERNELS)
    assert all(kernel(name) for name in _KERNELS)


@pytest.mark.parametrize("name", BUILDS)
def test_what_was_built_fits(name: str) -> None:
    """Goes red if a sound model is left aside and built anew each time its file is opened."""
    for dtype in ("u8", "i8", "f8", "u4", "i4", "f4"):
        for size in (1, 2, 17, 3000):
            for keys in (_keys(dtype, size), np.arange(size).astype(dtype), np.full(size, 7, dtype)):
                locator = BUILDS[name](keys, None)
                assert fits(locator, name_of(locator), keys, True)


def _damages(array: NDArray[Any]) -> list[NDArray[Any]]:
    most = np.full_like(array, np.inf if array.dtype.kind == "f" else np.iinfo(array.dtype).max)
    swapped = array.copy()
    swapped[[0, -1]] = swapped[[-1, 0]]
    return [array[:0], array[:-1], array[: len(array) // 2], np.tile(array, 2), array.reshape(1, -1), most,
            np.zeros_like(array), np.full_like(array, 1), array.astype("c16"), swapped, array[::-1].copy()]  # fmt: skip


@pytest.mark.parametrize("name", [name for name in BUILDS if BUILDS[name](np.arange(3), None).arrays])
@pytest.mark.parametrize("dtype", ["i8", "f4"])
def test_a_model_that_does_not_fit_is_not_used(name: str, dtype: str, tmp_path: Path) -> None:
    """Goes red if a model of other sizes, types or places answers wrongly, or reads outside of its arrays."""
    keys = _keys(dtype, 3000)
    state = _state(keys, BUILDS[name])
    queries = np.concatenate([keys, keys + 1, keys - 1])
    right = np.searchsorted(keys, queries)
    for place, array in enumerate(state.choice.locator.arrays):
        for damaged in _damages(array):
            _craft(tmp_path / "x", state, lambda _, arrays: arrays.update({f"model.{place}": damaged}))  # noqa: B023
            assert (LearnedIndex.load(tmp_path / "x").search(queries) == right).all()
    _craft(tmp_path / "x", state, lambda _, arrays: arrays.update({"model.9": keys}))
    with pytest.raises(UserError, match="no sense"):
        LearnedIndex.load(tmp_path / "x")


def test_other_functions_are_no_kernels(tmp_path: Path) -> None:
    """Goes red if a file has a function called that does not search."""
    keys = np.arange(0, 3000, 3)
    for name in ("search:numpy_searchsorted", "search:within", "search:LESS_THAN_HALF", "rmi:build", "pgm:measure"):
        _craft(tmp_path / "x", _state(keys), lambda about, _: about.update(kernel=name))  # noqa: B023
        assert LearnedIndex.load(tmp_path / "x").search(301) == 101


HEADERS: dict[str, Change] = {
    "budget": lambda about, _: about.update(budget=float("inf")),
    "negative budget": lambda about, _: about.update(budget=-1),
    "budget of text": lambda about, _: about.update(budget="0.1"),
    "few": lambda about, _: about.update(few=float("inf")),
    "measured": lambda about, _: about.update(measured={"a": "b"}),
    "not measured": lambda about, _: about.update(measured=[]),
    "no kernel": lambda about, _: about.update(kernel="search:U"),
    "config": lambda about, _: about.update(config=3),
    "dtype": lambda about, _: about.update(dtype="<f8"),
    "object": lambda about, _: about.update(dtype="object"),
    "big-endian": lambda about, _: about.update(dtype=">i8"),
    "short": lambda about, arrays: (about.update(dtype="<i2"), arrays.update({"base.keys": np.arange(9, dtype="i2")})),
    "text": lambda about, _: about.update(text="str"),
    "time": lambda about, _: about.update(dtype="<M8"),
    "flat": lambda _, arrays: arrays.update({"base.keys": np.ones((2, 2), np.int64)}),
    "missing": lambda _, arrays: arrays.pop("base.keys"),
    "removed": lambda _, arrays: arrays.update(removed=np.array([5])),
    "removed twice": lambda _, arrays: arrays.update(removed=np.array([1, 1])),
    "removed before": lambda _, arrays: arrays.update(removed=np.array([-1, 1])),
    "added": lambda _, arrays: arrays.update({"added.keys": np.array([2, 1])}),
}


@pytest.mark.parametrize("name", HEADERS)
def test_headers_that_contradict_the_arrays(name: str, tmp_path: Path) -> None:
    """Goes red if such a file is opened, or ends in another error than one that names it."""
    _craft(tmp_path / "x", _state(np.arange(5)), lambda *_: None)
    assert len(LearnedIndex.load(tmp_path / "x")) == 5
    _craft(tmp_path / "x", _state(np.arange(5)), HEADERS[name])
    with pytest.raises(UserError, match="x: "):
        LearnedIndex.load(tmp_path / "x")


@pytest.mark.parametrize("array", [[0, 1, 2, 4], [0, 2, 1, 3], [1, 1, 2, 3], [0, 1, 3], [[0, 1, 2, 3]], [], [0.0] * 4])
def test_texts_that_end_elsewhere(array: list[Any], tmp_path: Path) -> None:
    """Goes red if a text is read from outside of its array."""
    changed = np.array(array) if array else np.empty(0, np.int64)
    _craft(tmp_path / "x", _state(["a", "b", "c"]), lambda _, arrays: arrays.update({"base.ends": changed}))
    with pytest.raises(UserError, match="no sense"):
        LearnedIndex.load(tmp_path / "x")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"budget": 0.1', b'"budget": 1e400'),
        (b'"few": ', b'"few": 1e400, "x": '),
        (b'"phase": ', b'"phase": -8'),
        (b'"phase": ', b'"phase": 1'),
        (b'"at": 0', b'"at": 64'),
        (b'"padded": 4096', b'"padded": 4104'),
        (b'"shape": [5]', b'"shape": [-1]'),
        (b'"shape": [5]', b'"shape": [5.0]'),
        (b'"shape": [5]', b'"shape": [4294967296, 4294967296]'),
        (b'"sections": {', b'"sections": [], "x": {'),
        (b'"config": {}', b'"config": ' + b"[" * 100_000),
    ],
)
def test_headers_of_odd_numbers(old: bytes, new: bytes, tmp_path: Path) -> None:
    """Goes red if a number that no array can have, or a list without an end, ends in a traceback."""
    _craft(tmp_path / "x", _state(np.arange(5)), lambda *_: None)
    raw = (tmp_path / "x").read_bytes()
    length = saved._FIXED.unpack(raw[: saved._FIXED.size])[2]
    changed = raw[saved._FIXED.size :][:length].replace(old, new, 1)
    assert old in raw
    changed = changed.rstrip(b" ").ljust(length)
    changed += b" " * (-(len(changed) + saved._FIXED.size) % saved.PAGE)
    before = struct.pack("<16sIII", saved.MAGIC, saved.FORMAT, len(changed), zlib.crc32(changed))
    head = before + struct.pack("<I", zlib.crc32(before)) + changed
    (tmp_path / "x").write_bytes(head + raw[saved._FIXED.size + length :])
    with pytest.raises(UserError, match="x: "):
        LearnedIndex.load(tmp_path / "x")


def test_codes_of_texts_are_made_anew_with_the_model(tmp_path: Path) -> None:
    """Goes red if texts are searched by codes that other code made."""

    def other(about: dict[str, Any], arrays: Arrays) -> None:
        about["fingerprint"] = "0"
        arrays["base.codes"] = np.zeros_like(arrays["base.codes"])

    _craft(tmp_path / "x", _state(["ab", "ac", "ad"]), other)
    assert LearnedIndex.load(tmp_path / "x").search(["ac", "ad", "b"]).tolist() == [1, 2, 3]


def test_writing_takes_no_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Goes red if an array that is written piece by piece is put together otherwise, or misses its end."""
    keys = np.arange(3000)
    monkeypatch.setattr(saved, "_CHUNK", saved.PAGE // 8)
    for start in range(9):
        part = keys[start:]
        words = np.concatenate(list(saved._pages(part)))
        phase, padded = saved._place(part)
        assert (words.nbytes, words.nbytes % saved.PAGE) == (padded, 0)
        assert words.view(np.uint8)[phase:].view(np.uint8)[: part.nbytes].tobytes() == part.tobytes()
        assert not words.view(np.uint8)[phase + part.nbytes :].any() and not words.view(np.uint8)[:phase].any()
    index = LearnedIndex(keys)
    index.save(tmp_path / "x")
    assert LearnedIndex.load(tmp_path / "x").keys.tolist() == keys.tolist()
    about = json.loads((tmp_path / "x").read_bytes()[saved._FIXED.size :].split(b"\n")[0].split(b"  ")[0])
    assert about["sections"]["base.keys"]["shape"] == [3000]
    assert isinstance(index._state.base, Numbers)
