"""Join graphs that are drawn by seed, to learn from: the variety of joins is what learners lack, and not data.

A graph grows by one table at a time along the foreign keys. None has the joins of a graph that is chosen or judged by.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unseat.tasks.database.data.graphs import GRAPHS, Graph

COUNT = 90
SEEDS = (5, 6, 7, 8)
"""Seeds of the data that drawn graphs run on, one each."""

SIZES, SHARES = (3, 4, 5, 6, 7, 8, 9), (0.2, 0.25, 0.2, 0.15, 0.1, 0.05, 0.05)
"""Tables of a graph, and how many graphs have so many."""

_TABLES = {"p": "posts", "q": "posts", "u": "users", "w": "users", "c": "comments", "v": "votes", "b": "badges",
           "h": "postHistory", "l": "postLinks"}  # fmt: skip

_EDGES = (
    ("p", "u", "p.OwnerUserId = u.Id"), ("p", "u", "p.LastEditorUserId = u.Id"), ("p", "q", "p.ParentId = q.Id"),
    ("c", "p", "c.PostId = p.Id"), ("c", "u", "c.UserId = u.Id"), ("c", "w", "c.UserId = w.Id"),
    ("v", "p", "v.PostId = p.Id"), ("v", "u", "v.UserId = u.Id"), ("v", "w", "v.UserId = w.Id"),
    ("b", "u", "b.UserId = u.Id"), ("b", "w", "b.UserId = w.Id"), ("h", "p", "h.PostId = p.Id"),
    ("h", "u", "h.UserId = u.Id"), ("h", "w", "h.UserId = w.Id"), ("h", "q", "h.PostId = q.Id"),
    ("l", "p", "l.PostId = p.Id"), ("l", "p", "l.RelatedPostId = p.Id"), ("l", "q", "l.PostId = q.Id"),
    ("q", "w", "q.OwnerUserId = w.Id"), ("v", "q", "v.PostId = q.Id"),
)  # fmt: skip

_FILTERS = {
    "u": ("u.Reputation >= {reputation}", "u.UpVotes >= {upvotes}", "u.Views <= {userviews}",
          "u.CreationDate >= {date}"),
    "w": ("w.Reputation >= {reputation2}", "w.UpVotes >= {upvotes}"),
    "p": ("p.Score >= {score}", "p.Score <= {lowscore}", "p.ViewCount >= {viewcount}", "p.AnswerCount >= {answers}",
          "p.CommentCount >= {comments}", "p.CreationDate >= {date}", "p.CreationDate <= {lastdate}",
          "p.FavoriteCount >= {favorites}", "p.PostTypeId = {posttype}"),
    "q": ("q.Score >= {score}", "q.ViewCount >= {viewcount}", "q.AnswerCount >= {answers}"),
    "c": ("c.Score >= {commentscore}", "c.CreationDate >= {date}"),
    "v": ("v.VoteTypeId = {votetype}", "v.CreationDate >= {date}"),
    "h": ("h.PostHistoryTypeId = {historytype}", "h.CreationDate >= {date}"),
    "b": ("b.Date >= {date}",), "l": ("l.LinkTypeId = {linktype}",),
}  # fmt: skip

_KEYS = ("p", "u", "q", "w", "c")
_TOTALS = {"c": "c.Score", "p": "p.Score", "q": "q.Score", "h": "h.PostHistoryTypeId", "v": "v.VoteTypeId",
           "l": "l.LinkTypeId", "u": "u.Reputation", "w": "w.Reputation", "b": "b.Id"}  # fmt: skip


def drawn(count: int = COUNT) -> tuple[Graph, ...]:
    """Graphs, each with other joins than all others."""
    rng = np.random.default_rng(20)
    taken = {frozenset(graph.joins) for graph in GRAPHS}
    made: list[Graph] = []
    while len(made) < count:
        graph = _grown(rng, f"drawn-{len(made)}", int(rng.choice(SIZES, p=SHARES)), SEEDS[len(made) % len(SEEDS)])
        if frozenset(graph.joins) not in taken:
            taken.add(frozenset(graph.joins))
            made.append(graph)
    return tuple(made)


def _grown(rng: np.random.Generator, name: str, size: int, site: int) -> Graph:
    known, joins = ["p" if rng.random() < 0.8 else "u"], list[str]()
    while len(known) < size:
        fits = [edge for edge in _EDGES if (edge[0] in known) != (edge[1] in known)]
        one, other, condition = fits[int(rng.integers(len(fits)))]
        known.append(other if one in known else one)
        joins.append(condition)
    filtered = rng.permutation(known)[: max(2, size - 1 - int(rng.integers(2)))]
    filters = tuple(_one(rng, _FILTERS[alias]) for alias in filtered)
    key = next(alias for alias in _KEYS if alias in known)
    total = _one(rng, [_TOTALS[alias] for alias in known if alias != key])
    columns = tuple(f"{alias}.Id" for alias in [key, *(one for one in known if one != key)][:2])
    return Graph(name, "train", tuple(f"{_TABLES[alias]} {alias}" for alias in sorted(known)), tuple(joins), filters,
                 f"{key}.Id", total, columns, site)  # fmt: skip


def _one(rng: np.random.Generator, among: Sequence[str]) -> str:
    return among[int(rng.integers(len(among)))]
