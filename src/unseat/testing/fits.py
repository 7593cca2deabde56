"""Checks of learners: they see their study only, keep its limits, and leave their best so far when they are stopped."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from unseat.core.errors import ContractError, LimitReached
from unseat.core.learner import Learner
from unseat.core.outcome import Limits
from unseat.core.policy import Artefact, Policy
from unseat.core.task import Instance, Task
from unseat.lab.study import LocalStudy
from unseat.testing import base
from unseat.testing.base import good, require


def study(task: Task, limits: Limits) -> LocalStudy:
    """A study of the quick suite's instances for training and validation."""
    quick = [instance for instance in task.instances() if "quick" in instance.suites]
    train, valid = ([one for one in quick if one.split == split] for split in ("train", "valid"))
    return LocalStudy(task, train, valid, limits, seed=0)


def fit(task: Task, learner: Learner, limits: Limits) -> tuple[Artefact | None, int]:
    """What a fit leaves, and how many runs it used."""
    about = study(task, limits)
    with contextlib.suppress(LimitReached):
        about.finish(learner.fit(about))
    return about.last, about.runs


def check_fits(task: Task, learners: Mapping[str, Learner] | None = None, runs: int = 12) -> None:
    """A fit that its limit stops still leaves a policy, within the limit, and an equal fit leaves an equal one."""
    for name, learner in (base.learners(task) if learners is None else learners).items():
        artefact, used = fit(task, learner, Limits(runs=runs))
        require(used <= runs, "a study counts every limit", f"{name} used {used} runs of {runs}")
        require(artefact is not None, "at the limit the last proposed policy is the result", f"{name} leaves none")
        if artefact is None:
            continue
        policy = artefact.restore()
        require(policy.name == name, "contenders are found by name", f"{name!r} fits {policy.name!r}")
        good(task, base.some(task, 1)[0], name, policy)
        if task.card.repeatability == "exact":
            again, _ = fit(task, learner, Limits(runs=runs))
            same = again is not None and again.hash == artefact.hash
            require(same, "equal study, seed and limits in runs give an equal policy", f"{name} fits another one")


def check_study(task: Task, policy: Policy | None = None) -> None:
    """A study refuses every instance but its own, whatever the instance calls itself."""
    about = study(task, Limits(runs=100))
    if policy is None:
        policy = next(iter(base.policies(task).values()))
    hidden = next(instance for instance in task.instances() if instance.split == "test")
    known = about.train[0]
    disguised = replace(known, id=hidden.id, group=hidden.group, facts=hidden.facts, level=hidden.level,
                        series=hidden.series)  # fmt: skip
    for instance in (hidden, replace(hidden, split="train"), disguised):
        for name in ("load", "env", "run"):
            arguments: tuple[Any, ...] = (instance, policy) if name == "run" else (instance,)
            require(_refuses(about, name, arguments), "a study refuses any other instance",
                    f"{name}() takes {instance.id} of the test split")  # fmt: skip
    require(about.runs == 0, "a study counts every run", f"{about.runs} were counted for what was refused")
    about.run(known, policy)
    require(about.runs == 1, "a study counts every run", f"it counted {about.runs} of 1")


def _refuses(about: LocalStudy, name: str, arguments: tuple[Instance, ...]) -> bool:
    try:
        getattr(about, name)(*arguments)
    except ContractError:
        return True
    return False
