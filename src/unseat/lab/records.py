"""The records that the laboratory passes around: jobs, runs, fits and comparisons. All are plain JSON."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

from unseat.core.learner import Role
from unseat.core.outcome import Limits, Outcome


def digest(content: Any) -> str:
    """SHA-256, in hex, of anything that is plain JSON."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


@dataclass(frozen=True)
class Job:
    """One run to be done, anywhere.

    Attributes:
        task: Id of the task, without its version.
        data: What `--data` gave, or None for the built-in data.
        options: The task's own options.
        instance: Id of the instance.
        contender: Name in tables; for a bound, the name of the task's bounder.
        role: The contender's role.
        artefact: Hash of the policy in the content store; None for a bound.
        seed: Seed of fit and run.
        limits: Limits of the run.
        repeat: Which repetition; above zero only for timed tasks.
    """

    task: str
    instance: str
    contender: str
    role: Role
    artefact: str | None
    seed: int
    limits: Limits
    data: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    repeat: int = 0

    def to_json(self) -> dict[str, Any]:
        """The job as plain JSON."""
        return {**vars(self), "role": str(self.role), "limits": self.limits.to_json(), "options": dict(self.options)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        return cls(**{**data, "role": Role(data["role"]), "limits": Limits.from_json(data["limits"])})


@dataclass(frozen=True)
class FitJob:
    """One fit to be done, anywhere.

    Attributes:
        contender: Name of the task's contender whose learner is fitted.
        train: Ids of the training instances.
        valid: Ids of the validation instances.
        limits: What the fit may use.
        record: The fit record that the artefact will carry.
    """

    task: str
    contender: str
    train: tuple[str, ...]
    valid: tuple[str, ...]
    seed: int
    limits: Limits
    data: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    record: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The job as plain JSON."""
        return {**vars(self), "limits": self.limits.to_json(), "options": dict(self.options)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        return cls(**{**data, "train": tuple(data["train"]), "valid": tuple(data["valid"]),
                      "limits": Limits.from_json(data["limits"])})  # fmt: skip


@dataclass(frozen=True)
class Run:
    """A run as the ledger holds it.

    Attributes:
        key: What tells it from every other: task sources, instance content, artefact, limits, seed, versions.
        task: Full id of the task, such as ``cache-v0``.
        fold: Which fold it belongs to; None without folds. Set by the experiment, not part of the key.
        fit: Key of the fit that made the policy; None where nothing was fitted.
        provenance: Machine, versions and sources, as JSON.
        answer: Hash of the answer that it gave, in the content store, where the card's repeatability is ``answer``.
    """

    key: str
    task: str
    contender: str
    role: Role
    instance: str
    group: str
    split: str
    level: float | None
    series: str
    weight: float
    seed: int
    outcome: Outcome
    artefact: str | None
    job: Mapping[str, Any]
    provenance: Mapping[str, Any]
    fit: str | None = None
    fold: int | None = None
    block: str | None = None
    created: str = ""
    answer: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The row that `unseat run --json` prints."""
        outcome = self.outcome
        return {
            "task": self.task, "contender": self.contender, "role": str(self.role), "instance": self.instance,
            "group": self.group, "split": self.split, "level": self.level, "seed": self.seed, "fold": self.fold,
            "status": str(outcome.status), "value": outcome.value, "decisions": outcome.decisions,
            "decide_ns": outcome.decide_ns, "wall_s": outcome.wall_s, "cpu_s": outcome.cpu_s,
            "metrics": dict(outcome.metrics), "message": outcome.message, "key": self.key,
        }  # fmt: skip

    def to_record(self) -> dict[str, Any]:
        """All of the run as plain JSON, for the ledger."""
        return {**self.labels(), "outcome": self.outcome.to_json(), "job": dict(self.job),
                "provenance": dict(self.provenance), "created": self.created, "answer": self.answer}  # fmt: skip

    def labels(self) -> dict[str, Any]:
        """What an experiment says of the run, without what was measured: one row of the ledger may serve several."""
        return {name: getattr(self, name) for name in _LABELS} | {"role": str(self.role)}

    @classmethod
    def from_record(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of `to_record`."""
        return cls(**{**data, "role": Role(data["role"]), "outcome": Outcome.from_json(data["outcome"])})


_LABELS = ("key", "task", "contender", "instance", "group", "split", "level", "series", "weight", "seed", "artefact",
           "fit", "fold", "block")  # fmt: skip


@dataclass(frozen=True)
class Fit:
    """A fit as the ledger holds it.

    Attributes:
        artefact: Hash of the policy that came out, in the content store.
        groups: The training and validation groups; the policy is refused on their instances elsewhere.
        wall_s: What the fit took.
        runs: How many runs of the engine it used.
        status: ``ok``, or ``limit`` (the last proposal is the result), ``crashed`` or ``timeout``.
        tokens: Tokens that it exchanged with a language model.
        dollars: Money that it spent.
    """

    key: str
    task: str
    contender: str
    artefact: str | None
    job: Mapping[str, Any]
    groups: tuple[str, ...]
    wall_s: float
    cpu_s: float
    runs: int
    status: str
    message: str
    provenance: Mapping[str, Any]
    created: str = ""
    tokens: int = 0
    dollars: float = 0.0

    def to_record(self) -> dict[str, Any]:
        """All of the fit as plain JSON, for the ledger."""
        return asdict(self)

    @classmethod
    def from_record(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of `to_record`."""
        return cls(**{**data, "groups": tuple(data["groups"])})


@dataclass(frozen=True)
class Interval:
    """A figure with its 95% interval; without one (`low` and `high` None) where there are too few groups."""

    point: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Comparison:
    """Contender a against b on the same instances and seeds; see `unseat.lab.statistics`.

    Attributes:
        ratio: Cost of a over cost of b (under 1: a is better), or None where values can be zero.
        difference: Cost of a less cost of b, in the objective's unit (under 0: a is better).
        gap_closed: Aggregate gain over aggregate headroom; None without a bound or with no instance over min_headroom.
        gap_median: Median over instances of the share closed.
        p_better: Probability that a is better, by the bootstrap.
        p_holm: p-value that a is not better, after Holm over the challengers.
        regressions: How many instances a loses on, and the worst loss as a ratio.
        per_group: Gap closed (or ratio) of each group, for fewer than five groups.
        hindsight: Whether b is the best incumbent of each instance in hindsight.
        method: How the interval was made, in words.
    """

    task: str
    a: str
    b: str
    ratio: Interval | None
    difference: Interval
    gap_closed: Interval | None
    gap_median: Interval | None
    p_better: float
    p_holm: float | None
    regressions: int
    worst: float
    instances: int
    groups: int
    seeds: int
    method: str
    per_group: Mapping[str, float] = field(default_factory=dict)
    hindsight: bool = False

    def to_json(self) -> dict[str, Any]:
        """The object that `unseat compare --json` prints."""
        shown = asdict(self)
        shown["regressions"] = {"count": self.regressions, "worst": shown.pop("worst")}
        return shown

    @classmethod
    def from_record(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of `dataclasses.asdict`."""
        intervals = {name: data[name] and Interval(**data[name])
                     for name in ("ratio", "difference", "gap_closed", "gap_median")}  # fmt: skip
        return cls(**{**data, **intervals})

    def with_holm(self, p: float) -> Self:
        """The same comparison after a correction over several challengers."""
        return replace(self, p_holm=p)


@dataclass(frozen=True)
class Violation:
    """A policy that beats a bound: an error in one of the two."""

    task: str
    instance: str
    seed: int
    contender: str
    value: float
    bound: str
    bound_value: float


@dataclass(frozen=True)
class Results:
    """What an experiment on one task gave.

    Attributes:
        task: Full id of the task.
        runs: Every run, bounds included.
        fits: Every fit behind them.
        comparisons: Each challenger against the incumbent that was chosen on valid; tuned incumbents too.
        hindsight: Each challenger against the best incumbent of each instance.
        incumbent: Name of the incumbent to beat.
        challenger: Name of the headline challenger, chosen on valid; None where there is none.
        bound: Name of the bound that counts; None without one.
        violations: Bounds that were beaten.
        skipped: Contender to the reason it was not measured.
        choice: How incumbent and challenger were chosen, in words.
    """

    task: str
    runs: tuple[Run, ...]
    fits: tuple[Fit, ...]
    comparisons: tuple[Comparison, ...]
    hindsight: tuple[Comparison, ...]
    incumbent: str | None
    challenger: str | None
    bound: str | None
    violations: tuple[Violation, ...] = ()
    skipped: Mapping[str, str] = field(default_factory=dict)
    choice: str = ""

    @property
    def failed(self) -> list[Run]:
        """Runs that did not end well."""
        return [run for run in self.runs if run.outcome.status != "ok"]

    def to_record(self) -> dict[str, Any]:
        """The experiment as plain JSON, its runs and fits by key, for the ledger."""
        return {
            "task": self.task,
            "runs": [run.labels() for run in self.runs],
            "fits": [fit.key for fit in self.fits],
            "comparisons": [asdict(comparison) for comparison in self.comparisons],
            "hindsight": [asdict(comparison) for comparison in self.hindsight],
            "violations": [asdict(violation) for violation in self.violations],
            "skipped": dict(self.skipped),
            **{name: getattr(self, name) for name in ("incumbent", "challenger", "bound", "choice")},
        }

    @classmethod
    def from_record(cls, data: Mapping[str, Any], runs: Mapping[str, Run], fits: Mapping[str, Fit]) -> Self:
        """The inverse of `to_record`, given the ledger's rows by key."""
        return cls(**{
            **data,
            "runs": tuple(replace(runs[row["key"]], **{**row, "role": Role(row["role"])}) for row in data["runs"]),
            "fits": tuple(fits[key] for key in data["fits"]),
            "comparisons": tuple(map(Comparison.from_record, data["comparisons"])),
            "hindsight": tuple(map(Comparison.from_record, data["hindsight"])),
            "violations": tuple(Violation(**row) for row in data["violations"]),
        })  # fmt: skip
