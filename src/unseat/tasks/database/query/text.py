"""A query's text: its fingerprint, and TF-IDF as the plain way to make numbers of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]

_LITERAL = re.compile(r"'(?:[^']|'')*'|\b\d+(?:\.\d+)?\b")
_SPACE = re.compile(r"\s+")
_FROM = re.compile(r"\bfrom\b(.*?)\bwhere\b", re.IGNORECASE | re.DOTALL)
_COMPARED = re.compile(r"(\w+)\.(\w+)\s*([<>=]+)\s*(?:(\w+)\.(\w+))?")
_TOKEN = re.compile(r"[a-z_]\w*(?:\.\w+)?|[<>=!]+|\?")


def fingerprint(sql: str) -> str:
    """The text without its literals and with one space wherever there were some: what a template has in common."""
    return _SPACE.sub(" ", _LITERAL.sub("?", sql)).strip().lower()


def tokens(sql: str) -> list[str]:
    """Words, qualified names and comparisons, and each pair of neighbours."""
    single = _TOKEN.findall(fingerprint(sql))
    return [*single, *(f"{a} {b}" for a, b in pairwise(single))]


def vocabulary(texts: Sequence[str], most: int) -> tuple[list[str], Float64]:
    """The tokens in most texts, and their inverse document frequency, smoothed; float64 [tokens].

    K. Spärck Jones, "A statistical interpretation of term specificity", Journal of Documentation 28, 1972.
    """
    seen = Counter(token for text in texts for token in set(tokens(text)))
    kept = sorted(sorted(seen, key=lambda token: (-seen[token], token))[:most])
    count = len(texts)
    return kept, np.array([np.log((1 + count) / (1 + seen[token])) + 1 for token in kept])


def tfidf(sql: str, places: Mapping[str, int], idf: Float64) -> Float64:
    """float64 [tokens], of unit length."""
    row = np.zeros(len(idf))
    for token, times in Counter(tokens(sql)).items():
        if token in places:
            row[places[token]] = times * idf[places[token]]
    return row / max(float(np.linalg.norm(row)), 1e-12)


def relations(sql: str) -> list[str]:
    """Names of the tables in the first plain list behind ``FROM``, in lower case, as often as they are there."""
    found = _FROM.search(sql)
    parts = found[1].replace("\n", " ").split(",") if found else []
    return [part.split()[0].lower() for part in parts if part.split()]


def conditions(sql: str) -> list[str]:
    """A word for each comparison: the columns that are joined, or the column and how it is compared with a value."""
    _, _, where = sql.lower().partition("where")
    found = []
    for _, column, how, _, other in _COMPARED.findall(where):
        found.append(f"join {' '.join(sorted((column, other)))}" if other else f"filter {column} {how}")
    return found


def forms(sql: str) -> Float64:
    """Whether it counts, groups, and drops duplicates; float64 [3]."""
    told = sql.lower()
    return np.array([float(word in told) for word in ("count(", "group by", "distinct")])
