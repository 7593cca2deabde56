"""Transforms that tools of others make: pairs of functions of published packages (see `packages.toml`)."""

from __future__ import annotations

import json
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

from unseat.tasks.codemod.pairs import Pair, Pairs

_ROOM = Path(__file__).parent
RIVALS = {"percent_format": "UP031", "set_literals": "C405"}
"""Rules of Ruff that do what a rule of pyupgrade does."""


@lru_cache(maxsize=1)
def transforms() -> dict[str, dict[str, Any]]:
    """The transforms of the manifest, by name."""
    manifest = tomllib.loads((_ROOM / "packages.toml").read_text(encoding="utf-8"))
    return {one["name"]: one for one in manifest["transforms"]}


@lru_cache(maxsize=1)
def _recorded() -> dict[str, Any]:
    import zstandard

    found: dict[str, Any] = json.loads(zstandard.decompress((_ROOM / "pairs.json.zst").read_bytes()))
    return found


def pairs(name: str) -> Pairs:
    """The pairs of a transform: ten that show it, ten that are hidden, and ten that stay, five of each."""
    about, found = transforms()[name], _recorded()[name]
    changed = tuple(Pair(before, after) for before, after, _ in found["changed"])
    kept = tuple(Pair(text, text) for text, _ in found["kept"])
    half, quarter = len(changed) // 2, len(kept) // 2
    return Pairs(name, about["text"], changed[:half], changed[half:], kept[:quarter], kept[quarter:],
                 (RIVALS.get(about["rule"], about["rule"]),))  # fmt: skip
