"""What the checks share: which policies and instances they run, and what of a result must be equal."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cached_property
from typing import Any

import numpy as np

from unseat.core.errors import ContractError, MissingExtra
from unseat.core.learner import Bounder, Kind, Learner, Role
from unseat.core.outcome import Limits, Outcome, Status
from unseat.core.policy import Form, Policy
from unseat.core.task import Instance, Task
from unseat.lab.attempt import attempt

FREE = Limits()


def require(holds: bool, clause: str, detail: str) -> None:
    """Fail with the clause of the contract that is broken, and where.

    Raises:
        ContractError: It does not hold.
    """
    if not holds:
        raise ContractError(f"{clause}: {detail}")


def listed(task: Task) -> dict[str, Policy | Learner | Bounder]:
    """All contenders that can be made here; those whose extra is not installed are left out."""
    made: dict[str, Policy | Learner | Bounder] = {}
    for name, contender in task.contenders().items():
        try:
            made[name] = contender.shipped() if contender.shipped else contender.make()
        except (ImportError, MissingExtra):
            require(contender.extra is not None, "a contender that needs an extra names it", f"{name} cannot be made")
    return made


def policies(task: Task) -> dict[str, Policy]:
    """Contenders that run without a fit."""
    return {name: made for name, made in listed(task).items() if isinstance(made, Policy)}


def learners(task: Task) -> dict[str, Learner]:
    """Contenders that have to be fitted, shipped or not."""
    made = {name: c.make() for name, c in task.contenders().items() if c.extra is None and c.role is not Role.BOUND}
    return {name: learner for name, learner in made.items() if isinstance(learner, Learner)}


def bounders(task: Task) -> dict[str, Bounder]:
    """Contenders that no policy may beat."""
    made = {name: bounder for name, bounder in listed(task).items() if isinstance(bounder, Bounder)}
    return {name: bounder for name, bounder in made.items() if bounder.kind is not Kind.BEST_KNOWN}


def some(task: Task, most: int = 3) -> list[Instance]:
    """A few instances of the quick suite, of as many groups as can be, those of the test split first."""
    quick = [instance for instance in task.instances() if "quick" in instance.suites]
    turn: dict[str, int] = {}
    keyed = []
    for instance in quick:
        turn[instance.group] = turn.get(instance.group, 0) + 1
        keyed.append((turn[instance.group], ("test", "valid", "train").index(instance.split), instance))
    return [instance for _, _, instance in sorted(keyed, key=lambda key: key[:2])[:most]]


def asks_python(task: Task) -> bool:
    """Whether a policy in Python can answer the task's question with an action of a space."""
    return Form.DECIDE in task.forms and next(iter(task.questions.values())).action is not None


def takes_answers(task: Task) -> bool:
    """Whether whole answers are scored, or the card says so."""
    return Form.ANSWERS in task.forms or task.card.repeatability == "answer"


def cost(task: Task, value: float) -> float:
    """A value of the objective, signed so that less is better."""
    return value if task.objective.minimise else -value


def decided(outcome: Outcome) -> tuple[str, str, int]:
    """What an exact task must give again, to the bit; times and rates are never equal."""
    return float(outcome.value).hex(), str(outcome.status), outcome.decisions


def run(task: Task, instance: Instance, policy: Policy, seed: int = 0, limits: Limits = FREE) -> Outcome:
    """One run, as the laboratory does it."""
    return attempt(task, instance, policy, seed=seed, limits=limits)


def good(task: Task, instance: Instance, name: str, policy: Policy, seed: int = 0) -> Outcome:
    """A run that has to end well."""
    outcome = run(task, instance, policy, seed)
    require(outcome.status is Status.OK, "a listed policy runs on every instance",
            f"{name} on {instance.id} ends {outcome.status}: {outcome.message}")  # fmt: skip
    return outcome


def content(thing: Any) -> str:
    """A hash of all that an object holds: arrays, fields and containers, however deep; what it has cached is left out.

    Two objects have equal hashes if no engine or policy could tell them apart by their data.
    """
    digest = hashlib.sha256()
    _feed(digest.update, thing, [])
    return digest.hexdigest()


def _feed(update: Any, thing: Any, above: list[int]) -> None:
    if isinstance(thing, np.ndarray | np.generic):
        update(f"array {thing.dtype.str} {thing.shape} ".encode())
        if thing.dtype.hasobject:
            _feed(update, thing.tolist(), above)
        else:
            update(np.ascontiguousarray(thing).tobytes())
        return
    if thing is None or isinstance(thing, str | bytes | int | float | complex | Enum):
        update(f"{type(thing).__name__} {thing!r} ".encode())
        return
    if id(thing) in above:
        update(b"cycle ")
        return
    above.append(id(thing))
    update(f"{type(thing).__qualname__}(".encode())
    for part in _parts(thing):
        _feed(update, part, above)
    update(b")")
    above.pop()


def _parts(thing: Any) -> Sequence[Any]:
    if isinstance(thing, Mapping):
        return [part for key in sorted(thing, key=repr) for part in (key, thing[key])]
    if isinstance(thing, set | frozenset):
        return sorted(thing, key=repr)
    if isinstance(thing, Sequence):
        return thing
    if is_dataclass(thing) and not isinstance(thing, type):
        return [getattr(thing, field.name) for field in fields(thing)]
    if callable(thing):
        return [f"{thing.__module__}.{getattr(thing, '__qualname__', '')}"]
    slots = [name for kind in type(thing).__mro__ for name in getattr(kind, "__slots__", ()) if hasattr(thing, name)]
    names = sorted(getattr(thing, "__dict__", {})) + slots
    kept = [name for name in names if not isinstance(getattr(type(thing), name, None), cached_property)]
    return [part for name in kept for part in (name, getattr(thing, name))]
