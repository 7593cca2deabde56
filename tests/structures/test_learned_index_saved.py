"""Saved indexes: opened as they were written, and refused wherever a byte differs."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unseat.core.errors import UserError
from unseat.core.jit import python
from unseat.structures import LearnedIndex, saved

CONTENTS: dict[str, Any] = {
    "integers": np.arange(0, 30_000, 3),
    "doubles": np.array([-np.inf, -0.0, 0.0, 1.5, 1.5]),
    "times": np.arange(10).astype("M8[s]"),
    "texts": ["a", "b", "bé", "prefix"],
    "bytes": [b"", b"\0", b"\xff"],
    "nothing": [],
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.index"


@pytest.mark.parametrize("name", CONTENTS)
def test_comes_back_as_it_was(name: str, path: Path) -> None:
    """Goes red if a key type, the model or what is pending is lost in a file."""
    index = LearnedIndex(CONTENTS[name])
    if len(index):
        index.insert(list(index[1:3]))
        index.delete([index[0]])
    index.save(path)
    for verify in (True, False):
        again = LearnedIndex.load(path, verify=verify)
        assert list(again.keys) == list(index.keys)
        assert again.search(index.keys).tolist() == index.search(index.keys).tolist()
        assert (repr(again), again.dtype, again.explain()) == (repr(index), index.dtype, index.explain())
    if len(index):
        again.insert(list(index[:1]))
        assert len(again) == len(index) + 1


def test_saving_over_an_open_file(path: Path) -> None:
    """Goes red if a reader of the old file sees the new one's bytes, or a file is left behind."""
    LearnedIndex([1, 2, 3]).save(path)
    old = LearnedIndex.load(path)
    LearnedIndex([7, 8]).save(path)
    assert old.keys.tolist() == [1, 2, 3]
    assert LearnedIndex.load(path).keys.tolist() == [7, 8]
    old.insert(2)
    old.save(path)
    assert LearnedIndex.load(path).keys.tolist() == [1, 2, 2, 3]
    assert list(path.parent.iterdir()) == [path]


def test_checksum_tells_words_apart() -> None:
    """Goes red if two high bits cancel each other, words may change places, or Python sums otherwise."""
    words = np.arange(1, 65, dtype=np.uint64)
    sums = {int(saved.checksum(words))}
    for first in range(64):
        for second in range(first):
            changed = words.copy()
            changed[[first, second]] ^= np.uint64(1 << 63)
            swapped = words.copy()
            swapped[[first, second]] = words[[second, first]]
            sums |= {int(saved.checksum(changed)), int(saved.checksum(swapped))}
    assert len(sums) == 1 + 2 * 63 * 32
    with np.errstate(over="ignore"):
        slow = saved._SEED.copy()
        python(saved._mix)(words, slow)
        assert python(saved._sum)(slow) == saved.checksum(words)


def _refused(path: Path, raw: bytes, why: str = "index") -> None:
    path.write_bytes(raw)
    with pytest.raises(UserError, match=why) as caught:
        LearnedIndex.load(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("name", ["integers", "texts"])
def test_any_flipped_bit_is_found(name: str, path: Path) -> None:
    """Goes red if damage in some region of a file leads to an answer: header, model, keys, pending, padding."""
    index = LearnedIndex(CONTENTS[name])
    index.insert(list(index[1:3]))
    index.delete([index[0]])
    index.save(path)
    raw = path.read_bytes()
    random = np.random.default_rng(1)
    places = {*range(saved._FIXED.size), *random.integers(len(raw), size=300).tolist()}
    places |= set(random.integers(saved._FIXED.size, raw.index(b"  "), 300).tolist())
    places |= {place for start in range(0, len(raw), saved.PAGE) for place in (start, start + saved._FIXED.size)}
    for place in sorted(places & set(range(len(raw)))):
        damaged = bytearray(raw)
        damaged[place] ^= 1 << int(random.integers(8))
        _refused(path, bytes(damaged))


def test_any_cut_is_found(path: Path) -> None:
    """Goes red if a file that is not whole, or has something behind it, is opened."""
    LearnedIndex(CONTENTS["integers"]).save(path)
    raw = path.read_bytes()
    for length in (1, 8, 16, 31, 32, 33, 200, saved.PAGE, len(raw) // 2, len(raw) - 1):
        _refused(path, raw[:length], "cut off|not a saved index")
    _refused(path, b"", "it is empty")
    _refused(path, raw + b"\0", "longer than it was written")
    _refused(path, raw[: saved.PAGE] + raw, "longer")


def test_foreign_files_are_named_as_such(path: Path) -> None:
    """Goes red if another program's file is taken for an index, or a text-mode copy of one."""
    with path.open("wb") as file:
        np.save(file, np.arange(10))
    _refused(path, path.read_bytes(), "not a saved index")
    LearnedIndex([1]).save(path)
    _refused(path, path.read_bytes().replace(b"\r\n", b"\n"), "not a saved index")
    with pytest.raises(FileNotFoundError, match="nowhere"):
        LearnedIndex.load(path.parent / "nowhere")


def _changed(raw: bytes, change: Callable[[dict[str, Any]], None], version: int = saved.FORMAT) -> bytes:
    """The file with another header and right checksums, as another program or version could write it."""
    _, _, length, _, _ = saved._FIXED.unpack(raw[: saved._FIXED.size])
    header = json.loads(raw[saved._FIXED.size :][:length])
    change(header)
    new = json.dumps(header).encode().ljust(length)
    before = struct.pack("<16sIII", saved.MAGIC, version, len(new), zlib.crc32(new))
    return before + struct.pack("<I", zlib.crc32(before)) + new + raw[saved._FIXED.size + length :]


def test_other_versions_and_machines(path: Path) -> None:
    """Goes red if a file is read by rules that it was not written by."""
    index = LearnedIndex(CONTENTS["integers"])
    index.save(path)
    raw = path.read_bytes()
    _refused(path, _changed(raw, lambda header: None, saved.FORMAT + 1), "update unseat")
    _refused(path, _changed(raw, lambda header: None, 0), "build and save the index again")
    _refused(path, _changed(raw, lambda header: header.update(byteorder="big")), "big-endian machine")
    _refused(path, _changed(raw, lambda header: header.pop("byteorder")), "header makes no sense")
    _refused(path, _changed(raw, lambda header: header.pop("sections")), "header makes no sense")
    _refused(path, _changed(raw, lambda header: header["sections"]["base.keys"].update(dtype="O")), "makes no sense")
    _refused(path, _changed(raw, lambda header: header["sections"]["base.keys"].update(shape=[10**9])), "no sense")


def test_a_model_of_other_code_is_built_anew(path: Path) -> None:
    """Goes red if arrays that older code laid out are read by newer code."""
    index = LearnedIndex(CONTENTS["integers"])
    index.save(path)
    raw = path.read_bytes()
    for change in ({"fingerprint": "0"}, {"kernel": "os:remove", "fingerprint": "0"}):
        path.write_bytes(_changed(raw, lambda header, change=change: header.update(change)))  # type: ignore[misc]
        again = LearnedIndex.load(path)
        assert again.search(np.arange(100)).tolist() == index.search(np.arange(100)).tolist()
