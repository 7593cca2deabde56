"""Trace readers and writers: every format and compression gives back what was written, or one clear line."""

from __future__ import annotations

import csv
import lzma
import signal
import struct
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from unseat.core.errors import UserError
from unseat.tasks.cache.data import FORMATS, WRITABLE, RawTrace, open_trace, stream, text, write_trace
from unseat.tasks.cache.data.writers import next_access

COMPRESSIONS = ("", ".gz", ".xz", ".zst")
U64 = st.integers(0, 2**64 - 1)
U32 = st.integers(0, 2**32 - 1)


def trace(keys: list[int], sizes: list[int] | None = None, times: list[int] | None = None) -> RawTrace:
    def column(values: list[int] | None) -> NDArray[np.int64] | None:
        return None if values is None else np.array(values, dtype=np.int64)

    return RawTrace("t", np.array(keys, dtype=np.uint64), column(sizes), column(times))


def same(one: RawTrace, other: RawTrace) -> bool:
    def lists(read: RawTrace) -> list[list[int] | None]:
        return [None if column is None else column.tolist() for column in (read.keys, read.sizes, read.times)]

    return lists(one) == lists(other)


def written(content: bytes, folder: Path, name: str) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@given(
    st.sampled_from(WRITABLE),
    st.sampled_from(COMPRESSIONS),
    st.lists(st.tuples(U64, U32, U32), min_size=1, max_size=40),
    st.integers(1, 64),
)
@settings(max_examples=300, deadline=None)
def test_round_trip(name: str, suffix: str, rows: list[tuple[int, int, int]], block: int) -> None:
    """Red: a format or compression loses, changes or reorders requests, or a block's edge shows in the result."""
    keys, sizes, times = (list(column) for column in zip(*rows, strict=True))
    if name in ("i32", "i32be", "packed"):
        keys = [key % 2**32 for key in keys]
    if name == "packed":
        sizes = [key % 1000 for key in keys]
    original = trace(keys, sizes, times)
    expected = trace(
        keys,
        sizes if name in ("csv", "oracleGeneral", "packed") else None,
        times if name in ("csv", "oracleGeneral") else None,
    )
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream, "BLOCK", block)
        path = Path(folder) / f"a.{name}{suffix}"
        write_trace(path, original)
        assert same(open_trace(path), expected)
        renamed = path.rename(Path(folder) / "plain")  # compression is known by content, the format by its name
        assert same(open_trace(renamed, name), expected)


@given(st.binary(min_size=1, max_size=300), st.sampled_from(FORMATS), st.integers(1, 40))
@settings(max_examples=400, deadline=None)
def test_any_bytes_are_read_or_refused_in_one_line(content: bytes, name: str, block: int) -> None:
    """Red: some content makes a reader raise anything but UserError, or the size of a block changes the answer."""

    def answer(path: Path) -> str:
        try:
            read = open_trace(path, name)
        except UserError as error:
            assert str(path) in str(error) and "\n" not in str(error)
            return "refused"
        return read.content_hash()

    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        path = written(content, Path(folder), "a")
        whole = answer(path)
        patch.setattr(stream, "BLOCK", block)
        assert answer(path) == whole


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=12)


def reference_key(word: str) -> int:
    """A key as documented: an integer of 64 bits is itself, other text is mixed FNV-1a."""
    digits = word.removeprefix("-")
    if digits.isascii() and digits.isdigit() and -(2**63) <= int(word) < 2**64 and len(digits) <= 20:
        return int(word) % 2**64
    value = 0xCBF29CE484222325
    for byte in word.encode():
        value = (value ^ byte) * 0x100000001B3 % 2**64
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB % 2**64
    return value ^ (value >> 31)


@given(st.lists(WORDS | U64.map(str) | st.integers(-(2**70), 2**70).map(str) | st.just("*"), min_size=1), st.booleans())
@example([str(2**64 - 1), str(2**64), str(-(2**63)), str(-(2**63) - 1), "-0", "00"], False)
@settings(deadline=None)
def test_text_keys_against_a_slow_reading(words: list[str], windows: bool) -> None:
    """Red: a key of text is parsed or hashed otherwise than line by line in plain Python."""
    expected = [reference_key(word) for word in words if word != "*"]
    with TemporaryDirectory() as folder:
        path = written(("\r\n" if windows else "\n").join(words).encode(), Path(folder), "a.txt")
        if not expected:
            with pytest.raises(UserError, match="holds no requests"):
                open_trace(path, "keys")
        else:
            assert open_trace(path, "keys").keys.tolist() == expected


@given(st.lists(st.tuples(WORDS | st.just('a,"b"'), U32, WORDS | st.just(",")), min_size=1))
@settings(deadline=None)
def test_csv_against_the_standard_library(rows: list[tuple[str, int, str]]) -> None:
    """Red: quoted fields, delimiters in them or other columns shift what is read as key and size."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("who", "Size", "obj_id"), *((other, size, key) for key, size, other in rows)])
        read = open_trace(path)
        assert read.sizes is not None and read.sizes.tolist() == [size for _, size, _ in rows]
        groups: dict[str, set[int]] = {}
        for (key, _, _), number in zip(rows, read.keys.tolist(), strict=True):
            groups.setdefault(key, set()).add(number)
        assert all(len(numbers) == 1 for numbers in groups.values())
        assert len({reference_key(key) for key in groups}) == read.objects


def test_published_text_formats(tmp_path: Path) -> None:
    """Red: `time id size` or `l/s address` lines are not known by their content, or read wrong."""
    sized = open_trace(written(b"1 7 100\n2 abc 5\n3 7 100", tmp_path, "a.txt"))
    assert sized.keys.tolist() == [7, reference_key("abc"), 7]
    assert sized.sizes is not None and sized.sizes.tolist() == [100, 5, 100]
    assert sized.times is not None and sized.times.tolist() == [1, 2, 3]
    memory = open_trace(written(b"l 0x1fffff50 1\ns 0x1FFFFF58 0\n", tmp_path, "b"))
    assert memory.keys.tolist() == [0x1FFFFF50, 0x1FFFFF58] and memory.sizes is None
    assert open_trace(written(b"key;size\n5;6\n", tmp_path, "c")).keys.tolist() == [5]
    assert open_trace(written(b"thing\nx\n", tmp_path, "d.csv")).keys.tolist() == [reference_key("x")]
    chosen = open_trace(written(b"a|b|c\n1|2|3\n", tmp_path, "e.csv"), key_column="b", size_column="c", delimiter="|")
    assert chosen.keys.tolist() == [2] and chosen.sizes is not None and chosen.sizes.tolist() == [3]


@pytest.mark.parametrize("suffix", COMPRESSIONS)
@pytest.mark.parametrize("name", ["i32", "i64be", "oracleGeneral", "packed"])
def test_truncation_never_passes_silently(tmp_path: Path, name: str, suffix: str) -> None:
    """Red: a file cut at some byte is read as a shorter trace although its format or compression can tell."""
    path = tmp_path / f"a.{name}{suffix}"
    write_trace(path, trace([3, 1, 2, 1, 3], [30, 10, 20, 10, 30]))
    whole = path.read_bytes()
    record = {"i32": 4, "i64be": 8, "oracleGeneral": 24, "packed": len(whole)}[name]
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        if suffix == "" and length and length % record == 0:
            assert len(open_trace(path)) == length // record  # whole records: nothing tells
            continue
        with pytest.raises(UserError, match=r"truncated|empty"):
            open_trace(path)


@pytest.mark.parametrize(
    ("name", "content", "place"),
    [
        ("a.csv", b"key,size\n1,2\n3,-4\n", "line 3: a size must"),
        ("a.csv", b"key,size\n1,2\n3,1125899906842625\n", "line 3: a size must"),
        ("a.csv", b"key,size\n1,two\n", "line 2: a size must"),
        ("a.csv", b"key,size\n1,2\n\n3\n", "line 4: the header names 2 columns"),
        ("a.csv", b"key,size\n1,2\n,4\n", "line 3: column key has no key"),
        ("a.csv", b'key,size\n"1,2\n', "line 2: a quote"),
        ("a.csv", b"key,size\n", "holds no requests"),
        ("a.csv", b"1,2\n3,4\n", "line 1 names no key column"),
        ("a.csv", b"5\n6\n", "line 1 names no key column"),
        ("a.address", b"l 0x10 1\nx 0x10 1\n", "line 2: a record is l or s"),
        ("a.address", b"l 0xzz 1\n", "line 1: a record is l or s"),
        ("a.address", b"l 0x10 1\ns 0x1", "line 2: a record is l or s"),
        ("a.time-id-size", b"1 2 3\n4 5\n", "line 2: a record is three words"),
        ("a.time-id-size", b"1 2 3\n1 2 3.5\n", "line 2: a size must"),
        ("a.txt", b"", "is empty"),
        ("a.txt", b"\n*\n", "holds no requests"),
        ("a.txt", b"\0\1\2\3", "binary content and no telling suffix"),
        ("a.i32", b"\0\0\0\0\1\1", "record 2 has 2 of 4 bytes"),
        ("a.oracleGeneral", struct.pack("<IQIq", 1, 2, 3, -7), "record 1: next access at -7"),
        ("a.packed", b"no magic here, certainly not", "record 1: not a packed trace"),
        ("a.txt.xz", b"1\n2\n", "does not begin like a .xz file"),
    ],
)
def test_bad_input_names_file_and_place(tmp_path: Path, name: str, content: bytes, place: str) -> None:
    """Red: a wrong record is accepted, or the message does not say where it is."""
    path = written(content, tmp_path, name)
    with pytest.raises(UserError, match=f"{name}.*{place}"):
        open_trace(path)


def test_lines_are_counted_over_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red: in a long file the line that an error names is counted from the start of a block."""
    monkeypatch.setattr(stream, "BLOCK", 5)
    with pytest.raises(UserError, match=r"line 9: a size must"):
        open_trace(written(b"key,size\n" + b"1,2\n" * 7 + b"1,x\n", tmp_path, "a.csv"))


def test_bad_requests_of_the_reader(tmp_path: Path) -> None:
    """Red: a missing file, a directory or a wrong option raises something that is no single clear line."""
    path = written(b"key,n\n1,2\n", tmp_path, "a.csv")
    for wrong, expected in (
        (lambda: open_trace(tmp_path / "absent"), "no such file"),
        (lambda: open_trace(tmp_path), "is a directory"),
        (lambda: open_trace(path, "parquet"), "no trace format parquet"),
        (lambda: open_trace(path, limit=0), "at least 1"),
        (lambda: open_trace(path, size_column="bytes"), "no column bytes; the first line names key, n"),
        (lambda: open_trace(path, delimiter="::"), "give one character"),
        (lambda: write_trace(tmp_path / "a.address", trace([1])), "cannot write address"),
        (lambda: write_trace(tmp_path / "a.i32", trace([2**32])), "beyond 32 bits"),
        (lambda: write_trace(tmp_path / "a.oracleGeneral", trace([1], [2**32])), "beyond the 32 bits"),
        (lambda: write_trace(tmp_path / "a.packed", trace([1, 1], [5, 6])), "record 2: an object changed its size"),
        (lambda: write_trace(tmp_path / "no" / "a.i32", trace([1])), "cannot be written"),
    ):
        with pytest.raises(UserError, match=expected):
            wrong()


def test_damaged_compression_is_told(tmp_path: Path) -> None:
    """Red: flipped bytes in a compressed stream that has a checksum are read as other requests."""
    path = tmp_path / "a.i32.xz"
    write_trace(path, trace(list(range(100))))
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 0xFF
    path.write_bytes(damaged)
    with pytest.raises(UserError, match="truncated or damaged"):
        open_trace(path)


def test_streams_end_to_end_are_one(tmp_path: Path) -> None:
    """Red: the second of two concatenated compressed streams (as pigz, xz -T and zstd write them) is dropped."""
    for suffix in COMPRESSIONS[1:]:
        path = tmp_path / f"a.i32{suffix}"
        write_trace(path, trace([1, 2]))
        path.write_bytes(path.read_bytes() * 2)
        assert open_trace(path).keys.tolist() == [1, 2, 1, 2]


def test_limit_stops_early(tmp_path: Path) -> None:
    """Red: `limit` returns another number of requests, or reads (and judges) what comes after it."""
    path = written(lzma.compress(np.arange(2**20, dtype="<u4").tobytes()) + b"rubbish", tmp_path, "a.i32.xz")
    assert open_trace(path, limit=1000).keys.tolist() == list(range(1000))
    assert open_trace(written(b"1\n2\n3\n", tmp_path, "b.txt"), limit=9).keys.tolist() == [1, 2, 3]


@given(st.lists(st.integers(0, 5)))
def test_next_access(keys: list[int]) -> None:
    """Red: the next access that oracleGeneral carries is not the next one, which would blind Belady elsewhere."""
    expected = [next((j for j in range(i + 1, len(keys)) if keys[j] == key), -1) for i, key in enumerate(keys)]
    assert next_access(trace(keys)).tolist() == expected


@given(st.lists(st.tuples(U64, U32), max_size=9), st.lists(st.tuples(U64, U32), max_size=9))
def test_content_hash_tells_traces_apart(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> None:
    """Red: different requests share a ledger key, or equal ones do not."""

    def build(rows: list[tuple[int, int]]) -> RawTrace:
        return trace([key for key, _ in rows], [size for _, size in rows])

    assert (build(one).content_hash() == build(other).content_hash()) == (one == other)
    assert trace([1, 2]).content_hash() != trace([1, 2], [1, 1]).content_hash()
    assert trace([1, 2]).content_hash() != trace([1], [2]).content_hash()


def test_hashing_is_pinned() -> None:
    """Red: the hash of a text key changes between versions, and with it every stored result of such a trace."""
    tokens = text.lines(np.frombuffer(b"object\n\xc3\xa9", dtype=np.uint8))
    assert text.hashes(tokens).tolist() == [reference_key("object"), reference_key("é")]


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="needs POSIX file size limits")
def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    """Red: a write that fails half-way leaves a truncated file, a stray temporary one, or a traceback."""
    path = tmp_path / "a.i64"
    write_trace(path, trace([1, 2, 3]))
    code = (
        "import resource, signal, sys, numpy as np\n"
        "from unseat.core.errors import UserError\n"
        "from unseat.tasks.cache.data import RawTrace, write_trace\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))\n"
        "try: write_trace(sys.argv[1], RawTrace('t', np.arange(1000, dtype=np.uint64)))\n"
        "except UserError as error: sys.exit(str(error))\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and f"{path}: cannot be written" in done.stderr and len(done.stderr.splitlines()) == 1
    assert open_trace(path).keys.tolist() == [1, 2, 3]
    assert [file.name for file in tmp_path.iterdir()] == ["a.i64"]
