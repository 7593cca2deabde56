"""Executors against policies, learners and drivers that go wrong for real."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from tests.lab.tiny import Constant, Misbehaving

from unseat.core.errors import ContractError, UserError
from unseat.core.learner import Role
from unseat.core.outcome import Limits, Status
from unseat.lab.executors import Done, Processes, Serial, executor
from unseat.lab.records import FitJob, Job
from unseat.lab.store import ArtefactStore

TINY = "tests.lab.tiny:TinyTask"


@pytest.fixture
def store(tmp_path: Path) -> ArtefactStore:
    return ArtefactStore(tmp_path / "store")


@pytest.fixture
def serial(store: ArtefactStore) -> Iterator[Serial]:
    with Serial(store.root) as made:
        yield made


def job(artefact: str | None, limits: Limits | None = None, **changed: object) -> Job:
    base = {"task": TINY, "instance": "dog-0", "contender": "x", "role": Role.CHALLENGER, "artefact": artefact,
            "seed": 0, "limits": limits or Limits(wall_s=60)}  # fmt: skip
    return Job(**{**base, **changed})  # type: ignore[arg-type]


def one(serial: Serial, asked: Job | FitJob) -> Done:
    (done,) = serial.map([asked])
    return done


def bad(store: ArtefactStore, how: str, limits: Limits | None = None) -> Job:
    store.root.mkdir(exist_ok=True)
    return job(store.put(Misbehaving(how, how, str(store.root)).artefact), limits)


@pytest.mark.parametrize(
    ("how", "limits", "status", "message"),
    [
        ("raise", Limits(), Status.CRASHED, "RuntimeError: this policy is broken"),
        ("range", Limits(), Status.INVALID, "answer 1 is 99"),
        ("exit", Limits(), Status.CRASHED, "exit code 3"),
        ("hang", Limits(wall_s=0.2), Status.TIMEOUT, "ran longer than 0.2 s"),
        ("spin", Limits(wall_s=0.2), Status.TIMEOUT, "ran longer than 0.2 s"),
        ("busy", Limits(cpu_s=0.2), Status.TIMEOUT, "used more than 0.2 s of CPU time"),
        ("eat", Limits(memory=400 * 2**20), Status.CRASHED, "memory"),
        ("swallow", Limits(memory=400 * 2**20), Status.CRASHED, "unable to allocate"),
    ],
)
def test_a_failing_policy_is_an_outcome_and_the_run_goes_on(
    serial: Serial, store: ArtefactStore, how: str, limits: Limits, status: Status, message: str
) -> None:
    """Red: a policy that raises, answers out of range, dies, hangs or eats memory stops the experiment."""
    good = store.put(Constant("three", 3).artefact)
    before, failed, after = serial.map([job(good), bad(store, how, limits), job(good)])
    assert failed.outcome and before.outcome and after.outcome
    assert failed.outcome.status is status
    assert message.lower() in failed.outcome.message.lower()
    assert failed.outcome.value == 30.0, "the failure value, from the problem itself"
    assert before.outcome.value == after.outcome.value == 2.5


def test_a_policy_that_forks_answers_once(serial: Serial, store: ArtefactStore) -> None:
    """Red: the copy of a policy that forked answers too, and stops the experiment or gives the next job its outcome."""
    good = store.put(Constant("three", 3).artefact)
    done = list(serial.map([bad(store, "fork"), *[job(good, seed=seed) for seed in range(5)]]))
    assert [one.outcome.status for one in done if one.outcome] == [Status.OK] * 6
    assert done[0].outcome and done[0].outcome.value != 2.5
    assert [one.outcome.value for one in done[1:] if one.outcome] == [2.5] * 5


def test_limits_do_not_leave_processes(serial: Serial, store: ArtefactStore) -> None:
    """Red: what a killed policy had started itself goes on running."""
    done = one(serial, bad(store, "spawn", Limits(wall_s=1.0)))
    assert done.outcome and done.outcome.status is Status.TIMEOUT
    pid = int((store.root / "spawned").read_text())
    assert wait_for(lambda: gone(pid))


def test_what_a_policy_prints_does_not_reach_standard_output(store: ArtefactStore) -> None:
    """Red: `run --json` prints something that is not JSON."""
    name = store.put(Misbehaving("print", "print").artefact)
    code = (
        "import sys; from tests.lab.test_executors import job; from unseat.lab.executors import Serial\n"
        "from pathlib import Path\n"
        f"with Serial(Path({str(store.root)!r})) as serial:\n"
        f"    (done,) = serial.map([job({name!r})])\n"
        "print(done.outcome.status)"
    )
    ran = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True)
    assert ran.stdout == "ok\n"
    assert "a policy that talks" in ran.stderr


@pytest.mark.parametrize("how", ["hang", "hold"])
def test_no_orphan_when_the_driver_is_killed(store: ArtefactStore, how: str) -> None:
    """Red: SIGKILL of `unseat run` leaves its children computing for ever."""
    name = bad(store, how).artefact
    code = (
        "import sys; from tests.lab.test_executors import job; from unseat.lab.executors import Serial\n"
        "from pathlib import Path\n"
        f"list(Serial(Path({str(store.root)!r})).map([job({name!r})]))"
    )
    driver = subprocess.Popen([sys.executable, "-c", code], env=environment())
    started = store.root / "started"
    assert wait_for(started.exists)
    children = psutil.Process(driver.pid).children(recursive=True)
    assert len(children) >= 2, "the child and its guard"
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    assert wait_for(lambda: all(gone(child.pid) for child in children))


def test_processes_give_every_job_once(store: ArtefactStore) -> None:
    """Red: with several children a job is lost, done twice, or given to the wrong caller."""
    names = {guess: store.put(Constant(str(guess), guess).artefact) for guess in range(10)}
    jobs = [job(names[guess], contender=str(guess), seed=seed) for guess in range(10) for seed in range(3)]
    with Processes(2, store.root) as pool:
        done = list(pool.map(jobs))
    assert sorted((str(d.job.contender), d.job.seed) for d in done) == sorted((j.contender, j.seed) for j in jobs)
    by_guess = {d.job.contender: d.outcome.value for d in done if d.outcome}
    assert by_guess["3"] == 2.5 and by_guess["0"] == 5.5


def test_an_abandoned_map_stops_its_children(store: ArtefactStore) -> None:
    """Red: an experiment that is left early, by an error or Ctrl-C, goes on computing."""
    others = set(psutil.Process().children())
    with Processes(2, store.root) as pool:
        running = pool.map([bad(store, "hang"), job(store.put(Constant("three", 3).artefact))])
        assert next(running).job.contender == "x"
        assert wait_for((store.root / "started").exists)
        children = set(psutil.Process().children()) - others
        running.close()  # type: ignore[attr-defined]
        assert sum(gone(child.pid) for child in children) == 1, "the idle one may stay for the next job"


def fit(contender: str, limits: Limits) -> FitJob:
    return FitJob("tests.lab.tiny:Slow", contender, ("ant-0", "bee-0"), ("cat-0",), 0, limits)


@pytest.mark.parametrize(
    ("contender", "limits", "status", "message"),
    [
        ("quick", Limits(wall_s=60), "ok", ""),
        ("quick", Limits(wall_s=60, runs=5), "limit", "5 runs are spent"),
        ("sleeps", Limits(wall_s=0.5), "limit", "the time limit was reached"),
        ("stubborn", Limits(wall_s=0.5), "limit", "ran longer than 0.5 s"),
        ("fails", Limits(wall_s=60), "crashed", "this learner is broken"),
        ("dies", Limits(wall_s=60), "crashed", "exit code 4"),
        ("pays", Limits(wall_s=60, tokens=2500), "limit", "2500 tokens are spent"),
        ("pays", Limits(wall_s=60, dollars=0.5), "limit", "0.5 dollars are spent"),
        ("overpays", Limits(wall_s=60, dollars=0.5), "crashed", "exit code 5"),
    ],
)
def test_a_fit_that_ends_early_gives_its_last_proposal(
    serial: Serial, store: ArtefactStore, contender: str, limits: Limits, status: str, message: str
) -> None:
    """Red: a fit that reaches a limit, fails or is killed loses what it had found."""
    done = one(serial, fit(contender, limits))
    assert done.fitted and done.fitted.artefact
    assert done.fitted.status == status
    assert message in done.fitted.message
    found = store.get(done.fitted.artefact)
    assert found.config["guess"] in range(10)
    assert found.fit is not None and done.fitted.runs > 0
    paid = (3000, 0.75) if "pays" in contender else (0, 0.0)
    assert (done.fitted.tokens, done.fitted.dollars) == paid, "also of a fit that was killed"


def test_a_fit_without_a_proposal_gives_none(serial: Serial) -> None:
    """Red: a fit that found nothing looks like one that did."""
    done = one(serial, fit("silent", Limits(wall_s=0.5)))
    assert done.fitted and done.fitted.artefact is None and done.fitted.status == "timeout"


def test_a_broken_task_is_named(serial: Serial, store: ArtefactStore) -> None:
    """Red: a fault of the task is counted against the policy."""
    name = store.put(Constant("three", 3).artefact)
    with pytest.raises(ContractError, match="Unloadable, contender x on instance dog-0: ValueError: no data"):
        one(serial, job(name, task="tests.lab.tiny:Unloadable"))
    with pytest.raises(UserError, match="no instance 'nowhere'"):
        one(serial, job(name, instance="nowhere"))
    assert one(serial, job(name)).outcome is not None


def test_children_get_the_threads_that_the_job_allows(serial: Serial, store: ArtefactStore) -> None:
    """Red: a policy with a limit of one thread uses all cores."""
    name = store.put(Misbehaving("threads", "threads").artefact)
    jobs = [job(name, Limits(threads=count)) for count in (1, 2, 1)]
    first, second, third = (done.outcome.value for done in serial.map(jobs) if done.outcome)
    assert first == third and second == pytest.approx(first - 1), "the policy's guess is its number of threads"


def test_the_executor_that_was_asked_for(store: ArtefactStore) -> None:
    """Red: `--jobs` is not looked at."""
    assert isinstance(executor(1, None, store.root), Serial)
    assert isinstance(executor(2, None, store.root), Processes)


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def gone(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def wait_for(condition: Callable[[], bool], most_s: float = 60.0) -> bool:
    """Poll until a condition of another process holds; there is nothing to be told by."""
    until = time.monotonic() + most_s
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.01)
    return False
