"""The commands from an empty folder to a score, as a person types them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests
from tests.arena.conftest import POLICY, Served

from unseat.cli import main
from unseat.sandbox import bubblewrap

TRACK = """
slug = "tiny"
title = "Tiny"
task = "tests.arena.tiny:Tiny"
suite = "quick"
split = "valid"
references = ["zero"]
starts = 2024-01-01T00:00:00Z
ends = 2090-01-01T00:00:00Z
"""


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """A server with a worker on an empty folder: its address, and the first organiser's invitation."""
    with Served(str(tmp_path / "arena"), "--workers", "1") as served:
        found = re.search(r"account at (http\S+)/sign-up\?invitation=(\S+)", served.said())
        assert found
        yield found[1], found[2]
        beside = psutil.Process(served.process.pid).children()
    # Nothing that a server has started outlives it.
    assert served.process.returncode == 0 and len(beside) == 1
    assert psutil.wait_procs(beside, timeout=20)[1] == []


@pytest.mark.skipif(bubblewrap.found() is None, reason=f"no bubblewrap here; {bubblewrap.INSTALL}")
def test_from_an_empty_folder_to_a_score(
    serving: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Red: somebody who types what the page says does not get from an empty folder to a score on the board."""
    address, invitation = serving
    where = str(tmp_path / "arena")
    browser = requests.Session()

    def token(page: str) -> str:
        found = re.search(r'name="token" value="(\w+)"', browser.get(address + page).text)
        assert found
        return found[1]

    said = {"name": "Org", "password": "long enough", "invitation": invitation, "token": token("/sign-up")}
    assert browser.post(f"{address}/sign-up", data=said).status_code == 200
    made = browser.post(f"{address}/account/tokens", data={"label": "cli", "token": token("/account")}).text
    word = re.search(r"unseat_[\w-]+", made)
    assert word
    (tmp_path / "track.toml").write_text(TRACK)
    assert main(["arena", "track", str(tmp_path / "track.toml"), "--arena", where]) == 0
    assert main(["arena", "track", str(tmp_path / "track.toml"), "--arena", where]) == 2
    assert "already" in capsys.readouterr().err
    assert main(["arena", "kit", "tiny", "--server", address, "-o", str(tmp_path / "kit")]) == 0
    monkeypatch.setenv("UNSEAT_ARENA_TOKEN", word[0])
    entry = tmp_path / "kit" / "policy"
    (entry / "policy.py").write_text(POLICY)
    assert main(["arena", "submit", str(entry), "--track", "tiny", "--server", address, "--wait"]) == 0
    out = capsys.readouterr().out
    assert "scored" in out and out.count("  ok  ") == 3
    board = requests.get(f"{address}/api/tracks/tiny/board", timeout=10)
    assert board.status_code == 200
    (entry / "policy.py").write_text("def broken(:\n")
    assert main(["arena", "submit", str(entry), "--track", "tiny", "--server", address, "--wait"]) == 1
    assert "policy.py, line 1" in capsys.readouterr().out
    for bad, words in ((["arena", "submit", str(tmp_path / "none"), "--track", "tiny"], "no such file"),
                       (["arena", "submit", str(entry), "--track", "none", "--server", address], "no track"),
                       (["arena", "submit", str(entry), "--track", "tiny", "--server", address, "--token", "x"],
                        "token"),
                       (["arena", "kit", "tiny", "--server", "http://127.0.0.1:1"], "cannot be reached"),
                       (["arena", "invite", where, "--role", "king"], "there are participant"),
                       (["arena", "publish", "tiny", "--arena", where], "stay hidden"),
                       (["arena", "site", str(tmp_path / "none")], "no such folder")):  # fmt: skip
        assert main(bad) == 2
        told = capsys.readouterr().err
        assert words in told and told.count("\n") == 1, told
    assert main(["arena", "invite", where]) == 0 and "/sign-up?invitation=" in capsys.readouterr().out
    assert main(["arena", "backup", where, "-o", str(tmp_path / "backup.zip")]) == 0
    assert main(["arena", "restore", str(tmp_path / "backup.zip"), str(tmp_path / "other")]) == 0
