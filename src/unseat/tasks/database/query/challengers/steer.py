"""LLMSteer: the text of a query as a vector, and a support-vector machine that says default or the alternative.

P. Akioyamen, Z. Yi and R. Marcus, "The Unreasonable Effectiveness of LLMs for Query Optimization", arXiv 2411.02862:
embedding, standard scaling, principal components, a machine with a radial kernel, one alternative hint set. Theirs was
OpenAI's text-embedding-3-large; this is a small model that runs here, or TF-IDF in its place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from unseat.core.errors import MissingExtra
from unseat.core.learner import Learner, Study
from unseat.core.policy import Policy, Session, View
from unseat.tasks.database.query.arms import DEFAULT
from unseat.tasks.database.query.challengers.fixed import alternative
from unseat.tasks.database.query.labels import Labelled, labelled
from unseat.tasks.database.query.policies import Fixed
from unseat.tasks.database.query.text import fingerprint, tfidf, vocabulary

Float64 = NDArray[np.float64]
Reader = Literal["minilm", "tfidf"]

COMPONENTS, TOKENS = 50, 400
"""Principal components as in the paper's second setting, and tokens of TF-IDF."""


@dataclass(frozen=True)
class Steer(Policy):
    """Default or the alternative, by the text alone.

    Attributes:
        reader: How a text becomes a vector.
        arm: The alternative.
        margin: The machine's value has to be above it for the alternative; 0 as published.
        gamma: Width of the kernel.
        bias: Added to the machine's value.
        tokens: TF-IDF's tokens.
        idf: float64 [tokens].
        mean, scale: float64 [width], of the training vectors.
        axes: float64 [components, width].
        support: float64 [vectors, components].
        dual: float64 [vectors].
    """

    name: str
    reader: Reader
    arm: int
    margin: float
    gamma: float
    bias: float
    tokens: Sequence[str]
    idf: Float64
    mean: Float64
    scale: Float64
    axes: Float64
    support: Float64
    dual: Float64

    def start(self, view: View, seed: int) -> Session:
        if self.reader == "minilm":
            from unseat.tasks.database.query.encoder import encoder

            # A server that steers has the model in memory; reading its file is no part of a decision.
            encoder()
        return _Steering(self)

    def value(self, sql: str) -> float:
        """The machine's value: above zero it takes the alternative to be faster."""
        row = (vector(self.reader, sql, self._index, self.idf) - self.mean) / self.scale
        near = self.support - self.axes @ row
        return float(self.dual @ np.exp(-self.gamma * (near**2).sum(axis=1)) + self.bias)

    @cached_property
    def _index(self) -> dict[str, int]:
        return {token: place for place, token in enumerate(self.tokens)}


class _Steering(Session):
    """Remembers what it decided for a fingerprint."""

    def __init__(self, policy: Steer) -> None:
        self.policy, self.known = policy, dict[str, int]()

    def decide(self, observation: Any) -> int:
        key = fingerprint(observation["sql"])
        if key not in self.known:
            steers = self.policy.value(observation["sql"]) > self.policy.margin
            self.known[key] = self.policy.arm if steers else DEFAULT
        return self.known[key]


def vector(reader: Reader, sql: str, places: Mapping[str, int], idf: Float64) -> Float64:
    """A text as a vector.

    Raises:
        MissingExtra: The sentence model is not installed.
    """
    if reader == "tfidf":
        return tfidf(sql, places, idf)
    from unseat.tasks.database.query.encoder import encoder

    read: Float64 = encoder()(sql).astype(np.float64)
    return read


class SteerLearner(Learner):
    """Fits the machine on training queries.

    Args:
        name: Of the learner and of what it fits.
        reader: How a text becomes a vector.
        margin: See `Steer`.
    """

    def __init__(self, name: str, reader: Reader, margin: float = 0.0) -> None:
        self.name, self.reader, self.margin = name, reader, margin

    def config(self) -> Mapping[str, Any]:
        """The learner's settings."""
        return {"reader": self.reader, "margin": self.margin, "components": COMPONENTS}

    def fit(self, study: Study) -> Policy:
        """Measure, choose the alternative, and fit.

        Raises:
            MissingExtra: scikit-learn or the sentence model is not installed.
        """
        policy: Policy = Fixed(self.name)
        study.propose(policy)
        rows = list(labelled(study, study.train))
        faster = {bool(row.cpu_ms[alternative(rows)] < row.cpu_ms[DEFAULT]) for row in rows}
        if len(faster) < 2:
            # One class only: nothing to tell apart.
            return Fixed(self.name, alternative(rows)) if faster == {True} else policy
        return self._fitted(rows)

    def _fitted(self, rows: Sequence[Labelled]) -> Policy:
        try:
            from sklearn.svm import SVC
        except ImportError as error:
            raise MissingExtra("scikit-learn is not installed; pip install 'unseat[postgres]'") from error
        arm = alternative(rows)
        words, idf = vocabulary([row.text for row in rows], TOKENS) if self.reader == "tfidf" else ([], np.zeros(0))
        places = {word: place for place, word in enumerate(words)}
        x = np.array([vector(self.reader, row.text, places, idf) for row in rows])
        mean, scale = x.mean(axis=0), np.maximum(x.std(axis=0), 1e-9)
        z = (x - mean) / scale
        axes = np.linalg.svd(z, full_matrices=False)[2][: min(COMPONENTS, len(rows))]
        faster = np.array([row.cpu_ms[arm] < row.cpu_ms[DEFAULT] for row in rows])
        machine = SVC(kernel="rbf").fit(z @ axes.T, faster)
        return Steer(
            self.name, self.reader, arm, self.margin, float(machine._gamma), float(machine.intercept_[0]), words, idf,
            mean, scale, axes, np.ascontiguousarray(machine.support_vectors_),
            np.ascontiguousarray(machine.dual_coef_[0]),
        )  # fmt: skip
