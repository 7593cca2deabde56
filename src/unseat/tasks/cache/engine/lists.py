"""Doubly linked circular lists over dense ids, for kernels.

``links`` is ``int32[m, 2]``: column 0 is the neighbour towards the old end, column 1 the one towards the new end. An
anchor is a row of its own behind the objects' rows: ``links[anchor, 1]`` is the oldest member, ``links[anchor, 0]`` the
newest, both the anchor itself when the list is empty. One pair of links is enough for several lists as long as an
object is in at most one of them.
"""

from __future__ import annotations

import numpy as np

from unseat.core.jit import inlined
from unseat.tasks.cache.engine.trace import Int32


def empty_lists(n_objects: int, n_lists: int) -> Int32:
    """Links of ``n_objects`` objects in no list (-1) and of ``n_lists`` empty lists with anchors ``n_objects``, ..."""
    links = np.full((n_objects + n_lists, 2), -1, np.int32)
    links[n_objects:] = np.arange(n_objects, n_objects + n_lists)[:, None]
    return links


@inlined
def unlink(links: Int32, x: int) -> None:
    """Take ``x`` out of the list it is in."""
    older = links[x, 0]
    newer = links[x, 1]
    links[older, 1] = newer
    links[newer, 0] = older


@inlined
def append(links: Int32, anchor: int, x: int) -> None:
    """Put ``x`` at the new end of the list of ``anchor``."""
    newest = links[anchor, 0]
    links[newest, 1] = x
    links[x, 0] = newest
    links[x, 1] = anchor
    links[anchor, 0] = x
