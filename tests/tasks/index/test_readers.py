"""Keys from files: every format gives the keys that were written, and what is wrong is named with its place."""

from __future__ import annotations

import importlib.util
import struct
from pathlib import Path

import numpy as np
import pytest
import zstandard

from unseat.core.errors import MissingExtra, UserError
from unseat.tasks.index import readers
from unseat.tasks.index.options import Options, budgets
from unseat.tasks.index.readers import read_keys

TOP = 2**64 - 1


def sosd(keys: list[int], width: str = "Q") -> bytes:
    return struct.pack(f"<Q{len(keys)}{width}", len(keys), *keys)


def npy(header: str) -> bytes:
    """An .npy file of any header, and one key."""
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header) + 1) + header.encode() + b"\n" + bytes(8)


def written(path: Path, content: bytes | str) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    ("name", "content", "options", "expected", "dtype"),
    [
        ("k.csv", f"key\n{TOP}\n0\n", {}, [TOP, 0], "uint64"),
        ("k.csv", "3,-1\n4,5\n", {"column": "1"}, [-1, 5], "int64"),
        ("k.csv", '"a";b\n1;2.5\n3;1e300\n', {"column": "b"}, [2.5, 1e300], "float64"),
        ("k.csv", "name,n\nzeta,1\nalpha,2\n", {"column": "name", "kind": "strings"}, [b"zeta", b"alpha"], "S5"),
        ("k.csv", '"a,b",k,m\n1,5,100\n2,6,200\n', {"column": "k"}, [5, 6], "int64"),
        ("k.csv", '"a;b;c;d",k\n"1;2",5\n3,6\n', {"column": "k"}, [5, 6], "int64"),
        ("k.csv", '"of two\nlines",k\n1,5\n2,6\n', {"column": "k"}, [5, 6], "int64"),
        ("k.csv", "\ufeff8\n9\n", {}, [8, 9], "int64"),
        ("k.csv", "\ufeffkey\n9\n", {"column": "key"}, [9], "int64"),
        ("k.csv", "alpha,5\nbeta,6\n", {"column": "1"}, [5, 6], "int64"),
        ("k.csv", "zeta\nalpha\n", {"column": "0", "kind": "strings"}, [b"zeta", b"alpha"], "S5"),
        ("k.csv", "\ufeffzeta,1\n\nx,2\n", {"column": "0", "kind": "strings"}, [b"zeta", b"x"], "S4"),
        ("k.csv", 'k;n\n"a;""b""";1\n', {"column": "k", "kind": "strings"}, [b'a;"b"'], "S5"),
        ("k.txt", "\ufeffb\na\n", {"kind": "strings"}, [b"b", b"a"], "S1"),
        ("k.txt", "\ufeff5\n7\n", {}, [5, 7], "int64"),
        ("k.txt", "5\n\n7\n", {}, [5, 7], "int64"),
        ("k", "5\n7\n", {"kind": "float32"}, [5, 7], "float32"),
        ("k.log", "b c\na\n", {"kind": "strings"}, [b"b c", b"a"], "S3"),
        ("k_uint32", sosd([1, 2, 3], "I"), {}, [1, 2, 3], "uint32"),
        ("k.sosd", sosd([1, 2, TOP]), {}, [1, 2, TOP], "uint64"),
        ("k.sosd", sosd([1, 2, 3], "I"), {}, [1, 2, 3], "uint32"),
        ("k.sosd", sosd(list(range(10))), {"keys": 3}, [0, 3, 6, 9], "uint64"),
        ("k_uint64.zst", zstandard.compress(sosd([1, TOP])), {}, [1, TOP], "uint64"),
    ],
)
def test_keys_are_those_of_the_file(
    tmp_path: Path, name: str, content: bytes | str, options: dict[str, object], expected: list[object], dtype: str
) -> None:
    """Red: a key is lost, rounded, taken from another column or read at another width."""
    keys = read_keys(written(tmp_path / name, content), Options.model_validate(options))
    assert keys.tolist() == expected
    assert keys.dtype == dtype


@pytest.mark.parametrize("dtype", ["uint64", "int32", "float64", "datetime64[ns]"])
def test_npy(tmp_path: Path, dtype: str) -> None:
    """Red: an array that NumPy has written cannot be read, or is read as another type."""
    keys = np.array([3, 1, 2]).astype(dtype)
    np.save(tmp_path / "k.npy", keys)
    assert np.array_equal(read_keys(tmp_path / "k.npy", Options()), keys)


@pytest.mark.parametrize(
    ("name", "content", "options", "message"),
    [
        ("k.npy", b"", {}, "not a readable"),
        ("k.npy", b"\x93NUMPY\x01\x00broken", {}, "not a readable"),
        ("k.npy", b"PK\x03\x04 no archive", {}, "not a readable"),
        ("k.npy", npy("{'descr': '<u8', 'fortran_order': False, 'shape': (10**30,), }"), {}, "not a readable"),
        ("k.npy", npy("{'descr': '<u8', 'fortran_order': False, 'shape': (2**62,), }"), {}, "not a readable|cannot be"),
        ("k.npy", npy("{'descr': '<u8', 'fortran_order': False, 'shape': (-1,), }"), {}, "not a readable"),
        ("k.npy", npy("{'descr': [1], 'fortran_order': False, 'shape': (1,), }"), {}, "not a readable"),
        ("k.npy", npy("{'descr': '<u8', 'fortran_order': False, 'shape': (1,), ((("), {}, "not a readable"),
        ("k.npy", npy("{'descr': None, 1: 2, 'shape': ()}"), {}, "not a readable"),
        ("k.csv", "a\nb\n", {"kind": "strings"}, "say --column NAME, or --column 0"),
        ("k.csv", "a,b\nx,1\ny\n", {"column": "b", "kind": "strings"}, "line 3 has no column 1"),
        ("k.csv", b"a\nx\n\xff\n", {"column": "a", "kind": "strings"}, "not UTF-8"),
        ("k.csv", "x" * 200_000, {"column": "0", "kind": "strings"}, "line 1 is no row"),
        ("k.txt", "x" * 2**20 + "\ny" * 2**14, {"kind": "strings"}, "key 0 has 1,048,576 bytes"),
        ("k_uint64.zst", zstandard.compress(struct.pack("<Q", 2**40)), {}, "this is no file of SOSD"),
        ("k_uint64.zst", zstandard.compress(struct.pack("<Q", 2**33)), {}, "more than half of this machine's memory"),
        ("k.txt", "", {}, "holds no keys"),
        ("k.csv", "", {}, "first line is empty"),
        ("k.csv", "a,b\n1,2\n", {}, "name that of the keys with --column"),
        ("k.csv", "a,b\n1,2\n", {"column": "c"}, "no column 'c'"),
        ("k.csv", "a\n1\nx\n", {}, "'x' to float64 at row 1"),
        ("k.csv", "a,b\n1,2\n3\n", {"column": "b"}, "at row 2|row 1"),
        ("k.txt", f"-1\n{TOP}\n", {}, "fit no one type"),
        ("k.txt", "1.5\n", {"kind": "int64"}, "'1.5' to int64 at row 0"),
        ("k.txt", b"\xff\xfe1\n", {}, "not UTF-8|could not convert"),
        ("k.sosd", sosd([1, 2, 3])[:-1], {}, "not a file of SOSD"),
        ("k_uint64", sosd([1, 2, 3])[:-8], {}, "tells of 3 keys of 8 bytes, and has 16"),
        ("k.sosd", b"\x01\x02", {}, "begins with a 64-bit count"),
        ("k_uint64.zst", zstandard.compress(sosd([1, 2, 3]))[:-4], {}, "zstd|truncated|64-bit count"),
        ("k_uint64.zst", zstandard.compress(sosd([1, 2, 3])[:-3]), {}, "truncated after 2 of 3"),
        ("k_uint64.zst", b"no zstd", {}, "not a readable zstd"),
        ("k.sosd", sosd([]), {}, "holds no keys"),
        ("k.parquet", b"PAR1 broken", {}, "Parquet"),
    ],
)
def test_a_broken_file_is_named_with_its_place(
    tmp_path: Path, name: str, content: bytes | str, options: dict[str, object], message: str
) -> None:
    """Red: a damaged file ends in a traceback, or in keys that are not its own."""
    path = written(tmp_path / name, content)
    with pytest.raises(UserError, match=message) as error:
        read_keys(path, Options.model_validate(options))
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    """Red: a mistyped path or a folder ends in a traceback."""
    for path in (tmp_path / "none.npy", tmp_path):
        with pytest.raises(UserError, match=str(path)):
            read_keys(path, Options())


def test_pickles_are_never_loaded(tmp_path: Path) -> None:
    """Red: opening a stranger's keys runs their code."""
    np.save(tmp_path / "k.npy", np.array([{"a": 1}], object), allow_pickle=True)
    with pytest.raises(UserError, match="not a readable"):
        read_keys(tmp_path / "k.npy", Options())


def test_shapes_and_archives_are_refused(tmp_path: Path) -> None:
    """Red: a matrix is indexed by its rows, or an archive ends in a traceback."""
    np.save(tmp_path / "k.npy", np.zeros((2, 2)))
    with pytest.raises(UserError, match="shape"):
        read_keys(tmp_path / "k.npy", Options())
    np.savez(tmp_path / "k.npz", a=np.zeros(2))
    with pytest.raises(UserError, match="several arrays"):
        read_keys((tmp_path / "k.npz").rename(tmp_path / "z.npy"), Options())


@pytest.mark.parametrize(
    ("values", "kind"), [([1.5], "int64"), ([2**63], "int64"), ([2**53 + 1], "float64"), ([-1], "uint64")]
)
def test_no_type_changes_a_key(tmp_path: Path, values: list[float], kind: str) -> None:
    """Red: --kind rounds or wraps keys in silence."""
    np.save(tmp_path / "k.npy", np.array(values))
    with pytest.raises(UserError, match=f"which no {kind} holds"):
        read_keys(tmp_path / "k.npy", Options.model_validate({"kind": kind}))


@pytest.mark.skipif(importlib.util.find_spec("polars") is None, reason="Polars is not installed")
def test_parquet(tmp_path: Path) -> None:
    """Red: a column of a Parquet file is another's, or its missing values become keys."""
    import polars

    path = tmp_path / "k.parquet"
    polars.DataFrame({"a": [1, 2], "b": polars.Series([TOP, 0], dtype=polars.UInt64)}).write_parquet(path)
    assert read_keys(path, Options(column="b")).tolist() == [TOP, 0]
    with pytest.raises(UserError, match="--column"):
        read_keys(path, Options())
    polars.DataFrame({"a": [1, None]}).write_parquet(path)
    with pytest.raises(UserError, match="1 missing"):
        read_keys(path, Options())


def test_parquet_without_a_library_names_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red: who lacks the library gets an ImportError."""
    monkeypatch.setattr(readers, "_PARQUET", {})
    with pytest.raises(MissingExtra, match="pip install pyarrow"):
        read_keys(written(tmp_path / "k.parquet", b"PAR1"), Options())


def test_budgets() -> None:
    """Red: a share is taken for a percentage or the other way round."""
    assert [(b.text, b.share, b.of(10**6)) for b in budgets("0.1%, 10%")] == [
        ("0.1%", 0.001, 4096),
        ("10%", 0.1, 10**5),
    ]
    for text in ("0.1", "0%", "x%", "1%,1.0%", ""):
        with pytest.raises(UserError, match="--memory"):
            budgets(text)
