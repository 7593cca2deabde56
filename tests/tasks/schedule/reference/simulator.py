"""The simulator of clusters as plain objects: what it counts, it counts anew each time by looking at everything.

The semantics are those of the simulator that H. Mao et al. published with "Learning Scheduling Algorithms for Data
Processing Clusters" (SIGCOMM 2019), in own words: an executor's way is promised while it still works, promises are kept
in order, and those that cannot be kept any more are replaced by the first work at hand.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from unseat.tasks.schedule.engine import graphs
from unseat.tasks.schedule.engine.graphs import Arrivals
from unseat.tasks.schedule.engine.memory import Machines

_ALL = 2**64 - 1


class Question(NamedTuple):
    """What a policy is asked.

    Attributes:
        now: The time, in ms.
        stages: Numbers of the candidates, over all stages of all jobs.
        source: Number of the job whose executors are asked about; -1 if they belong to none.
        group: Class of these executors.
        offered: How many are still without a promise.
        held: For each candidate the executors of its job: at it, on their way and promised from elsewhere.
    """

    now: int
    stages: tuple[int, ...]
    source: int
    group: int
    offered: int
    held: tuple[int, ...]


class Task(NamedTuple):
    """A task that was started."""

    stage: int
    number: int
    start: int
    end: int


Decide = Callable[[Question], tuple[int | None, int]]
"""A candidate, or None to let all executors wait, and how many executors its job may then hold."""


@dataclass(eq=False)
class Source:
    """What promises executors: a pool of idle ones, or a stage (of one class each)."""

    job: Job | None
    group: int
    idle: list[Executor] = field(default_factory=list)
    ways: list[Stage | None] = field(default_factory=list)  # one for each promised executor; None: it stays idle


@dataclass(eq=False)
class Executor:
    group: int
    job: Job | None = None
    stage: Stage | None = None  # of its last task, if it did not rest since
    target: Stage | None = None


@dataclass(eq=False)
class Stage:
    graph: graphs.Stage
    job: Job
    number: int
    first_task: int
    sources: list[Source]
    parents: list[Stage] = field(default_factory=list)
    children: list[Stage] = field(default_factory=list)
    started: int = 0
    finished: int = 0

    @property
    def all_started(self) -> bool:
        return self.started == self.graph.tasks

    @property
    def done(self) -> bool:
        return self.finished == self.graph.tasks

    @property
    def runnable(self) -> bool:
        return all(parent.done for parent in self.parents)


@dataclass(eq=False)
class Job:
    number: int
    arrival: int
    pools: list[Source] = field(default_factory=list)
    stages: list[Stage] = field(default_factory=list)
    ready: list[Stage] = field(default_factory=list)  # runnable with tasks left, in the order in which they became so
    done_at: int | None = None


Asked = tuple[Source, Executor | None]
"""A pool, or a stage's source and the executor that is without a task."""


class Simulator:
    """One run.

    Attributes:
        questions: All that were asked.
        tasks: All that were started, in that order.
        moves: Executors that were sent to another job.
        done_at: When each job was done.
    """

    def __init__(self, arrivals: Arrivals, machines: Machines, seed: int, decide: Decide) -> None:
        """`seed` is the 62 bits from which the draws are made; see `bits`."""
        self.machines, self.seed, self.decide = machines, seed, decide
        self.groups = range(len(machines.counts))
        self.common = [Source(None, group) for group in self.groups]
        self.executors = [Executor(group) for group in self.groups for _ in range(machines.counts[group])]
        for executor in self.executors:
            self.common[executor.group].idle.append(executor)
        self.jobs = self._jobs(arrivals)
        self.active: list[Job] = []
        self.coming = list(self.jobs)
        self.events: list[tuple[int, int, Executor]] = []
        self.pushed = self.now = self.moves = 0
        self.forced = False
        self.points = measured_points(arrivals.graphs)
        self.questions: list[Question] = []
        self.tasks: list[Task] = []

    def _jobs(self, arrivals: Arrivals) -> list[Job]:
        jobs, number, task = [], 0, 0
        for place, (graph, when) in enumerate(arrivals):
            job = Job(place, when)
            job.pools = [Source(job, group) for group in self.groups]
            for stage in graph.stages:
                sources = [Source(job, group) for group in self.groups]
                job.stages.append(Stage(stage, job, number, task, sources))
                number, task = number + 1, task + stage.tasks
            for made in job.stages:
                made.parents = [job.stages[parent] for parent in made.graph.parents]
                made.children = [other for other in job.stages if job.stages.index(made) in other.graph.parents]
            jobs.append(job)
        return jobs

    @property
    def done_at(self) -> list[int]:
        return [-1 if job.done_at is None else job.done_at for job in self.jobs]

    # What is true at the moment.

    def sources(self) -> list[Source]:
        stages = [source for job in self.jobs for stage in job.stages for source in stage.sources]
        return [*self.common, *(pool for job in self.jobs for pool in job.pools), *stages]

    def claimed(self, stage: Stage) -> int:
        """Tasks of a stage that run, have run, or have an executor promised or on its way."""
        promised = sum(source.ways.count(stage) for source in self.sources())
        return stage.started + promised + sum(executor.target is stage for executor in self.executors)

    def held(self, job: Job) -> int:
        """Executors at a job, on their way there, and promised to it by others."""
        promised = [way for source in self.sources() if source.job is not job for way in source.ways]
        count = sum(way is not None and way.job is job for way in promised)
        for executor in self.executors:
            count += executor.job is job or (executor.target is not None and executor.target.job is job)
        return count

    def fits(self, stage: Stage, group: int) -> bool:
        return stage.graph.memory <= self.machines.memory[group]

    def usable(self, stage: Stage, group: int) -> bool:
        """Whether an executor may be promised: a task is left over, and none at any parent."""
        left = self.claimed(stage) < stage.graph.tasks
        return left and self.fits(stage, group) and all(self.claimed(p) >= p.graph.tasks for p in stage.parents)

    def anywhere(self, group: int) -> list[Stage]:
        return [stage for job in self.active for stage in job.stages if self.usable(stage, group)]

    # Time.

    def run(self) -> None:
        """Until all jobs are done.

        Raises:
            RuntimeError: Jobs are left that no executor can work on.
        """
        while True:
            if self.events or self.coming:
                for source, executor in self.next_event():
                    self.consult(source, executor)
            elif not self.active:
                return
            elif self.forced:
                raise RuntimeError("stuck")
            else:  # the policy let everything wait: it is asked about all, and may not do so again
                self.forced = True
                for source, _ in waiting([*self.common, *(pool for job in self.jobs for pool in job.pools)]):
                    self.consult(source)

    def next_event(self) -> list[Asked]:
        """What happens next, and whose executors are to be asked about then."""
        if self.coming and (not self.events or self.coming[0].arrival <= self.events[0][0]):
            self.now = self.coming[0].arrival
            while self.coming and self.coming[0].arrival == self.now:
                job = self.coming.pop(0)
                self.active.append(job)
                job.ready = [stage for stage in job.stages if stage.runnable]
            return waiting(self.common)
        self.forced = False
        self.now, _, executor = heapq.heappop(self.events)
        if executor.target is not None:
            self.come(executor, executor.target)
            return []
        assert executor.stage is not None
        executor.stage.finished += 1
        if not executor.stage.all_started:
            self.start(executor, executor.stage)
            return []
        return self.release(executor, executor.stage)

    def push(self, executor: Executor, delay: int) -> None:
        heapq.heappush(self.events, (self.now + delay, self.pushed, executor))
        self.pushed += 1

    def come(self, executor: Executor, stage: Stage) -> None:
        """An executor arrives."""
        executor.target = None
        if stage.job.done_at is None:
            executor.job = stage.job
            self.try_to_work(executor, stage)
        else:
            self.take_any(executor)

    def release(self, executor: Executor, stage: Stage) -> list[Asked]:
        """A task was done, and its stage has no other for the executor."""
        job, source, asked = stage.job, stage.sources[executor.group], list[Asked]()
        became_ready = [child for child in stage.children if child.runnable] if stage.done else []
        job.ready += became_ready
        if source.ways:
            self.go(executor, source.ways.pop(0))
        elif became_ready:
            self.rest(executor, job)
        else:
            asked.append((source, executor))
        if became_ready:
            asked += waiting(job.pools) + (waiting(self.common) if self.machines.reoffer else [])
        if all(other.done for other in job.stages):
            self.finish(job)
            if asked:  # its last executor is nobody's
                self.leave(executor)
                asked = [(self.common[executor.group], executor)]
        return asked

    def finish(self, job: Job) -> None:
        job.done_at = self.now
        self.active.remove(job)
        for pool in job.pools:
            for executor in list(pool.idle):
                pool.idle.remove(executor)
                self.rest(executor, None)
        for source in self.sources():
            source.ways = [way for way in source.ways if way is None or way.job is not job]

    # Questions.

    def consult(self, source: Source, executor: Executor | None = None) -> None:
        """Ask until each executor of a source has its way; then those that are idle go."""
        if executor is None:
            offered = len(source.idle)
        elif executor.job is None:
            offered = 1
        else:
            offered = sum(other.stage is executor.stage and other.group == source.group for other in self.executors)
        picked: set[Stage] = set()
        while offered > 0:
            stages = [stage for stage in self.anywhere(source.group) if stage not in picked]
            stage, amount = self.ask(source, stages, offered) if stages else (None, offered)
            source.ways += [stage] * amount
            offered -= amount
            if stage is not None:
                picked.add(stage)
        if executor is not None:
            self.go(executor, source.ways.pop(0))
        else:
            leaving, source.idle = source.idle, []
            for one in leaving:
                self.go(one, source.ways.pop(0))

    def ask(self, source: Source, stages: list[Stage], offered: int) -> tuple[Stage | None, int]:
        """The policy's answer, and how many executors follow it."""
        job = -1 if source.job is None else source.job.number
        held = tuple(self.held(stage.job) for stage in stages)
        numbers = tuple(stage.number for stage in stages)
        self.questions.append(Question(self.now, numbers, job, source.group, offered, held))
        choice, limit = self.decide(self.questions[-1])
        if choice is None and not self.forced:
            return None, offered
        if choice is None:
            choice, limit = numbers[0], self.machines.executors
        stage = stages[numbers.index(choice)]
        more = limit - self.held(stage.job) + (offered if stage.job is source.job else 0)
        return stage, max(1, min(more, stage.graph.tasks - self.claimed(stage), offered))

    # Executors.

    def go(self, executor: Executor, stage: Stage | None) -> None:
        """A promise is kept as well as it can be."""
        if stage is None:
            job = executor.job
            self.rest(executor, job if job is not None and not all(other.all_started for other in job.stages) else None)
        elif stage.all_started or executor.job is stage.job:
            self.try_to_work(executor, stage)
        else:
            self.move(executor, stage)

    def try_to_work(self, executor: Executor, stage: Stage) -> None:
        """Work at a stage of the own job, or else at what there is."""
        if stage.all_started:
            self.take_any(executor)
        elif stage.runnable:
            self.start(executor, stage)
        else:
            self.rest(executor, executor.job)

    def take_any(self, executor: Executor) -> None:
        """The first work at hand: what the own job has ready, then what anyone would be asked about."""
        own = executor.job.ready if executor.job is not None else []
        for stage in own:
            if self.claimed(stage) < stage.graph.tasks and self.fits(stage, executor.group):
                self.start(executor, stage)
                return
        for stage in self.anywhere(executor.group):
            self.move(executor, stage)
            return
        self.rest(executor, executor.job)

    def leave(self, executor: Executor) -> None:
        executor.job = executor.stage = None

    def move(self, executor: Executor, stage: Stage) -> None:
        self.leave(executor)
        executor.target = stage
        self.moves += 1
        self.push(executor, self.machines.moving_ms)

    def rest(self, executor: Executor, job: Job | None) -> None:
        executor.stage, executor.job = None, job
        (self.common if job is None else job.pools)[executor.group].idle.append(executor)

    def start(self, executor: Executor, stage: Stage) -> None:
        assert executor.job is stage.job
        took = self.duration(executor, stage)
        self.tasks.append(Task(stage.number, stage.started, self.now, self.now + took))
        executor.stage = stage
        stage.started += 1
        if stage.all_started:
            stage.job.ready.remove(stage)
        self.push(executor, took)

    def duration(self, executor: Executor, stage: Stage) -> int:
        """One of the measured durations, by the draw of the task."""
        drawn = bits(self.seed, stage.first_task + stage.started)
        local = sum(other.job is stage.job for other in self.executors)
        point = self.point(local, drawn >> 32)
        counts = [profile.executors for profile in stage.graph.profiles]
        usable = [count for count in counts if count <= point] or counts[:1]
        fresh, first, rest = (wave.tolist() for wave in stage.graph.profiles[counts.index(usable[-1])].waves())
        extra = 0
        if executor.stage is None:
            durations = fresh or first or rest
            extra = 0 if fresh else self.machines.warm_up_ms
        else:
            durations = (rest if executor.stage is stage else []) or first or fresh
        return extra + int(durations[((drawn & 0xFFFFFFFF) * len(durations)) >> 32])

    def point(self, count: int, drawn: int) -> int:
        """The measured number of executors below or above a number of them."""
        lower = max((point for point in self.points if point <= count), default=self.points[0])
        upper = min((point for point in self.points if point >= count), default=self.points[-1])
        if upper <= lower:
            return lower
        place = (drawn * (upper - lower)) >> 32  # 0 to their difference - 1
        as_published = place < count - lower  # the nearer to the upper one, the more often the lower
        return lower if as_published == self.machines.published_levels else upper


def waiting(pools: list[Source]) -> list[Asked]:
    """Pools in which executors are idle at this moment, in the order in which they are asked about: the last first."""
    return [(pool, None) for pool in reversed(pools) if pool.idle]


def measured_points(jobs: Sequence[graphs.JobGraph]) -> list[int]:
    """Numbers of executors with which more than half of the stages were measured, or all."""
    stages = [stage for job in jobs for stage in job.stages]
    counts = Counter(profile.executors for stage in stages for profile in stage.profiles)
    return sorted(count for count in counts if counts[count] > len(stages) / 2) or sorted(counts)


def bits(seed: int, number: int) -> int:
    """The n-th output of splitmix64 (G. L. Steele, D. Lea, C. H. Flood, OOPSLA 2014)."""
    z = (seed + 0x9E3779B97F4A7C15 * (number + 1)) & _ALL
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _ALL
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _ALL
    return z ^ (z >> 31)
