"""What happens to executors: they start tasks, move, wait in pools, and are promised to stages.

The semantics are those of the simulator that H. Mao et al. published with "Learning Scheduling Algorithms for Data
Processing Clusters" (SIGCOMM 2019):

- An executor that comes back to the pool of its job forgets what it ran last: its next task is a fresh one.
- Promises are made by a *source* (a pool, or a stage whose executors are still running) to stages, and kept in order.
- A stage is *claimed* up to its started tasks, its promises and the executors on their way to it. A stage whose parents
  are claimed in full may be promised executors before it can run.

With executors of several classes a source is a pool or a stage *and* a class; with one class all is as published.
"""

from __future__ import annotations

import numpy as np

from unseat.core.jit import inlined
from unseat.tasks.schedule.engine import layout as at
from unseat.tasks.schedule.engine.layout import NONE, Int32, Memory

IDLE, NO_PROMISE = NONE, -1

_GOLDEN, _MIX_1, _MIX_2 = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S32 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)


@inlined
def draw(seed: int, number: int) -> np.uint64:
    """64 random bits of one task: draws are by task, so that every policy meets the same (splitmix64)."""
    z = np.uint64(seed) + np.uint64(number + 1) * _GOLDEN
    z = (z ^ (z >> _S30)) * _MIX_1
    z = (z ^ (z >> _S27)) * _MIX_2
    return z ^ (z >> _S31)


@inlined
def measured(m: Memory, durations: Int32, bits: np.uint64, waves: int, executors: int, wave: int) -> tuple[int, int]:
    """What a task's duration is drawn from: a wave's place among the durations, and what is added, in ms.

    The wave is one that was measured with about as many executors.
    """
    row = m[at.LEVELS] + executors * at.LEVEL
    level, span = m[row + at.LOWER], m[row + at.SPAN]
    if span > 1:
        point = np.int64(((bits >> _S32) * np.uint64(span)) >> _S32) + 1
        near = point <= m[row + at.DISTANCE]
        if near != (m[at.PUBLISHED_LEVELS] != 0):
            level = m[row + at.UPPER]
    spans = waves + level * at.WAVE
    extra = 0
    if durations[spans + 2 * wave + 1] == 0:
        if wave == at.FRESH:
            extra = m[at.WARM_UP_MS]
        wave = at.FRESH if durations[spans + 2 * at.FIRST + 1] == 0 else at.FIRST
    return spans + 2 * wave, extra


@inlined
def drawn(durations: Int32, bits: np.uint64, span: int) -> int:
    """One of a wave's durations, in ms."""
    pick = np.int64(((bits & _LOW) * np.uint64(durations[span + 1])) >> _S32)
    return int(durations[durations[span] + pick])


@inlined
def held(m: Memory, job: int) -> int:
    """Executors that a job holds; those that are asked about are left out."""
    return int(m[job + at.HELD] - (m[at.OFFERED] if job == m[at.SOURCE_JOB] else 0))


@inlined
def claim(m: Memory, stage: int, more: int) -> None:
    """Claim more or fewer tasks of a stage, and tell its children whether any is left unclaimed."""
    tasks, before = m[stage + at.TASKS], m[stage + at.CLAIMED]
    m[stage + at.CLAIMED] = before + more
    if (before >= tasks) != (before + more >= tasks):
        change = 1 if before >= tasks else -1
        for edge in range(m[stage + at.CHILDREN], m[stage + at.CHILDREN_END]):
            m[m[edge] + at.PARENTS_UNCLAIMED] += change


@inlined
def push(m: Memory, executor: int, when: int) -> None:
    """Put an executor's next event into the heap."""
    heap, place = m[at.HEAP], m[at.EVENTS]
    key = (when << at.SEQUENCE_BITS) | m[at.SEQUENCE]
    m[at.SEQUENCE] += 1
    m[at.EVENTS] = place + 1
    while place > 0:
        above = (place - 1) >> 1
        if m[heap + 2 * above] <= key:
            break
        m[heap + 2 * place], m[heap + 2 * place + 1] = m[heap + 2 * above], m[heap + 2 * above + 1]
        place = above
    m[heap + 2 * place], m[heap + 2 * place + 1] = key, executor


@inlined
def replace_first(m: Memory, key: int, executor: int) -> None:
    """Put another event in the place of the heap's first."""
    heap, count = m[at.HEAP], m[at.EVENTS]
    place, below = 0, 1
    while below < count:
        if below + 1 < count:
            below += m[heap + 2 * below + 2] < m[heap + 2 * below]
        if m[heap + 2 * below] >= key:
            break
        m[heap + 2 * place], m[heap + 2 * place + 1] = m[heap + 2 * below], m[heap + 2 * below + 1]
        place, below = below, 2 * below + 1
    m[heap + 2 * place], m[heap + 2 * place + 1] = key, executor


@inlined
def pop(m: Memory) -> None:
    """Take the heap's first event out."""
    last = m[at.EVENTS] - 1
    m[at.EVENTS] = last
    if last > 0:
        replace_first(m, m[m[at.HEAP] + 2 * last], m[m[at.HEAP] + 2 * last + 1])


@inlined
def begin_task(m: Memory, durations: Int32, executor: int, stage: int) -> int:
    """Start the stage's next task on an executor of its job; gives when it will be done.

    The caller claims the task, and puts the event where it belongs.
    """
    job, last = m[stage + at.OF_JOB], m[executor + at.AT_STAGE]
    wave = at.REST if last == stage else (at.FRESH if last == NONE else at.FIRST)
    started = m[stage + at.STARTED]
    bits = draw(m[at.SEED], m[stage + at.FIRST_TASK] + started)
    span, added = measured(m, durations, bits, m[stage + at.WAVES], m[job + at.LOCAL], wave)
    took = drawn(durations, bits, span) + added
    m[executor + at.BEGAN], m[executor + at.TASK_WAVE], m[executor + at.WITH] = m[at.NOW], wave, m[job + at.LOCAL]
    if last != stage:
        if last != NONE:
            m[last + at.RUNNING] -= 1
        m[stage + at.RUNNING] += 1
        m[executor + at.AT_STAGE] = stage
    m[stage + at.STARTED] = started + 1
    m[job + at.JOB_LEFT] -= m[stage + at.MEAN_US]
    m[at.BUSY_MS] += took
    m[at.STARTED_TASKS] += 1
    if started + 1 == m[stage + at.TASKS]:
        no_more_tasks(m, stage, job)
    end = m[at.NOW] + took
    if m[at.LOG] != NONE:
        row = m[at.LOG] + m[at.LOGGED] * at.LOG_ROW
        m[row + at.LOG_EXECUTOR], m[row + at.LOG_STAGE], m[row + at.LOG_TASK] = executor, stage, started
        m[row + at.LOG_START], m[row + at.LOG_END] = m[at.NOW], end
        m[at.LOGGED] += 1
    return int(end)


@inlined
def no_more_tasks(m: Memory, stage: int, job: int) -> None:
    """The stage's last task has started: take it from the job's ready stages."""
    m[job + at.OPEN_STAGES] -= 1
    place = m[job + at.READY_LIST]
    end = place + m[job + at.READY_COUNT]
    while place < end and m[place] != stage:
        place += 1
    if place < end:
        m[job + at.READY_COUNT] -= 1
        for later in range(place, end - 1):
            m[later] = m[later + 1]


@inlined
def start(m: Memory, durations: Int32, executor: int, stage: int) -> None:
    """Claim and start a task, and put its end among the events."""
    claim(m, stage, 1)
    push(m, executor, begin_task(m, durations, executor, stage))


@inlined
def leave_stage(m: Memory, executor: int) -> None:
    """The executor forgets what it ran last."""
    if m[executor + at.AT_STAGE] != NONE:
        m[m[executor + at.AT_STAGE] + at.RUNNING] -= 1
        m[executor + at.AT_STAGE] = NONE


@inlined
def leave_job(m: Memory, executor: int) -> None:
    """The executor belongs to no job any more."""
    leave_stage(m, executor)
    job = m[executor + at.AT_JOB]
    if job != NONE:
        m[job + at.LOCAL] -= 1
        m[job + at.HELD] -= 1
        m[executor + at.AT_JOB] = NONE


@inlined
def pool_of(m: Memory, job: int, group: int) -> int:
    """The pool of a class in a job, or the common one."""
    first = m[at.POOLS] if job == NONE else m[job + at.JOB_POOLS]
    return int(first + group * at.POOL)


@inlined
def to_pool(m: Memory, executor: int, job: int) -> None:
    """Let an executor wait in its job's pool, or in the common one."""
    if job == NONE:
        leave_job(m, executor)
    else:
        leave_stage(m, executor)
    pool = pool_of(m, job, m[executor + at.CLASS])
    m[executor + at.LINK] = m[pool + at.POOL_HEAD]
    m[pool + at.POOL_HEAD] = executor
    m[pool + at.POOL_COUNT] += 1


@inlined
def empty_pool(m: Memory, pool: int) -> int:
    """Take all executors out of a pool; gives the first, which is linked to the others."""
    executor = m[pool + at.POOL_HEAD]
    m[pool + at.POOL_HEAD], m[pool + at.POOL_COUNT] = NONE, 0
    return int(executor)


@inlined
def promise(m: Memory, source: int, stage: int, amount: int) -> None:
    """Append a promise to a source's list; the caller claims the tasks."""
    made = m[at.FREE_PROMISE]
    m[at.FREE_PROMISE] = m[made + at.NEXT]
    m[made + at.TO_STAGE], m[made + at.AMOUNT], m[made + at.NEXT] = stage, amount, NONE
    if m[source + at.HEAD] == NONE:
        m[source + at.HEAD] = made
    else:
        m[m[source + at.TAIL] + at.NEXT] = made
    m[source + at.TAIL] = made


@inlined
def drop_promise(m: Memory, source: int) -> None:
    """Free the first promise of a source."""
    first = m[source + at.HEAD]
    m[source + at.HEAD] = m[first + at.NEXT]
    m[first + at.NEXT] = m[at.FREE_PROMISE]
    m[at.FREE_PROMISE] = first


@inlined
def promised(m: Memory, source: int) -> bool:
    """Whether a source has promises left; those to jobs that are done are void."""
    while m[source + at.HEAD] != NONE:
        stage = m[m[source + at.HEAD] + at.TO_STAGE]
        if stage == IDLE or m[m[stage + at.OF_JOB] + at.STATE] != at.DONE:
            return True
        drop_promise(m, source)
    return False


@inlined
def next_promise(m: Memory, source: int) -> int:
    """Where the next executor of a source goes: to a stage, to stay `IDLE`, or `NO_PROMISE`."""
    if not promised(m, source):
        return NO_PROMISE
    first = m[source + at.HEAD]
    stage = m[first + at.TO_STAGE]
    m[first + at.AMOUNT] -= 1
    if m[first + at.AMOUNT] == 0:
        drop_promise(m, source)
    return int(stage)
