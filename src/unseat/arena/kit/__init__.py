"""The starter kit of a track: a submission that works, a scorer on public instances, a README."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from unseat.arena.packing import packed
from unseat.core import registry
from unseat.core.errors import UserError

_OWN = {"cache": "policy_cache.py", "cache-sized": "policy_cache.py"} | {
    name: f"policy_{name}.py" for name in ("shard", "graphsched", "codemod", "serving")
}
"""Tasks whose kit has a policy of its own; the others get the first legal action."""


def contents(track: Mapping[str, Any]) -> dict[str, bytes]:
    """The kit's files, by name.

    Args:
        track: What `unseat.arena.tracks.shown` tells of it.
    """
    task, takes = registry.task(track["task"]), track["takes"]
    found = {"score.py": _read("score.py"), "track.json": json.dumps(track, indent=1).encode() + b"\n"}
    if "policy" in takes:
        found["policy/policy.py"] = _read(_OWN.get(task.card.id, "policy_any.py"))
    if "program" in takes and (offer := task.program()) is not None:
        found["program/program.py"] = offer.start.encode()
    if "answers" in takes:
        found["answers/solve.py"] = _read("solve.py")
    text = _read("README.md").decode()
    chosen = next(name for name in ("policy", "program", "answers") if name in takes)
    for key, value in {"TITLE": track["title"], "SLUG": track["slug"], "TASK": track["task"], "KIND": chosen,
                       "DECISION": task.card.title, "MEASURED": task.card.measured.strip(),
                       "QUESTION": _question(task)}.items():  # fmt: skip
        text = text.replace(f"@{key}@", value)
    return {**found, "README.md": text.encode()}


def archive(track: Mapping[str, Any]) -> bytes:
    """The kit as one file, in a folder of the track's name."""
    return packed({f"{track['slug']}/{name}": content for name, content in contents(track).items()})


def write(track: Mapping[str, Any], folder: Path) -> list[str]:
    """Write the kit into a folder, which is made.

    Raises:
        UserError: There is something in it.
    """
    if folder.exists() and any(folder.iterdir()):
        raise UserError(f"{folder}: there is something in it already; give another folder with -o")
    found = contents(track)
    for name, content in found.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return sorted(found)


def _question(task: Any) -> str:
    lines = []
    for name, question in task.questions.items():
        lines.append(f"- `{name}`: {question.text}\n  - observation: `{question.observation}`\n"
                     f"  - answer: `{question.action}`")  # fmt: skip
    return "\n".join(lines)


def _read(name: str) -> bytes:
    return (files("unseat.arena.kit") / "templates" / name).read_bytes()
