"""What an experiment measures: which contenders, on which instances, learning from which others."""

from __future__ import annotations

import difflib
import hashlib
import importlib.metadata
import importlib.util
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from packaging.requirements import Requirement

from unseat.core.errors import MissingExtra, UserError
from unseat.core.learner import Bounder, Contender, Learner, Role
from unseat.core.policy import Policy
from unseat.core.task import Instance, Task

SPLITS = ("train", "valid", "test")


@dataclass(frozen=True)
class Entrant:
    """A contender that can take part here, and what it made."""

    contender: Contender
    doer: Policy | Learner | Bounder

    @property
    def name(self) -> str:
        """Its name in tables."""
        return self.contender.name

    @property
    def role(self) -> Role:
        """What it is there for."""
        return self.contender.role


@dataclass(frozen=True)
class Fold:
    """What is learned from and what is judged, together once.

    Attributes:
        index: Number of the fold; None without folds.
        home: The task whose instances are learned and chosen on; the built-in data unless folds divide a user's own.
        train: Instances of `home` to learn from.
        valid: Instances of `home` to choose by.
        judged: Instances of the experiment's task whose outcomes are compared.
    """

    index: int | None
    home: Task
    train: tuple[Instance, ...]
    valid: tuple[Instance, ...]
    judged: tuple[Instance, ...]


def near(word: str, known: Iterable[str]) -> str:
    """A hint for a person who typed `word`."""
    names = sorted(known)
    close = difflib.get_close_matches(word, names, 1)
    return f"did you mean {close[0]}?" if close else f"there are: {', '.join(names) or 'none'}"


def entrants(task: Task, wanted: Sequence[str] | None, suite: str) -> tuple[list[Entrant], dict[str, str]]:
    """The contenders to measure, and why others cannot be; baselines and bounds take part whoever else is asked for.

    Raises:
        UserError: A wanted contender does not exist.
    """
    known = task.contenders()
    for name in wanted or ():
        if name not in known:
            raise UserError(f"task {task.card.id} has no contender {name!r}; {near(name, known)}")
    found, skipped = [], {}
    for name, contender in known.items():
        if wanted and name not in wanted and contender.role not in (Role.BASELINE, Role.BOUND):
            continue
        if contender.suites is not None and suite not in contender.suites and name not in (wanted or ()):
            where = f"suite {', '.join(sorted(contender.suites))} only" if contender.suites else "no suite"
            skipped[name] = f"in {where}; --contenders {name!r} asks for it"
            continue
        if contender.extra and (lacking := _lacking(contender.extra)):
            skipped[name] = f"needs {', '.join(lacking)}: pip install 'unseat[{contender.extra}]'"
            continue
        try:
            found.append(Entrant(contender, contender.make()))
        except (MissingExtra, ImportError) as error:
            skipped[name] = str(error)
    return found, skipped


def divide(task: Task, home: Task, suite: str, split: str, folds: int | None) -> list[Fold]:
    """How instances are divided; one `Fold` without an index unless `folds` asks for folds by group.

    Without folds learners have the built-in data's own ``train`` and ``valid``; of a user's data everything is judged.

    Raises:
        UserError: There is no such suite or split, nothing is in it, there are too few groups for folds, or folds of
            the built-in data would be none.
    """
    if split not in SPLITS:
        raise UserError(f"there is no split {split!r}; {near(split, SPLITS)}")
    own = tuple(task.instances()) if task.source else _of_suite(task, suite)
    if folds is not None:
        if task.no_folds and not task.source:
            raise UserError(f"task {task.card.id} has no folds of its built-in data: {task.no_folds}")
        return _by_group(task, own, folds)
    learned = _of_suite(home, "quick") if task.source else own
    judged = own if task.source else tuple(one for one in own if one.split == split)
    if not judged:
        raise UserError(f"task {task.card.id} has nothing in split {split!r} of suite {suite!r}")
    train, valid = (tuple(one for one in learned if one.split == part) for part in ("train", "valid"))
    return [Fold(None, home, train, valid, judged)]


def _of_suite(task: Task, suite: str) -> tuple[Instance, ...]:
    everything = task.instances()
    known = {name for one in everything for name in one.suites}
    if suite not in known:
        raise UserError(f"task {task.card.id} has no suite {suite!r}; {near(suite, known)}")
    return tuple(one for one in everything if suite in one.suites)


def _by_group(task: Task, instances: Sequence[Instance], count: int) -> list[Fold]:
    """Folds by group, alike in their number of instances; the same for the same instances, whatever their order.

    In each fold a fifth of the groups that are left, and at least one where there are two, is for choosing.
    """
    sizes: dict[str, int] = {}
    for instance in instances:
        sizes[instance.group] = sizes.get(instance.group, 0) + 1
    if count < 2 or len(sizes) < 2:
        raise UserError(f"task {task.card.id}: folds need two or more, and two or more groups; there are {len(sizes)}")
    parts: list[list[str]] = [[] for _ in range(min(count, len(sizes)))]
    for group in sorted(sizes, key=lambda name: (-sizes[name], name)):
        min(parts, key=lambda part: sum(sizes[name] for name in part)).append(group)
    made = []
    for index, part in enumerate(parts):
        rest = sorted(set(sizes) - set(part), key=lambda name: hashlib.sha256(f"{index}/{name}".encode()).digest())
        chosen_by = set(rest[: max(1, round(len(rest) / 5))] if len(rest) > 1 else ())
        learned_from = set(rest) - chosen_by
        train, valid, judged = (
            tuple(one for one in instances if one.group in groups) for groups in (learned_from, chosen_by, part)
        )
        made.append(Fold(index, task, train, valid, judged))
    return made


def _lacking(extra: str) -> list[str]:
    """The distributions of an extra that are not installed; where metadata knows no such extra, a module's name."""
    try:
        lines = importlib.metadata.requires("unseat") or []
    except importlib.metadata.PackageNotFoundError:
        lines = []
    needed = [wanted for wanted in map(Requirement, lines)
              if wanted.marker and wanted.marker.evaluate({"extra": extra})
              and not wanted.marker.evaluate({"extra": ""})]  # fmt: skip
    if not needed:
        return [] if importlib.util.find_spec(extra) else [extra]
    lacking = []
    for wanted in needed:
        if wanted.name == "unseat":
            lacking += [name for inner in wanted.extras for name in _lacking(inner)]
        elif not _installed(wanted.name):
            lacking.append(wanted.name)
    return lacking


def _installed(distribution: str) -> bool:
    try:
        importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True
