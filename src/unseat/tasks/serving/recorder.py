"""Requests from access logs: JSON lines as vLLM's and OpenAI-compatible servers and their proxies write them.

A line counts if it holds a time and a usage. Known names of the time: `timestamp`, `created`, `time`, `arrival_time`,
`start_time` (seconds, milliseconds or a date with time); of the tokens: `prompt_tokens`, `completion_tokens`, or
`input_tokens`, `output_tokens`, or `input_length`, `output_length`, or vLLM's `num_prompt_tokens`,
`num_generation_tokens`; directly or below `usage`, `response.usage`, `request` or `metrics`. Prompts themselves are not
kept: where a line has `messages` or a text `prompt`, salted hashes of its chunks are, to see common beginnings.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from unseat.core.errors import UserError
from unseat.tasks.serving.data.traces import CHUNK

TIMES = ("timestamp", "created", "time", "arrival_time", "start_time", "ts")
PROMPTS = ("prompt_tokens", "input_tokens", "input_length", "num_prompt_tokens")
OUTPUTS = ("completion_tokens", "output_tokens", "output_length", "num_generation_tokens")
BELOW = ("usage", "response", "request", "metrics", "body")


def record(command: Sequence[str], log: Path | None, output: Path) -> str:
    """Write a trace; the command, if there is one, writes its log to standard output.

    Raises:
        UserError: There is nothing to record, or it cannot be read or written.
    """
    if log is not None:
        return _recorded(log, output)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.jsonl"
        with path.open("wb") as file:
            try:
                code = subprocess.run(command, stdout=file, check=False).returncode
            except OSError as error:
                raise UserError(f"{command[0]}: cannot be run: {error.strerror or error}") from error
        if code:
            raise UserError(f"{command[0]} ended with exit code {code}; nothing was recorded")
        return _recorded(path, output)


def _recorded(log: Path, output: Path) -> str:
    found, skipped = [], 0
    salt = secrets.token_bytes(16)
    try:
        with log.open(encoding="utf-8", errors="replace") as file:
            for line in file:
                one = _request(line, salt)
                found += [] if one is None else [one]
                skipped += one is None and bool(line.strip())
    except OSError as error:
        raise UserError(f"{log}: cannot be read: {error.strerror or error}") from error
    if len(found) < 2:
        raise UserError(f"{log}: {len(found)} requests with a time and numbers of tokens in "
                        f"{skipped + len(found)} lines; give JSON lines with timestamp and usage")  # fmt: skip
    found.sort(key=lambda one: float(one["timestamp"]))
    begin = float(found[0]["timestamp"])
    for one in found:
        one["timestamp"] = round(float(one["timestamp"]) - begin, 3)
    try:
        output.write_text("".join(json.dumps(one) + "\n" for one in found), encoding="utf-8")
    except OSError as error:
        raise UserError(f"{output}: cannot be written: {error.strerror or error}") from error
    told = f"; {skipped} lines are no finished requests" if skipped else ""
    return f"{output}: {len(found)} requests of {found[-1]['timestamp'] / 1000:.0f} s{told}"


def _request(line: str, salt: bytes) -> dict[str, Any] | None:
    """A line as a request of a trace, or None if it is none."""
    try:
        one = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(one, dict):
        return None
    parts = list(_parts(one))
    at_ms = _first(parts, TIMES, _milliseconds)
    prompt, output = _first(parts, PROMPTS, _tokens), _first(parts, OUTPUTS, _tokens)
    if at_ms is None or not prompt or not output:
        return None
    made: dict[str, Any] = {"timestamp": at_ms, "input_length": prompt, "output_length": output}
    text = next((text for part in parts if (text := _text(part))), "")
    if text:
        made["hash_ids"] = _hashes(text, int(prompt), salt)
    return made


def _parts(one: Mapping[str, Any], depth: int = 0) -> Iterator[Mapping[str, Any]]:
    yield one
    for name in BELOW:
        inner = one.get(name)
        if isinstance(inner, dict) and depth < 4:
            yield from _parts(inner, depth + 1)


def _first(parts: Sequence[Mapping[str, Any]], names: Sequence[str], read: Any) -> Any:
    values = (read(part[name]) for part in parts for name in names if name in part)
    return next((value for value in values if value is not None), None)


def _tokens(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10_000_000 else None


def _milliseconds(value: Any) -> float | None:
    if isinstance(value, str):
        try:
            return 1000 * datetime.fromisoformat(value.strip()).timestamp()
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e15:
        return None
    # Seconds since 1970 are below 1e11 until the year 5138; milliseconds have been above since 1973.
    return float(value) if value >= 1e11 else 1000.0 * value


def _text(part: Mapping[str, Any]) -> str:
    if isinstance(part.get("messages"), list):
        return json.dumps(part["messages"], sort_keys=True)
    return part["prompt"] if isinstance(part.get("prompt"), str) else ""


def _hashes(text: str, prompt: int, salt: bytes) -> list[int]:
    """Hashes of the text up to the end of each chunk of `CHUNK` tokens, if its characters were divided evenly."""
    chunks, found = prompt // CHUNK, []
    # Four characters a token, whatever this prompt has, so that common beginnings are cut at the same places.
    digest = hashlib.blake2b(salt, digest_size=6)
    for place in range(min(chunks, len(text) // (4 * CHUNK))):
        digest.update(text[place * 4 * CHUNK : (place + 1) * 4 * CHUNK].encode())
        found.append(int.from_bytes(digest.digest(), "big"))
    return found
