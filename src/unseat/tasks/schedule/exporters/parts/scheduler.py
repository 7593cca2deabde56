"""The class that is exported, and its self-test."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Sequence

from unseat.tasks.schedule.exporters.parts.cluster import Cluster, Job, Question, Stage, ask


def decide(asked: Question) -> tuple[Job, int, int] | None:
    """What the export puts here answers as the policy: a job, the place of its stage and a limit, or None to wait."""
    raise NotImplementedError


class Scheduler:
    """Says which stage gets the executors that are free, and how many its job may then hold.

    It keeps nothing between calls but what it has worked out from jobs, so that one object serves any cluster.
    """

    def assign(
        self,
        cluster: Cluster,
        jobs: Sequence[Job],
        source: Job | None,
        offered: int,
        picked: Collection[Stage] = (),
        memory_class: int = 0,
    ) -> tuple[Stage | None, int]:
        """Answer one question.

        Args:
            cluster: The machines, and the time.
            jobs: The jobs that have arrived and are not done, in the order of their arrival.
            source: The job at which the executors are, idle or at a stage that has no more tasks to start; None for the
                common pool.
            offered: How many executors are free, at least 1; all of one class.
            picked: Stages that were answered before for executors of the same source, at this time.
            memory_class: Place of their class in `cluster.classes`.

        Returns:
            A stage and how many executors its job may hold (see `granted`); ``(None, 0)`` to let them wait.
        """
        asked = ask(cluster, jobs, source, offered, picked, memory_class)
        answer = decide(asked) if asked.candidates else None
        if answer is None:
            return None, 0
        job, place, limit = answer
        return job.stages[place], limit


def granted(job: Job, stage: Stage, source: Job | None, offered: int, limit: int) -> int:
    """How many of the executors go to a stage of a job: until the job holds `limit` of them, and at least one."""
    more = limit - job.held + (offered if job is source else 0)
    return max(1, min(more, stage.tasks - stage.claimed, offered))


def demo() -> None:
    """Run three jobs on four executors, each task as long as its mean, and print when each job is done.

    An executor that is sent to a stage waits there until the stage can run; to move takes no time.
    """
    cluster, scheduler = Cluster(classes=(4,)), Scheduler()
    jobs = [demo_job(f"job {number}", 400.0 * (3 - number)) for number in range(3)]
    pool, events, ends = sum(cluster.classes), list[tuple[int, int, Job, Stage]](), dict[Stage, int]()
    source, offered, sent_so_far = None, pool, 0
    while jobs:
        picked: list[Stage] = []
        while offered:
            stage, limit = scheduler.assign(cluster, jobs, source, offered, picked)
            if stage is None:
                break
            assert stage.claimed < stage.tasks and stage not in picked and limit > 0
            job = next(job for job in jobs if stage in job.stages)
            sent = granted(job, stage, source, offered, limit)
            begin = max([cluster.now_ms, *(ends[job.stages[parent]] for parent in stage.parents)])
            ends[stage] = begin + round(stage.mean_ms)
            for _ in range(sent):
                sent_so_far += 1
                heapq.heappush(events, (ends[stage], sent_so_far, job, stage))
            stage.started = stage.claimed = stage.claimed + sent
            stage.at_work += sent
            job.held += sent
            if source is None:
                pool -= sent
            else:
                source.held -= sent
            offered -= sent
            picked.append(stage)
        if source is not None:  # What was not sent anywhere waits in the common pool, which is offered next.
            source.held -= offered
            pool += offered
            source, offered = None, pool
            continue
        cluster.now_ms, _, job, stage = heapq.heappop(events)
        stage.finished += 1
        stage.at_work -= 1
        source, offered = job, 1
        job.ready = [place for place in range(len(job.stages)) if demo_ready(job, place)]
        if all(one.finished == one.tasks for one in job.stages):
            jobs.remove(job)
            source, pool = None, pool + 1
            offered = pool
            print(f"{job.name} done after {cluster.now_ms / 1000:.1f} s")  # noqa: T201 (a command's output)


def demo_job(name: str, mean_ms: float) -> Job:
    """Two scans, their join, and a sum."""
    parents: tuple[tuple[int, ...], ...] = ((), (), (0, 1), (2,))
    stages = [Stage(6 - place, above, mean_ms * (1 + place)) for place, above in enumerate(parents)]
    return Job(stages, ready=[0, 1], name=name)


def demo_ready(job: Job, place: int) -> bool:
    """Whether all parents of a stage are done."""
    return all(job.stages[parent].finished == job.stages[parent].tasks for parent in job.stages[place].parents)
