"""Judging an experiment: which incumbent is to be beaten, by which challenger, against which bound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from unseat.core.learner import Bounder, Kind, Learner, Role
from unseat.core.outcome import Status
from unseat.core.task import Task
from unseat.lab import statistics
from unseat.lab.plan import Entrant
from unseat.lab.records import Comparison, Fit, Results, Run


class Judge:
    """Compares the runs of one experiment.

    Args:
        task: The task.
        entrants: Who took part.
        runs: Every run; those for choosing have split ``valid``.
        part: Split of the runs that are judged.
        skipped: Contender to the reason why something was not measured; extended.
    """

    def __init__(
        self, task: Task, entrants: Sequence[Entrant], runs: Sequence[Run], part: str, skipped: Mapping[str, str]
    ) -> None:
        self._task, self._entrants, self._part = task, entrants, part
        self._runs, self._skipped = tuple(runs), dict(skipped)
        self._judged = [run for run in runs if run.split == part]
        self._bound = self._bound_that_counts()

    def of(self, contender: str) -> list[Run]:
        """The judged runs of a contender."""
        return [run for run in self._judged if run.contender == contender]

    def compare(self, a: Sequence[Run], b: Sequence[Run], best: Sequence[Run] | None = None) -> Comparison:
        """One contender against another, where both have run; see `unseat.lab.statistics.compare`."""
        shared = {run.instance for run in a} & {run.instance for run in b}
        both = [[run for run in runs if run.instance in shared] for runs in (a, b)]
        beside = [[run for run in runs if run.instance in shared] if runs else None
                  for runs in (self._bound and self.of(self._bound), best)]  # fmt: skip
        return statistics.compare(
            *both, objective=self._task.objective, bound=beside[0], best=beside[1],
            min_headroom=self._task.card.min_headroom,
        )  # fmt: skip

    def results(self, fits: tuple[Fit, ...], own_data: bool, folds: int | None) -> Results:
        """The whole experiment."""
        objective = self._task.objective
        choosing, choice = self._choosing(own_data, folds)
        incumbent = statistics.choose_incumbent(choosing, objective)
        challenger = statistics.choose_challenger(choosing, objective)
        hindsight = statistics.hindsight(self._judged, objective)
        kinds = {one.name: one.doer.kind for one in self._entrants if isinstance(one.doer, Bounder)}
        timed = self._task.card.repeatability == "timed"
        return Results(
            task=self._task.card.full_id, runs=self._runs, fits=fits,
            comparisons=self._against(self.of(incumbent) if incumbent else [], hindsight, with_tuned=True),
            hindsight=self._against(hindsight, None, with_tuned=False),
            incumbent=incumbent, challenger=challenger, bound=self._bound,
            violations=tuple(statistics.violations(self._judged, kinds, objective, timed=timed)),
            skipped=self._skipped, choice=choice,
        )  # fmt: skip

    def _choosing(self, own_data: bool, folds: int | None) -> tuple[list[Run], str]:
        """The runs that incumbent and headline challenger are chosen from, and that in words."""
        who = "The incumbent to beat and the headline challenger are those with the best mean"
        runs = [run for run in self._runs if run.split == "valid" and run.role in (Role.INCUMBENT, Role.CHALLENGER)]
        covered: dict[str, set[tuple[str, int | None]]] = {}
        for run in runs:
            covered.setdefault(run.contender, set()).add((run.instance, run.fold))
        if not runs:
            refused = {run.contender for run in self._judged} & set(self._skipped)
            left = [run for run in self._judged if run.contender not in refused]
            return left, f"{who} on the judged instances themselves, since there are none for choosing."
        where = "the validation instances"
        if folds is not None:
            where += " of all folds, pooled"
        elif own_data:
            where = "the built-in validation instances of the quick suite"
        complete = max(map(len, covered.values()))
        return [run for run in runs if len(covered[run.contender]) == complete], f"{who} on {where}."

    def _against(self, b: Sequence[Run], best: Sequence[Run] | None, with_tuned: bool) -> tuple[Comparison, ...]:
        """Every challenger against b, corrected over all of them; tuned incumbents too, which need no correction."""
        if not b:
            return ()
        made, tuned = [], []
        for one in self._entrants:
            runs = self.of(one.name)
            if not runs or one.name == b[0].contender or not {run.instance for run in runs} & {r.instance for r in b}:
                continue
            if one.role is Role.CHALLENGER:
                made.append(self.compare(runs, b, best))
            elif with_tuned and one.role is Role.INCUMBENT and isinstance(one.doer, Learner):
                tuned.append(self.compare(runs, b, best))
        return (*statistics.holm(made), *tuned)

    def _bound_that_counts(self) -> str | None:
        """An optimal bound before a relaxation, if it was solved on every judged instance."""
        bounds = [one for one in self._entrants if isinstance(one.doer, Bounder)]
        instances = {run.instance for run in self._judged}
        counting = []
        for one in bounds:
            solved = {run.instance for run in self.of(one.name) if run.outcome.status is Status.OK}
            if not isinstance(one.doer, Bounder) or one.doer.kind is Kind.BEST_KNOWN:
                continue
            if solved != instances:
                self._skipped[one.name] = f"not solved on {', '.join(sorted(instances - solved))}: no gap figures"
            else:
                counting.append((one.doer.kind is not Kind.OPTIMAL, one.name))
        return min(counting)[1] if counting else None
