"""Read keys from files: NumPy, Parquet, CSV, SOSD's binary format and plain text."""

from __future__ import annotations

import codecs
import csv
import importlib.util
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from unseat.core.errors import MissingExtra, UserError
from unseat.tasks.index.options import Options

Keys = NDArray[Any]
_SUFFIXES = {
    ".npy": "npy", ".parquet": "parquet", ".pq": "parquet", ".csv": "csv", ".tsv": "csv", ".txt": "text",
    ".log": "text", ".sosd": "sosd", ".bin": "sosd",
}  # fmt: skip
_SAMPLE = 4096
_CHUNK = 2**24
_MOST = 2**33
"""Keys that a file of SOSD may tell of: ten times the largest that is published."""
_WIDE = 2**30
"""Bytes that strings may take in an array whose every key is as wide as the longest, however small the file is."""


def read_keys(path: Path, options: Options) -> Keys:
    """The keys of a file, in its order, of the type that it holds.

    Raises:
        UserError: The file is absent, damaged, truncated, empty or of another format, or a record is no key; the
            message names the file and the place.
    """
    try:
        if path.is_dir():
            raise UserError(f"{path}: a folder; give a file of keys")
        name = options.format or _format(path)
        keys = READERS[name](path, options)
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror or error}") from error
    except MemoryError as error:
        raise UserError(f"{path}: its keys do not fit in memory; make a smaller file of them") from error
    if keys.ndim != 1:
        raise UserError(f"{path}: an array of shape {keys.shape}; keys are one-dimensional")
    if not len(keys):
        raise UserError(f"{path} holds no keys; an index needs at least one")
    return _typed(path, keys, options.kind)


def read_numbers(path: Path, column: str | None, kind: str | None, format: str | None) -> Keys:
    """The keys of a file as `read_keys` gives them, for tasks whose keys are numbers in an order.

    Raises:
        UserError: As `read_keys`; an option is none; or the keys are no numbers, or one is NaN.
    """
    try:
        options = Options(column=column, kind=cast(Any, kind), format=cast(Any, format))
    except ValidationError as error:
        first = error.errors()[0]
        raise UserError(f"--{first['loc'][0]}: {first['msg']}") from error
    keys = read_keys(path, options)
    if keys.dtype.kind not in "uif":
        raise UserError(f"{path}: keys of type {keys.dtype}; this task takes numbers")
    if keys.dtype.kind == "f" and np.isnan(keys).any():
        raise UserError(f"{path}: key {int(np.isnan(keys).argmax())} is NaN, which has no place in an order; remove it")
    return keys


def _format(path: Path) -> str:
    """By the name, else by the content."""
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() != ".zst"]
    if suffixes and suffixes[-1] in _SUFFIXES:
        return _SUFFIXES[suffixes[-1]]
    if path.suffix.lower() == ".zst":
        return "sosd"
    with path.open("rb") as file:
        start = file.read(_SAMPLE)
    if start.startswith(b"\x93NUMPY"):
        return "npy"
    if start.startswith(b"PAR1"):
        return "parquet"
    if any(byte < 9 or 13 < byte < 32 for byte in start):
        return "sosd"
    return "csv" if b"," in start.split(b"\n")[0] else "text"


def _typed(path: Path, keys: Keys, kind: str | None) -> Keys:
    """The keys as the type that was asked for, where no key changes by that."""
    if kind is None or kind == "strings":
        return keys
    with np.errstate(all="ignore"):
        typed = keys.astype(kind)
        wrong = (typed != keys) & (keys == keys)
        # An integer beyond a double's digits would compare equal to the double that it was rounded to.
        back = typed.astype(keys.dtype) != keys if keys.dtype.kind in "iuf" else wrong
    places = np.flatnonzero(wrong | (back & (keys == keys)))
    if len(places):
        raise UserError(f"{path}: key {places[0]} is {keys[places[0]]}, which no {kind} holds; leave --kind out")
    return typed


def _npy(path: Path, options: Options) -> Keys:
    try:
        keys = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, MemoryError):
        raise
    except Exception as error:
        # A damaged header ends in whatever the parts of NumPy, zipfile and tokenize that read it raise.
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"{path}: not a readable .npy file of numbers ({first})") from error
    if not isinstance(keys, np.ndarray):
        raise UserError(f"{path}: an archive of several arrays; give one array in an .npy file")
    return keys


def parquet_library() -> str | None:
    """The library that reads Parquet here; None where there is none."""
    return next((name for name in _PARQUET if importlib.util.find_spec(name)), None)


def _parquet(path: Path, options: Options) -> Keys:
    library = parquet_library()
    if library is None:
        raise MissingExtra(f"{path}: reading Parquet needs a library; run: pip install pyarrow")
    try:
        return _PARQUET[library](path, options.column)
    except UserError:
        raise
    except Exception as error:
        # Each of the libraries has exceptions of its own for a damaged file.
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"{path}: not a readable Parquet file ({first})") from error


def _pyarrow(path: Path, column: str | None) -> Keys:
    import pyarrow.parquet as parquet  # type: ignore[import-untyped, import-not-found, unused-ignore]

    file = parquet.ParquetFile(path)
    name = _column(path, file.schema_arrow.names, column)
    values = file.read(columns=[name]).column(0)
    _no_nulls(path, name, values.null_count)
    return np.asarray(values.to_numpy())


def _polars(path: Path, column: str | None) -> Keys:
    import polars  # type: ignore[import-not-found, unused-ignore]

    name = _column(path, list(polars.read_parquet_schema(path)), column)
    values = polars.read_parquet(path, columns=[name]).to_series()
    _no_nulls(path, name, values.null_count())
    return np.asarray(values.to_numpy())


def _duckdb(path: Path, column: str | None) -> Keys:
    import duckdb  # type: ignore[import-not-found, unused-ignore]

    table = duckdb.read_parquet(str(path))
    name = _column(path, table.columns, column)
    values = table.project('"' + name.replace('"', '""') + '"').fetchnumpy()[name]
    _no_nulls(path, name, int(np.count_nonzero(np.ma.getmaskarray(values))))
    return np.asarray(values)


_PARQUET: Mapping[str, Callable[[Path, str | None], Keys]] = {
    "pyarrow": _pyarrow,
    "polars": _polars,
    "duckdb": _duckdb,
}


def _no_nulls(path: Path, name: str, count: int) -> None:
    if count:
        raise UserError(f"{path}: column {name} has {count:,} missing values; leave those rows out")


def _column(path: Path, names: list[str], wanted: str | None) -> str:
    """The column that was asked for, or the only one."""
    if wanted is None and len(names) > 1:
        raise UserError(f"{path} has columns {', '.join(names[:8])}; name that of the keys with --column")
    if wanted is not None and wanted not in names:
        raise UserError(f"{path} has no column {wanted!r}; it has {', '.join(names[:8])}")
    return wanted if wanted is not None else names[0]


def _csv(path: Path, options: Options) -> Keys:
    mark, names, lines = _first_row(path)
    if not names:
        raise UserError(f"{path} holds no keys; its first line is empty")
    headed, place = _heading(path, names, options)
    if options.kind == "strings":
        return _wide(path, list(_strings(path, mark, place, headed)))
    return _lines(path, options.kind, mark, place, lines if headed else 0)


def _first_row(path: Path) -> tuple[str, list[str], int]:
    """The mark between columns, the first row's fields and the lines that it takes: by the mark that makes most."""
    found = []
    for mark in (",", ";", "\t"):
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            rows = csv.reader(file, delimiter=mark)
            try:
                names = [name.strip() for name in next(rows, [])]
            except csv.Error as error:
                raise UserError(f"{path}: line {rows.line_num} is no row of a CSV file ({error})") from error
            found.append((mark, names, rows.line_num))
    return max(found, key=lambda one: len(one[1]))


def _heading(path: Path, names: list[str], options: Options) -> tuple[bool, int]:
    """Whether the first row is a heading, and which column the keys are in.

    A row of numbers is none. Any row may be strings, so that there `--column` says what it is: a name makes it a
    heading, a number does not.
    """
    wanted, strings = options.column, options.kind == "strings"
    if wanted is None and strings:
        raise UserError(
            f"{path}: its first line may be a heading or a key; with --kind strings say --column NAME, or --column 0 "
            "if there is no heading"
        )
    numbers = all(map(_is_number, names))
    by_place = wanted is not None and wanted.isdecimal() and int(wanted) < len(names)
    if numbers or (by_place and wanted not in names and (strings or _is_number(names[int(wanted or 0)]))):
        return False, int(_column(path, [str(place) for place in range(len(names))], wanted))
    return True, names.index(_column(path, names, wanted))


def _strings(path: Path, mark: str, column: int, headed: bool) -> Iterator[bytes]:
    """A column's fields; lines that are empty are none."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file, delimiter=mark)
        try:
            for number, row in enumerate(rows):
                if row and not (headed and number == 0):
                    yield row[column].encode()
        except IndexError as error:
            raise UserError(f"{path}: line {rows.line_num} has no column {column} (counted from 0)") from error
        except UnicodeDecodeError as error:
            raise UserError(f"{path}: not text; byte {error.start} is not UTF-8") from error
        except csv.Error as error:
            raise UserError(f"{path}: line {rows.line_num} is no row of a CSV file ({error})") from error


def _text(path: Path, options: Options) -> Keys:
    if options.kind == "strings":
        content = path.read_bytes().removeprefix(codecs.BOM_UTF8)
        return _wide(path, [line for line in content.splitlines() if line])
    return _lines(path, options.kind, None, 0, 0)


def _wide(path: Path, strings: list[bytes]) -> Keys:
    """Strings as an array, in which every one takes the bytes of the longest.

    Raises:
        UserError: A few long ones would make it many times the file.
    """
    longest = max(range(len(strings)), key=lambda place: len(strings[place]), default=0)
    width = len(strings[longest]) if strings else 0
    if width * len(strings) > max(_WIDE, 16 * path.stat().st_size):
        raise UserError(
            f"{path}: key {longest} has {width:,} bytes, and in an array every key takes as many; leave out long ones"
        )
    _in_memory(path, width * len(strings), "leave out long ones")
    return np.array(strings)


def _in_memory(path: Path, nbytes: int, remedy: str) -> None:
    """Refuse what would leave no room for an index and a copy."""
    import psutil

    if 2 * nbytes > psutil.virtual_memory().total:
        raise UserError(
            f"{path}: its keys take {nbytes / 1e9:,.1f} GB, more than half of this machine's memory; {remedy}"
        )


def _lines(path: Path, kind: str | None, mark: str | None, column: int, skip: int) -> Keys:
    """One column of numbers: of integers as long as all are, so that none loses digits as a float."""
    wanted: tuple[type, ...] = (np.int64, np.uint64, np.float64) if kind is None else (np.dtype(kind).type,)
    refused: Exception | None = None
    for dtype in wanted:
        try:
            keys = _column_of(path, dtype, mark, column, skip)
        except UnicodeDecodeError as error:
            raise UserError(f"{path}: not text; byte {error.start} is not UTF-8") from error
        except (ValueError, IndexError, OverflowError) as error:
            refused = error
        else:
            if kind is None and dtype is np.float64 and np.any(abs(keys) >= 2.0**53) and np.all(keys == np.floor(keys)):
                raise UserError(f"{path}: integers that fit no one type, or large doubles; if so, say --kind float64")
            return keys
    raise UserError(f"{path}: {str(refused).removesuffix('.')} (rows and columns count from 0, without the heading)")


def _column_of(path: Path, dtype: type, mark: str | None, column: int, skip: int) -> Keys:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "loadtxt: input contained no data")
        return np.loadtxt(path, dtype, delimiter=mark, skiprows=skip, usecols=column, ndmin=1, comments=None,
                          encoding="utf-8-sig", quotechar='"')  # fmt: skip


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _sosd(path: Path, options: Options) -> Keys:
    """A 64-bit count, then as many keys of 32 or 64 bits, all little-endian (SOSD, Kipf et al. 2019)."""
    if path.suffix == ".zst":
        import zstandard

        try:
            with path.open("rb") as raw, zstandard.ZstdDecompressor().stream_reader(raw) as file:
                return _counted(path, file, None, options)
        except zstandard.ZstdError as error:
            raise UserError(f"{path}: not a readable zstd file ({error})") from error
    with path.open("rb") as plain:
        return _counted(path, plain, path.stat().st_size, options)


def _counted(path: Path, file: Any, size: int | None, options: Options) -> Keys:
    head = file.read(8)
    if len(head) < 8:
        raise UserError(f"{path}: {len(head)} bytes; a file of SOSD begins with a 64-bit count")
    count = int.from_bytes(head, "little")
    width = _width(path, count, size, options.kind)
    if count > _MOST:
        raise UserError(f"{path}: says that it holds {count:,} keys; this is no file of SOSD")
    # Of keys that are sorted, every k-th are spread as all are; a large set is never in memory whole.
    step = max(1, count // options.keys) if options.keys else 1
    _in_memory(path, count // step * width, "take fewer with --keys")
    kept, read = [], 0
    while read < count:
        part = _fill(file, np.empty(min(_CHUNK, count - read), f"<u{width}"))
        kept.append(part[(-read) % step :: step].copy() if step > 1 else part)
        read += len(part)
        if not len(part):
            raise UserError(f"{path}: truncated after {read:,} of {count:,} keys; fetch it again")
    return np.concatenate(kept) if kept else np.empty(0, f"<u{width}")


def _width(path: Path, count: int, size: int | None, kind: str | None) -> int:
    """Bytes of a key: as asked for, as the name says, or as the file's size tells."""
    for told in (kind, path.name):
        for name, width in (("uint32", 4), ("uint64", 8)):
            if told and name in told:
                if size is not None and size - 8 != count * width:
                    raise UserError(
                        f"{path}: tells of {count:,} keys of {width} bytes, and has {size - 8:,} bytes for them"
                    )
                return width
    for width in (8, 4):
        if size is None or size - 8 == count * width:
            return width
    raise UserError(f"{path}: not a file of SOSD: {size:,} bytes are no count and {count:,} keys of 4 or 8 bytes")


def _fill(file: BinaryIO, part: Keys) -> Keys:
    """Read until the array is full or the file ends; whole keys only."""
    view, filled = part.view(np.uint8).data, 0
    while filled < len(view) and (more := file.readinto(view[filled:])):  # type: ignore[attr-defined]
        filled += more
    return part[: filled // part.itemsize]


READERS: Mapping[str, Callable[[Path, Options], Keys]] = {
    "npy": _npy,
    "parquet": _parquet,
    "csv": _csv,
    "text": _text,
    "sosd": _sosd,
}
