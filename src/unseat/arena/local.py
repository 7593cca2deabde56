"""The arena's scoring on this machine, on instances that everybody has: what a starter kit calls."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from unseat.arena import entries, hidden
from unseat.arena.packing import folder_files, kind_of, packed, unpacked
from unseat.arena.tracks import Spec, checked
from unseat.core import registry
from unseat.core.errors import ContractError, UserError
from unseat.core.learner import Role
from unseat.core.policy import Policy
from unseat.core.task import Instance, Task
from unseat.lab.executors import Serial
from unseat.lab.records import Job, Run
from unseat.lab.statistics import choose_incumbent, compare
from unseat.report import digits

MOST_INSTANCES = 6


def main(kit: Path, arguments: Sequence[str]) -> int:
    """Score a folder of a starter kit and print a table; the exit code is 2 where it cannot be scored."""
    try:
        spec = read_track(kit / "track.json")
        name = arguments[0] if arguments else next(one for one in ("policy", "program", "answers")
                                                   if (kit / one).is_dir())  # fmt: skip
        folder = kit / name if not Path(name).is_dir() else Path(name)
        sys.stdout.write(report(folder, spec))
    except UserError as error:
        sys.stderr.write(f"unseat: {error}\n")
        return 2
    return 0


def solve(folder: Path, track: Path) -> int:
    """Write an ``answers.json`` of what the task's first incumbent answers."""
    try:
        spec = read_track(track)
        task = registry.task(spec.task)
        name, policy = _incumbent(task)
        runs = scored(task, spec, {name: (policy, Role.INCUMBENT)}, instances(task, spec), keep=folder)
        sys.stdout.write(f"{len(runs)} answers of {name} written to {folder / 'answers.json'}\n")
    except UserError as error:
        sys.stderr.write(f"unseat: {error}\n")
        return 2
    return 0


def read_track(path: Path) -> Spec:
    """The track of a starter kit.

    Raises:
        UserError: It cannot be read.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read ({error}); make the kit anew") from error
    plain = {name: value for name, value in content.items() if name in Spec.model_fields}
    # What is hidden is not in a kit; a seed stands in, which nothing here uses.
    return checked({**plain, **({} if plain.get("suite") else {"seed": 0})}, str(path))


def instances(task: Task, spec: Spec) -> list[Instance]:
    """What is scored here: the track's own where they are not hidden, else the task's for training and choosing."""
    from unseat.arena.worker import public_instances

    return hidden.of_suite(task, spec) if not spec.hidden else public_instances(task)[:MOST_INSTANCES]


def report(folder: Path, spec: Spec) -> str:
    """What a submission is worth here, beside the task's contenders, as text."""
    task = registry.task(spec.task)
    # Through the same door as an upload, so that what is refused there is refused here.
    files = unpacked(packed(folder_files(folder)))
    own = entries.policy_of(kind_of(files), "yours", files, task, spec)
    known: dict[str, tuple[Policy, Role]] = {"yours": (own, Role.CHALLENGER)}
    for name in (hidden.references(task) if spec.references is None else spec.references)[:8]:
        made = task.contenders()[name].make()
        if isinstance(made, Policy):
            known[name] = made, task.contenders()[name].role
    runs = scored(task, spec, known, instances(task, spec))
    by_name = {name: [run for run in runs if run.contender == name] for name in known}
    turn = 1 if task.objective.minimise else -1
    means = {name: sum(run.outcome.value for run in own) / len(own) for name, own in by_name.items()}
    lines = [f"{task.objective.name}, mean over {len(by_name['yours'])} public instances"]
    lines += [
        f"  {digits.number(means[name], 4):>10}  {name}" for name in sorted(means, key=lambda one: turn * means[one])
    ]
    for run in by_name["yours"]:
        if run.outcome.status != "ok":
            lines.append(f"  {run.instance}: {run.outcome.status}: {run.outcome.message}")
    best = choose_incumbent([run for run in runs if run.role is Role.INCUMBENT], task.objective)
    if best is not None:
        against = compare(by_name["yours"], by_name[best], objective=task.objective)
        shown = digits.interval(against.ratio, 1, "×") if against.ratio else digits.interval(against.difference)
        lines.append(f"yours against {best}: {shown} of its cost")
    return "\n".join(lines) + "\n"


def scored(
    task: Task, spec: Spec, policies: dict[str, tuple[Policy, Role]], chosen: Sequence[Instance], *,
    keep: Path | None = None,
) -> list[Run]:  # fmt: skip
    """Run policies on instances in child processes, as a worker does; with `keep`, their answers go to a file there."""
    found: list[Run] = []
    answers: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="unseat-kit-") as scratch, Serial(Path(scratch)) as work:
        from unseat.lab.store import ArtefactStore

        store = ArtefactStore(Path(scratch))
        jobs = [Job(spec.task, one.id, name, role, store.put(policy.artefact), 0, spec.limits)
                for one in chosen for name, (policy, role) in policies.items()]  # fmt: skip
        for done in work.map(jobs):
            assert isinstance(done.job, Job) and done.outcome is not None
            one = task.instance(done.job.instance)
            found.append(Run("", task.card.full_id, done.job.contender, done.job.role, one.id, one.group, one.split,
                             one.level, one.series or one.id, one.weight, 0, done.outcome, None, {}, {}))  # fmt: skip
            if keep is not None and done.answer:
                artefact = store.get(done.answer)
                answers[one.id] = _plain(artefact.restore().of(one.id))  # type: ignore[attr-defined]
    if keep is not None:
        if not answers:
            raise ContractError(f"task {task.card.id} keeps no answers")
        (keep / "answers.json").write_text(json.dumps(answers) + "\n")
    return found


def _incumbent(task: Task) -> tuple[str, Policy]:
    for name, one in task.contenders().items():
        if one.role is Role.INCUMBENT and not one.extra and isinstance(made := one.make(), Policy):
            return name, made
    raise UserError(f"task {task.card.id} has no incumbent that answers by itself")


def _plain(tree: Any) -> Any:
    """Arrays as lists, for a file of JSON."""
    if hasattr(tree, "tolist"):
        return tree.tolist()
    if isinstance(tree, dict):
        return {name: _plain(part) for name, part in tree.items()}
    return [_plain(part) for part in tree] if isinstance(tree, list | tuple) else tree
