"""What program search finds for the cache: against its start, against a tuned S3-FIFO, and against chance.

    python benchmarks/evolve_cache.py [--seconds S | --runs N] [--workers N] [--seed N] [--keep FOLDER [--only NAME]]

Both searches get the same budget: genetic programming, and programs drawn from the same grammar. What each finds is
judged on the test groups of the quick suite; goals are that the difference in miss ratio to the start, to the tuned
S3-FIFO and to chance lies under zero with its whole interval, and that the sandboxes are busy for over 85% of the
search. It exits with 1 where a goal is missed. With ``--keep`` a search that is there already, of the same budget, is
not run again; with ``--only`` one search is run and nothing judged, so that the two can be run one after the other.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import unseat
from unseat.core.errors import UserError
from unseat.core.outcome import Limits
from unseat.core.policy import Artefact, Policy
from unseat.core.task import Instance, Task
from unseat.lab.keys import Keys
from unseat.lab.records import FitJob
from unseat.lab.study import LocalStudy
from unseat.lab.versus import against, measured
from unseat.learn.evolve import Evolve, GrammarProposer, Proposer, RandomProposer, Search

BUSY, LONGEST = 0.85, 150_000
NAMES: dict[str, type[Proposer]] = {"evolved": GrammarProposer, "evolved-random": RandomProposer}


def told(search: Search) -> None:
    """A line a batch."""
    found = search.found
    best = max((island.best.score or 0.0 for island in search.all if island.elites), default=0.0)
    print(f"  {found.seconds:5.0f} s, {len(found.candidates)} candidates, best {best:+.4f}, busy {found.busy:.2f}",
          flush=True)  # fmt: skip


def learned_from(task: Task) -> tuple[list[Instance], list[Instance]]:
    """The quick suite's training and validation instances, and whole training traces that are not too long."""
    quick = [one for one in task.instances() if "quick" in one.suites]
    train, valid = ([one for one in quick if one.split == split] for split in ("train", "valid"))
    for one in task.instances():
        if one.split != "train" or one.group.startswith("synthetic") or one.group == "address":
            continue
        try:
            if task.load(one).trace.n_requests <= LONGEST:
                train.append(one)
        except UserError as error:
            print(f"{one.id} is left out: {error}")
    return train, valid


def search(task: Task, name: str, limits: Limits, asked: argparse.Namespace) -> tuple[Policy, float]:
    """Fit on training and validation instances; the policy and how busy the sandboxes were."""
    budget = {"seconds": limits.wall_s, "runs": limits.runs, "workers": asked.workers, "seed": asked.seed}
    note = asked.keep / name / "search.json" if asked.keep else None
    if note and note.exists() and (was := json.loads(note.read_text()))["budget"] == budget:
        print(was["said"])
        return Artefact.load(asked.keep / name).restore(), was["busy"]
    train, valid = learned_from(task)
    offer = task.program()
    assert offer is not None
    learner = Evolve(name, offer, NAMES[name](), workers=asked.workers, watch=told)
    study = LocalStudy(task, train, valid, limits, seed=asked.seed)
    policy = learner.fit(study)
    found = learner.found
    ends = dict(Counter(one.end for one in found.candidates))
    said = (f"{name}: {len(found.candidates)} candidates {ends}, {study.runs} runs in {study.wall_s():.0f} s; on "
            f"validation {found.valid:+.4f} of the start's misses; busy {found.busy:.2f}; load "
            f"{os.getloadavg()[0]:.1f}\n{getattr(policy, 'source', '')}")  # fmt: skip
    print(said, flush=True)
    if note:
        keep(asked.keep, task, policy, limits, asked.seed)
        note.write_text(json.dumps({"budget": budget, "busy": found.busy, "said": said}) + "\n")
    return policy, found.busy


def keep(folder: Path, task: Task, policy: Policy, limits: Limits, seed: int) -> None:
    """Save a policy with the record of its fit, as it ships."""
    learner = task.contenders()[policy.name].make()
    assert isinstance(learner, Evolve)
    train, valid = learned_from(task)
    names = tuple(one.id for one in train), tuple(one.id for one in valid)
    job = FitJob(task.card.id, policy.name, *names, seed, limits)
    replace(policy.artefact, fit=Keys(task).fit_record(job, learner, train, valid)).save(folder / policy.name)


def main() -> int:
    """Search twice, judge, compare with the goals."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--runs", type=int, help="a limit in runs instead")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="save what was found here, with its fit record")
    parser.add_argument("--only", choices=list(NAMES), help="run this search and judge nothing")
    asked = parser.parse_args()
    limits = Limits(runs=asked.runs) if asked.runs else Limits(wall_s=asked.seconds)
    task = unseat.task("cache")
    offer = task.program()
    assert offer is not None
    if asked.only:
        search(task, asked.only, limits, asked)
        return 0
    found = {name: search(task, name, limits, asked) for name in NAMES}
    tuned = task.contenders()["S3-FIFO-tuned"].shipped
    assert tuned is not None
    policies = {name: policy for name, (policy, _) in found.items()}
    policies |= {"start": offer.policy("start", offer.start), "S3-FIFO-tuned": tuned()}
    test = [one for one in task.instances() if "quick" in one.suites and one.split == "test"]
    missed = []
    for each in against(task, measured(task, policies, test), "evolved"):
        difference = each.difference
        between = f"[{difference.low:+.4f}, {difference.high:+.4f}]"
        print(f"evolved - {each.b}: {difference.point:+.4f} {between} in miss ratio "
              f" over {each.groups} groups, worse on {each.regressions} of {each.instances} (goal: < 0)")  # fmt: skip
        if difference.high is None or difference.high >= 0:
            missed.append(f"better than {each.b}")
    busy = found["evolved"][1]
    print(f"busy: {busy:.2f} of {asked.workers} sandboxes (goal {BUSY})")
    missed += ["busy"] if busy < BUSY else []
    print("all goals reached" if not missed else "missed: " + ", ".join(missed))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
