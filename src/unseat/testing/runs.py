"""Checks of runs: equal inputs give equal outcomes, nothing is changed by a run, and no bound is beaten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from unseat.core.outcome import Limits, Outcome, Status
from unseat.core.policy import Policy
from unseat.core.task import Instance, Task
from unseat.lab.attempt import clocked, settled
from unseat.lab.reports import Reports
from unseat.learn.baselines import Constant
from unseat.testing import base
from unseat.testing.base import FREE, content, cost, decided, good, require
from unseat.testing.players import Sampler, constants, failing, late, scribbler, vandal

Instances = Sequence[Instance] | None
Policies = Mapping[str, Policy] | None


TIMES = 3
"""Runs from whose spread a check of a ``timed`` task judges."""


def check_determinism(task: Task, policies: Policies = None, instances: Instances = None) -> None:
    """The same problem, policy and seed give the same outcome, to the bit, where the card says ``exact``.

    Where it says ``timed`` the values are times, and only status and number of decisions must be equal.
    """
    kind = task.card.repeatability
    if kind == "answer":
        return
    for instance in base.some(task) if instances is None else instances:
        for name, policy in (base.policies(task) if policies is None else policies).items():
            first, again = (decided(good(task, instance, name, policy, seed=1)) for _ in range(2))
            same = first == again if kind == "exact" else first[1:] == again[1:]
            value = "value, to the bit" if kind == "exact" else "status and decisions"
            require(same, f"same inputs, same {value} (the card says {kind})",
                    f"{name} on {instance.id} gives {first}, then {again}")  # fmt: skip


def check_no_memory(task: Task, policies: Policies = None, instances: Instances = None) -> None:
    """What a policy or an engine saw in one run does not reach another: the order of runs makes no difference."""
    if task.card.repeatability != "exact":
        return
    chosen = list(base.some(task) if instances is None else instances)
    for name, policy in (base.policies(task) if policies is None else policies).items():
        forth = {instance.id: decided(good(task, instance, name, policy)) for instance in chosen}
        back = {instance.id: decided(good(task, instance, name, policy)) for instance in reversed(chosen)}
        changed = [key for key in forth if forth[key] != back[key]]
        require(not changed, "all state lives in the session", f"{name} differs by the order of runs on {changed[:3]}")


def check_immutable(task: Task, policies: Policies = None, instances: Instances = None) -> None:
    """A policy is data: running does not change it, and it can be saved and restored."""
    instance = (base.some(task) if instances is None else instances)[0]
    for name, policy in (base.policies(task) if policies is None else policies).items():
        before = policy.artefact.hash, content(policy)
        good(task, instance, name, policy)
        require(before == (policy.artefact.hash, content(policy)), "a policy is never changed by running", name)
        require(policy.artefact.restore().artefact.hash == before[0], "a policy is restored from its artefact", name)


def check_problem(task: Task, policies: Policies = None, instances: Instances = None) -> None:
    """A run does not change the problem, even if the policy writes over all that it is given."""
    clause = "a run never changes the problem"
    instance = (base.some(task) if instances is None else instances)[0]
    problem = task.load(instance)
    before = content(problem)
    for name, policy in (base.policies(task) if policies is None else policies).items():
        good(task, instance, name, policy)
        require(content(problem) == before, clause, f"{name} on {instance.id} does")
    _check_told(task, instance, base.policies(task) if policies is None else policies)
    if not base.asks_python(task):
        return
    question = next(iter(task.questions.values()))
    honest = base.run(task, instance, Sampler(question))
    wild = base.run(task, instance, vandal(question))
    require(content(problem) == before, clause, f"a policy that writes over its observations changes {instance.id}")
    # A read-only observation may make the vandal crash; what it must not do is to get another result.
    same = wild.status is not Status.OK or decided(wild) == decided(honest)
    require(same or task.card.repeatability != "exact", "an observation is not the engine's own state",
            f"a policy that writes over its observations on {instance.id} turns "
            f"{honest.value:g} into {wild.value:g}")  # fmt: skip


def _check_told(task: Task, instance: Instance, policies: Mapping[str, Policy]) -> None:
    """What a policy is told is no part of the problem, nor of what an engine keeps for those that come after it."""
    clause = "what a policy is told is the policy's own"
    problem = task.load(instance)
    before = content(problem)

    def again(policy: Policy) -> Outcome:
        reports = Reports()
        outcome = clocked(task, instance, problem, policy, reports, seed=0, limits=FREE)
        return settled(task, problem, outcome, reports, FREE)

    # One of each form, as engines may tell them different things.
    for name, policy in {policy.form: (name, policy) for name, policy in policies.items()}.values():
        honest = again(policy)
        again(scribbler(policy))
        require(content(problem) == before, clause,
                f"one that writes over it, and over the arrays behind its views, changes {instance.id}")  # fmt: skip
        after = again(policy)
        # Scores that differ from run to run are for `check_answers` to see.
        exact = task.card.repeatability == "exact" and not base.takes_answers(task)
        same = decided(after) == decided(honest) if exact else after.status is honest.status
        require(same, clause, f"one that writes over it turns the next run of {name} on {instance.id} into "
                f"{after.status}, {after.value:g} {after.message}")  # fmt: skip


def check_bounds(task: Task, policies: Policies = None, instances: Instances = None) -> None:
    """No policy beats a bound that is called optimal or a relaxation; random and constant ones do not either.

    Where the card says ``timed`` a policy beats a bound if all of several runs take less than all of the bound's.
    """
    times = TIMES if task.card.repeatability == "timed" else 1
    found = dict(base.policies(task) if policies is None else policies)
    if base.asks_python(task):
        found["a random policy"] = Sampler(next(iter(task.questions.values())))
    for instance in base.some(task) if instances is None else instances:
        limits = {}
        for name, bounder in base.bounders(task).items():
            solved = [bounder.solve(task.load(instance), seed=0, limits=FREE) for _ in range(times)]
            for outcome in solved:
                require(outcome.status is Status.OK, "a bound is proven on every instance of the quick suite",
                        f"{name} on {instance.id} ends {outcome.status}: {outcome.message}")  # fmt: skip
            limits[name] = min((outcome.value for outcome in solved), key=lambda value: cost(task, value))
        for name, policy in found.items():
            values = [good(task, instance, name, policy).value for _ in range(times)]
            value = max(values, key=lambda value: cost(task, value))
            for bound, limit in limits.items():
                slack = 1e-9 * max(1.0, abs(limit))
                require(cost(task, value) >= cost(task, limit) - slack, "no policy beats a bound",
                        f"{name} gets {value!r} on {instance.id}, and {bound} says {limit!r}")  # fmt: skip


def check_baselines(
    task: Task, policies: Policies = None, instances: Instances = None, actions: Sequence[Any] | None = None
) -> None:
    """No constant and no random policy wins unless it is listed, where the question has a space of actions.

    Where the card says ``timed`` one wins if all of several runs take less than all of those that are listed.

    Args:
        task: The task.
        policies: What is listed; every contender that needs no fit if None.
        instances: What they run on; a few of the quick suite if None.
        actions: What no listed contender always answers; a few over the space if None.
    """
    if not base.asks_python(task):
        return
    question = next(iter(task.questions.values()))
    chosen = base.some(task) if instances is None else instances
    times = TIMES if task.card.repeatability == "timed" else 1

    def totals(name: str, policy: Policy) -> list[float]:
        return [sum(one.weight * cost(task, good(task, one, name, policy).value) for one in chosen)
                for _ in range(times)]  # fmt: skip

    found = base.policies(task) if policies is None else policies
    best = min(min(totals(name, policy)) for name, policy in found.items())
    for action in constants(question) if actions is None else actions:
        mean = max(totals(f"constant {action}", Constant("constant", action)))
        require(mean >= best - 1e-9 * abs(best), "no unlisted constant policy wins",
                f"always answering {action} beats all that is listed")  # fmt: skip
    mean = max(totals("a random policy", Sampler(question)))
    require(mean >= best - 1e-9 * abs(best), "no unlisted random policy wins",
            "drawing actions at random beats all that is listed")  # fmt: skip


def check_failures(task: Task, failures: Policies = None, instances: Instances = None) -> None:
    """A policy that raises or answers what it must not is an outcome that counts, and the next run is not touched."""
    instance = (base.some(task) if instances is None else instances)[0]
    if failures is None:
        failures = failing(next(iter(task.questions.values()))) if base.asks_python(task) else {}
    worst = task.objective.failure(task.load(instance), FREE)
    for name, policy in failures.items():
        outcome = base.run(task, instance, policy)
        require(outcome.status is not Status.OK, "a failing policy is counted as one",
                f"a policy that {name} ends ok with {outcome.value:g}")  # fmt: skip
        require(outcome.value == worst, "a failure counts with the objective's failure value",
                f"a policy that {name} gets {outcome.value:g} instead of {worst:g}")  # fmt: skip
        require(bool(outcome.message), "an outcome that did not end well says why", f"a policy that {name}")
    for name, policy in base.policies(task).items():
        value = good(task, instance, name, policy).value
        require(cost(task, value) <= cost(task, worst), "failing does not pay",
                f"{name} gets {value:g} on {instance.id}, and a failure would get {worst:g}")  # fmt: skip


def check_deadline(task: Task, instances: Instances = None) -> None:
    """A run ends at its time limit, and the policy is told when that is."""
    if not base.asks_python(task):
        return
    instance = (base.some(task) if instances is None else instances)[0]
    limits = Limits(wall_s=0.05)
    task.load(instance)
    outcome = base.run(task, instance, late(next(iter(task.questions.values()))), limits=limits)
    require(outcome.status is Status.TIMEOUT or bool(outcome.progress), "a run ends at its time limit",
            f"a policy that answers after its deadline on {instance.id} ends {outcome.status}")  # fmt: skip
