"""The cluster's loop: events move time on until executors can be had, and the engine asks where they go.

`advance` runs to the next question, `answer` takes the policy's answer. A question is about the executors of one
*source* (a pool, or a stage that has run out of tasks) and comes again until all of them are promised; then they go.
See `moves` for the semantics, which are those of Decima's published simulator.
"""

from __future__ import annotations

from unseat.core.jit import inlined, jit
from unseat.tasks.schedule.engine import layout as at
from unseat.tasks.schedule.engine.layout import NONE, Int32, Memory
from unseat.tasks.schedule.engine.moves import (
    IDLE,
    NO_PROMISE,
    begin_task,
    claim,
    empty_pool,
    held,
    leave_job,
    next_promise,
    pool_of,
    pop,
    promise,
    promised,
    push,
    replace_first,
    start,
    to_pool,
)


@jit
def advance(m: Memory, durations: Int32) -> bool:
    """Go on to the next question; False where every job is done, or the run cannot go on (`FAULT`).

    After True the header says whose executors are asked about, and the list of candidates which stages could use them.
    """
    while True:
        if m[at.OFFERED] > 0:
            if find_candidates(m) > 0:
                return True
            keep_idle(m, durations)
        elif m[at.PENDING] > 0:
            m[at.PENDING] -= 1
            pool = m[m[at.PENDING_LIST] + m[at.PENDING]]
            ask_about(m, pool, m[pool + at.POOL_JOB], NONE, m[pool + at.POOL_CLASS], m[pool + at.POOL_COUNT])
        elif not next_event(m, durations):
            if m[at.DONE_JOBS] == m[at.JOBS] or m[at.FAULT]:
                return False
            # Nothing runs any more and jobs are left: offer every idle executor, and take no waiting for an answer.
            if m[at.FORCED]:
                m[at.FAULT] = at.STUCK
            m[at.FORCED] = 1
            for pool in range(m[at.POOLS], m[at.POOLS] + m[at.CLASSES] * (m[at.JOBS] + 1) * at.POOL, at.POOL):
                offer(m, pool)


@jit
def answer(m: Memory, durations: Int32, stage: int, limit: int) -> None:
    """Promise executors of the open source to a candidate, as many as its job may then hold.

    Args:
        m: The state.
        durations: See `library`.
        stage: One of the candidates, or `IDLE` to let all executors that are still offered wait.
        limit: Executors that the stage's job may hold, those included that are on their way; at least one is sent.
    """
    m[at.DECISIONS] += 1
    if stage == IDLE:
        if not m[at.FORCED]:
            keep_idle(m, durations)
            return
        stage, limit = m[m[at.CANDIDATE_LIST]], m[at.EXECUTORS]
    job, amount = m[stage + at.OF_JOB], granted(m, stage, limit)
    m[stage + at.PICKED] = m[at.ROUND]
    promise(m, m[at.SOURCE], stage, amount)
    claim(m, stage, amount)
    if m[at.SOURCE_JOB] != job:
        m[job + at.HELD] += amount
    m[at.OFFERED] -= amount
    if m[at.OFFERED] == 0:
        send(m, durations)


@inlined
def granted(m: Memory, stage: int, limit: int) -> int:
    """Executors of the open source that a candidate gets: at least one, and no more than it has tasks for."""
    amount = limit - held(m, m[stage + at.OF_JOB])
    return int(max(1, min(amount, m[stage + at.TASKS] - m[stage + at.CLAIMED], m[at.OFFERED])))


@inlined
def find_candidates(m: Memory) -> int:
    """List the stages that could use an executor of the open source, by arrival of their jobs."""
    found, picked = m[at.CANDIDATE_LIST], m[at.ROUND]
    memory = m[m[at.CLASS_MEMORY] + m[at.SOURCE_CLASS]]
    for place in range(m[at.ACTIVE], m[at.ACTIVE] + m[at.ACTIVE_JOBS]):
        job = m[place]
        if m[job + at.OPEN_STAGES] > 0:
            for stage in range(m[job + at.FIRST_STAGE], m[job + at.END_STAGE], at.STAGE):
                if usable(m, stage, memory) and m[stage + at.PICKED] != picked:
                    m[found] = stage
                    found += 1
    m[at.CANDIDATES] = found - m[at.CANDIDATE_LIST]
    return int(m[at.CANDIDATES])


@inlined
def usable(m: Memory, stage: int, memory: int) -> bool:
    """Whether a stage has unclaimed tasks that fit, and parents that have none."""
    return bool(
        m[stage + at.CLAIMED] < m[stage + at.TASKS]
        and m[stage + at.PARENTS_UNCLAIMED] == 0
        and m[stage + at.MEMORY] <= memory
    )


@inlined
def ask_about(m: Memory, source: int, job: int, executor: int, group: int, offered: int) -> None:
    """Open a question; stages that were picked in an earlier one may be picked again."""
    m[at.ROUND] += 1
    m[at.SOURCE], m[at.SOURCE_JOB], m[at.SOURCE_EXECUTOR] = source, job, executor
    m[at.SOURCE_CLASS], m[at.OFFERED] = group, offered


@inlined
def offer(m: Memory, pool: int) -> None:
    """Ask about a pool's executors before time goes on."""
    if m[pool + at.POOL_COUNT] > 0:
        m[m[at.PENDING_LIST] + m[at.PENDING]] = pool
        m[at.PENDING] += 1


@inlined
def keep_idle(m: Memory, durations: Int32) -> None:
    """Let all executors that are still offered stay idle."""
    offered = m[at.OFFERED]
    m[at.OFFERED] = 0
    if m[at.SOURCE_EXECUTOR] == NONE and m[at.SOURCE_JOB] == NONE and m[m[at.SOURCE] + at.POOL_COUNT] == offered:
        return  # None of the common pool goes anywhere.
    promise(m, m[at.SOURCE], IDLE, offered)
    send(m, durations)


@jit
def send(m: Memory, durations: Int32) -> None:
    """All promises are made: what is idle goes. Running executors go when their task is done."""
    source, executor = m[at.SOURCE], m[at.SOURCE_EXECUTOR]
    if executor != NONE:
        m[at.SOURCE_EXECUTOR] = NONE
        go(m, durations, executor, next_promise(m, source))
        return
    executor = empty_pool(m, source)
    while executor != NONE:
        later = m[executor + at.LINK]
        stage = next_promise(m, source)
        go(m, durations, executor, IDLE if stage == NO_PROMISE else stage)
        executor = later


@jit
def go(m: Memory, durations: Int32, executor: int, stage: int) -> None:
    """Let an executor that is in no pool keep a promise."""
    own = m[executor + at.AT_JOB]
    if stage == IDLE:
        to_pool(m, executor, own if own != NONE and m[own + at.OPEN_STAGES] > 0 else NONE)
        return
    claim(m, stage, -1)
    job = m[stage + at.OF_JOB]
    if own != job:
        m[job + at.HELD] -= 1
    if m[stage + at.STARTED] >= m[stage + at.TASKS]:
        fall_back(m, durations, executor)
    elif own != job:
        move(m, executor, stage)
    elif m[stage + at.PARENTS_LEFT] == 0:
        start(m, durations, executor, stage)
    else:
        to_pool(m, executor, own)


@inlined
def move(m: Memory, executor: int, stage: int) -> None:
    """Send an executor to a stage of another job."""
    leave_job(m, executor)
    claim(m, stage, 1)
    m[m[stage + at.OF_JOB] + at.HELD] += 1
    m[executor + at.TARGET] = stage
    m[at.MOVES] += 1
    push(m, executor, m[at.NOW] + m[at.MOVING_MS])


@jit
def fall_back(m: Memory, durations: Int32, executor: int) -> None:
    """The stage that an executor was promised to has no task left: the first that has, at its own job or elsewhere."""
    own, memory = m[executor + at.AT_JOB], m[m[at.CLASS_MEMORY] + m[executor + at.CLASS]]
    if own != NONE:
        for place in range(m[own + at.READY_LIST], m[own + at.READY_LIST] + m[own + at.READY_COUNT]):
            stage = m[place]
            if m[stage + at.CLAIMED] < m[stage + at.TASKS] and m[stage + at.MEMORY] <= memory:
                start(m, durations, executor, stage)
                return
    for place in range(m[at.ACTIVE], m[at.ACTIVE] + m[at.ACTIVE_JOBS]):
        for stage in range(m[m[place] + at.FIRST_STAGE], m[m[place] + at.END_STAGE], at.STAGE):
            if usable(m, stage, memory):
                move(m, executor, stage)
                return
    to_pool(m, executor, own)


@inlined
def next_event(m: Memory, durations: Int32) -> bool:
    """Take events until one leaves executors to ask about; False where none is left.

    Most events are the end of a task on an executor that goes on with the next task of its stage.
    """
    while True:
        arrival = m[at.NEXT_ARRIVAL]
        waiting = arrival < m[at.JOBS]
        job = m[at.ALL_JOBS] + arrival * at.JOB
        if m[at.EVENTS] == 0 and not waiting:
            return False
        if m[at.SEQUENCE] >= (1 << at.SEQUENCE_BITS) - 1 or m[at.NOW] > at.LAST_MS:
            m[at.FAULT] = at.TOO_MANY_EVENTS
            return False
        when = m[m[at.HEAP]] >> at.SEQUENCE_BITS
        if waiting and (m[at.EVENTS] == 0 or m[job + at.ARRIVAL] <= when):
            arrive(m, job)
        else:
            m[at.NOW], m[at.FORCED] = when, 0
            executor = m[m[at.HEAP] + 1]
            stage = m[executor + at.AT_STAGE]
            if m[executor + at.TARGET] != NONE:
                pop(m)
                come(m, durations, executor)
            elif m[stage + at.STARTED] < m[stage + at.TASKS]:
                m[stage + at.FINISHED] += 1
                claim(m, stage, 1)
                end = begin_task(m, durations, executor, stage)
                replace_first(m, (end << at.SEQUENCE_BITS) | m[at.SEQUENCE], executor)
                m[at.SEQUENCE] += 1
            else:
                pop(m)
                m[stage + at.FINISHED] += 1
                release(m, durations, executor, stage)
        if m[at.OFFERED] > 0 or m[at.PENDING] > 0:
            return True


@jit
def arrive(m: Memory, job: int) -> None:
    """A job arrives: its first stages are ready, and the common pool is offered."""
    m[at.NOW] = m[job + at.ARRIVAL]
    m[at.NEXT_ARRIVAL] += 1
    m[job + at.STATE] = at.RUNS
    m[m[at.ACTIVE] + m[at.ACTIVE_JOBS]] = job
    m[at.ACTIVE_JOBS] += 1
    for stage in range(m[job + at.FIRST_STAGE], m[job + at.END_STAGE], at.STAGE):
        if m[stage + at.PARENTS_LEFT] == 0:
            make_ready(m, stage, job)
    # Jobs that arrive together are all there before the first question.
    if m[at.NEXT_ARRIVAL] == m[at.JOBS] or m[job + at.JOB + at.ARRIVAL] > m[at.NOW]:
        offer_common(m)


@inlined
def offer_common(m: Memory) -> None:
    """Offer the common pool of each class; the first class is asked about last."""
    for group in range(m[at.CLASSES]):
        offer(m, pool_of(m, NONE, group))


@inlined
def make_ready(m: Memory, stage: int, job: int) -> None:
    """Append a stage to its job's ready ones."""
    m[m[job + at.READY_LIST] + m[job + at.READY_COUNT]] = stage
    m[job + at.READY_COUNT] += 1


@jit
def come(m: Memory, durations: Int32, executor: int) -> None:
    """An executor arrives at the job that it was sent to."""
    stage = m[executor + at.TARGET]
    m[executor + at.TARGET] = NONE
    job = m[stage + at.OF_JOB]
    if m[job + at.STATE] == at.DONE:
        fall_back(m, durations, executor)
        return
    claim(m, stage, -1)
    m[executor + at.AT_JOB] = job
    m[job + at.LOCAL] += 1
    if m[stage + at.STARTED] >= m[stage + at.TASKS]:
        fall_back(m, durations, executor)
    elif m[stage + at.PARENTS_LEFT] == 0:
        start(m, durations, executor, stage)
    else:
        to_pool(m, executor, job)


@jit
def release(m: Memory, durations: Int32, executor: int, stage: int) -> None:
    """The stage that an executor worked on has no more tasks to start: keep a promise, or ask."""
    job, group = m[stage + at.OF_JOB], m[executor + at.CLASS]
    source = m[stage + at.STAGE_SOURCES] + group * at.PROMISES
    done = m[stage + at.FINISHED] == m[stage + at.TASKS]
    news = done and finish_stage(m, stage, job)
    if promised(m, source):
        go(m, durations, executor, next_promise(m, source))
    elif news:
        to_pool(m, executor, job)
    else:
        ask_about(m, source, job, executor, group, running(m, stage, group))
    if news:
        if m[at.REOFFER]:
            offer_common(m)
        for other in range(m[at.CLASSES]):
            offer(m, pool_of(m, job, other))
    if done and m[job + at.STAGES_LEFT] == 0:
        finish_job(m, job)


@inlined
def running(m: Memory, stage: int, group: int) -> int:
    """Executors of a class at a stage."""
    if m[at.CLASSES] == 1:
        return int(m[stage + at.RUNNING])
    found = 0
    for executor in range(m[at.ALL_EXECUTORS], m[at.ALL_EXECUTORS] + m[at.EXECUTORS] * at.EXECUTOR, at.EXECUTOR):
        found += m[executor + at.AT_STAGE] == stage and m[executor + at.CLASS] == group
    return found


@inlined
def finish_stage(m: Memory, stage: int, job: int) -> bool:
    """All tasks of a stage are done; gives whether that makes others ready."""
    m[job + at.STAGES_LEFT] -= 1
    news = False
    for edge in range(m[stage + at.CHILDREN], m[stage + at.CHILDREN_END]):
        child = m[edge]
        m[child + at.PARENTS_LEFT] -= 1
        if m[child + at.PARENTS_LEFT] == 0:
            make_ready(m, child, job)
            news = True
    return news


@inlined
def finish_job(m: Memory, job: int) -> None:
    """A job is done: its executors wait in the common pool, and one that is asked about belongs there."""
    m[job + at.STATE], m[job + at.DONE_AT] = at.DONE, m[at.NOW]
    m[at.DONE_JOBS] += 1
    for group in range(m[at.CLASSES]):
        executor = empty_pool(m, pool_of(m, job, group))
        while executor != NONE:
            later = m[executor + at.LINK]
            to_pool(m, executor, NONE)
            executor = later
    if m[at.SOURCE_EXECUTOR] != NONE and m[at.SOURCE_JOB] == job:
        leave_job(m, m[at.SOURCE_EXECUTOR])
        m[at.SOURCE], m[at.SOURCE_JOB] = pool_of(m, NONE, m[at.SOURCE_CLASS]), NONE
    place = m[at.ACTIVE]
    while m[place] != job:
        place += 1
    for later in range(place, m[at.ACTIVE] + m[at.ACTIVE_JOBS] - 1):
        m[later] = m[later + 1]
    m[at.ACTIVE_JOBS] -= 1
