"""Handing an index over."""

from __future__ import annotations

from collections.abc import Mapping

from unseat.core.task import Exported


def exporters() -> Mapping[str, Exported]:
    """The forms, by name."""
    return {}
