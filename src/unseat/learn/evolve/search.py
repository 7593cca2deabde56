"""Program search over a task's policy source: MAP-Elites on islands, proposals by whoever proposes."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from unseat.core.errors import ContractError, LimitReached, UserError
from unseat.core.learner import Learner, Study
from unseat.core.policy import Policy
from unseat.learn.evolve.archive import Candidate, Island, Niche, ranked
from unseat.learn.evolve.judge import Journal, Judge, first_of_each_group, means
from unseat.learn.evolve.proposers import Proposal, Proposer, Situation, Stopped
from unseat.sandbox.programs import Offer

EXAMINED = 200
"""Programs that are run on the validation instances at the end: many, since the best in training are much alike."""
SLACK = 0.003
"""How much worse than its rival a candidate may look on the first instances to be run on the rest all the same."""
MOST_FOR_VALID = 0.25
"""Most of a limit in seconds or runs that is kept for that."""


@dataclass
class Found:
    """What a search did.

    Attributes:
        candidates: All of them, in order.
        chosen: The program that training and validation instances chose together.
        valid: Its mean improvement there over the starting program, as a share.
        stopped: Why it ended before its limit; empty if it did not.
        busy: Share of the search's time that its sandboxes and scorers were at work, of all of them.
        seconds: How long it took.
        compiled: Whether the chosen program was compiled, and seen to do the same.
    """

    candidates: list[Candidate] = field(default_factory=list)
    chosen: Candidate | None = None
    valid: float = 0.0
    stopped: str = ""
    busy: float = 0.0
    seconds: float = 0.0
    compiled: bool = False


class Evolve(Learner):
    """Searches for a program within a study's limits; equal study, seed and limit in runs give an equal one.

    A candidate is first run on shortened training instances, or where the task does not shorten them on one of each
    group; on the rest only if it does better there than half of what is kept, and not worse than what it would replace.
    One that says the same as another, or acts like it, is not run again. The best of each niche are run on the
    validation instances, the starting program among them, and the best of these over the groups of both is the result;
    it is compiled, too, and must do the same.

    Args:
        name: Name of the learner and of what it finds.
        offer: What is programmed.
        proposer: Who writes the programs.
        minimise: The objective's direction.
        candidates: Most candidates, if no limit of the study ends it sooner.
        elites: Whether the result is compiled by Numba and held against its instructions, which takes some seconds.
        islands: How many populations there are.
        batch: Candidates that are proposed before any of them is judged.
        migrate: After so many batches the best of each island visits the next.
        workers: Sandboxes side by side; as many as cores, unless said.
        journal: File that keeps every candidate, so that a search that is killed goes on.
        trust: Do without bubblewrap.
        watch: Told of the search after every batch.
    """

    def __init__(
        self, name: str, offer: Offer, proposer: Proposer, *, minimise: bool = True, candidates: int | None = None,
        islands: int = 3, batch: int = 72, migrate: int = 8, workers: int | None = None, journal: Path | None = None,
        trust: bool = False, watch: Callable[[Search], None] | None = None, elites: bool = True,
    ) -> None:  # fmt: skip
        self.name, self.offer, self.proposer, self.minimise = name, offer, proposer, minimise
        self.candidates, self.islands, self.batch, self.migrate = candidates, islands, batch, migrate
        self.workers, self.journal, self.trust, self.watch = workers, journal, trust, watch
        self.elites, self.found = elites, Found()

    def config(self) -> Mapping[str, Any]:
        """Everything that tells this search from another."""
        return {**self.proposer.config(), "start": self.offer.start, "candidates": self.candidates,
                "islands": self.islands, "batch": self.batch, "migrate": self.migrate}  # fmt: skip

    def fit(self, study: Study) -> Policy:
        """Search until the limit; the best on the training instances so far is always proposed."""
        self.found = Found()
        best = self.offer.policy(self.name, self.offer.start)
        study.propose(best)
        self.proposer.begin(study)
        search = Search(self, study)
        try:
            for source in search.improve():
                best = self.offer.policy(self.name, source)
                study.propose(best)
        except LimitReached:
            pass
        finally:
            search.close()
        return best


class Search:
    """One search at work.

    Args:
        learner: What it is told to do.
        study: Its instances and limits.

    Raises:
        UserError: There is nothing to learn from.
    """

    def __init__(self, learner: Evolve, study: Study) -> None:
        if not study.train:
            raise UserError("there are no training instances to evolve on; choose another suite")
        self.opened = time.monotonic()
        self.learner, self.study, self.found = learner, study, learner.found
        stages = _stages(study, learner.offer)
        self.stages = {stage: [*problems] for stage, problems in stages.items() if problems}
        self.train = [one.id for one in study.train]
        groups = {one.id: one.group for one in (*study.train, *study.valid)}
        self.groups = {**groups, **{shortened(one.id): one.group for one in study.train}}
        # How far it goes is not what it is: with a higher limit a search goes on.
        names = {stage: [*problems] for stage, problems in stages.items()}
        head = {**learner.config(), "candidates": None, "seed": study.seed, "stages": names, "scores": "by group"}
        self.journal = Journal(learner.journal, head)
        workers = learner.workers or len(os.sched_getaffinity(0))
        self.judge = Judge(learner.offer, {k: v for k, v in stages.items() if v}, workers, learner.trust)
        self.all, self.alike = [Island() for _ in range(learner.islands)], dict[str, int]()
        self.written = dict[bytes, int]()
        self.reference: Mapping[str, float] = {}
        # Compiling and starting the sandboxes took its time too, which no batch will take again.
        self.began, self.worked, self.workers = time.monotonic(), 0.0, workers
        self._runs_left, self._batch_s = study.limits.runs, 0.0
        self._took, self._times = defaultdict[str, float](float), defaultdict[str, int](int)
        self._valid_runs = len(names["valid"]) * (EXAMINED + 1)
        if self._runs_left is not None:
            self._valid_runs = min(self._valid_runs, int(self._runs_left * MOST_FOR_VALID))

    def improve(self) -> Any:
        """Sources, each better than those before, as they are found; the last one is what validation chose."""
        start = self._judged([Proposal(self.learner.offer.start, "the start")], [0])[0]
        if start.end != "ok":
            raise UserError(f"the starting program does not run: {start.message}")
        best = start
        for island in self.all:
            island.add(start)
        while self._goes_on():
            began = time.monotonic()
            made = self._batch()
            self._batch_s = time.monotonic() - began
            for one in made:
                if self.all[one.island].add(one) and (one.score or 0.0) > (best.score or 0.0):
                    best = one
                    yield one.source
            if len(self.found.candidates) // self.learner.batch % self.learner.migrate == 0:
                self._migrate()
            self._tell()
        yield self._chosen(best)

    def close(self) -> None:
        """End the sandboxes."""
        self._tell()
        self.judge.close()

    def _goes_on(self) -> bool:
        limits, done = self.study.limits, len(self.found.candidates)
        if self.found.stopped or (self.learner.candidates is not None and done >= self.learner.candidates):
            return False
        spent = time.monotonic() - self.opened
        if limits.wall_s is not None:
            kept = min(self._valid_s() * (EXAMINED + 1), MOST_FOR_VALID * limits.wall_s)
            if spent + self._batch_s + kept > limits.wall_s:
                return False
        if self._runs_left is not None and self._runs_left < self._valid_runs + len(self.stages["first"]):
            return False
        # Without any limit a search would never end.
        bounded = any((limits.runs, limits.wall_s, limits.cpu_s, limits.tokens, limits.dollars))
        return bounded or self.learner.candidates is not None or done < 1000

    def _batch(self) -> list[Candidate]:
        proposals, islands = [], []
        first = len(self.found.candidates)
        count = self.learner.batch
        if self.learner.candidates is not None:
            count = min(count, self.learner.candidates - first)
        if self._runs_left is not None:
            count = min(count, (self._runs_left - self._valid_runs) // len(self.stages["first"]))
        for number in range(first, first + count):
            island = number % len(self.all)
            failures = [one for one in self.found.candidates[-60:] if one.island == island and one.end not in _FINE]
            situation = Situation(self.learner.offer, self.all[island], failures[-3:], number)
            try:
                made = self.learner.proposer.propose(situation, np.random.default_rng([self.study.seed, number]))
            except (Stopped, LimitReached) as error:
                self.found.stopped = str(error)
                break
            proposals.append(made)
            islands.append(island)
        return self._judged(proposals, islands)

    def _judged(self, proposals: list[Proposal], islands: list[int]) -> list[Candidate]:
        """Judge a batch: on the first stage all that are new, on the rest those that are worth it."""
        first = len(self.found.candidates)
        batch = [Candidate(first + place, made.source, made.how, made.parents, islands[place])
                 for place, made in enumerate(proposals)]  # fmt: skip
        batch = [self.journal.find(one.number, one.source) or one for one in batch]
        known = [one.runs > 0 or one.end != "ok" for one in batch]
        for one, was in zip(batch, known, strict=True):
            if was:
                self._charge(one.runs)
        batch = [self._read(one, was) for one, was in zip(batch, known, strict=True)]
        batch = self._stage("first", batch, known)
        for place, one in enumerate(batch):
            twin = self.alike.setdefault(one.behaviour, one.number) if one.behaviour else one.number
            if one.end == "ok" and not known[place] and twin != one.number:
                batch[place] = replace(one, end="known", message=f"it acts like candidate {twin}")
        promising = self._promising(batch) if self.reference else {one.number for one in batch}
        for place, one in enumerate(batch):
            if one.end == "ok" and not known[place] and one.number not in promising:
                batch[place] = replace(one, end="dropped", message="it promises too little on the first instances")
        if "rest" in self.stages:
            batch = self._stage("rest", batch, known)
        if not self.reference:
            self.reference = dict(batch[0].values)
        for place, one in enumerate(batch):
            if one.end == "ok" and not known[place]:
                batch[place] = replace(one, score=self._gain(one, self.train))
            self.journal.add(batch[place])
        self.found.candidates += batch
        return batch

    def _read(self, one: Candidate, known: bool) -> Candidate:
        """Refuse what leaves the safe subset, and what says the same as another one."""
        refusal = self.judge.refused(one.source)
        if refusal:
            return one if known else replace(one, end="refused", message=refusal)
        twin = self.written.setdefault(self.judge.says(one.source), one.number)
        if known or twin == one.number:
            return one
        return replace(one, end="known", message=f"it says what candidate {twin} does")

    def _stage(self, stage: str, batch: list[Candidate], known: list[bool]) -> list[Candidate]:
        """Run those that are still in the race on a stage."""
        waiting = {}
        batch = list(batch)
        for place, one in enumerate(batch):
            if known[place] or one.end != "ok":
                continue
            self._charge(len(self.stages[stage]))
            waiting[place] = self.judge.submit(one.source, stage)
        for place, future in waiting.items():
            verdict, one = future.result(), batch[place]
            self._note(stage, verdict.seconds)
            batch[place] = replace(
                one, end=verdict.end, values={**one.values, **verdict.values}, message=verdict.message,
                behaviour=one.behaviour or verdict.behaviour, niche=one.niche or verdict.niche,
                runs=one.runs + len(self.stages[stage]),
            )  # fmt: skip
        return batch

    def _charge(self, runs: int) -> None:
        self.study.charge(runs)
        if self._runs_left is not None:
            self._runs_left -= runs

    def _note(self, stage: str, seconds: float) -> None:
        self.worked += seconds
        self._took[stage] += seconds
        self._times[stage] += len(self.stages[stage])

    def _valid_s(self) -> float:
        """Seconds that a program takes on the validation instances, all sandboxes at work: by runs of whole ones."""
        stage = "rest" if self._times["rest"] else "first"
        each = self._took[stage] / max(self._times[stage], 1)
        return each * len(self.stages.get("valid", ())) / self.workers

    def _gain(self, one: Candidate, names: Sequence[str], reference: Mapping[str, float] | None = None) -> float:
        values = {name: one.values[name] for name in names}
        return means(values, reference or self.reference, self.learner.minimise, self.groups)

    def _promising(self, batch: Sequence[Candidate]) -> set[int]:
        """Those that may become one of those that are kept: of each kind one, if it is among the better half."""
        first = self.stages["first"]
        # What the journal knows of a batch counts like what has just been run, or a search that goes on is another one.
        gains = {one.number: self._gain(one, first) for one in batch
                 if one.end != "known" and all(name in one.values for name in first)}  # fmt: skip
        kept = [self._gain(one, first) for island in self.all for one in island.elites.values()]
        bar = np.median(kept if len(kept) >= 12 else [*gains.values(), 0.0])
        best: dict[tuple[int, Niche], Candidate] = {}
        for one in batch:
            rival = best.get((one.island, one.niche))
            if gains.get(one.number, -np.inf) >= bar and (rival is None or gains[one.number] > gains[rival.number]):
                best[one.island, one.niche] = one
        held = {kind: self.all[kind[0]].elites.get(kind[1]) for kind in best}
        return {one.number for kind, one in best.items()
                if (rival := held[kind]) is None or gains[one.number] >= self._gain(rival, first) - SLACK}  # fmt: skip

    def _migrate(self) -> None:
        guests = [island.best for island in self.all if island.elites]
        for place, guest in enumerate(guests):
            self.all[(place + 1) % len(self.all)].add(guest)

    def _chosen(self, best: Candidate) -> str:
        """The best over training and validation groups together, of the best on the training ones and the start.

        Each group is one witness: the few of validation alone, asked about hundreds of programs, would choose one that
        happens to suit them.
        """
        start = self.found.candidates[0]
        self.found.chosen = best
        if "valid" not in self.stages:
            return best.source
        runs = len(self.stages["valid"])
        affordable = EXAMINED if self._runs_left is None else min(EXAMINED, self._runs_left // runs - 1)
        if self.study.limits.wall_s is not None:
            left = self.study.limits.wall_s - (time.monotonic() - self.opened)
            affordable = min(affordable, int(0.8 * left / max(self._valid_s(), 1e-9)) - 1)
        elites = [one for one in ranked(self.all, max(affordable, 0)) if one.number != start.number]
        finalists = [start, *elites]
        try:
            waiting = []
            for one in finalists:
                self._charge(runs)
                waiting.append(self.judge.submit(one.source, "valid"))
        except LimitReached:
            pass
        verdicts = [future.result() for future in waiting]
        for each in verdicts:
            self._note("valid", each.seconds)
        if not verdicts or verdicts[0].end != "ok":
            return best.source
        reference = {**self.reference, **verdicts[0].values}
        scores = [self._gain(replace(one, values={**one.values, **each.values}), [*self.train, *each.values], reference)
                  if each.end == "ok" else -np.inf for one, each in zip(finalists, verdicts, strict=False)]  # fmt: skip
        place = int(np.argmax(scores))
        self.found.chosen = finalists[place]
        self.found.valid = means(verdicts[place].values, reference, self.learner.minimise, self.groups)
        self._compiled(finalists[place], verdicts[place].behaviour)
        return finalists[place].source

    def _compiled(self, one: Candidate, behaviour: str) -> None:
        """Compile the winner, and see that it does the same.

        Raises:
            ContractError: It does not: then what was measured was another program's.
        """
        if not self.learner.elites or self.learner.offer.elite is None or one.number == 0:
            return
        if self.judge.compiled(one.source, "valid") != behaviour:
            raise ContractError(f"candidate {one.number} decides otherwise as machine code than as instructions")
        self.found.compiled = True

    def _tell(self) -> None:
        self.found.seconds = time.monotonic() - self.began
        self.found.busy = self.worked / max(self.found.seconds * self.workers, 1e-9)
        if self.learner.watch:
            self.learner.watch(self)


def shortened(name: str) -> str:
    """What the shortened problem of an instance is called."""
    return f"{name}, shortened"


def _stages(study: Study, offer: Offer) -> dict[str, dict[str, Any]]:
    """Problems by stage and name: what every candidate is run on first, what only some are run on, and validation."""
    train, valid = ({one.id: study.load(one) for one in some} for some in (study.train, study.valid))
    if offer.shortened is not None:
        short = {shortened(name): offer.shortened(problem) for name, problem in train.items()}
        return {"first": short, "rest": train, "valid": valid}
    first, rest = first_of_each_group([(one.id, one.group) for one in study.train])
    parts = {stage: {name: train[name] for name in names} for stage, names in (("first", first), ("rest", rest))}
    return {**parts, "valid": valid}


_FINE = ("ok", "known", "dropped")
