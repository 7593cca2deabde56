"""The process in which every run and fit happens: ``python -m unseat.lab.guard STORE``.

It reads requests as JSON lines on standard input and answers in JSON lines on what was its standard output; whatever
the task or the policy prints goes to standard error. It is meant to be killed: nothing in it is worth keeping.

Requests: ``{"op": "run" | "fit" | "warm" | "fail", "job": ...}``. Answers: ``{"event": "start"}`` when loading and
compiling are over and the clock begins, ``{"event": "proposal"}`` for each policy that a fit puts forward,
``{"event": "spent"}`` for what it paid, and at the end one of ``{"outcome": ...}``, ``{"fitted": ...}``,
``{"warm": true}`` and ``{"error": kind, "message": text}``. What a run reports goes to the file ``reports`` of its
request; ``{"event": "stop"}`` says that its clock has stopped and only scoring is left.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

import psutil

from unseat.core import registry
from unseat.core.answers import Answers
from unseat.core.errors import ContractError, LimitReached, UnseatError, UserError
from unseat.core.learner import Bounder, Learner
from unseat.core.outcome import Outcome, Status
from unseat.core.policy import Artefact, DeadlineReached, Policy
from unseat.core.task import Instance, Task
from unseat.lab.attempt import clocked, cpu_seconds, settled
from unseat.lab.records import FitJob, Job
from unseat.lab.reports import Reports
from unseat.lab.store import ArtefactStore
from unseat.lab.study import LocalStudy

_SPARE_BYTES = 2**30
_SELF = psutil.Process()


class Child:
    """Does one request after the other.

    Args:
        store: Where artefacts are read and left.
        say: Sends an answer.
    """

    def __init__(self, store: ArtefactStore, say: Callable[[Mapping[str, Any]], None]) -> None:
        self.store, self.say = store, say
        self._stop: Exception | None = None
        self._close: Callable[[], None] = lambda: None
        self._task = lru_cache(maxsize=8)(self._open)

    def serve(self, requests: TextIO) -> None:
        """Answer requests until there are no more."""
        signal.signal(signal.SIGTERM, self._terminated)
        for line in requests:
            request = json.loads(line)
            try:
                self.say(getattr(self, f"_{request['op']}")(request))
            except UnseatError as error:
                kind = "user" if isinstance(error, UserError) else "contract"
                self.say({"error": kind, "message": str(error)})
            except Exception as error:
                # Outside the policy's own code only a task can be at fault; the driver reports it as such.
                self.say({"error": "contract", "message": f"{type(error).__name__}: {error}"})

    def _warm(self, request: Mapping[str, Any]) -> dict[str, Any]:
        self._find(Job.from_json(request["job"]))
        return {"warm": True}

    def _run(self, request: Mapping[str, Any]) -> dict[str, Any]:
        job = Job.from_json(request["job"])
        task = self._find(job)
        instance = task.instance(job.instance)
        # Restored anew for each run, so that a policy that keeps state on itself does not carry it to the next.
        doer = self.store.get(job.artefact).restore() if job.artefact else task.contenders()[job.contender].make()
        problem = task.load(instance)
        _cap_memory(job.limits.memory)
        reports = Reports(Path(request["reports"]))
        self.say({"event": "start"})
        try:
            with self._until(DeadlineReached("the time limit was reached"), reports.close):
                outcome = _measure(task, instance, problem, doer, reports, job)
        except DeadlineReached as error:
            outcome = Outcome(task.objective.failure(problem, job.limits), Status.TIMEOUT, message=str(error))
        if reports.kept:
            self.say({"event": "stop"})
        return self._settled(task, problem, outcome, reports, job)

    def _fail(self, request: Mapping[str, Any]) -> dict[str, Any]:
        job = Job.from_json(request["job"])
        task = self._find(job)
        problem = task.load(task.instance(job.instance))
        value = task.objective.failure(problem, job.limits)
        status, message = Status(request["status"]), request["message"]
        outcome = Outcome(value, status, wall_s=request["wall_s"], cpu_s=request["cpu_s"], message=message)
        return self._settled(task, problem, outcome, Reports.read(Path(request["reports"])), job)

    def _settled(self, task: Task, problem: Any, outcome: Outcome, reports: Reports, job: Job) -> dict[str, Any]:
        """The outcome with what was reported scored, and the answer that counts kept, where the card asks for that."""
        outcome, answer = settled(task, problem, outcome, reports, job.limits), None
        if outcome.answer is not None and task.card.repeatability == "answer":
            answer = self.store.put(Answers(job.contender, {job.instance: outcome.answer}).artefact)
        return {"outcome": outcome.to_json(), "answer": answer}

    def _fit(self, request: Mapping[str, Any]) -> dict[str, Any]:
        job = FitJob.from_json(request["job"])
        task = self._find(job)
        learner = task.contenders()[job.contender].make()
        if not isinstance(learner, Learner):
            raise ContractError(f"contender {job.contender} of {job.task} is no learner")
        train, valid = ([task.instance(name) for name in names] for names in (job.train, job.valid))
        for instance in (*train, *valid):
            task.load(instance)
        _cap_memory(job.limits.memory)
        self.say({"event": "start"})

        def keep(artefact: Artefact, spent: Mapping[str, Any]) -> str:
            return self.store.put(replace(artefact, fit={**job.record, **spent}))

        def announce(artefact: Artefact | None, spent: Mapping[str, Any]) -> None:
            proposal = {"artefact": keep(artefact, spent)} if artefact else {}
            self.say({"event": "proposal" if artefact else "spent", **proposal, "spent": spent})

        study = LocalStudy(task, train, valid, job.limits, job.seed, announce)
        status, message = "ok", ""
        try:
            with self._until(LimitReached("the time limit was reached")):
                study.finish(learner.fit(study))
        except LimitReached as error:
            status, message = ("limit" if study.last else "timeout"), str(error)
        except (UserError, ImportError) as error:
            # The data is loaded, so it is the learner that lacks something here, which is no result of the fit.
            status, message = "unable", str(error)
        except Exception as error:
            # A learner may raise anything; what it had proposed by then is its result.
            status, message = "crashed", f"{type(error).__name__}: {error}"
        artefact = keep(study.last, study.spent()) if study.last else None
        return {"fitted": {"artefact": artefact, "wall_s": study.wall_s(), "cpu_s": study.cpu_s(),
                           "status": status, "message": message[:500], **study.spent()}}  # fmt: skip

    def _find(self, job: Job | FitJob) -> Task:
        return self._task(job.task, job.data, json.dumps(dict(job.options), sort_keys=True))

    @staticmethod
    def _open(name: str, data: str | None, options: str) -> Task:
        task = registry.task(name, data=data, options=json.loads(options))
        task.warm()
        return task

    @contextlib.contextmanager
    def _until(self, stop: Exception, close: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Within this, SIGTERM calls `close` and raises `stop`: the driver says that the time is up."""
        self._stop, self._close = stop, close
        try:
            yield
        finally:
            self._stop = None

    def _terminated(self, number: int, frame: FrameType | None) -> None:
        if self._stop is not None:
            stop, self._stop = self._stop, None
            self._close()
            raise stop


def _measure(task: Task, instance: Instance, problem: Any, doer: object, reports: Reports, job: Job) -> Outcome:
    """The outcome of a policy, of a bounder, or of a fit that gave no policy."""
    if isinstance(doer, Policy):
        return clocked(task, instance, problem, doer, reports, seed=job.seed, limits=job.limits)
    if not isinstance(doer, Bounder):
        message = "its fit gave no policy"
        return Outcome(task.objective.failure(problem, job.limits), Status.CRASHED, message=message)
    began, cpu = time.perf_counter(), cpu_seconds()
    try:
        outcome = doer.solve(problem, seed=job.seed, limits=job.limits)
        if not math.isfinite(outcome.value):
            raise ContractError(f"its value is {outcome.value}, which bounds nothing")
    except DeadlineReached as error:
        outcome = Outcome(task.objective.failure(problem, job.limits), Status.TIMEOUT, message=str(error))
    except Exception as error:
        message = f"{type(error).__name__}: {error}"[:500]
        outcome = Outcome(task.objective.failure(problem, job.limits), Status.CRASHED, message=message)
    return replace(outcome, wall_s=time.perf_counter() - began, cpu_s=cpu_seconds() - cpu)


def _cap_memory(limit: int | None) -> None:
    """A backstop for what the driver's watch is too slow to see: one huge allocation fails instead of succeeding."""
    if limit is None:
        return
    held = getattr(_SELF.memory_info(), "data", 0)
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    cap = held + limit + _SPARE_BYTES
    # Not every system knows this limit; the driver's watch is there all the same.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_DATA, (cap if hard == resource.RLIM_INFINITY else min(cap, hard), hard))


def main() -> None:
    """Serve until standard input ends. Started by `unseat.lab.guard`; started as a program, nothing guards it."""
    requests = os.fdopen(os.dup(0), "r", encoding="utf-8")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    quiet = os.open(os.devnull, os.O_RDONLY)
    os.dup2(quiet, 0)
    os.dup2(2, 1)
    # Should memory run out, let the kernel choose the policy and not the driver with the ledger.
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")

    own = os.getpid()

    def say(message: Mapping[str, Any]) -> None:
        if os.getpid() != own:
            # A policy has forked and let its copy return here; two answers to one request would be one too many.
            os._exit(1)
        line = json.dumps(message, default=_plain) + "\n"
        try:
            answers.write(line)
            answers.flush()
        except BrokenPipeError:
            # The driver is gone, and with it everyone who could want to know.
            os._exit(1)

    Child(ArtefactStore(Path(sys.argv[1])), say).serve(requests)


def _plain(value: Any) -> Any:
    """NumPy scalars as the Python numbers that they are."""
    if hasattr(value, "item"):
        return value.item()
    raise TypeError(f"{type(value).__name__} is not plain JSON")


if __name__ == "__main__":
    main()
