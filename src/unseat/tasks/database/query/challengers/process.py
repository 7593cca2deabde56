"""Steering by a Gaussian process on the default's plan and the query's text: what does each hint set change, and how
sure is that?

C. E. Rasmussen and C. K. I. Williams, Gaussian Processes for Machine Learning, 2006, chapter 2. Few join graphs can be
learned from, and a smooth guess from a few numbers carries over to others where trees do not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseat.core.learner import Learner, Study
from unseat.core.policy import Policy, Session, View
from unseat.tasks.database.query.arms import DEFAULT
from unseat.tasks.database.query.challengers.plans import complementary
from unseat.tasks.database.query.features import stressed
from unseat.tasks.database.query.labels import Labelled, labelled, prudent_fixed
from unseat.tasks.database.query.policies import Fixed
from unseat.tasks.database.query.question import plans_of
from unseat.tasks.database.query.text import conditions, forms, relations

Float64 = NDArray[np.float64]

ARMS, TABLES = 3, 5
"""Arms that it chooses among; and tables of a query beyond which its plan costs more than looking at it gains."""
WIDTH, NOISE, PRIOR = 1.0, 0.4, 0.4
"""Of the kernel on scaled numbers; what cannot be known, as a share of the prior's variance; the prior's variance."""
LEAST, MOST = -2.0, 1.2
"""Logarithms of changes are cut there: how much a disaster takes is chance."""


_JOIN = re.compile(r"\bjoin\b", re.IGNORECASE)


@dataclass(frozen=True)
class Process(Policy):
    """The arm whose guessed change, with a share of its uncertainty added, is least.

    Attributes:
        arms: What it chooses among, without the default.
        fixed: What queries of many tables run under, without a look at their plan.
        caution: How many standard deviations are added to every guess but the default's.
        tables: Tables beyond which a query has many.
        words: Columns in joins and filters that it knows, and names of tables.
        mean, scale: float64 [width], of the training queries' numbers.
        known: float64 [queries, width], these numbers, scaled.
        weights: float64 [queries, arms].
        inverse: float64 [queries, queries], of the kernel's matrix.
        base: float64 [arms], mean changes.
    """

    name: str
    arms: Sequence[int]
    fixed: int
    caution: float
    tables: int
    words: Sequence[str]
    mean: Float64
    scale: Float64
    known: Float64
    weights: Float64
    inverse: Float64
    base: Float64

    def start(self, view: View, seed: int) -> Session:
        return _Looking(self, len(view.facts["arms"]), dict(view.facts["tables"]))

    def knows(self, sql: str) -> bool:
        """Whether it has learned from all of a query's tables, and from a join of them: of others it knows nothing.

        Tables behind ``JOIN`` are not read, so that such a query is none that it knows.
        """
        joins = [word for word in conditions(sql) if word.startswith("join ")]
        return (
            not _JOIN.search(sql)
            and all(name in self._places for name in _tables(sql))
            and any(join in self._places for join in joins)
        )

    def choose(self, sql: str, plan: Mapping[str, Any], rows: Mapping[str, int]) -> int:
        """The arm for a query whose default plan is known."""
        row = (numbers(sql, plan, rows, self._places) - self.mean) / self.scale
        near = np.exp(-((self.known - row) ** 2).mean(axis=1) / (2 * WIDTH**2))
        doubt = np.sqrt(PRIOR * max(1 + NOISE - near @ self.inverse @ near, 0.0))
        guess = near @ self.weights + self.base + self.caution * doubt
        return int(self.arms[int(guess.argmin())]) if guess.min() < 0 else DEFAULT

    @cached_property
    def _places(self) -> dict[str, int]:
        return {word: place for place, word in enumerate(self.words)}


class _Looking(Session):
    """Looks at the default's plan where that is cheap."""

    def __init__(self, policy: Process, explain: int, rows: Mapping[str, int]) -> None:
        self.policy, self.explain, self.rows = policy, explain, rows

    def decide(self, observation: Any) -> int:
        sql = observation["sql"]
        if observation["plans"]:
            return self.policy.choose(sql, plans_of(observation)[DEFAULT], self.rows)
        if not self.policy.knows(sql):
            return DEFAULT
        return self.policy.fixed if len(relations(sql)) > self.policy.tables else self.explain + DEFAULT


def numbers(sql: str, plan: Mapping[str, Any], rows: Mapping[str, int], places: Mapping[str, int]) -> Float64:
    """What the process is told: the plan under wrong estimates, and what the text joins, filters and returns."""
    tables = relations(sql)
    size = sum(np.log1p(rows.get(table, 0)) for table in tables)
    counts = np.zeros(len(places))
    for word in (*conditions(sql), *(f"table {table}" for table in tables)):
        if word in places:
            counts[places[word]] += 1
    return np.concatenate([stressed(plan), [float(len(tables)), size], forms(sql), counts])


class ProcessLearner(Learner):
    """Fits `Process`.

    Args:
        name: Of the learner and of what it fits.
        caution: See `Process`; the shipped ones were chosen by leaving training graphs out in turn.
    """

    def __init__(self, name: str, caution: float) -> None:
        self.name, self.caution = name, caution

    def config(self) -> Mapping[str, Any]:
        """The learner's settings."""
        return {"caution": self.caution, "arms": ARMS, "tables": TABLES}

    def fit(self, study: Study) -> Policy:
        """Measure, and solve."""
        study.propose(Fixed(self.name))
        rows = list(labelled(study, study.train))
        best = prudent_fixed(rows)
        if best == DEFAULT or len(rows) < 3:
            return Fixed(self.name, best)
        arms = [arm for arm in complementary(rows, ARMS, first=best) if arm != DEFAULT]
        return self._solved(rows, arms, best)

    def _solved(self, rows: Sequence[Labelled], arms: Sequence[int], best: int) -> Policy:
        words = sorted({word for row in rows for word in (*conditions(row.text), *_tables(row.text))})
        places = {word: place for place, word in enumerate(words)}
        x = np.array([numbers(row.text, row.plans[DEFAULT], row.tables, places) for row in rows])
        mean, scale = x.mean(axis=0), np.maximum(x.std(axis=0), 1e-9)
        z = (x - mean) / scale
        change = np.log(np.array([row.cpu_ms[list(arms)] / row.cpu_ms[DEFAULT] for row in rows])).clip(LEAST, MOST)
        base = change.mean(axis=0)
        far = ((z[:, np.newaxis] - z[np.newaxis]) ** 2).mean(axis=2)
        inverse = np.linalg.inv(np.exp(-far / (2 * WIDTH**2)) + NOISE * np.eye(len(z)))
        return Process(self.name, arms, best, self.caution, TABLES, words, mean, scale, z, inverse @ (change - base),
                       inverse, base)  # fmt: skip


def _tables(sql: str) -> list[str]:
    return [f"table {table}" for table in relations(sql)]
