"""Key sets from a program, a log and a folder."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from unseat.core.errors import UserError
from unseat.tasks.index import recorder


def test_numbers_of_a_program_are_kept_as_they_stand(tmp_path: Path) -> None:
    """Red: large integers lose digits through a float, or headings and gaps break the recording."""
    out = tmp_path / "keys.csv"
    lines = r"print('size name\n18446744073709551615 a\n\n-3,\n0.5\nnan\ninf\n7 b')"
    assert recorder.record([sys.executable, "-c", lines], out) == 4
    assert out.read_text().split() == ["key", "18446744073709551615", "-3", "0.5", "7"]


def test_a_log_is_read_like_a_program(tmp_path: Path) -> None:
    """Red: a log that was written elsewhere cannot be used."""
    log = tmp_path / "log"
    log.write_bytes(b"12 x\n\xff\n13 y\n")
    assert recorder.from_log(log, tmp_path / "keys.csv") == 2


def test_a_folder_gives_size_time_and_inode_of_its_files(tmp_path: Path) -> None:
    """Red: the columns are swapped, links are followed out of the folder, or names are written."""
    folder = tmp_path / "folder" / "inner"
    folder.mkdir(parents=True)
    (folder / "a").write_bytes(b"abc")
    info = (folder / "a").stat()
    assert recorder.from_folder(tmp_path / "folder", tmp_path / "keys.csv") == 1
    assert (tmp_path / "keys.csv").read_text() == f"size,modified_ns,inode\n3,{info.st_mtime_ns},{info.st_ino}\n"


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ([sys.executable, "-c", "print('a')"], "printed no number"),
        ([sys.executable, "-c", "print(1); raise SystemExit(3)"], "status 3"),
        (["/no/such/program"], "cannot be run"),
    ],
)
def test_a_recording_that_went_wrong_says_how(tmp_path: Path, command: list[str], message: str) -> None:
    """Red: an empty or half recording is taken for a whole one."""
    with pytest.raises(UserError, match=message):
        recorder.record(command, tmp_path / "keys.csv")


def test_nothing_to_record_is_an_error(tmp_path: Path) -> None:
    """Red: an empty set is written, and only the next command complains."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "log").write_text("no numbers here\n")
    with pytest.raises(UserError, match="no file below"):
        recorder.from_folder(tmp_path / "empty", tmp_path / "keys.csv")
    with pytest.raises(UserError, match="no line begins with a number"):
        recorder.from_log(tmp_path / "log", tmp_path / "keys.csv")
    with pytest.raises(UserError, match="cannot be written"):
        recorder.from_log(tmp_path / "log", tmp_path / "no" / "keys.csv")
