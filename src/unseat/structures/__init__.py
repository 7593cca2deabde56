"""Data structures that learn their layout from the keys: useful on their own, and what the index tasks measure."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unseat.structures.learned_index import LearnedIndex

_HOME = {"LearnedIndex": "learned_index"}

__all__ = ["LearnedIndex"]


def __getattr__(name: str) -> Any:
    # Loaded when first used: the compiler behind it takes a while to start.
    if name not in _HOME:
        raise AttributeError(f"module 'unseat.structures' has no attribute {name!r}")
    return getattr(importlib.import_module(f"unseat.structures.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
