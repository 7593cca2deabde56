"""A workload under whatever a policy answers: every query asked about, run, checked and charged."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from unseat.core.outcome import Outcome, Status
from unseat.core.policy import Asker, DeadlineReached, InvalidAnswer, Policy, Question, View
from unseat.tasks.database.engine.connection import Measured, StatementError
from unseat.tasks.database.query.problem import Problem, Query, Session, connection
from unseat.tasks.database.query.question import Plan, observation, view_of


@dataclass
class Bill:
    """What a workload has taken so far, in milliseconds of CPU time but for `wall_ms`."""

    execute_ms: float = 0.0
    explain_ms: float = 0.0
    decide_ms: float = 0.0
    wall_ms: float = 0.0
    timeouts: int = 0
    explained: int = 0
    each: dict[str, float] = field(default_factory=dict)

    @property
    def total_ms(self) -> float:
        """All that is charged."""
        return self.execute_ms + self.explain_ms + self.decide_ms


def view(problem: Problem, deadline: float | None) -> View:
    """What a session is told."""
    return view_of(problem.space, len(problem.queries), dict(problem.tables), deadline)


def run(problem: Problem, policy: Policy, question: Question, seed: int, deadline: float | None) -> Outcome:
    """Ask about every query, run it under the answer, and add up.

    Raises:
        InvalidAnswer: An answer is none, or its plan gives other rows than the default's.
        DeadlineReached: The time was up.
    """
    bill, session = Bill(), connection(problem.database)
    began, cpu = time.perf_counter(), time.process_time()
    at_work = policy.start(view(problem, deadline), seed)
    start_s, bill.decide_ms = time.perf_counter() - began, 1e3 * (time.process_time() - cpu)
    asker = Asker(at_work, question, deadline)
    try:
        for number, query in enumerate(problem.queries):
            before = bill.total_ms
            arm = _decide(asker, problem, query, session, bill)
            _execute(session, problem, query, arm, bill, deadline)
            bill.each |= {f"query_{number}_ms": bill.total_ms - before, f"query_{number}_arm": float(arm)}
    except StatementError as error:
        status = error.status if error.status is not Status.TIMEOUT else Status.CRASHED
        return Outcome(float("nan"), status, decisions=asker.decisions, start_s=start_s, message=str(error))
    metrics = {
        "execute_ms": bill.execute_ms, "explain_ms": bill.explain_ms, "decide_ms": bill.decide_ms,
        "execute_wall_ms": bill.wall_ms, "timeouts": float(bill.timeouts), "explained": float(bill.explained),
        **bill.each,
    }  # fmt: skip
    return Outcome(bill.total_ms, decisions=asker.decisions, start_s=start_s, decide_s=asker.decide_s, metrics=metrics)


def decisions(problem: Problem, policy: Policy, question: Question) -> list[int]:
    """What a policy answers about every query, without running any."""
    session, at_work = connection(problem.database), policy.start(view(problem, None), 0)
    asker = Asker(at_work, question)
    return [_decide(asker, problem, query, session, Bill()) for query in problem.queries]


def _decide(asker: Asker, problem: Problem, query: Query, session: Session, bill: Bill) -> int:
    """Ask until the answer is a hint set; the plans that are shown on the way are made now, and charged."""
    plans: dict[int, Plan] = {}
    while True:
        seen = observation(problem.space, query.text, plans)
        cpu = time.process_time()
        answer = int(asker(seen))
        bill.decide_ms += 1e3 * (time.process_time() - cpu)
        if answer < problem.space.explain:
            return answer
        arm = answer - problem.space.explain
        if arm in plans:
            raise InvalidAnswer(f"the plan of arm {arm} is there already")
        plans[arm], took = session.explain(*problem.statement(query, arm))
        bill.explain_ms += took
        bill.explained += 1


def _execute(session: Session, problem: Problem, query: Query, arm: int, bill: Bill, deadline: float | None) -> None:
    patience = query.patience_ms
    if deadline is not None:
        left = 1e3 * (deadline - time.monotonic())
        if left <= 0:
            raise DeadlineReached("time was up before all queries were run")
        patience = min(patience, left)
    measured = measure(session, problem, query, arm, patience)
    if measured is None and deadline is not None and time.monotonic() >= deadline:
        raise DeadlineReached("time was up while a query was at work")
    if measured is None:
        bill.timeouts += 1
        bill.execute_ms += query.worst_ms
        bill.wall_ms += patience
        return
    bill.execute_ms += measured.cpu_ms
    bill.wall_ms += measured.wall_ms


def measure(
    session: Session, problem: Problem, query: Query, arm: int, patience_ms: float | None = None
) -> Measured | None:
    """Run a query under an arm, and check its rows; None if it was stopped.

    Raises:
        InvalidAnswer: It gives other rows than the default plan.
        StatementError: It fails.
    """
    try:
        got = session.execute(*problem.statement(query, arm), query.patience_ms if patience_ms is None else patience_ms)
    except StatementError as error:
        if error.status is Status.TIMEOUT:
            return None
        raise
    if (got.rows, got.digest) != (query.rows, query.digest):
        raise InvalidAnswer(
            f"under {problem.space.names[arm]} the query gives other rows ({got.rows} of them) than by default"
        )
    return got
