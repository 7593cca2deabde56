"""One experiment on one task: fit what must be fitted, run what is not in the ledger yet, keep every outcome."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from unseat.core.learner import Learner, Role
from unseat.core.outcome import Limits, Outcome
from unseat.core.policy import Policy
from unseat.core.task import Instance, Task
from unseat.lab.executors import Done, Executor
from unseat.lab.keys import Keys
from unseat.lab.ledger import Ledger
from unseat.lab.plan import Entrant, Fold
from unseat.lab.provenance import provenance
from unseat.lab.records import Fit, FitJob, Job, Run, digest

Progress = Callable[[str, int, int], None]

ROUNDS = 5
_FLUSH_S = 0.2
_FLUSH_ROWS = 200


@dataclass(frozen=True)
class Chosen:
    """The policy that a contender runs with in a fold with a seed.

    Attributes:
        artefact: Hash in the content store; None for a bound, and where a fit gave nothing.
        source: Import path of its code.
        record: The fit record, where the policy was fitted or shipped.
        fit: Key of the fit in the ledger; None where it was shipped or needs none.
    """

    artefact: str | None = None
    source: str | None = None
    record: Mapping[str, Any] | None = None
    fit: str | None = None


@dataclass
class Experiment:
    """Does the work behind `unseat.lab.evaluate.evaluate`.

    Attributes:
        task: The task as asked for, perhaps on a user's data.
        name: How children find it.
        entrants: Who takes part.
        ledger: Where everything is kept.
        start: Makes the executor, once there is something to do.
        run_limits: Limits of each run.
        fit_limits: Limits of each fit.
        seeds: How many seeds.
        retrain: Whether to fit anew what is shipped.
        progress: Told of stage, done and total.
        skipped: Contender to the reason why something was not measured.
        fits: Every fit behind the runs.
    """

    task: Task
    name: str
    entrants: Sequence[Entrant]
    ledger: Ledger
    start: Callable[[], Executor]
    run_limits: Limits
    fit_limits: Limits
    seeds: int
    retrain: bool
    progress: Progress
    skipped: dict[str, str]
    fits: dict[str, Fit] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._keys: dict[int, Keys] = {}
        self._executor: Executor | None = None
        self._provenance = provenance(self.task)
        self._warmed: set[tuple[str, str | None]] = set()

    def runs(self, folds: Sequence[Fold]) -> list[Run]:
        """Every run of every fold, those for choosing with split ``valid``, from the ledger where it has them."""
        try:
            planned = [run for fold in folds for run in self._plan(fold, self._policies(fold))]
            if self.task.card.repeatability == "timed":
                return self._timed(planned)
            return self._measure(planned, lambda done, total: self.progress("run", done, total))
        finally:
            if self._executor:
                self._executor.close()

    def _policies(self, fold: Fold) -> dict[tuple[str, int], Chosen]:
        """Contender and seed to the policy it runs with."""
        chosen: dict[tuple[str, int], Chosen] = {}
        to_fit: list[tuple[Entrant, Learner]] = []
        for entrant in self.entrants:
            shipped = entrant.contender.shipped if fold.index is None and not self.retrain else None
            doer = shipped() if shipped else entrant.doer
            if isinstance(doer, Learner):
                if fold.train:
                    to_fit.append((entrant, doer))
                else:
                    self.skipped[entrant.name] = "there is nothing to learn from"
                continue
            found = Chosen()
            if isinstance(doer, Policy):
                artefact = doer.artefact
                found = Chosen(self.ledger.store.put(artefact), artefact.source, doer.fit_record)
            chosen |= {(entrant.name, seed): found for seed in range(self.seeds)}
        return chosen | self._fitted(fold, to_fit)

    def _fitted(self, fold: Fold, learners: Sequence[tuple[Entrant, Learner]]) -> dict[tuple[str, int], Chosen]:
        keys, planned = self._keys_of(fold.home), {}
        for (entrant, learner), seed in itertools.product(learners, range(self.seeds)):
            job = FitJob(
                self.name, entrant.name, tuple(one.id for one in fold.train),
                tuple(one.id for one in fold.valid), seed, self.fit_limits, fold.home.source,
                dict(fold.home.option_values),
            )  # fmt: skip
            record = keys.fit_record(job, learner, fold.train, fold.valid)
            key = self._untried(keys.fit(job, learner, fold.train, fold.valid))
            planned[key] = replace(job, record={**record, "key": key})
        there = self.ledger.fits(planned)
        missing = {id(job): key for key, job in planned.items() if key not in there}
        self.progress("fit", len(planned) - len(missing), len(planned))
        groups = tuple(sorted({one.group for one in (*fold.train, *fold.valid)}))
        for done in self._do([planned[key] for key in missing.values()], None):
            assert isinstance(done.job, FitJob) and done.fitted
            if done.fitted.status == "unable":
                # No result of the fit, so it is not kept: the next machine, or this one tomorrow, may be able.
                self.skipped[done.job.contender] = done.fitted.message
            else:
                fit = self._fit_row(missing[id(done.job)], done, groups)
                self.ledger.add_fit(fit)
                there[fit.key] = fit
                self.progress("fit", len(there), len(planned))
        known = {key: job for key, job in planned.items() if key in there}
        self.fits |= {key: there[key] for key in known}
        return {(job.contender, job.seed): self._choice(there[key], job) for key, job in known.items()}

    def _untried(self, key: str) -> str:
        """The key of the attempt at a fit that counts now: the first that did not crash.

        What crashed stays in the ledger and is tried again by the next experiment, for a crash may be the machine's
        fault. A fit that ended at its limit is a result, and is not.
        """
        for attempt in itertools.count(1):
            before = self.ledger.fits([key]).get(key)
            if before is None or before.status != "crashed":
                return key
            key = digest([key, attempt])
        raise AssertionError("unreachable")

    def _choice(self, fit: Fit, job: FitJob) -> Chosen:
        if fit.artefact is None:
            return Chosen(record=job.record, fit=fit.key)
        return Chosen(fit.artefact, self.ledger.store.get(fit.artefact).source, job.record, fit.key)

    def _fit_row(self, key: str, done: Done, groups: tuple[str, ...]) -> Fit:
        assert done.fitted is not None
        got, job = done.fitted, done.job
        return Fit(key, self.task.card.full_id, job.contender, got.artefact, job.to_json(), groups, got.wall_s,
                   got.cpu_s, got.runs, got.status, got.message, self._provenance, tokens=got.tokens,
                   dollars=got.dollars)  # fmt: skip

    def _plan(self, fold: Fold, policies: Mapping[tuple[str, int], Chosen]) -> list[Planned]:
        """The runs of a fold: all contenders where it is judged, incumbents and challengers also where one chooses."""
        planned = []
        for instance, entrant in itertools.product(fold.judged, self.entrants):
            # A bound is proven or it is not: other seeds would prove nothing more.
            for seed in range(1 if entrant.role is Role.BOUND else self.seeds):
                chosen = policies.get((entrant.name, seed))
                if chosen is None or self._refused(entrant.name, chosen, instance):
                    continue
                split = "test" if fold.index is not None or self.task.source else instance.split
                planned.append(self._planned(self.task, fold, entrant, chosen, instance, split, seed))
        judged = {one.id for one in fold.judged} if fold.home is self.task else set()
        for instance, entrant, seed in itertools.product(fold.valid, self.entrants, range(self.seeds)):
            chosen = policies.get((entrant.name, seed))
            if chosen is None or instance.id in judged or entrant.role not in (Role.INCUMBENT, Role.CHALLENGER):
                continue
            planned.append(self._planned(fold.home, fold, entrant, chosen, instance, "valid", seed))
        return planned

    def _refused(self, contender: str, chosen: Chosen, instance: Instance) -> bool:
        """Whether a policy has seen an instance when it was fitted; a validation instance may be shown as such."""
        record = chosen.record or {}
        parts = ("train",) if instance.split == "valid" and not self.task.source else ("train", "valid")
        groups = {group for part in parts for group in record.get(f"{part}_groups", ())}
        contents = {content for part in parts for content in record.get(part, {}).values()}
        known = instance.group in groups or (contents and self._keys_of(self.task).content(instance) in contents)
        if not known:
            return False
        before = self.skipped.get(contender, "refused on its training groups:")
        if instance.group not in before.partition(":")[2].split():
            self.skipped[contender] = f"{before} {instance.group}"
        return True

    def _planned(self, task: Task, fold: Fold, entrant: Entrant, chosen: Chosen, instance: Instance, split: str,
                 seed: int) -> Planned:  # fmt: skip
        job = Job(self.name, instance.id, entrant.name, entrant.role, chosen.artefact, seed, self.run_limits,
                  task.source, dict(task.option_values))  # fmt: skip
        return Planned(job, self._keys_of(task), instance, chosen, split, fold.index)

    def _measure(self, planned: Sequence[Planned], report: Callable[[int, int], None]) -> list[Run]:
        """The outcomes, from the ledger or made now; what two contenders share is run once."""
        keys = [one.key() for one in planned]
        unique = dict(zip(keys, planned, strict=True))
        there = self.ledger.runs(unique)
        missing = {id(one.job): key for key, one in unique.items() if key not in there}
        report(len(there), len(unique))
        buffer = Buffer(self.ledger)
        try:
            for done in self._do([unique[key].job for key in missing.values()], buffer.flush_if_due):
                assert done.outcome is not None
                key = missing[id(done.job)]
                there[key] = replace(unique[key].run(key, done.outcome, self._provenance), answer=done.answer)
                buffer.add(there[key])
                report(len(there), len(unique))
        finally:
            buffer.flush()
        return [one.relabel(there[key]) for key, one in zip(keys, planned, strict=True)]

    def _timed(self, planned: Sequence[Planned]) -> list[Run]:
        """Timed outcomes: all contenders of an instance in one block, in shuffled rounds, one at a time.

        A block that was interrupted is not continued, since a later sitting may find another machine: its instance is
        timed anew in the next block.
        """
        by_instance: dict[str, list[Planned]] = {}
        for one in planned:
            by_instance.setdefault(one.job.instance, []).append(one)
        found: list[Run] = []
        machine = self._provenance["machine"]
        for done, own in enumerate(by_instance.values()):
            self.progress("run", done, len(by_instance))
            name = digest([machine, sorted(one.key() for one in own)])[:16]
            for sitting in itertools.count():
                rounds = [replace(one, job=replace(one.job, repeat=number), block=f"{name}/{sitting}")
                          for number in range(ROUNDS)
                          for one in random.Random(f"{name}/{number}").sample(own, len(own))]  # fmt: skip
                there = self.ledger.runs(one.key() for one in rounds)
                if not there or len(there) == len({one.key() for one in rounds}):
                    found += self._measure(rounds, lambda done, total: None)
                    break
        self.progress("run", len(by_instance), len(by_instance))
        return found

    def _do(self, jobs: Sequence[Job | FitJob], idle: Callable[[], None] | None) -> Iterable[Done]:
        if not jobs:
            return ()
        if self._executor is None:
            self._executor = self.start()
        for job in jobs:
            if (job.task, job.data) not in self._warmed:
                self.progress("compile", 0, 1)
                self._executor.warm(job)
                self._warmed.add((job.task, job.data))
                self.progress("compile", 1, 1)
        return self._executor.map(jobs, idle)

    def _keys_of(self, task: Task) -> Keys:
        if id(task) not in self._keys:
            self._keys[id(task)] = Keys(task)
        return self._keys[id(task)]


@dataclass(frozen=True)
class Planned:
    """A run that an experiment needs, and what the experiment says of it."""

    job: Job
    keys: Keys
    instance: Instance
    chosen: Chosen
    split: str
    fold: int | None
    block: str | None = None

    def key(self) -> str:
        """Its key in the ledger."""
        return self.keys.run(self.job, self.instance, self.chosen.source, self.chosen.fit, self.block)

    def run(self, key: str, outcome: Outcome, made: Mapping[str, Any]) -> Run:
        """The run with its outcome."""
        one, job = self.instance, self.job
        return Run(key, self.keys.task.card.full_id, job.contender, job.role, one.id, one.group, self.split, one.level,
                   one.series, one.weight, job.seed, outcome, job.artefact, job.to_json(), made, self.chosen.fit,
                   self.fold, self.block)  # fmt: skip

    def relabel(self, run: Run) -> Run:
        """The ledger's row as this experiment sees it."""
        mine = self.run(run.key, run.outcome, run.provenance)
        return replace(mine, job=run.job, created=run.created, answer=run.answer)


class Buffer:
    """Runs on their way to the ledger, a few at a time, since a transaction for each would be slow."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._rows: list[Run] = []
        self._flushed = time.monotonic()

    def add(self, run: Run) -> None:
        """Take a run."""
        self._rows.append(run)
        self.flush_if_due()

    def flush_if_due(self) -> None:
        """Commit once there are many or the oldest has waited."""
        if len(self._rows) >= _FLUSH_ROWS or time.monotonic() - self._flushed >= _FLUSH_S:
            self.flush()

    def flush(self) -> None:
        """Commit."""
        self._flushed = time.monotonic()
        if self._rows:
            self._ledger.add_runs(self._rows)
            self._rows = []
