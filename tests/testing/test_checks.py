"""Each check catches what it is there for, and nothing else: broken tasks and cheating policies."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from examples.tiny_task.engine import Problem
from examples.tiny_task.incumbents import SpinFor
from tests.core.workshop import Workshop
from tests.testing import broken, broken_answers, cheats

from unseat import Limits, Outcome, Policy, Task
from unseat.core.errors import ContractError
from unseat.testing import (
    CHECKS,
    check_causality,
    check_determinism,
    check_failures,
    check_fits,
    check_immutable,
    check_killed_fit,
    check_no_memory,
    check_other_process,
    check_problem,
    check_task,
)
from unseat.testing.base import good, some
from unseat.testing.fits import study

_SLOW = {check_other_process, check_killed_fit}
FAST = [check for check in CHECKS if check not in _SLOW]

# Broken task: the checks that fail, and a part of the message. All others pass.
BROKEN: Mapping[type[Task], tuple[set[str], str]] = {
    broken.UnknownVersion: ({"card"}, "versions of unknown contenders"),
    broken.NoFailureValue: ({"card"}, "the failure value without a problem is inf"),
    broken.NoBaselines: ({"contenders"}, "constant and random policies are always contenders"),
    broken.NoRandomSearch: ({"contenders"}, "random search within the same limits"),
    broken.NoPaper: ({"contenders"}, "names the paper"),
    broken.OtherName: ({"contenders"}, "'block' makes 'other'"),
    broken.GroupInTwoSplits: ({"instances"}, "a group is in one split only: compiler is in test and train"),
    broken.SameIdTwice: ({"instances"}, "id is unique"),
    broken.NoWeight: ({"instances"}, "a weight is above zero"),
    broken.UnstableInstances: ({"instances"}, "two calls differ"),
    broken.SameLevelTwice: ({"instances"}, "differ in level"),
    broken.FactsThatChange: ({"instances"}, "plain JSON"),
    # The study tells instances apart by content, so it is blind as well.
    broken.ContentOfNothing: ({"instances", "study"}, "unlike content hashes"),
    # Whatever compares two runs sees noise; it is too small to mislead a fit or to beat a bound.
    broken.Noise: ({"determinism", "no_memory", "problem", "environment"}, "same inputs, same"),
    broken.EngineChangesProblem: ({"problem"}, "a run never changes the problem"),
    broken.HandsOutTheProblem: ({"problem"}, "what a policy is told is the policy's own: one that writes over it, and"),
    broken.HandsOutWhatItKeeps: ({"problem"}, "one that writes over it turns the next run of"),
    # It has no time limit either, and its environment shows the state as it becomes.
    broken.HandsOutItsState: ({"problem", "deadline", "environment"}, "not the engine's own state"),
    broken.WrongBound: ({"bounds"}, "no policy beats a bound"),
    broken.ConstantWins: ({"baselines"}, "always answering 1 beats all that is listed"),
    broken.HidesFailures: ({"failures"}, "a failing policy is counted as one"),
    broken.TakesAnyAnswer: ({"failures"}, "a failing policy is counted as one"),
    broken.FailingPays: ({"failures"}, "failing does not pay"),
    broken.NoDeadline: ({"deadline"}, "a run ends at its time limit"),
    broken.EnvironmentOfAnother: ({"environment"}, "an episode is the run with the same actions"),
    broken.OutsideItsSpace: ({"environment"}, "keeps Gymnasium's contract"),
    broken.LearnerForgets: ({"fits"}, "at the limit the last proposed policy is the result"),
    broken.LearnerHasWhims: ({"fits"}, "give an equal policy"),
    broken_answers.ScoresByWhim: ({"answers", "reports"}, "an answer is scored the same, always"),
    broken_answers.TakesAnything: ({"answers", "reports"}, "what is no answer is refused: None ends ok"),
    broken_answers.ScoreChangesProblem: ({"answers", "problem"}, "scoring never changes the problem"),
    broken_answers.KeepsNoAnswer: ({"answers"}, "of an `answer` task every run gives its answer"),
    broken_answers.CannotScore: ({"answers"}, "the card says answer, the forms do not"),
    broken_answers.HearsNoReports: ({"reports"}, "at the deadline the last valid report counts"),
    broken_answers.TellsNoDeadline: ({"reports"}, "a session is told its deadline"),
    broken_answers.CountsLateReports: ({"reports"}, "at the deadline the last valid report counts"),
    broken_answers.NoDefault: ({"questions"}, "is answered by the task's default: serve"),
    broken_answers.AsksEverything: ({"questions"}, "one that answers 'admit' is asked [('serve', 0)"),
    broken_answers.ForgetsAnAgent: ({"questions"}, "one that answers 'serve' is asked [('serve', 1)]"),
    broken_answers.AgentsOutsideTheirSpace: ({"environment"}, "keeps PettingZoo's contract"),
    broken_answers.AgentsOfAnother: ({"environment"}, "an episode is the run with the same actions"),
}


def _finding(check: Callable[[Task], None], task: Task) -> str:
    try:
        check(task)
    except ContractError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("kind", BROKEN, ids=lambda kind: kind.__name__)
def test_broken_task_fails_its_check_and_no_other(kind: type[Task]) -> None:
    """Red: a check no longer sees what it is there for, or blames a task for what another check is there for."""
    wanted, message = BROKEN[kind]
    found = {check.__name__.removeprefix("check_"): _finding(check, kind()) for check in FAST}
    assert {name for name, finding in found.items() if finding} == wanted, found
    assert any(message in finding for finding in found.values()), found


def test_every_check_has_a_broken_task() -> None:
    """Red: a check was added that no broken task shows to work."""
    shown = set().union(*(names for names, _ in BROKEN.values()), {"immutable", "other_process", "killed_fit"})
    assert shown == {check.__name__.removeprefix("check_") for check in CHECKS}


def test_sound_task_passes_everything() -> None:
    """Red: a check blames a task that keeps the contract."""
    check_task(broken.Small(), broken.Small().twins())


@pytest.mark.parametrize("kind", [broken_answers.Batch, Workshop])
def test_sound_task_of_answers_or_agents_passes_everything(kind: type[Task]) -> None:
    """Red: a check blames a task of whole answers, or of several questions and agents, that keeps the contract."""
    check_task(kind())


@pytest.mark.parametrize("kind", [broken.HashOfText, broken.OrderOfSet])
def test_other_process_sees_what_hangs_on_the_process(kind: type[broken.Small]) -> None:
    """Red: a policy or a list of instances that is another one in every process goes unnoticed."""
    assert not _finding(check_determinism, kind())
    with pytest.raises(ContractError, match=r"in another process|in every process"):
        check_other_process(kind())


def test_killed_fit_without_proposal_is_found() -> None:
    """Red: a learner that is killed and leaves nothing passes."""
    with pytest.raises(ContractError, match="a killed fit yields its last proposal: tuned leaves none"):
        check_killed_fit(broken.LearnerForgets())


@pytest.mark.parametrize("kind", [broken.LeaksInFacts, broken.LeaksInObservation])
def test_engine_that_leaks_the_future_is_found(kind: type[broken.Small]) -> None:
    """Red: an engine may tell policies of the future, in facts or in observations."""
    with pytest.raises(ContractError, match="hangs on the past only"):
        check_causality(kind(), kind().twins())


def test_equal_twins_are_refused() -> None:
    """Red: twin problems that never differ make the causality check pass whatever it is given."""
    one, _, moment = broken.Small().twins()
    with pytest.raises(ContractError, match="twin problems differ"):
        check_causality(broken.Small(), (one, one, moment))


def test_moment_beyond_the_run_is_refused() -> None:
    """Red: a moment that is never reached makes the causality check compare less than it says."""
    one, other, _ = broken.Small().twins()
    with pytest.raises(ContractError, match="asked only"):
        check_causality(broken.Small(), (one, other, 10**6))


def test_policy_that_reads_the_future_is_caught() -> None:
    """Red: a policy that finds the future by walking its callers' frames passes as causal."""
    task = broken.Small()
    with pytest.raises(ContractError, match="reads the future sees or decides otherwise"):
        check_causality(task, task.twins(), {"reads the future": cheats.ReadsTheFuture()})


def test_policy_that_keeps_state_is_caught() -> None:
    """Red: what a policy saw in one run may reach the next, through a global."""
    with pytest.raises(ContractError, match="all state lives in the session"):
        check_no_memory(broken.Small(), {"keeps state": cheats.KeepsState()})


def test_policy_that_knows_its_first_instance_is_caught() -> None:
    """Red: a memory that never changes within a process goes unnoticed; the other process runs in another order."""
    task = broken.Small()
    check_no_memory(task, {"knows the first": cheats.KnowsTheFirst()})
    with pytest.raises(ContractError, match="decides the same in another process"):
        check_other_process(task, {"knows the first": cheats.KnowsTheFirst()}, task.instances()[:2])


def test_policy_that_changes_itself_is_caught() -> None:
    """Red: running may change a policy."""
    with pytest.raises(ContractError, match="never changed by running"):
        check_immutable(broken.Small(), {"changes itself": cheats.ChangesItself()})


def test_policy_that_loses_its_weights_is_caught() -> None:
    """Red: an artefact that leaves out what the policy decides by passes as the policy."""
    policy = cheats.LosesItsWeights("loses its weights", 0.0)
    with pytest.raises(ContractError, match="decides the same"):
        check_other_process(broken.Small(), {policy.name: policy})


def test_policy_that_changes_the_problem_is_caught() -> None:
    """Red: a policy may change the problem for those that come after it."""

    class Cached(broken.EngineChangesProblem):
        def run(self, problem: Problem, policy: Policy, *, seed: int, limits: Limits) -> Outcome:
            return broken.Small.run(self, problem, policy, seed=seed, limits=limits)

    with pytest.raises(ContractError, match="a run never changes the problem: changes the problem on"):
        check_problem(Cached(), {"changes the problem": cheats.ChangesTheProblem()})


def test_policy_that_answers_nan_is_caught() -> None:
    """Red: NaN passes as an answer, or as a listed policy's outcome."""
    task, policy = broken.Small(), cheats.AnswersNothing()
    check_failures(task, {"answers NaN": policy})
    with pytest.raises(ContractError, match=r"answers NaN on .* ends invalid"):
        good(task, some(task)[0], policy.name, policy)


def test_learner_that_fits_on_test_is_caught() -> None:
    """Red: a learner may run on the instances that it will be judged by, once it calls them training instances."""
    task = broken.Small()
    with pytest.raises(ContractError, match="not of this study"):
        cheats.FitsOnTest(task).fit(study(task, Limits(runs=5)))
    with pytest.raises(ContractError, match="not of this study"):
        check_fits(task, {"fits on test": cheats.FitsOnTest(task)})


def test_honest_policy_passes_the_checks_of_policies() -> None:
    """Red: the checks that catch cheats blame an honest policy."""
    task, policies = broken.Small(), {"honest": SpinFor("honest", 1.0)}
    for check in (check_determinism, check_no_memory, check_immutable, check_problem, check_other_process):
        check(task, policies)
    check_causality(task, task.twins(), policies)
