"""Executors: where jobs are done. Each run and fit happens in a child process that can be killed."""

from __future__ import annotations

import itertools
import select
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol, Self

from unseat.core import registry
from unseat.core.errors import ContractError, UserError
from unseat.core.outcome import Outcome, Status
from unseat.lab.records import FitJob, Job
from unseat.lab.worker import Watch, Worker

_TICK_S = 0.05

Idle = Callable[[], None]


@dataclass(frozen=True)
class Fitted:
    """What a fit gave.

    Attributes:
        artefact: Hash of the policy in the content store; None where it proposed none.
        status: ``ok``, ``limit`` (the last proposal is the result), ``timeout``, ``crashed``, or ``unable`` where the
            learner lacks something on this machine.
    """

    artefact: str | None
    wall_s: float
    cpu_s: float
    status: str
    message: str = ""
    runs: int = 0
    tokens: int = 0
    dollars: float = 0.0


@dataclass(frozen=True)
class Done:
    """A job, the very object that was given, and what came of it: an outcome for a run, a `Fitted` for a fit.

    `answer` is the hash of the answer that a run gave, in the content store, where the task's card asks to keep it.
    """

    job: Job | FitJob
    outcome: Outcome | None = None
    fitted: Fitted | None = None
    answer: str | None = None


class Executor(Protocol):
    """Does jobs, in any order."""

    def warm(self, job: Job | FitJob) -> None:
        """Compile what a job's task compiles on first use, so that its cache is full before the others start."""
        ...

    def map(self, jobs: Iterable[Job | FitJob], idle: Idle | None = None) -> Iterator[Done]:
        """Do jobs and give each as it is done; `idle` is called several times a second meanwhile.

        Raises:
            UserError: A job cannot be done at all: its task or data cannot be opened here.
            ContractError: The task itself, not the policy, is at fault.
        """
        ...

    def close(self) -> None:
        """End all child processes."""
        ...


@dataclass
class _Assignment:
    """A job at work in a child."""

    job: Job | FitJob
    op: str
    worker: Worker
    watch: Watch
    reports: Path
    proposal: str | None = None
    spent: Mapping[str, Any] = field(default_factory=dict)


class Processes:
    """Child processes on this machine, reused from job to job and replaced when one had to be killed.

    Args:
        count: How many work at once.
        store: Folder of the content store.
    """

    def __init__(self, count: int, store: Path) -> None:
        self._count, self._store = count, store
        self._idle: list[Worker] = []
        self._busy: list[_Assignment] = []
        self._queue: deque[tuple[Job | FitJob, dict[str, Any]]] = deque()
        self._scratch, self._numbers = tempfile.TemporaryDirectory(prefix="unseat-"), itertools.count()

    def warm(self, job: Job | FitJob) -> None:
        """Compile what a job's task compiles on first use."""
        plain = job if isinstance(job, Job) else _as_run(job)
        self._queue.append((plain, {"op": "warm"}))
        for _ in self._drain(None):
            pass

    def map(self, jobs: Iterable[Job | FitJob], idle: Idle | None = None) -> Iterator[Done]:
        """Do jobs; see `Executor.map`."""
        self._queue.extend((job, {"op": "fit" if isinstance(job, FitJob) else "run"}) for job in jobs)
        return self._drain(idle)

    def close(self) -> None:
        """End all child processes."""
        for assignment in self._busy:
            assignment.worker.kill()
        for worker in self._idle:
            worker.close()
        self._busy, self._idle = [], []
        self._queue.clear()
        self._scratch.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _drain(self, idle: Idle | None) -> Iterator[Done]:
        looked = time.monotonic()
        try:
            while self._queue or self._busy:
                while self._queue and len(self._busy) < self._count:
                    self._assign(*self._queue.popleft())
                yield from self._listen()
                if time.monotonic() - looked >= _TICK_S:
                    yield from self._look()
                    looked = time.monotonic()
                    if idle:
                        idle()
        finally:
            # Left early, by an error or by whoever asked: no child goes on with what nobody waits for.
            self._queue.clear()
            while self._busy:
                self._busy.pop().worker.kill()

    def _assign(self, job: Job | FitJob, request: dict[str, Any], fresh: bool = False) -> None:
        threads = job.limits.threads
        fitting = [worker for worker in self._idle if worker.threads == threads and not (fresh and worker.served)]
        if fitting:
            worker = fitting[0]
            self._idle.remove(worker)
        else:
            if self._idle and len(self._idle) + len(self._busy) >= self._count:
                self._idle.pop().close()
            worker = Worker(self._store, threads)
        # What a run reports lies in a file, so that it is there when the child had to be killed.
        mine = Path(self._scratch.name, str(next(self._numbers)))
        request = {"reports": str(mine), **request, "job": job.to_json()}
        worker.send(request)
        watch = Watch(worker, job.limits)
        self._busy.append(_Assignment(job, request["op"], worker, watch, Path(request["reports"])))

    def _listen(self) -> Iterator[Done]:
        waited_for, poll = {assignment.worker.fileno(): assignment for assignment in self._busy}, select.poll()
        for number in waited_for:
            poll.register(number, select.POLLIN)
        for number, _ in poll.poll(1000 * _TICK_S):
            assignment = waited_for[number]
            try:
                for message in assignment.worker.read():
                    yield from self._hear(assignment, message)
            except EOFError as ended:
                yield from self._lost(assignment, str(ended))

    def _look(self) -> Iterator[Done]:
        for assignment in list(self._busy):
            if assignment.watch.look():
                yield from self._lost(assignment, assignment.watch.over)

    def _hear(self, assignment: _Assignment, message: dict[str, Any]) -> Iterator[Done]:
        event = message.get("event")
        if event == "start":
            assignment.watch.start()
            return
        if event == "stop":
            assignment.watch.stop()
            return
        if event == "proposal":
            assignment.proposal = message["artefact"]
        if event in ("proposal", "spent"):
            assignment.spent = message["spent"]
            return
        self._busy.remove(assignment)
        assignment.reports.unlink(missing_ok=True)
        worker = assignment.worker
        if assignment.watch.timed_out:
            # It was told to stop; whatever of the job is still alive in it must not disturb the next one.
            worker.kill()
        else:
            worker.served += assignment.op != "warm"
            self._idle.append(worker)
        if "error" in message:
            raise _fault(assignment.job, message)
        if "outcome" in message:
            outcome = Outcome.from_json(message["outcome"])
            if outcome.status is Status.TIMEOUT and assignment.watch.over:
                outcome = replace(outcome, message=assignment.watch.over)
            yield Done(assignment.job, outcome=outcome, answer=message["answer"])
        elif "fitted" in message:
            yield Done(assignment.job, fitted=Fitted(**message["fitted"]))

    def _lost(self, assignment: _Assignment, why: str) -> Iterator[Done]:
        """A child has died or must die: its job becomes an outcome, and the run goes on in a fresh child."""
        self._busy.remove(assignment)
        wall_s, cpu_s = assignment.watch.spent()
        assignment.worker.kill()
        job, timed_out = assignment.job, assignment.watch.timed_out
        why = assignment.watch.over or why
        if assignment.op == "warm":
            raise ContractError(f"task {job.task} cannot be made ready: {why}")
        if assignment.worker.served and not timed_out:
            # What an earlier job left in the child may be to blame, so this one gets a child of its own.
            self._assign(job, {"op": assignment.op}, fresh=True)
        elif isinstance(job, FitJob):
            status = ("limit" if assignment.proposal else "timeout") if timed_out else "crashed"
            yield Done(job, fitted=Fitted(assignment.proposal, wall_s, cpu_s, status, why, **assignment.spent))
        elif assignment.op == "fail":
            value = registry.task(job.task, data=job.data, options=job.options).objective.failure(None, job.limits)
            yield Done(job, outcome=Outcome(value, Status.CRASHED, message=why))
        else:
            # The failure value may depend on the problem, which is best loaded in a child as well.
            status = Status.TIMEOUT if timed_out else Status.CRASHED
            told = {"wall_s": wall_s, "cpu_s": cpu_s, "reports": str(assignment.reports)}
            self._assign(job, {"op": "fail", "status": str(status), "message": why, **told}, fresh=True)


class Serial(Processes):
    """One child process: one job at a time.

    Args:
        store: Folder of the content store.
    """

    def __init__(self, store: Path) -> None:
        super().__init__(1, store)


def _as_run(job: FitJob) -> Job:
    from unseat.core.learner import Role

    return Job(job.task, "", job.contender, Role.CHALLENGER, None, job.seed, job.limits, job.data, job.options)


def _fault(job: Job | FitJob, message: dict[str, Any]) -> Exception:
    if message["error"] == "user":
        return UserError(message["message"])
    where = f" on instance {job.instance}" if isinstance(job, Job) and job.instance else ""
    return ContractError(f"task {job.task}, contender {job.contender}{where}: {message['message']}")


def executor(jobs: int, ray: str | None, store: Path) -> Executor:
    """The executor that a person asked for.

    Args:
        jobs: Child processes on this machine.
        ray: Address of a Ray cluster (``auto``, ``local``, ``host:port``, ``ray://host:port``), or None.
        store: Folder of the content store.

    Raises:
        MissingExtra: Ray is asked for and not installed.
        UserError: The cluster cannot be reached.
    """
    if ray is not None:
        from unseat.lab.cluster import Ray

        return Ray(ray, store)
    return Processes(jobs, store) if jobs > 1 else Serial(store)
