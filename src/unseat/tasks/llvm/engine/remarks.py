"""Whose calls the inliner asked about, which the channel does not say: the compiler's remarks, in the same order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple


class Call(NamedTuple):
    """A call by the symbols of the two functions."""

    caller: str
    callee: str


def calls(path: Path) -> Sequence[Call]:
    """The calls of a file that `Compiler.asked` had written, one a decision; none where it was not written."""
    return list(_calls(path.read_text(errors="replace"))) if path.is_file() else []


def _calls(text: str) -> Iterator[Call]:
    # Written by LLVM's YAML printer, a document a remark; a YAML parser would take longer than the compiler.
    for document in text.split("\n--- "):
        fields = dict(_pairs(document))
        if {"Function", "Callee"} <= set(fields):
            yield Call(fields["Function"], fields["Callee"])


def _pairs(document: str) -> Iterator[tuple[str, str]]:
    for line in document.splitlines():
        name, colon, value = line.strip().removeprefix("- ").partition(":")
        if colon:
            yield name, value.strip().strip("'\"")
