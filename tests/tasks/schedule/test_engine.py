"""The simulator of clusters: held to a slow reference, and to what no cluster can do."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tasks.schedule import small
from tests.tasks.schedule.reference.simulator import Question, Simulator, Task, bits

from unseat.core.errors import ContractError, UserError
from unseat.tasks.schedule.engine import layout as at
from unseat.tasks.schedule.engine.cluster import advance, answer
from unseat.tasks.schedule.engine.graphs import LAST_ARRIVAL_MS, LONGEST_MS, Arrivals, JobGraph, Stage, profile
from unseat.tasks.schedule.engine.layout import Memory
from unseat.tasks.schedule.engine.memory import Cluster, Machines, lay_out, logged, table
from unseat.tasks.schedule.incumbents import play
from unseat.tasks.schedule.problem import Problem

SEEDS = st.integers(0, 2**32 - 1)


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.sampled_from((0.0, 0.1, 0.5, 1.0)))
def test_engine_is_the_reference(seed: int, waits: float) -> None:
    """Red: the engine asks other questions, starts other tasks or starts them at other times than its definition."""
    arrivals, machines = small.some_cluster(seed)
    m, asked = small.run(lay_out(arrivals, machines), seed, small.anything(seed, waits))
    reference = Simulator(arrivals, machines, int(m[at.SEED]), small.anything(seed, waits))
    reference.run()
    assert asked == reference.questions
    assert [Task(*row) for row in logged(m)[:, 1:].tolist()] == reference.tasks
    assert table(m, at.ALL_JOBS)[:, at.DONE_AT].tolist() == reference.done_at
    assert (int(m[at.MOVES]), int(m[at.FAULT])) == (reference.moves, 0)


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.sampled_from((0.0, 0.1, 1.0)))
def test_what_no_cluster_can_do(seed: int, waits: float) -> None:
    """Red: a task runs twice, too early or never, an executor does two things at once, or a counter lies."""
    cluster = lay_out(*small.some_cluster(seed))
    m, _ = small.run(cluster, seed, small.anything(seed, waits))
    check(cluster, m)


@pytest.mark.parametrize("rule", range(8))
def test_what_no_cluster_can_do_by_a_rule(rule: int) -> None:
    """Red: as above, at many executors and tasks, in the loop that rules run in."""
    rng = np.random.default_rng(rule)
    graphs = tuple(small.some_graph(rng, f"job-{place}", 12, 60, memory=True) for place in range(8))
    arrivals = Arrivals(graphs, tuple(range(8)) * 3, tuple(sorted(rng.integers(0, 900, 24).tolist())))
    cluster = lay_out(arrivals, Machines((3, 20, 8), (0.3, 1.0, 0.5), moving_ms=7, warm_up_ms=3))
    m = cluster.begin(rule, log=True)
    play.play(m, cluster.durations, rule, np.zeros(4), np.arange(float(m[at.STAGES])), at.NEVER_MS)
    check(cluster, m)


def check(cluster: Cluster, m: Memory) -> None:
    """Hold a log to the graphs and machines alone."""
    stages = [(job, stage) for job, (graph, _) in enumerate(cluster.arrivals) for stage in graph.stages]
    first = np.cumsum([0, *(len(graph.stages) for graph, _ in cluster.arrivals)]).tolist()
    group_of = np.repeat(range(len(cluster.machines.counts)), cluster.machines.counts).tolist()
    log = logged(m).tolist()
    assert Counter((row[1], row[2]) for row in log) == {
        (number, task): 1 for number, (_, stage) in enumerate(stages) for task in range(stage.tasks)
    }
    begins, ends = defaultdict[int, list[int]](list), defaultdict[int, list[int]](list)
    rows = defaultdict[int, list[tuple[int, int, int]]](list)
    for executor, number, _, begin, end in log:
        begins[number].append(begin)
        ends[number].append(end)
        rows[executor].append((begin, end, number))
        assert stages[number][1].memory <= cluster.machines.memory[group_of[executor]]
        assert end - begin in possible(stages[number][1], cluster.machines.warm_up_ms)
    for number, (job, stage) in enumerate(stages):
        earliest = max(
            (max(ends[first[job] + parent]) for parent in stage.parents), default=cluster.arrivals.at_ms[job]
        )
        assert min(begins[number]) >= max(earliest, cluster.arrivals.at_ms[job])
    assert set(rows) <= set(range(cluster.machines.executors))
    changes = 0
    for own in rows.values():
        last_job, last_end = -1, 0
        for begin, end, number in sorted(own):
            job = stages[number][0]
            changes += job != last_job
            assert begin >= last_end + (cluster.machines.moving_ms if job != last_job else 0)
            last_job, last_end = job, end
    check_counters(cluster, m, log, changes)


def check_counters(cluster: Cluster, m: Memory, log: list[list[int]], changes: int) -> None:
    """Hold what the engine counted to a log."""
    jobs, stages, executors = (table(m, kind) for kind in (at.ALL_JOBS, at.ALL_STAGES, at.ALL_EXECUTORS))
    done = defaultdict[int, int](int)
    of_stage = [job for job, (graph, _) in enumerate(cluster.arrivals) for _ in graph.stages]
    for _, number, _, _, end in log:
        done[of_stage[number]] = max(done[of_stage[number]], end)
    assert m[at.BUSY_MS] == sum(end - begin for _, _, _, begin, end in log)
    assert m[at.STARTED_TASKS] == m[at.LOGGED] == len(log) == cluster.tasks
    assert m[at.MOVES] >= changes
    assert m[at.DONE_JOBS] == m[at.JOBS] and m[at.ACTIVE_JOBS] == m[at.EVENTS] == m[at.OFFERED] == m[at.FAULT] == 0
    assert jobs[:, at.DONE_AT].tolist() == [done[job] for job in range(len(jobs))]
    assert not jobs[:, [at.JOB_LEFT, at.STAGES_LEFT, at.OPEN_STAGES, at.READY_COUNT, at.LOCAL]].any()
    assert (stages[:, [at.STARTED, at.FINISHED]] == stages[:, [at.TASKS]]).all()
    assert not stages[:, [at.RUNNING, at.PARENTS_LEFT, at.PARENTS_UNCLAIMED]].any()
    assert not executors[:, [at.AT_JOB, at.AT_STAGE, at.TARGET]].any()
    pools = m[m[at.POOLS] :][: m[at.CLASSES] * at.POOL].reshape(-1, at.POOL)
    assert tuple(pools[:, at.POOL_COUNT].tolist()) == cluster.machines.counts


def possible(stage: Stage, warm_up_ms: int) -> set[int]:
    measured = {int(ms) for one in stage.profiles for wave in one.waves() for ms in wave}
    return measured | {ms + warm_up_ms for ms in measured}


@settings(max_examples=15, deadline=None)
@given(SEEDS)
def test_same_seed_same_log(seed: int) -> None:
    """Red: a run depends on anything but its seed, so that no result can be had again."""
    cluster = lay_out(*small.some_cluster(seed))
    one, other = (small.run(cluster, seed, small.anything(seed))[0] for _ in range(2))
    assert one.tobytes() == other.tobytes()


def test_draws_are_by_task() -> None:
    """Red: two policies meet different durations, so that luck is measured; or all tasks meet the same."""
    stages = [Stage(20, (), (profile(1, [], [*range(1, 1001)], [*range(1, 1001)]),))]
    stages.append(replace(stages[0], parents=(0,)))
    cluster = lay_out(Arrivals((JobGraph("a", "a", tuple(stages)),), (0,), (0,)), Machines((4,), warm_up_ms=0))
    found = []
    for limit in (1, 3, 4):
        m, _ = small.run(cluster, 5, always(limit))
        found.append({(row[1], row[2]): row[4] - row[3] for row in logged(m).tolist()})
    assert found[0] == found[1] == found[2]
    number = {(stage, task): 20 * stage + task for stage, task in found[0]}
    seed = int(m[at.SEED])
    assert found[0] == {at: 1 + ((bits(seed, number[at]) & 0xFFFFFFFF) * 1000 >> 32) for at in found[0]}


def always(limit: int) -> Callable[[Question], tuple[int | None, int]]:
    return lambda question: (question.stages[0], limit)


def test_two_stages_by_hand() -> None:
    """Red: an executor does not wait at its job for the stage that it was promised to, or is not asked about then."""
    graph = small.steady("a", (3, (), 10), (1, (0,), 5))
    cluster = lay_out(Arrivals((graph,), (0,), (0,)), Machines((2,), moving_ms=2))
    m, asked = small.run(cluster, 0, always(9))
    assert asked == [
        Question(0, (0,), -1, 0, 2, (0,)),  # both move
        Question(12, (1,), 0, 0, 2, (2,)),  # one runs the third task, and the other has none: where shall both go?
        Question(22, (1,), 0, 0, 2, (2,)),  # the last stage is ready
    ]
    assert sorted(logged(m)[:, 1:].tolist()) == [[0, 0, 2, 12], [0, 1, 2, 12], [0, 2, 12, 22], [1, 0, 22, 27]]


def test_promises_to_a_finished_job_are_void() -> None:
    """Red: an executor is sent to a job that is done, or takes other work there is without a question."""
    graphs = [small.steady(name, (tasks, (), ms)) for name, tasks, ms in (("a", 2, 100), ("b", 2, 10), ("c", 1, 50))]
    cluster = lay_out(Arrivals((*graphs, graphs[0]), (0, 1, 2, 3), (0, 0, 0, 130)), Machines((2,), moving_ms=0))
    answers = iter([(0, 1), (2, 1), (0, 2), (1, 2), (3, 1), (3, 2)])
    m, asked = small.run(cluster, 0, lambda _: next(answers))
    assert [(one.now, one.stages, one.source, one.offered) for one in asked] == [
        (0, (0, 1, 2), -1, 2),
        (0, (1, 2), -1, 1),
        (50, (0, 1), -1, 1),
        (100, (1,), 0, 2),  # two executors work at the first job; the second will need only one of them,
        (130, (3,), -1, 1),
        (150, (3,), -1, 1),  # so that the other has no promise any more when it comes free
    ]
    assert [row[1:] for row in logged(m).tolist() if row[1] in (1, 3)] == [
        [1, 0, 100, 110], [1, 1, 110, 120], [3, 0, 130, 230], [3, 1, 150, 250],
    ]  # fmt: skip


@pytest.mark.parametrize(("published", "expected"), [(True, 0.75), (False, 0.25)])
def test_between_two_measured_numbers(published: bool, expected: float) -> None:
    """Red: with 17 executors, measured with 5 and 21, a task takes the wrong one of both too often."""
    stage = Stage(2000, (), (profile(5, [1], [1], [1]), profile(21, [2], [2], [2])))
    graph = JobGraph("a", "a", (stage,))
    cluster = lay_out(Arrivals((graph,), (0,), (0,)), Machines((17,), published_levels=published))
    m, _ = small.run(cluster, 1, always(17))
    took = logged(m)[100:, at.LOG_END] - logged(m)[100:, at.LOG_START]
    assert abs((took == 1).mean() - expected) < 0.04


def test_idle_executors_are_offered_again() -> None:
    """Red: `reoffer` does not offer the common pool when a stage becomes ready, or the published form does."""
    graph = small.steady("a", (1, (), 10), (4, (0,), 10))
    seen = []
    for reoffer in (False, True):
        cluster = lay_out(Arrivals((graph,), (0,), (0,)), Machines((4,), moving_ms=1, reoffer=reoffer))
        answers = iter([(0, 1), (None, 0), *[(1, 9)] * 9])
        m, asked = small.run(cluster, 0, lambda _, answers=answers: next(answers))  # type: ignore[misc]
        seen.append([(one.now, one.source, one.offered) for one in asked])
    assert seen == [
        [(0, -1, 4), (0, -1, 3), (11, 0, 1)],
        [(0, -1, 4), (0, -1, 3), (11, 0, 1), (11, -1, 3)],
    ]


def test_jobs_that_no_executor_can_hold() -> None:
    """Red: a run that cannot go on ends as if it had come to its end, or never."""
    graph = small.steady("a", (1, (), 10), (1, (0,), 10), memory=(0.2, 0.9))
    cluster = lay_out(Arrivals((graph,), (0,), (0,)), Machines((1, 1), (0.5, 1.0)))
    m = cluster.begin(0)
    m[m[at.CLASS_MEMORY] : m[at.CLASS_MEMORY] + 2] = 500_000  # machines that validation lets nobody have
    while advance(m, cluster.durations):
        answer(m, cluster.durations, int(m[m[at.CANDIDATE_LIST]]), 1)
    assert m[at.FAULT] == at.STUCK and m[at.DONE_JOBS] == 0


def one_stage(**changes: object) -> Callable[[], object]:
    given: dict[str, object] = {"tasks": 1, "parents": (), "profiles": (profile(1, [1], [1], [1]),)} | changes
    return lambda: JobGraph("a", "a", (Stage(**given),))  # type: ignore[arg-type]


def several(*parents: tuple[int, ...]) -> Callable[[], object]:
    return lambda: small.steady("a", *((1, own, 1) for own in parents))


GRAPH = small.steady("a", (1, (), 1))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (several(), "job a: no stages"),
        (several((1,), (0,)), "job a: stages depend on each other in a circle, one through stage 0; take an edge out"),
        (several((), (0, 3), (1,), (2,)), "in a circle, one through stage 1"),
        (several((), (), (1,)), "stage 1 has nothing to do with stage 0; make it a job of its own"),
        (several((), (2,)), "stage 1: parent 2 is no stage; stages count from 0 to 1"),
        (several((), (-1,)), "stage 1: parent -1 is no stage"),
        (several((), (0, 0)), "stage 1: names a parent twice"),
        (several((0,)), "in a circle"),
        (one_stage(tasks=0), "stage 0: 0 tasks; a stage has at least one"),
        (one_stage(name="scan", tasks=-1), "stage scan: -1 tasks"),
        (one_stage(memory=1.5), "memory 1.5 is no share"),
        (one_stage(memory=-0.1), "memory -0.1 is no share"),
        (one_stage(memory=float("nan")), "memory nan is no share"),
        (one_stage(profiles=()), "durations must be given for at least one number of executors"),
        (one_stage(profiles=(profile(0, [1], [1], [1]),)), "ascending from 1"),
        (one_stage(profiles=(profile(2, [1], [], []), profile(1, [1], [], []))), "ascending from 1"),
        (one_stage(profiles=(profile(1, [1], [], []), profile(1, [1], [], []))), "ascending from 1"),
        (one_stage(profiles=(profile(3, [], [], [1]),)), "no duration of a first task with 3 executors"),
        (one_stage(profiles=(profile(1, [1], [0], []),)), "a duration of 0 ms; give at least 1"),
        (one_stage(profiles=(profile(1, [1], [3], [-4]),)), "a duration of -4 ms"),
        (lambda: Arrivals((GRAPH,), (), ()), "no jobs; give at least one"),
        (lambda: Arrivals((GRAPH,), (0, 0), (1,)), "2 jobs and 1 arrival times"),
        (lambda: Arrivals((GRAPH,), (0, 1), (1, 1)), "job 1: no graph 1; there are 1"),
        (lambda: Arrivals((GRAPH,), (-1,), (1,)), "job 0: no graph -1"),
        (lambda: Arrivals((GRAPH,), (0,), (-1,)), "must not be negative"),
        (lambda: Arrivals((GRAPH,), (0, 0), (2, 1)), "must ascend"),
        (lambda: Arrivals((GRAPH,), (0,), (LAST_ARRIVAL_MS + 1,)), "the latest arrival is at 34359738368 ms"),
        (lambda: Machines(()), "one number of executors and one memory a class"),
        (lambda: Machines((1, 2)), "one number of executors and one memory a class"),
        (lambda: Machines((0,)), "0 executors; give each class at least 1"),
        (lambda: Machines((3, 0), (1.0, 0.5)), "give each class at least 1"),
        (lambda: Machines((10_001,)), "10001 executors"),
        (lambda: Machines((1,), (0.5,)), "shares of the largest, which is 1"),
        (lambda: Machines((1, 1), (1.0, 0.0)), "shares of the largest"),
        (lambda: Machines((1, 1), (1.0, float("nan"))), "shares of the largest"),
        (lambda: Machines((1,), moving_ms=-1), "delays are given in ms, at least 0"),
        (lambda: Machines((1,), warm_up_ms=2**31), "delays are given in ms"),
    ],
)
def test_errors(make: Callable[[], object], message: str) -> None:
    """Red: what is no job or no cluster is accepted, or refused without a line that says what is wrong."""
    with pytest.raises(UserError) as caught:
        make()
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_too_many_tasks() -> None:
    """Red: a run numbers its events beyond their bits, and time runs backward."""
    half = small.steady("a", (at.MOST_TASKS // 2, (), 1))
    lay_out(Arrivals((half,), (0, 0), (0, 0)), Machines((1,)))
    with pytest.raises(UserError, match="10,000,001 tasks; the simulator takes 10,000,000 at most: give fewer jobs"):
        lay_out(Arrivals((half, GRAPH), (0, 0, 1), (0, 0, 0)), Machines((1,)))


def test_long_durations_do_not_overflow() -> None:
    """Red: the longest task that is let in ends before it begins."""
    graph = small.steady("a", (3, (), LONGEST_MS), (1, (0,), 1))
    m, _ = small.run(lay_out(Arrivals((graph,), (0,), (2**33,)), Machines((1,), moving_ms=0)), 0, always(1))
    assert table(m, at.ALL_JOBS)[0, at.DONE_AT] == 2**33 + 3 * LONGEST_MS + 1


def test_time_ends_in_a_fault() -> None:
    """Red: a run that passes the last time overflows, so that time runs backward, or one within it is refused."""
    for tasks, ends in ((13, True), (14, False)):  # the last of 13 begins just before that time
        graph = small.steady("a", (tasks, (), LONGEST_MS))
        problem = Problem(Arrivals((graph,), (0,), (LAST_ARRIVAL_MS,)), Machines((1,), moving_ms=0))
        m, _ = small.run(problem.cluster, 0, always(1))
        if ends:
            assert problem.outcome(m).value == tasks * LONGEST_MS / 1000
        else:
            assert at.LAST_MS < m[at.NOW] <= at.LAST_MS + LONGEST_MS
            with pytest.raises(ContractError, match="a longer time, than the simulator numbers; give fewer jobs"):
                problem.outcome(m)


def test_the_makespan_is_the_last_job_s_end() -> None:
    """Red: an executor that is still on its way when all jobs are done counts into the makespan."""
    arrivals = Arrivals((small.steady("a", (1, (), 10)), small.steady("b", (3, (), 500))), (0, 1), (0, 0))
    problem = Problem(arrivals, Machines((2,), moving_ms=2000))
    m, asked = small.run(problem.cluster, 0, always(1))
    assert [(one.now, one.stages) for one in asked] == [(0, (0, 1)), (0, (1,)), (2010, (1,))]
    assert m[at.NOW] == 4010
    metrics = problem.outcome(m).metrics
    assert metrics["makespan_s"] == 3.5
    assert metrics["idle_share"] == pytest.approx(1 - 1.51 / (2 * 3.5))
