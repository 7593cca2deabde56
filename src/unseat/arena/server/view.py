"""What a reader of a board sees: who may see what, sorted, filtered, page by page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

PAGE = 100
SORTS = ("rank", "who", "value", "change", "gap", "hidden", "start", "decide", "cpu", "bytes", "tries", "when")
KINDS = ("all", "submissions", "references")


@dataclass(frozen=True)
class Query:
    """What was asked for.

    Attributes:
        sort: One of `SORTS`.
        down: The other way around.
        kind: One of `KINDS`.
        words: Only lines in which these are found.
        page: From 1.
    """

    sort: str = "rank"
    down: bool = False
    kind: str = "all"
    words: str = ""
    page: int = 1

    @classmethod
    def of(cls, asked: Mapping[str, str]) -> Query:
        """From a request's parameters; what is none of them is left at its default."""
        sort, kind, page = asked.get("sort", "rank"), asked.get("show", "all"), asked.get("page", "1")
        return cls(
            sort if sort in SORTS else "rank", asked.get("down") == "1", kind if kind in KINDS else "all",
            asked.get("q", "")[:60], int(page) if page.isascii() and page.isdigit() and len(page) < 6 else 1,
        )  # fmt: skip

    def link(self, **changes: Any) -> str:
        """The address of the same with changes, relative to the board's."""
        one = replace(self, **{"page": 1, **changes})
        said = {"sort": one.sort, "down": "1" if one.down else "", "show": one.kind, "q": one.words, "page": one.page}
        plain = {"sort": "rank", "down": "", "show": "all", "q": "", "page": 1}
        return "?" + urlencode({name: value for name, value in said.items() if value != plain[name]})


@dataclass(frozen=True)
class Page:
    """Lines to show, and how many there are."""

    rows: Sequence[dict[str, Any]]
    found: int
    page: int
    pages: int


def visible(body: Mapping[str, Any], private: bool) -> list[dict[str, Any]]:
    """The lines of a board without what may not be seen yet: what tells of private instances."""
    if private:
        return list(body["rows"])
    return [{**row, "private": None, "failed": {**row["failed"], "private": None}} for row in body["rows"]]


def page(rows: Sequence[dict[str, Any]], query: Query, minimise: bool) -> Page:
    """The lines that were asked for."""
    words = query.words.casefold().split()
    found = [row for row in rows if _shown(row, query.kind)
             and all(word in f"{row['who']} {row['name']}".casefold() for word in words)]  # fmt: skip
    # What has no figure comes last, whichever way around.
    known = [row for row in found if _key(row, query.sort, minimise) is not None]
    rest = [row for row in found if _key(row, query.sort, minimise) is None]
    ordered = sorted(known, key=lambda row: _key(row, query.sort, minimise), reverse=query.down) + rest
    pages = max(1, math.ceil(len(ordered) / PAGE))
    at = min(max(1, query.page), pages)
    return Page(ordered[(at - 1) * PAGE : at * PAGE], len(ordered), at, pages)


def _shown(row: Mapping[str, Any], kind: str) -> bool:
    return kind == "all" or (kind == "submissions") == (row["role"] == "challenger")


def _key(row: Mapping[str, Any], sort: str, minimise: bool) -> Any:
    turn = 1 if minimise else -1
    public, private = row["public"] or {}, row["private"] or {}
    versus = public.get("versus") or {}
    match sort:
        case "who":
            return row["who"].casefold(), row["name"].casefold()
        case "value":
            return None if "value" not in public else turn * public["value"]
        case "change":
            return turn * versus["difference"]["point"] if versus else None
        case "gap":
            return -versus["gap"]["point"] if versus.get("gap") else None
        case "hidden":
            return None if "value" not in private else turn * private["value"]
        case "decide":
            return row["decide_ns"]
        case "cpu" | "start":
            return row[f"{sort}_s"]
        case "bytes" | "tries":
            return row[sort]
        case "when":
            return row["created"]
    return public.get("order")
