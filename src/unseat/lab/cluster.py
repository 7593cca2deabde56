"""The Ray executor: the same jobs on one machine or a cluster. Extra ``ray``.

Each actor holds a child process of its own that can be killed, and a store that lives as long as the actor. Artefacts
travel by hash, once to each actor that needs them; only the driver writes the ledger.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from unseat.core.errors import ContractError, MissingExtra, UnseatError, UserError
from unseat.core.outcome import Outcome
from unseat.lab.executors import Done, Fitted, Idle, Serial
from unseat.lab.records import FitJob, Job
from unseat.lab.store import ArtefactStore

_TICK_S = 0.05
_CLOSE_S = 10.0
_LIVES = 2


class Node:
    """What works at the other end: a serial executor with a store of its own."""

    def __init__(self, path: list[str]) -> None:
        sys.path[:] = [*sys.path, *(part for part in path if part not in sys.path)]
        self._folder = tempfile.TemporaryDirectory(prefix="unseat-")
        self._store = ArtefactStore(Path(self._folder.name))
        self._serial = Serial(self._store.root)

    def do(self, job: Mapping[str, Any], artefact: bytes | None) -> dict[str, Any]:
        """Do or warm one job, given its artefact unless this node has it; what comes back is plain JSON and bytes."""
        if artefact is not None:
            self._store.unpack(artefact)
        try:
            if job["warm"]:
                self._serial.warm(_job(job))
                return {}
            (done,) = self._serial.map([_job(job)])
        except UnseatError as error:
            # Sent as data: an exception would come back wrapped in Ray's, with a traceback for a message.
            return {"user_error" if isinstance(error, UserError) else "contract_error": str(error)}
        made = done.fitted.artefact if done.fitted else done.answer
        packed = self._store.pack(made) if made else None
        if done.outcome:
            return {"outcome": done.outcome.to_json(), "answer": done.answer, "artefact": packed}
        return {"fitted": vars(done.fitted), "artefact": packed}

    def close(self) -> None:
        """Leave nothing on this machine; an actor that is killed cleans up nothing."""
        self._serial.close()
        self._folder.cleanup()


class Ray:
    """Jobs on a Ray cluster; see `unseat.lab.executors.Executor`.

    Args:
        address: ``auto`` for the cluster of this machine, ``local`` for a new one here, ``host:port`` or
            ``ray://host:port``.
        store: Folder of the driver's content store.

    Raises:
        MissingExtra: Ray is not installed.
        UserError: The cluster cannot be reached.
    """

    def __init__(self, address: str, store: Path) -> None:
        try:
            import ray
        except ImportError as error:
            raise MissingExtra("--ray needs Ray: pip install 'unseat[ray]'") from error
        self._ray, self._store = ray, ArtefactStore(store)
        self._own = not ray.is_initialized()
        if self._own:
            try:
                ray.init(address, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
            except Exception as error:
                first = str(error).strip().partition("\n")[0]
                # Ray says so in the cause only, and does not look for the token unless it is told to.
                refused = "Authentic" in repr(error.__cause__)
                hint = "; it wants its token: set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN" if refused else ""
                raise UserError(f"--ray {address}: no cluster can be reached there ({first}){hint}") from error
        self._actor = ray.remote(num_cpus=1)(Node)
        self._most = max(1, int(ray.cluster_resources().get("CPU", 1)))
        self._idle: list[Any] = []
        self._held: dict[Any, set[str]] = {}
        self._packed: dict[str, Any] = {}

    def warm(self, job: Job | FitJob) -> None:
        """Compile what a job's task compiles on first use, on one node."""
        actor = self._take()
        _checked(self._ray.get(actor.do.remote(_sent(job, warm=True), None)))
        self._idle.append(actor)

    def map(self, jobs: Iterable[Job | FitJob], idle: Idle | None = None) -> Iterator[Done]:
        """Do jobs; see `unseat.lab.executors.Executor.map`."""
        queue = deque((job, 1) for job in jobs)
        busy: dict[Any, tuple[Any, Job | FitJob, int]] = {}
        try:
            while queue or busy:
                while queue and len(busy) < self._most:
                    job, life = queue.popleft()
                    actor = self._take()
                    busy[actor.do.remote(_sent(job), self._artefact(actor, job))] = (actor, job, life)
                ready, _ = self._ray.wait(list(busy), timeout=_TICK_S)
                for reference in ready:
                    actor, job, life = busy.pop(reference)
                    try:
                        yield self._done(job, self._ray.get(reference))
                        self._idle.append(actor)
                    except self._ray.exceptions.RayActorError as error:
                        # A machine may leave the cluster at any time; that is no fault of the policy.
                        self._held.pop(actor, None)
                        if life == _LIVES:
                            raise UserError(f"the cluster lost {_LIVES} workers with the same job: {error}") from error
                        queue.appendleft((job, life + 1))
                if idle:
                    idle()
        finally:
            for actor, _, _ in busy.values():
                self._kill(actor)

    def close(self) -> None:
        """End all actors, and the local cluster if there was none before."""
        with contextlib.suppress(Exception):
            self._ray.get([actor.close.remote() for actor in self._idle], timeout=_CLOSE_S)
        for actor in self._idle:
            self._kill(actor)
        self._idle, self._held, self._packed = [], {}, {}
        if self._own:
            self._ray.shutdown()

    def _take(self) -> Any:
        if self._idle:
            return self._idle.pop()
        actor = self._actor.remote(sys.path)
        self._held[actor] = set()
        return actor

    def _artefact(self, actor: Any, job: Job | FitJob) -> Any:
        """A reference to the packed artefact that an actor lacks for a job."""
        name = job.artefact if isinstance(job, Job) else None
        if name is None or name in self._held[actor]:
            return None
        self._held[actor].add(name)
        if name not in self._packed:
            self._packed[name] = self._ray.put(self._store.pack(name))
        return self._packed[name]

    def _done(self, job: Job | FitJob, answer: Mapping[str, Any]) -> Done:
        _checked(answer)
        if answer["artefact"]:
            self._store.unpack(answer["artefact"])
        if "outcome" in answer:
            return Done(job, outcome=Outcome.from_json(answer["outcome"]), answer=answer["answer"])
        return Done(job, fitted=Fitted(**answer["fitted"]))

    def _kill(self, actor: Any) -> None:
        self._held.pop(actor, None)
        with contextlib.suppress(Exception):
            self._ray.kill(actor)


def _checked(answer: Mapping[str, Any]) -> None:
    if "user_error" in answer:
        raise UserError(answer["user_error"])
    if "contract_error" in answer:
        raise ContractError(answer["contract_error"])


def _sent(job: Job | FitJob, warm: bool = False) -> dict[str, Any]:
    return {"kind": "fit" if isinstance(job, FitJob) else "run", "job": job.to_json(), "warm": warm}


def _job(sent: Mapping[str, Any]) -> Job | FitJob:
    return FitJob.from_json(sent["job"]) if sent["kind"] == "fit" else Job.from_json(sent["job"])
