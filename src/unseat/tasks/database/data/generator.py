"""A seeded set of tables shaped like the statistics of a question site, correlated and skewed as real ones are.

A few people do most of the work, and who is active has reputation, badges and early accounts; a few posts draw most
comments and votes; an author comments on the own posts; when something happens depends on when the post was written.
An optimizer that multiplies selectivities of single columns is wrong about all of this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Column = NDArray[np.int64]
Columns = Mapping[str, NDArray[np.int64]]
NULL = np.iinfo(np.int64).min
"""What stands for NULL."""

DAYS = 1500
DAY_S = 86_400
EPOCH_S = 1_262_304_000
"""2010-01-01."""

SIZES = {"users": 12_000, "posts": 28_000, "comments": 52_000, "votes": 98_000, "badges": 24_000,
         "postHistory": 90_000, "postLinks": 3_300}  # fmt: skip
"""Rows at scale 1."""

TIMES = frozenset({"CreationDate", "Date"})
"""Columns that are timestamps, as seconds of the Unix epoch here."""

FOREIGN = {
    "posts": ("OwnerUserId", "LastEditorUserId", "ParentId"), "comments": ("PostId", "UserId"),
    "votes": ("PostId", "UserId"), "badges": ("UserId",), "postHistory": ("PostId", "UserId"),
    "postLinks": ("PostId", "RelatedPostId"),
}  # fmt: skip
"""Columns with an index of their own besides the primary key ``Id``."""


@dataclass(frozen=True)
class Tables:
    """Columns by table: int64 arrays, `NULL` for what is missing."""

    columns: Mapping[str, Columns]

    def rows(self, table: str) -> int:
        """Number of rows of a table."""
        return len(self.columns[table]["Id"])


def generate(seed: int, scale: float = 1.0) -> Tables:
    """All tables of a seed.

    Args:
        seed: Another seed is another site: its skew and its correlations differ as well.
        scale: Factor on every table's rows.
    """
    rng = np.random.default_rng([seed, 7])
    sizes = {table: max(20, int(rows * scale)) for table, rows in SIZES.items()}
    site = _Site(rng, sizes)
    users = site.users()
    posts = site.posts()
    return Tables({
        "users": users, "posts": posts, "comments": site.comments(), "votes": site.votes(), "badges": site.badges(),
        "postHistory": site.history(), "postLinks": site.links(),
    })  # fmt: skip


class _Site:
    """Draws table after table; later ones depend on those before."""

    def __init__(self, rng: np.random.Generator, sizes: Mapping[str, int]) -> None:
        self.rng, self.sizes = rng, sizes
        self.tail = rng.uniform(1.0, 1.35)
        self.loyal = rng.uniform(0.25, 0.5)

    def users(self) -> dict[str, Column]:
        count, rng = self.sizes["users"], self.rng
        # Activity: a few do most; they came early.
        self.activity = rng.permutation((np.arange(count) + 4.0) ** -self.tail)
        self.activity /= self.activity.sum()
        rank = np.argsort(np.argsort(-self.activity)) / count
        self.joined = (DAYS * np.clip(rng.beta(1.2, 1.6, count) * (0.35 + 0.65 * rank), 0, 0.98) * DAY_S).astype(int)
        weight = self.activity * count
        reputation = 1 + (weight**1.15 * 60 * rng.lognormal(0, 0.6, count)).astype(int)
        up = (weight**1.3 * 12 * rng.lognormal(0, 1.0, count)).astype(int) * (rng.random(count) < 0.8)
        return {
            "Id": np.arange(1, count + 1), "Reputation": reputation, "CreationDate": EPOCH_S + self.joined,
            "Views": (weight * 8 * rng.lognormal(0, 0.8, count)).astype(int), "UpVotes": up,
            "DownVotes": (up * rng.beta(0.5, 6, count)).astype(int),
        }  # fmt: skip

    def posts(self) -> dict[str, Column]:
        count, rng = self.sizes["posts"], self.rng
        self.owner = rng.choice(len(self.activity), count, p=self.activity)
        self.kind = rng.choice([1, 2, 3, 5], count, p=[0.44, 0.53, 0.02, 0.01])
        question = self.kind == 1
        after = self.joined[self.owner] + (rng.random(count) ** 1.5 * (DAYS * DAY_S - self.joined[self.owner])).astype(
            int
        )
        self.written = after
        fame = (self.activity[self.owner] * len(self.activity)) ** 0.35
        self.quality = rng.lognormal(0, 1.1, count) * np.clip(fame, 0.4, 6)
        age = 1 - after / (DAYS * DAY_S)
        self.popular = (self.quality * (0.15 + age) * np.where(question, 1.6, 1.0)) ** 1.35
        self.popular /= self.popular.sum()
        score = np.round(self.quality * 1.8 * (0.3 + age) - rng.exponential(1.0, count)).astype(int)
        parents = np.flatnonzero(question)
        parent = rng.choice(parents, count, p=self.popular[parents] / self.popular[parents].sum()) + 1
        answers = np.bincount(parent[self.kind == 2] - 1, minlength=count)
        self.comment_post = rng.choice(count, self.sizes["comments"], p=self.popular)
        edited = rng.random(count) < 0.45
        editor = np.where(rng.random(count) < 0.5, self.owner, rng.choice(len(self.activity), count, p=self.activity))
        return {
            "Id": np.arange(1, count + 1), "PostTypeId": self.kind, "CreationDate": EPOCH_S + after, "Score": score,
            "ViewCount": np.where(question, (self.quality * age * 900 * rng.lognormal(0, 0.5, count)).astype(int),
                                  NULL),
            "OwnerUserId": np.where(rng.random(count) < 0.02, NULL, self.owner + 1),
            "AnswerCount": np.where(question, answers, NULL),
            "CommentCount": np.bincount(self.comment_post, minlength=count),
            "FavoriteCount": np.where(question & (score > 2), rng.poisson(np.clip(score, 0, 60) / 3), NULL),
            "LastEditorUserId": np.where(edited, editor + 1, NULL),
            "ParentId": np.where(self.kind == 2, parent, NULL),
        }  # fmt: skip

    def comments(self) -> dict[str, Column]:
        count, rng, post = self.sizes["comments"], self.rng, self.comment_post
        return {
            "Id": np.arange(1, count + 1), "PostId": post + 1, "Score": rng.negative_binomial(0.35, 0.35, count),
            "CreationDate": EPOCH_S + self._after(self.written[post], 6.0), "UserId": self._people(post, 0.015),
        }  # fmt: skip

    def votes(self) -> dict[str, Column]:
        count, rng = self.sizes["votes"], self.rng
        post = rng.choice(len(self.popular), count, p=self.popular)
        kind = rng.choice([2, 1, 3, 5, 8, 9, 16], count, p=[0.74, 0.07, 0.06, 0.1, 0.01, 0.01, 0.01])
        bounty = np.isin(kind, (8, 9))
        return {
            "Id": np.arange(1, count + 1), "PostId": post + 1, "VoteTypeId": kind,
            # Days only, as the published set has them.
            "CreationDate": EPOCH_S + self._after(self.written[post], 30.0) // DAY_S * DAY_S,
            "UserId": np.where(np.isin(kind, (5, 8)), self._people(post, 0.01), NULL),
            "BountyAmount": np.where(bounty, rng.choice([50, 100, 150, 200, 500], count, p=[0.6, 0.2, 0.1, 0.06, 0.04]),
                                     NULL),
        }  # fmt: skip

    def badges(self) -> dict[str, Column]:
        count, rng = self.sizes["badges"], self.rng
        keen = self.activity**0.8
        user = rng.choice(len(keen), count, p=keen / keen.sum())
        return {"Id": np.arange(1, count + 1), "UserId": user + 1,
                "Date": EPOCH_S + self._after(self.joined[user], 300.0)}  # fmt: skip

    def history(self) -> dict[str, Column]:
        count, rng = self.sizes["postHistory"], self.rng
        even = np.sqrt(self.popular)
        post = rng.choice(len(even), count, p=even / even.sum())
        kind = rng.choice([1, 2, 3, 4, 5, 6, 10, 24], count, p=[0.14, 0.34, 0.14, 0.05, 0.24, 0.05, 0.02, 0.02])
        return {
            "Id": np.arange(1, count + 1), "PostHistoryTypeId": kind, "PostId": post + 1,
            "CreationDate": EPOCH_S + np.where(kind < 4, self.written[post], self._after(self.written[post], 60.0)),
            "UserId": self._people(post, 0.08, own=0.75),
        }  # fmt: skip

    def links(self) -> dict[str, Column]:
        count, rng = self.sizes["postLinks"], self.rng
        post = rng.choice(len(self.popular), count)
        related = rng.choice(len(self.popular), count, p=self.popular)
        return {
            "Id": np.arange(1, count + 1), "CreationDate": EPOCH_S + self._after(self.written[post], 90.0),
            "PostId": post + 1, "RelatedPostId": related + 1,
            "LinkTypeId": np.where(rng.random(count) < 0.12, 3, 1),
        }  # fmt: skip

    def _after(self, start: NDArray[np.int64], days: float) -> NDArray[np.int64]:
        """Moments after a start, most of them soon, none after the last day."""
        wait = (self.rng.exponential(days, len(start)) ** 1.4 * DAY_S).astype(np.int64)
        moments: NDArray[np.int64] = start + wait % (DAYS * DAY_S - start + 1)
        return moments

    def _people(self, post: NDArray[np.int64], missing: float, own: float | None = None) -> NDArray[np.int64]:
        """Who did something to posts: their owners, or others by their activity; some are not known any more."""
        count, rng = len(post), self.rng
        other = rng.choice(len(self.activity), count, p=self.activity)
        person = np.where(rng.random(count) < (self.loyal if own is None else own), self.owner[post], other)
        return np.where(rng.random(count) < missing, NULL, person + 1)
