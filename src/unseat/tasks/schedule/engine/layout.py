"""The cluster's state: records in one array of integers, addressed like memory.

An executor, a job, a stage or a promise *is* the address of its record, and ``m[stage + CLAIMED]`` is one of its
fields; `NONE` (0) is no record. One array is what Numba passes to a function for next to nothing, where a tuple of
twenty counts references at each access. Times are milliseconds, work is microseconds, memory is millionths of the
largest executor's.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Memory = NDArray[np.int64]
Int32 = NDArray[np.int32]
Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

NONE = 0

# The header. First what a run changes, then where the tables are.
(_, NOW, SEQUENCE, EVENTS, NEXT_ARRIVAL, ACTIVE_JOBS, DONE_JOBS, ROUND, FORCED, FAULT, FREE_PROMISE, PENDING,
 CANDIDATES, BUSY_MS, MOVES, STARTED_TASKS, DECISIONS, SEED, LOGGED,
 SOURCE, SOURCE_JOB, SOURCE_EXECUTOR, SOURCE_CLASS, OFFERED) = range(24)  # fmt: skip
(EXECUTORS, JOBS, STAGES, POOLS, CLASSES, ALL_EXECUTORS, ALL_JOBS, ALL_STAGES, LEVELS, HEAP, ACTIVE, PENDING_LIST,
 CANDIDATE_LIST, CLASS_MEMORY, LOG, MOVING_MS, WARM_UP_MS, PUBLISHED_LEVELS, REOFFER) = range(24, 43)  # fmt: skip
HEADER = 43
"""`SOURCE` to `OFFERED` say whose executors are asked about: a list of promises, its job (`NONE`: the common pool), the
one executor where it is not a pool, their class and how many they are. `EXECUTORS` and so on are how many there are,
`ALL_EXECUTORS` and so on the addresses of the first."""

# Executors. LINK is the next of a pool, TARGET the stage that it moves to. Of the last task: when it BEGAN, its wave,
# and how many executors its job was WITH then.
AT_JOB, AT_STAGE, CLASS, TARGET, LINK, BEGAN, TASK_WAVE, WITH = range(8)
EXECUTOR = 8

# Jobs. HELD counts executors at the job, on their way and promised from elsewhere; LOCAL only those at it. UPWARD is a
# list of its stages, each behind its children.
(ARRIVAL, STATE, HELD, LOCAL, STAGES_LEFT, OPEN_STAGES, READY_LIST, READY_COUNT, DONE_AT, FIRST_STAGE, END_STAGE,
 JOB_POOLS, JOB_WORK, JOB_LEFT, JOB_PATH, JOB_NUMBER, UPWARD) = range(17)  # fmt: skip
JOB = 17
WAITING, RUNS, DONE = 0, 1, 2

# Stages. CLAIMED counts tasks that were started and those that an executor is promised to or on its way to; a stage can
# run when PARENTS_LEFT is 0, and may be promised executors when PARENTS_UNCLAIMED is.
(OF_JOB, TASKS, STARTED, FINISHED, CLAIMED, PARENTS_LEFT, PARENTS_UNCLAIMED, RUNNING, PICKED, FIRST_TASK, CHILDREN,
 CHILDREN_END, WAVES, MEMORY, STAGE_SOURCES, MEAN_US, PATH_US, BELOW_US, STAGE_NUMBER,
 STAGE_ROW) = range(20)  # fmt: skip
STAGE = 20

# A source's list of promises; a pool is one that also has executors.
HEAD, TAIL = range(2)
PROMISES = 2
POOL_HEAD, POOL_COUNT, POOL_JOB, POOL_CLASS = range(2, 6)
POOL = 6

# Promises.
TO_STAGE, AMOUNT, NEXT = range(3)
PROMISE = 3

# LEVELS has a row for each number of executors: place of the measured numbers at or below and above, the distance to
# the lower, and that between both.
LOWER, UPPER, DISTANCE, SPAN = range(4)
LEVEL = 4

# WAVES points into the durations: for each measured number of executors, where the samples of each wave begin, and how
# many there are.
FRESH, FIRST, REST = range(3)
WAVE = 6

# A row of the log of tasks.
LOG_EXECUTOR, LOG_STAGE, LOG_TASK, LOG_START, LOG_END = range(5)
LOG_ROW = 5

SEQUENCE_BITS = 27
"""An event's key is its time (36 bits of ms: two years) and its number, so that one comparison orders both."""

LAST_MS = (1 << 36) - (1 << 33)
"""A run ends in a fault when its clock passes this: the longest task and all delays end within the bits of the time."""

NEVER_MS = 1 << 36
"""A time that no run comes to."""

MOST_TASKS = 10_000_000
"""Tasks of an instance at most, so that the numbers of events fit their bits."""

TOO_MANY_EVENTS, STUCK = 1, 2
