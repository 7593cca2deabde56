"""Archives that nobody has looked into."""

from __future__ import annotations

import contextlib
import io
import stat
import struct
import zipfile

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from unseat.arena import packing
from unseat.arena.packing import Refused, kind_of, packed, unpacked


def zipped(name: str, content: bytes = b"x", *, mode: int = 0, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """An archive with one file, whatever its name and kind."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        info = zipfile.ZipInfo("x" * len(name.encode()))
        info.external_attr, info.compress_type = mode << 16, compression
        archive.writestr(info, content)
    return buffer.getvalue().replace(b"x" * len(name.encode()), name.encode())


@pytest.mark.parametrize(
    "name", ["../policy.py", "/etc/passwd", "a/../../b", "a//b", "./a", "a/./b", "C:/x", "a\\..\\b", "a\0b", "a\nb",
             "~/..", "x" * 200, "a/", "\x7f"],
)  # fmt: skip
def test_names_that_lead_out(name: str) -> None:
    """Red: a file of an archive can lie elsewhere than inside it, or under a name that hides what it is."""
    if name == "a/":
        assert unpacked(zipped(name, b"")) == {}
        return
    with pytest.raises(Refused):
        unpacked(zipped(name, b"content"))


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK])
def test_only_plain_files(kind: int) -> None:
    """Red: a symbolic link or a device comes out of an archive."""
    with pytest.raises(Refused, match="plain files"):
        unpacked(zipped("policy.py", b"/etc/passwd", mode=kind | 0o777))


def test_bombs() -> None:
    """Red: a small archive fills the memory, whether its head admits to it or not."""
    with pytest.raises(Refused, match="unpacked"):
        unpacked(zipped("zeros", bytes(packing.MOST_UNPACKED + 1)))
    honest = bytearray(zipped("zeros", bytes(packing.MOST_UNPACKED + 1)))
    for head, place in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = honest.index(head)
        honest[at + place : at + place + 4] = struct.pack("<I", 10)
    with contextlib.suppress(Refused):
        assert sum(map(len, unpacked(bytes(honest)).values())) <= packing.MOST_UNPACKED
    with pytest.raises(Refused, match="more than"):
        unpacked(packed({f"f{place}": b"" for place in range(packing.MOST_FILES + 1)}))
    with pytest.raises(Refused, match="at most"):
        unpacked(bytes(packing.MOST_UPLOAD + 1))
    nested = packed({"policy.py": packed({"a": bytes(1 << 20)})})
    assert set(unpacked(nested)) == {"policy.py"}


def test_two_files_of_one_name() -> None:
    """Red: what is checked and what is used are two files of one name."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive, pytest.warns(UserWarning):
        archive.writestr("policy.py", "good")
        archive.writestr("policy.py", "bad")
    with pytest.raises(Refused, match="twice"):
        unpacked(buffer.getvalue())
    with pytest.raises(Refused, match="a file and a folder"):
        unpacked(packed({"policy.py": b"", "policy.py/x": b"", "other": b""}))


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_ways_of_packing(compression: int) -> None:
    """Red: an archive is read by a decompressor that is held to no limit."""
    with pytest.raises(Refused, match="ordinary zip"):
        unpacked(zipped("policy.py", b"y" * 100, compression=compression))


@given(st.binary(max_size=400))
def test_anything_at_all(data: bytes) -> None:
    """Red: some bytes make reading an archive fail in another way than by a refusal."""
    for content in (data, packed({"policy.py": data})[:-7] + data[:7]):
        with contextlib.suppress(Refused):
            unpacked(content)


@given(st.integers(0, 400), st.integers(0, 255))
@example(147, 0)  # a file's name begins with a NUL
def test_one_byte_changed(place: int, value: int) -> None:
    """Red: a damaged archive is a fault of the server, or its content changes without a word."""
    good = packed({"policy.py": b"print(1)\n" * 20, "more/data.txt": b"abc"})
    bad = bytearray(good)
    bad[place % len(bad)] = value
    try:
        found = unpacked(bytes(bad))
    except Refused:
        return
    assert all(content in (b"print(1)\n" * 20, b"abc") for content in found.values())


@given(
    st.dictionaries(st.from_regex(r"[a-z]{1,8}(/[a-z]{1,8})?\.py", fullmatch=True), st.binary(max_size=50), min_size=2)
)
def test_there_and_back(files: dict[str, bytes]) -> None:
    """Red: files come out of an archive otherwise than they went in."""
    files = {"policy.py": b"", **files}
    assert unpacked(packed(files)) == files
    assert unpacked(packed({f"top/{name}": content for name, content in files.items()})) == files


def test_what_a_submission_is() -> None:
    """Red: a submission is taken for another kind, or one with two faces is taken at all."""
    assert kind_of({"policy.py": b"", "data": b""}) == "policy" and kind_of({"answers.json": b""}) == "answers"
    for files in ({}, {"policy.py": b"", "program.py": b""}, {"program.py": b"", "extra": b""}, {"sub/policy.py": b""}):
        with pytest.raises(Refused):
            kind_of(files)
