"""Requests from files: Azure's CSV, Mooncake's JSON lines, and a person's own of either shape."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from unseat.core.errors import UserError
from unseat.data import Manifest, load_manifest, locate
from unseat.tasks.serving.problem import Requests

CHUNK = 512
"""Tokens of a prefix hash, where a file does not say otherwise."""

MOST_TOKENS = 10_000_000


class Row(NamedTuple):
    """One request: seconds, tokens of prompt and output, and hashes of the chunks that the prompt begins with."""

    at_s: float
    prompt: int
    output: int
    hashes: list[Any]


def published(name: str) -> Requests:
    """A trace of the manifest."""
    return _published(name)


@lru_cache(maxsize=4)
def _published(name: str) -> Requests:
    return read(locate(_entry(name)))[0]


def content(name: str) -> str:
    """The hash of a published trace."""
    return str(_entry(name).sha256)


@lru_cache(maxsize=1)
def manifest() -> Manifest:
    """The task's manifest."""
    return load_manifest(Path(__file__).parents[1] / "data.toml")


def _entry(name: str) -> Any:
    return next(entry for entry in manifest().files if entry.name.rsplit(".", 1)[0].rsplit("/", 1)[-1] == name)


def read(path: Path) -> tuple[Requests, int]:
    """The requests of a file, and how many tokens a prefix hash stands for; 0 where there are none.

    Raises:
        UserError: A line is no request; the message names it.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(_csv(path, file) if path.suffix == ".csv" else _json(path, file))
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read: {error}") from error
    if len(rows) < 2:
        raise UserError(f"{path}: {len(rows)} requests; two at least are needed to have a rate")
    rows.sort(key=lambda row: row.at_s)
    if rows[-1].at_s <= rows[0].at_s:
        raise UserError(f"{path}: all requests come at the same moment, so there is no rate to scale")
    return gathered(rows), CHUNK if any(row.hashes for row in rows) else 0


def gathered(rows: list[Row]) -> Requests:
    """Rows in order of time as arrays; hashes are numbered as they first occur."""
    dense: dict[Any, int] = {}
    flat = [dense.setdefault(one, len(dense)) for row in rows for one in row.hashes]
    first = np.concatenate([[0], np.cumsum([len(row.hashes) for row in rows])]).astype(np.int64)
    columns = (np.array([getattr(row, name) for row in rows]) for name in ("at_s", "prompt", "output"))
    at_s, prompt, output = columns
    return Requests(at_s.astype(np.float64), prompt.astype(np.int64), output.astype(np.int64), first,
                    np.array(flat, np.int64))  # fmt: skip


def _csv(path: Path, file: Any) -> Iterator[Row]:
    table = csv.DictReader(file)
    wanted = ("TIMESTAMP", "ContextTokens", "GeneratedTokens")
    missing = [name for name in wanted if name not in (table.fieldnames or ())]
    if missing:
        raise UserError(f"{path}:1: no column {missing[0]}; the header is {','.join(wanted)}")
    for line in table:
        where = f"{path}:{table.line_num}"
        prompt, output = (_tokens(line[name], f"{where}: {name}") for name in wanted[1:])
        yield Row(_seconds(line["TIMESTAMP"], where), prompt, output, [])


def _json(path: Path, file: Any) -> Iterator[Row]:
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        try:
            one = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UserError(f"{where}: not JSON: {error}") from error
        if not isinstance(one, dict) or "timestamp" not in one:
            raise UserError(f"{where}: a request is an object with timestamp (ms), input_length and output_length")
        hashes = one.get("hash_ids") or []
        if not isinstance(hashes, list) or not all(isinstance(part, int | str) for part in hashes):
            raise UserError(f"{where}: hash_ids is {hashes!r:.40}; a list of numbers or texts, or leave it out")
        at_ms = one["timestamp"]
        if isinstance(at_ms, bool) or not isinstance(at_ms, int | float) or not abs(at_ms) < 1e15:
            raise UserError(f"{where}: timestamp is {at_ms!r:.40}, no number of milliseconds")
        prompt = _tokens(one.get("input_length"), f"{where}: input_length")
        # A hash stands for a whole chunk; of the last, partial one nothing can be shared.
        whole = hashes[: prompt // CHUNK]
        yield Row(at_ms / 1000, prompt, _tokens(one.get("output_length"), f"{where}: output_length"), whole)


def _tokens(value: Any, where: str) -> int:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise UserError(f"{where} is {value!r:.40}, no number of tokens") from None
    if not math.isfinite(number) or number != int(number) or number > MOST_TOKENS or isinstance(value, bool):
        raise UserError(f"{where} is {value!r:.40}, no number of tokens")
    if number < 1:
        raise UserError(f"{where} is {value}; a request has one token at least, leave it out")
    return int(number)


def _seconds(text: str | None, where: str) -> float:
    try:
        return datetime.fromisoformat((text or "").strip()[:26]).timestamp()
    except ValueError:
        pass
    try:
        found = float(text or "")
    except ValueError:
        found = math.nan
    if not abs(found) < 1e15:
        raise UserError(f"{where}: TIMESTAMP is {text!r:.40}, neither a date with time nor seconds")
    return found
