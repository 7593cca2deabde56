"""Checks that run nothing: the card, the contenders' list and the instances."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping

from unseat.core.card import Card
from unseat.core.learner import Bounder, Learner, Role
from unseat.core.policy import Policy
from unseat.core.task import Instance, Task
from unseat.learn.tune import RandomSearch
from unseat.testing.base import FREE, asks_python, learners, listed, require


def check_card(task: Task) -> None:
    """The card can be trusted: it is valid, and what it names exists."""
    clause, card = "the card says what is decided and how it is measured", task.card
    require(isinstance(card, Card), clause, f"it is a {type(card).__name__}")
    require(re.fullmatch(r"[a-z][a-z0-9-]*", card.id) is not None, clause, f"id {card.id!r} is not lower-case words")
    require(bool(card.title and card.system and card.summary and card.measured), clause, "a text is empty")
    require(bool(task.questions), clause, "the engine asks nothing")
    require(bool(task.forms), clause, "no form of policy is accepted")
    named = set(task.contenders())
    require(set(card.versions) <= named, clause, f"versions of unknown contenders: {set(card.versions) - named}")
    known = {instance.id for instance in task.instances()}
    require(set(card.cells) <= known, clause, f"unknown cells: {sorted(set(card.cells) - known)[:3]}")
    worst = task.objective.failure(None, FREE)
    require(math.isfinite(worst), "a failure counts", f"the failure value without a problem is {worst}")


def check_contenders(task: Task) -> None:
    """What must be measured is listed."""
    contenders, made = task.contenders(), listed(task)
    for name, contender in contenders.items():
        require(name == contender.name, "contenders are found by name", f"{name!r} is listed as {contender.name!r}")
    for name, thing in made.items():
        role = contenders[name].role
        kinds = (Bounder,) if role is Role.BOUND else (Policy, Learner)
        require(isinstance(thing, kinds), "a contender is a policy, a learner or a bounder, after its role",
                f"{role} {name} is a {type(thing).__name__}")  # fmt: skip
        require(getattr(thing, "name", None) == name, "contenders are found by name",
                f"{name!r} makes {getattr(thing, 'name', None)!r}")  # fmt: skip
    roles = [contender.role for contender in contenders.values()]
    require(Role.INCUMBENT in roles, "a task lists what production systems use", "there is no incumbent")
    unnamed = [
        name for name, contender in contenders.items() if contender.role is Role.INCUMBENT and not contender.paper
    ]
    require(not unnamed, "an incumbent names the paper or code that defines it", f"missing for {unnamed}")
    if asks_python(task):
        require(Role.BASELINE in roles, "constant and random policies are always contenders", "there is no baseline")
    fitted = learners(task)
    require(not fitted or any(isinstance(learner, RandomSearch) for learner in fitted.values()),
            "random search within the same limits is always a contender", f"none beside {sorted(fitted)}")  # fmt: skip


def check_instances(task: Task) -> None:
    """Instances are the same on every call, told apart by id, and their groups are in one split only."""
    instances = list(task.instances())
    require(instances == list(task.instances()), "instances are the same on every call", "two calls differ")
    ids = [instance.id for instance in instances]
    twice = sorted({name for name in ids if ids.count(name) > 1})
    require(not twice, "an instance's id is unique", f"{twice[:3]}")
    split_of: dict[str, str] = {}
    for instance in instances:
        first = split_of.setdefault(instance.group, instance.split)
        require(first == instance.split, "a group is in one split only",
                f"{instance.group} is in {first} and {instance.split}")  # fmt: skip
        require(instance.weight > 0 and math.isfinite(instance.weight), "a weight is above zero",
                f"{instance.id} has {instance.weight}")  # fmt: skip
        require("full" in instance.suites, "the quick suite is a part of the full one", f"{instance.id} is not in full")
    for split in ("train", "valid", "test"):
        require(split in split_of.values(), "there are instances to train, to choose and to judge by", f"no {split}")
    quick = {instance.split for instance in instances if "quick" in instance.suites}
    require("test" in quick, "the quick suite judges", "no test instance is in it")
    _check_contents(task, instances)
    _check_curves(instances)


def _check_contents(task: Task, instances: list[Instance]) -> None:
    seen: dict[str, str] = {}
    for instance in instances:
        _check_json(instance)
        key = task.content(instance)
        require(key == task.content(instance), "equal data have an equal content hash", instance.id)
        require(key not in seen, "unlike instances have unlike content hashes", f"{instance.id} and {seen.get(key)}")
        seen[key] = instance.id


def _check_json(instance: Instance) -> None:
    clause = "an instance's facts are plain JSON"
    try:
        again = json.loads(json.dumps(dict(instance.facts)))
    except (TypeError, ValueError) as error:
        require(False, clause, f"{instance.id}: {error}")
    require(again == dict(instance.facts), clause, f"{instance.id} reads back as {again}")


def _check_curves(instances: list[Instance]) -> None:
    curves: dict[str, Mapping[float, Instance]] = {}
    for instance in instances:
        if instance.level is None or not instance.series:
            continue
        curve = curves.get(instance.series, {})
        clause = "the instances of a series are of one group and differ in level"
        require(instance.level not in curve, clause, f"{instance.id} has the level of another one")
        require(all(other.group == instance.group for other in curve.values()), clause, instance.id)
        curves[instance.series] = {**curve, instance.level: instance}
