"""The published tables and queries of STATS-CEB: five real tables, and generated ones for three that are missing.

Han et al., Cardinality Estimation in DBMS, VLDB 2022. `comments`, `votes` and `postHistory` are too large to be at
hand; here they have the published numbers of rows, and belong to the real posts and users as far as the real columns
say how: a post's comments by its `CommentCount`, its votes by its `Score`, who writes by who has posts.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from unseat.core.errors import UserError
from unseat.tasks.database.data.generator import DAY_S, NULL, TIMES, Tables

if TYPE_CHECKING:
    from unseat.data.manifest import Manifest

Column = NDArray[np.int64]

REAL = ("users", "posts", "badges", "postLinks", "tags")
ROWS = {"comments": 174_305, "votes": 328_064, "postHistory": 303_187}
"""Of the published tables that are generated here."""
LAST_S = 1_410_652_800
"""2014-09-14, when the dump was made."""


@dataclass(frozen=True)
class Published:
    """A published query.

    Attributes:
        name: ``real/`` or ``semi-real/`` and its number among the published ones.
        text: SQL.
        rows: What its COUNT is on all eight real tables.
    """

    name: str
    text: str
    rows: int

    @property
    def real(self) -> bool:
        """Whether it reads real tables only."""
        return self.name.startswith("real/")


@lru_cache(maxsize=1)
def manifest() -> Manifest:
    """What is fetched."""
    from unseat.data.manifest import load_manifest

    return load_manifest(Path(__file__).parent.parent / "query" / "data.toml")


def _file(name: str) -> Path:
    from unseat.data.store import locate

    return locate(manifest().file(f"stats/{name}"))


@lru_cache(maxsize=1)
def queries() -> tuple[Published, ...]:
    """All 146, as published."""
    found = []
    for number, line in enumerate(_file("stats_ceb.sql").read_text(encoding="utf-8").splitlines()):
        rows, _, text = line.partition("||")
        words = {word.strip("(),").lower() for word in text.partition(" WHERE ")[0].split()}
        kind = "semi-real" if words & {name.lower() for name in ROWS} else "real"
        found.append(Published(f"{kind}/{number:03}", text.strip().rstrip(";"), int(rows)))
    return tuple(found)


def tables() -> Tables:
    """Five real tables and three generated ones.

    Raises:
        UserError: A file is not at hand and cannot be fetched, or is damaged.
    """
    real = {name: _read(_file(f"{name}.csv")) for name in REAL}
    return Tables({**real, **_missing(real)})


def digest() -> str:
    """A hash of the files and of this generator."""
    told = "".join(str(entry.sha256) for entry in manifest().files) + Path(__file__).read_text(encoding="utf-8")
    return hashlib.sha256(told.encode()).hexdigest()


def _read(path: Path) -> dict[str, Column]:
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        names = next(rows)
        parts = list(zip(*rows, strict=True))
    try:
        return {name: _column(name, part) for name, part in zip(names, parts, strict=True)}
    except ValueError as error:
        raise UserError(f"{path}: {error}") from error


def _column(name: str, values: tuple[str, ...]) -> Column:
    if name in TIMES:
        return np.array([value or "NaT" for value in values], "datetime64[s]").astype(np.int64)
    return np.array([int(value) if value else NULL for value in values], np.int64)


def _missing(real: Mapping[str, Mapping[str, Column]]) -> dict[str, dict[str, Column]]:
    rng, posts = np.random.default_rng(146), real["posts"]
    owner, score = posts["OwnerUserId"], posts["Score"].astype(float)
    written, ids = posts["CreationDate"], posts["Id"]
    writers = owner[owner != NULL]

    def some(rows: int, weight: NDArray[np.float64]) -> Column:
        return rng.choice(len(ids), rows, p=weight / weight.sum())

    def people(post: Column, own: float, missing: float) -> Column:
        mine = np.where(rng.random(len(post)) < own, owner[post], writers[rng.integers(len(writers), size=len(post))])
        return np.where(rng.random(len(post)) < missing, NULL, mine)

    def after(post: Column, days: float) -> Column:
        wait = (rng.exponential(days, len(post)) ** 1.4 * DAY_S).astype(np.int64)
        made: Column = written[post] + wait % np.maximum(LAST_S - written[post], 1)
        return made

    at = some(ROWS["comments"], posts["CommentCount"].astype(float))
    comments = {"Id": np.arange(1, len(at) + 1), "PostId": ids[at], "Score": rng.negative_binomial(0.35, 0.35, len(at)),
                "CreationDate": after(at, 6.0), "UserId": people(at, 0.35, 0.015)}  # fmt: skip
    at = some(ROWS["votes"], np.maximum(score, 0) + 0.4)
    kind = rng.choice([2, 1, 3, 5, 8, 9, 16], len(at), p=[0.74, 0.07, 0.06, 0.1, 0.01, 0.01, 0.01])
    votes = {"Id": np.arange(1, len(at) + 1), "PostId": ids[at], "VoteTypeId": kind,
             "CreationDate": after(at, 30.0) // DAY_S * DAY_S,
             "UserId": np.where(np.isin(kind, (5, 8)), people(at, 0.0, 0.01), NULL),
             "BountyAmount": np.where(np.isin(kind, (8, 9)), rng.choice([50, 100, 200], len(at)), NULL)}  # fmt: skip
    at = some(ROWS["postHistory"], np.sqrt(np.maximum(score, 0) + 1))
    kind = rng.choice([1, 2, 3, 4, 5, 6, 10, 24], len(at), p=[0.14, 0.34, 0.14, 0.05, 0.24, 0.05, 0.02, 0.02])
    history = {"Id": np.arange(1, len(at) + 1), "PostHistoryTypeId": kind, "PostId": ids[at],
               "CreationDate": np.where(kind < 4, written[at], after(at, 60.0)),
               "UserId": people(at, 0.75, 0.08)}  # fmt: skip
    return {"comments": comments, "votes": votes, "postHistory": history}
