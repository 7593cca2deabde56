"""The static site of an event, from a folder of Markdown and YAML."""

from unseat.arena.event.check import check
from unseat.arena.event.model import Site, read
from unseat.arena.event.render import render

__all__ = ["Site", "check", "read", "render"]
