"""What `unseat evolve` refuses, in one line, before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from unseat.cli import main
from unseat.sandbox import bubblewrap


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["codemod"], "task codemod offers no program; `unseat evolve cache` does"),
        (["cache", "--by", "model"], "name a model with --model, or a transcript with --replay"),
        (["cache", "--by", "random", "--model", "x"], "--by random needs no model"),
        (["cache", "--model", "x"], "OPENAI_API_KEY is not set"),
        (["cache", "--model", "nothing.gguf"], "nothing.gguf: no such file; give a GGUF file"),
        (["cache", "--replay", "nothing.jsonl"], "nothing.jsonl: there is no such transcript to replay"),
        (["cache", "--model", "x", "--price", "cheap"], "--price cheap: give two numbers"),
        (["cache", "--budget", "soon"], "--budget soon: not a time"),
        (["nothing"], "there is no task 'nothing'"),
    ],
)
def test_refused(
    words: list[str], line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Red: a wrong request is a traceback, an exit code other than 2, or a search that begins."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.chdir(tmp_path)
    # Refused here too where there is no bubblewrap: `--trust` gets past that question only.
    trust = [] if bubblewrap.found() else ["--trust"]
    assert main(["evolve", *words, *trust]) == 2
    said = capsys.readouterr().err
    assert line in said.replace("\n", " ") and "Traceback" not in said


def test_without_bubblewrap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Red: without a sandbox the search runs all the same, or does not say what --trust would mean."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "/nowhere")
    bubblewrap.found.cache_clear()
    try:
        assert main(["evolve", "cache"]) == 2
    finally:
        bubblewrap.found.cache_clear()
    said = capsys.readouterr().err
    assert "--trust" in said and "read your files and keys" in said and len(said.splitlines()) == 1
