"""Several sandboxes side by side, one a core."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from unseat.sandbox.box import Job, Sandbox
from unseat.sandbox.limits import Cage
from unseat.sandbox.listening import End, Ending, SandboxError

T = TypeVar("T")


class Pool:
    """Runs candidates in as many sandboxes as there are cores to use; each in a process of its own.

    Args:
        size: Sandboxes.
        cage: Limits of a candidate.
        preload: Modules that each sandbox imports once.
        readable: Files and folders that can be read inside, besides the interpreter's.
        trust: Do without bubblewrap; see `Sandbox`.

    Raises:
        UserError: There is no bubblewrap here, and `trust` is not given.
        SandboxError: A sandbox does not start.
    """

    def __init__(
        self, size: int, cage: Cage | None = None, *, preload: Sequence[str] = (), readable: Sequence[Path] = (),
        trust: bool = False,
    ) -> None:  # fmt: skip
        self.size = size
        self._threads = ThreadPoolExecutor(size)
        self._idle: queue.SimpleQueue[Sandbox] = queue.SimpleQueue()
        self._all: list[Sandbox] = []
        # Bubblewrap ends with the thread that made it; these threads stay as long as the pool.
        started = [self._threads.submit(Sandbox, cage, preload=preload, readable=readable, trust=trust)
                   for _ in range(size)]  # fmt: skip
        try:
            for one in started:
                self._all.append(one.result())
                self._idle.put(self._all[-1])
        except BaseException:
            self.close()
            raise

    def share(self, values: Mapping[str, Any]) -> None:
        """Put values into every sandbox, for all jobs to come; no job may be at work meanwhile."""
        for one in self._all:
            one.share(values)

    def submit(self, job: Job, then: Callable[[Ending], T]) -> Future[T]:
        """Run a candidate as soon as a sandbox is free; a sandbox that fails is an ending too.

        Args:
            job: What it does.
            then: What to make of its ending; runs outside, in the same thread, when the sandbox is free again.
        """
        return self._threads.submit(lambda: then(self._run(job)))

    def map(self, jobs: Iterable[Job]) -> Iterator[Ending]:
        """Run candidates side by side; their endings come in the order of the jobs."""
        yield from [one.result() for one in [self._threads.submit(self._run, job) for job in jobs]]

    def close(self) -> None:
        """End all sandboxes with everything in them."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        for one in self._all:
            one.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _run(self, job: Job) -> Ending:
        box = self._idle.get()
        try:
            return box.run(job)
        except SandboxError as error:
            return Ending(End.FAILED, message=str(error))
        finally:
            self._idle.put(box)
