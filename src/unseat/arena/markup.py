"""Markdown as HTML: no HTML of the writer's own gets through, and no address that runs anything."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    from markdown_it import MarkdownIt


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False}).enable("table")


def html(text: str) -> Markup:
    """Blocks of Markdown."""
    return Markup(_parser().render(text))


def inline(text: str) -> Markup:
    """A line of Markdown, without a paragraph around it."""
    return Markup(_parser().renderInline(text))
