"""One run, from a policy to an outcome: whatever goes wrong is counted, and what was reported is scored."""

from __future__ import annotations

import math
import resource
import time
from dataclasses import replace
from typing import Any

from unseat.core.answers import Answers
from unseat.core.outcome import Limits, Outcome, Status
from unseat.core.policy import DeadlineReached, Form, InvalidAnswer, Policy
from unseat.core.task import Instance, Task
from unseat.lab.reports import Heard, Reports, answer_of


def attempt(task: Task, instance: Instance, policy: Policy, *, seed: int, limits: Limits) -> Outcome:
    """Run a policy, and turn whatever it does wrong into an outcome.

    Loading the problem is not on the clock, nor is scoring what was reported. What kills the process or hangs is for
    the executor to see.

    Raises:
        UserError: The problem cannot be loaded. Raised by a policy it is an outcome like any other error, or a policy
            could end the experiment.
    """
    reports, problem = Reports(), task.load(instance)
    outcome = clocked(task, instance, problem, policy, reports, seed=seed, limits=limits)
    return settled(task, problem, outcome, reports, limits)


def clocked(
    task: Task, instance: Instance, problem: Any, policy: Policy, reports: Reports, *, seed: int, limits: Limits
) -> Outcome:
    """The part of a run that is on the clock; where answers were reported, the outcome waits for `settled`."""
    began, cpu = time.perf_counter(), cpu_seconds()
    reports.begin()
    takes_answers = Form.ANSWERS in task.forms
    try:
        if takes_answers and isinstance(policy, Answers):
            reports.add(policy.of(instance.id))
            outcome = Outcome(math.nan)
        else:
            heard = Heard(policy, reports.add) if takes_answers else policy
            outcome = task.run(problem, heard, seed=seed, limits=limits)
        if outcome.status is Status.OK and not reports.kept and _fault(outcome):
            fault = "it gave no answer" if takes_answers else _fault(outcome)
            outcome = replace(outcome, status=Status.INVALID, message=fault)
    except InvalidAnswer as error:
        outcome = Outcome(math.nan, Status.INVALID, message=str(error)[:500])
    except DeadlineReached as error:
        outcome = Outcome(math.nan, Status.TIMEOUT, message=str(error)[:500])
    except Exception as error:
        # A stranger's policy may raise anything; that is a result of the run, not a fault of the platform.
        outcome = Outcome(math.nan, Status.CRASHED, message=f"{type(error).__name__}: {error}"[:500])
    reports.close()
    if outcome.status is not Status.OK:
        outcome = replace(outcome, value=task.objective.failure(problem, limits))
    return replace(outcome, wall_s=time.perf_counter() - began, cpu_s=cpu_seconds() - cpu)


def settled(task: Task, problem: Any, outcome: Outcome, reports: Reports, limits: Limits) -> Outcome:
    """The outcome of a run whose clock has stopped, with what was reported in time checked and scored.

    The last answer counts. Where the time ran out it is the last valid one, and the run is ok if there is one.
    """
    if Form.ANSWERS not in task.forms or not reports.kept:
        return outcome
    worst = task.objective.failure(problem, limits)
    answers, late = reports.in_time(limits)
    progress: list[tuple[float, float]] = []
    last: tuple[Outcome, bytes] | None = None
    fault = "no answer came in time"
    for second, data in answers:
        try:
            got = task.score(problem, answer_of(data))
            fault = _fault(got)
        except InvalidAnswer as error:
            fault = str(error)
        except Exception as error:
            # An answer may be anything, and no scorer thinks of everything.
            fault = f"the answer cannot be scored: {type(error).__name__}: {error}"
        if not fault:
            progress.append((second, got.value))
            last = got, data
    outcome = replace(outcome, progress=tuple(progress))
    if late and outcome.status is Status.OK:
        outcome = replace(outcome, value=worst, status=Status.TIMEOUT, message="its answer came after the time limit")
    if outcome.status is Status.OK and fault:
        return replace(outcome, value=worst, status=Status.INVALID, message=fault[:500])
    if last is None or outcome.status not in (Status.OK, Status.TIMEOUT):
        return outcome
    message = "" if outcome.status is Status.OK else "stopped by the time limit; its last valid report counts"
    got, data = last
    return replace(outcome, value=got.value, status=Status.OK, metrics={**outcome.metrics, **got.metrics},
                   message=message, answer=answer_of(data))  # fmt: skip


def cpu_seconds() -> float:
    """CPU seconds of this process and of the children it has waited for."""
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def _fault(outcome: Outcome) -> str:
    """Why an outcome does not count as it is; empty if it does."""
    if outcome.status is Status.OK and math.isfinite(outcome.value):
        return ""
    return outcome.message or f"the objective is {outcome.value}, not a finite number"
