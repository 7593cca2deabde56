"""A worker: takes jobs, runs them behind the sandbox, and records what came out."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from types import FrameType
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from unseat.arena import board, entries, hidden, queue, tables
from unseat.arena.database import Database, patiently
from unseat.arena.packing import Refused, unpacked
from unseat.arena.queue import Score, Taken
from unseat.arena.tracks import Track, task_of
from unseat.core.errors import ContractError, UserError
from unseat.core.learner import Role
from unseat.core.outcome import Status
from unseat.core.policy import Policy
from unseat.core.task import Instance, Task
from unseat.lab.executors import Done, Executor, executor
from unseat.lab.keys import Keys
from unseat.lab.provenance import provenance
from unseat.lab.records import Job, Run
from unseat.lab.store import ArtefactStore

IDLE_S = 1.0


class Lost(Exception):
    """The job is no longer ours, or the worker is to stop: whatever was done of it is nothing."""


class Worker:
    """Does jobs of one arena, one after the other, until it is told to stop.

    Args:
        database: The arena's.
        folder: Where it keeps hidden data and policies while it works; by default a temporary folder.
        jobs: Child processes that run the instances of a submission.
        ray: Address of a Ray cluster that runs them instead.
        lease_s: Seconds that a job is held without being renewed.
    """

    def __init__(
        self, database: Database, *, folder: Path | None = None, jobs: int = 1, ray: str | None = None,
        lease_s: float = queue.LEASE_S,
    ) -> None:  # fmt: skip
        self.database, self.lease_s = database, lease_s
        self.name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(2)}"
        self._scratch = tempfile.TemporaryDirectory(prefix="unseat-worker-") if folder is None else None
        self.folder = Path(self._scratch.name) if self._scratch else (folder or Path()).absolute()
        self.store = ArtefactStore(self.folder / "store")
        self._ways = jobs, ray
        self._executor: Executor | None = None
        self._stop = threading.Event()
        self._task = lru_cache(maxsize=8)(self._opened)

    def stop(self) -> None:
        """End soon: a job at work is given back. May be called from a signal handler or another thread."""
        self._stop.set()

    def run(self, *, drain: bool = False) -> int:
        """Do jobs until told to stop; with `drain`, until there are none. Returns how many were finished."""
        done = 0
        while not self._stop.is_set():
            try:
                taken = patiently(lambda: queue.take(self.database, self.name, self.lease_s), stop=self._stop.is_set)
                if taken is not None:
                    done += self.do(taken)
                    patiently(lambda: board.refresh(self.database, patient=True), stop=self._stop.is_set)
                    continue
                patiently(lambda: board.refresh(self.database), stop=self._stop.is_set)
            except DBAPIError:
                # Only where it was told to stop while the database was away.
                break
            if drain:
                break
            self._stop.wait(IDLE_S)
        return done

    def do(self, taken: Taken) -> bool:
        """Do one job; whether its result was recorded."""
        with self._renewing(taken) as ours:
            try:
                scores, reason = self._scores(taken, ours), ""
            except Lost:
                self._let_go()
                if self._stop.is_set():
                    patiently(lambda: queue.give_back(self.database, taken), tries=5)
                return False
            except (Refused, UserError) as error:
                scores, reason = [], str(error)
            except ContractError as error:
                # The task's own fault: nothing that the participant could mend, and no reason to try for ever.
                self._let_go()
                scores, reason = [], f"the scorer failed; an organiser must look at it ({str(error)[:300]})"
            if scores:
                return patiently(lambda: queue.finish(self.database, taken, scores), stop=self._stop.is_set)
            return patiently(lambda: queue.fail(self.database, taken, reason), stop=self._stop.is_set)

    def close(self) -> None:
        """End its processes and remove what it kept."""
        self._let_go()
        if self._scratch:
            self._scratch.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _scores(self, taken: Taken, ours: Callable[[], bool]) -> list[Score]:
        track = taken.track
        task, where, keys, made = self._task(track.id)
        with self.database.read() as connection:
            asked = sa.select(tables.instances).where(tables.instances.c.track == track.id)
            numbers = {row.name: row.number for row in connection.execute(asked)}
        found = [task.instance(name) for name in numbers]
        policy = self._policy(taken, task)
        artefact = None if policy is None else self.store.put(policy.artefact)
        source = policy.artefact.source if policy else None
        data, options = (None, {}) if where is None else (str(where), dict(track.spec.options))

        def job(instance: Instance, seed: int) -> Job:
            return Job(track.spec.task, instance.id, taken.name, Role(taken.role), artefact, seed, track.spec.limits,
                       data, options)  # fmt: skip

        if taken.kind == "policy":
            self._try_out(taken, job, ours)
        jobs = [job(one, seed) for one in found for seed in range(track.spec.seeds if policy else 1)]
        scores = []
        for done in self._done(jobs, ours):
            assert isinstance(done.job, Job) and done.outcome is not None
            one, outcome = task.instance(done.job.instance), done.outcome
            key = keys.run(done.job, one, source, None, None)
            run = Run(key, task.card.full_id, taken.name, Role(taken.role), one.id, one.group, "test", one.level,
                      one.series or one.id, one.weight, done.job.seed, outcome, artefact,
                      replace(done.job, data=None).to_json(), made, answer=done.answer)  # fmt: skip
            packed = self.store.pack(done.answer) if done.answer else None
            scores.append(Score(numbers[one.id], done.job.seed, key, str(outcome.status), outcome.value,
                                run.to_record(), packed))  # fmt: skip
        return scores

    def _policy(self, taken: Taken, task: Task) -> Policy | None:
        """The submission's policy; of a contender the policy it makes, and None of a bound."""
        if taken.kind == "contender":
            made = task.contenders()[taken.name].make()
            return made if isinstance(made, Policy) else None
        assert taken.content is not None
        return entries.policy_of(taken.kind, taken.name, unpacked(taken.content), task, taken.track.spec)

    def _try_out(self, taken: Taken, job: Callable[[Instance, int], Job], ours: Callable[[], bool]) -> None:
        """Run a policy on an instance that everybody has: what goes wrong there can be told in full.

        What a policy says on hidden instances reaches nobody, or it could tell what it saw.
        """
        home = task_of(taken.track.spec, None)
        known = public_instances(home)
        if not known:
            return
        first = replace(job(known[0], 0), data=None, options={})
        for done in self._done([first], ours):
            if done.outcome is not None and done.outcome.status is not Status.OK:
                raise Refused(f"on the public instance {known[0].id}: {done.outcome.status}: {done.outcome.message}")

    def _done(self, jobs: list[Job], ours: Callable[[], bool]) -> Iterator[Done]:
        self._executor = self._executor or executor(*self._ways, self.store.root)

        def look() -> None:
            if not ours():
                raise Lost

        look()
        # Left by an exception, the executor ends what is at work.
        yield from self._executor.map(jobs, idle=look)

    def _opened(self, number: int) -> tuple[Task, Path | None, Keys, dict[str, Any]]:
        with self.database.read() as connection:
            row = connection.execute(
                sa.select(tables.tracks, tables.blobs.c.content)
                .outerjoin(tables.blobs, tables.blobs.c.hash == tables.tracks.c.data)
                .where(tables.tracks.c.id == number)
            ).one()
        track = Track.of(row)
        where = None
        if track.data is not None:
            where = self.folder / "hidden" / track.data
            hidden.lay_out(row.content, where)
        task = task_of(track.spec, where)
        return task, where, Keys(task), provenance(task)

    def _let_go(self) -> None:
        if self._executor is not None:
            self._executor.close()
            self._executor = None

    @contextlib.contextmanager
    def _renewing(self, taken: Taken) -> Iterator[Callable[[], bool]]:
        """Renews the lease in a thread; gives what says whether the job is still ours to do."""
        over, lost = threading.Event(), threading.Event()

        def renew() -> None:
            held = time.monotonic() + self.lease_s
            while not over.wait(self.lease_s / 3):
                with contextlib.suppress(DBAPIError):
                    if not queue.renew(self.database, taken, self.lease_s):
                        lost.set()
                        return
                    held = time.monotonic() + self.lease_s
                if time.monotonic() > held:
                    # The database has been away for longer than we may hold it: another may have it by now.
                    lost.set()
                    return

        thread = threading.Thread(target=renew, daemon=True)
        thread.start()
        try:
            yield lambda: not (lost.is_set() or self._stop.is_set())
        finally:
            over.set()
            thread.join()


def public_instances(task: Task) -> list[Instance]:
    """The task's own instances that everybody has, the smallest suite's, none of them for testing where that can be."""
    quick = [one for one in task.instances() if "quick" in one.suites]
    return [one for one in quick if one.split != "test"] or quick


def work(worker: Worker, *, drain: bool = False) -> int:
    """Run a worker as a program: SIGTERM and SIGINT let it give back its job and end."""

    def ended(number: int, frame: FrameType | None) -> None:
        worker.stop()

    before: dict[int, Any] = {one: signal.signal(one, ended) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        with worker:
            return worker.run(drain=drain)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
