"""The tasks `cache` and `cache-sized`."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unseat.core.card import Card
from unseat.core.outcome import Limits, Outcome
from unseat.core.policy import Asker, Form, Policy, Question
from unseat.core.task import Exported, Instance, Need, Objective, Task
from unseat.tasks.cache.options import Options
from unseat.tasks.cache.suites import Source, built_in, opened

if TYPE_CHECKING:
    import numpy as np

    from unseat.core.learner import Contender
    from unseat.sandbox.programs import Offer
    from unseat.tasks.cache.env import CacheEnv
    from unseat.tasks.cache.problem import Problem
    from unseat.tasks.cache.vector_env import CacheVectorEnv


class CacheTask(Task):
    """Which object does a full cache evict?"""

    forms = frozenset({Form.DECIDE, Form.KERNEL, Form.PROGRAM, Form.FUSED})
    options = Options

    def __init__(self, sized: bool, sources: Sequence[Source] | None = None) -> None:
        super().__init__()
        self.sized = sized
        self.card = _card(sized)
        name = "byte miss ratio" if sized else "miss ratio"
        self.objective = Objective(name, "", worst=lambda problem, limits: 1.0)
        self._sources = sources

    @cached_property
    def sources(self) -> Mapping[str, Source]:
        """The traces by name."""
        sources = built_in(self.sized) if self._sources is None else self._sources
        return {source.name: source for source in sources}

    @cached_property
    def questions(self) -> Mapping[str, Question]:
        """One question: which of the sampled candidates goes."""
        from unseat.tasks.cache.question import evict

        return {"evict": evict()}

    def instances(self) -> Sequence[Instance]:
        """Every trace at every capacity."""
        return [instance for source in self.sources.values() for instance in source.instances()]

    def load(self, instance: Instance) -> Problem:
        """Read and number the trace; the last few are kept."""
        from unseat.tasks.cache.problem import Problem

        source = self.sources[instance.series]
        trace = source.trace()
        judged_from = int(instance.facts["warm_up"] * trace.n_requests)
        return Problem(trace, source.capacity(instance.facts["capacity"]), judged_from)

    def content(self, instance: Instance) -> str:
        """Hash of the trace's content, its cut, the capacity and the warm-up."""
        source = self.sources[instance.series]
        facts = f"{source.digest()} {source.requests} {sorted(instance.facts.items())}"
        return hashlib.sha256(facts.encode()).hexdigest()

    def run(self, problem: Problem, policy: Policy, *, seed: int, limits: Limits) -> Outcome:
        """Serve the trace with the policy."""
        from unseat.tasks.cache.problem import fused, serve

        deadline = None if limits.wall_s is None else time.monotonic() + limits.wall_s
        began = time.perf_counter()
        session = policy.start(problem.view(deadline), seed)
        start_s = time.perf_counter() - began
        asker, counted = None, getattr(session, "metadata_bytes", None)
        if policy.form is Form.FUSED:
            advance = fused(problem, session)
        else:
            from unseat.tasks.cache.engine import sampled
            from unseat.tasks.cache.question import asked, compiled, empty_cache

            asker = Asker(session, self.questions["evict"], deadline)
            cache = empty_cache(problem, seed)
            advance = compiled(problem, session, cache) if session.kernel else asked(problem, asker, cache)
            counted = partial(sampled.metadata_bytes, cache)
        began = time.perf_counter()
        served = serve(problem, session, advance, deadline)
        serve_s = time.perf_counter() - began
        found = problem.outcome(served.warm, served.judged, start_s=start_s, learn_s=served.learn_s, serve_s=serve_s)
        decide_s = asker.decide_s if asker and asker.decisions else None
        metrics = {**found.metrics, **problem.windows(served.missed)}
        if counted:
            metrics["metadata_bytes"] = counted()
        return replace(found, decide_s=decide_s, metrics=metrics)

    def contenders(self) -> Mapping[str, Contender]:
        """Incumbents, tuned incumbents, challengers, bounds and baselines."""
        from unseat.tasks.cache.contenders import contenders

        return contenders(self.sized)

    def env(self, instance: Instance) -> CacheEnv:
        """The native environment, which pauses the engine instead of running it in a thread."""
        from unseat.tasks.cache.env import CacheEnv

        return CacheEnv(self.load(instance), self.questions["evict"])

    def vector_env(self, instances: Sequence[Instance]) -> CacheVectorEnv:
        """Many caches that are stepped together, one an instance; an instance may come several times."""
        from unseat.tasks.cache.vector_env import CacheVectorEnv

        return CacheVectorEnv([self.load(instance) for instance in instances], self.questions["evict"])

    def open(self, source: str, options: Mapping[str, Any]) -> Task:
        """A trace file, or a folder of them, at the capacities that were asked for."""
        return CacheTask(self.sized, opened(source, options, self.sized))

    def program(self) -> Offer:
        """A score for the candidates of an eviction."""
        from unseat.tasks.cache.challengers.programs import offer

        return offer(self.sized)

    def draw(self, rng: np.random.Generator, folder: Path) -> None:
        from unseat.tasks.cache.drawing import draw

        draw(rng, folder, sized=self.sized)

    def exporters(self) -> Mapping[str, Exported]:
        """One C file, or the policy's arrays for Python."""
        from unseat.tasks.cache.exporters import exporters

        return exporters(self.sized)

    def record(self, command: Sequence[str] | None, log: Path | None, output: Path) -> str:
        """Watch what a program reads from files: pages for `cache`, whole files with their sizes for `cache-sized`."""
        from unseat.tasks.cache import recorder
        from unseat.tasks.cache.data import write_trace

        unit: recorder.Unit = "file" if self.sized else "page"
        if log is None:
            made = recorder.record(command or (), output, unit=unit)
        else:
            trace = recorder.from_strace_log(log, unit=unit)
            write_trace(output, trace)
            made = recorder.summary(trace, output)
        status = f"; the command ended with status {made.status}" if made.status else ""
        return (
            f"{made.requests:,} reads of {made.objects:,} {unit}s written to {output}{status}\n"
            f"next: unseat run {self.card.id} --data {output} --capacity 1%,10%"
        )

    def needs(self) -> Sequence[Need]:
        """`strace` to record, a C compiler to check what is exported, a sandbox to search for programs."""
        from unseat.sandbox import bubblewrap, seccomp

        return [
            Need("strace", version_of("strace", "-V"), "any", "apt-get install strace", True, "unseat record"),
            Need(
                "cc", version_of("cc", "--version"), "C99", "apt-get install gcc", True, "compiling exported policies"
            ),
            Need(
                "bubblewrap", bubblewrap.found(), "0.5 or newer", bubblewrap.INSTALL, True,
                "`unseat evolve`, where programs run that nobody has read",
            ),
            Need("libseccomp", seccomp.version(), "2.4 or newer", "apt-get install libseccomp2", True,
                 "the sandbox's filter of system calls"),
        ]  # fmt: skip


def version_of(program: str, flag: str) -> str | None:
    """The first line in which a program tells its version; None where it is missing."""
    if shutil.which(program) is None:
        return None
    told = subprocess.run([program, flag], capture_output=True, text=True, timeout=10, check=False).stdout
    return told.splitlines()[0].strip() if told else "found"


@lru_cache(maxsize=2)
def _card(sized: bool) -> Card:
    return Card.read(Path(__file__).with_name("card-sized.toml" if sized else "card.toml"))
