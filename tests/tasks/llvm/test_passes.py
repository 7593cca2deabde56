"""The task `passes`: its outcomes, its question, its policies, a user's sources."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.tasks.llvm.small_passes import SmallPasses, workers
from tests.tasks.llvm.small_task import PROGRAMS

from unseat.core.answers import Answers
from unseat.core.errors import UserError
from unseat.core.outcome import Limits, Outcome, Status
from unseat.core.policy import InvalidAnswer, Policy, Session, View
from unseat.lab.attempt import attempt
from unseat.learn.baselines import Constant
from unseat.learn.trees import Forest
from unseat.tasks.llvm.engine.elf import text_bytes
from unseat.tasks.llvm.passes import actions, policies
from unseat.tasks.llvm.passes.actions import LEVELS, MOST, NAMES, PIPELINES, checked
from unseat.tasks.llvm.passes.challengers.chooser import Chooser, inputs
from unseat.tasks.llvm.passes.challengers.search import Found, ordered
from unseat.tasks.llvm.passes.policies import PASSES, Climb, Portfolio, RandomSequences, fixed, mutated
from unseat.tasks.llvm.passes.problem import Problem
from unseat.tasks.llvm.passes.question import FEATURES, RESTART, STOP
from unseat.tasks.llvm.passes.task import PassesTask

FREE = Limits()
SOME = ("sroa", "inline", "instcombine", "simplifycfg", "gvn")


def run(policy: Policy, name: str = "words", limits: Limits = FREE, task: PassesTask | None = None) -> Outcome:
    task = task or SmallPasses()
    return attempt(task, task.instance(name), policy, seed=0, limits=limits)


def numbers(names: Sequence[str]) -> list[Any]:
    return [NAMES.index(name) for name in names]


@pytest.mark.parametrize(("late", "wanted"), [(1, ["", "", "1", "1", "13", "13", "135"]),
                                              (2, ["", "", "1", "12", "123", "123", "1235"])])  # fmt: skip
def test_a_climb_goes_through_what_is_worse_for_a_while(
    late: int, wanted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Red: a climb stays in the first small valley, or wanders away from what it has found."""
    changes = iter("0123456")
    monkeypatch.setattr(policies, "mutated", lambda sequence, rng: [*sequence, next(changes)])
    session = Climb(sequences=[["sroa"]], tries=8, late=late).start(View("passes", {}), 0)
    seen, tried = np.zeros(len(FEATURES), np.int64), []
    for size in (7, 9, 5, 6, 5, 8, 4, 5):
        tried.append(session.decide(seen.copy()))
        seen[FEATURES.index("last bytes")] = size
    assert session.decide(seen) == STOP
    assert ["".join(one[1:-1]) for one in tried[1:]] == wanted


@pytest.mark.usefixtures("llvm", "nothing_left")
class TestRuns:
    """With a real LLVM."""

    @pytest.mark.parametrize("name", ["words", "shapes", "adder"])
    def test_oz_is_what_clang_makes(self, name: str) -> None:
        """Red: the incumbent is not the compiler's own pipeline."""
        outcome = run(fixed("-Oz", ["-Oz"]), name)
        assert outcome.status is Status.OK and outcome.value == outcome.metrics["default_bytes"] > 0
        assert outcome.answer == ["-Oz"]

    def test_a_step_at_a_time_and_a_whole_sequence_are_the_same(self) -> None:
        """Red: a policy that takes steps gets another program than one that gives a list."""
        steps, whole = run(Played([*numbers(SOME), STOP])), run(fixed("whole", SOME))
        assert steps.value == whole.value and steps.answer == whole.answer == list(SOME)
        assert steps.decisions == len(SOME) + 1 and whole.decisions == 2

    def test_the_smallest_of_several_counts(self) -> None:
        """Red: the last sequence counts, or one that was begun and never measured."""
        alone = {sequence: run(fixed("alone", sequence)).value for sequence in (("-Oz",), SOME, ("lower-switch",))}
        outcome = run(Portfolio("all", [list(sequence) for sequence in alone]))
        assert outcome.value == min(alone.values()) < max(alone.values())
        assert outcome.metrics["sequences"] == 3
        assert [value for _, value in outcome.progress] == sorted((v for _, v in outcome.progress), reverse=True)

    def test_steps_and_restarts(self) -> None:
        """Red: what was done before a restart is a part of the next sequence, or observations do not tell it."""
        played = Played([*numbers(["lower-switch"]), RESTART, *numbers(["-Oz"]), STOP])
        outcome = run(played)
        assert outcome.answer == ["-Oz"] and outcome.metrics["sequences"] == 2
        column = {name: [int(seen[place]) for seen in played.seen] for place, name in enumerate(FEATURES)}
        assert column["passes"] == [0, 1, 0, 1] and column["sequences"] == [0, 0, 1, 1]
        assert column["last pass"] == [-1, NAMES.index("lower-switch"), -1, NAMES.index("-Oz")]
        assert column["last bytes"][:2] == [-1, -1] and column["last bytes"][2] == column["best bytes"][3] > 0
        assert column["instructions"][0] == column["instructions"][2] > column["instructions"][3] > 0
        named = FEATURES[1 : FEATURES.index("other instructions") + 1]
        assert all(sum(int(seen[FEATURES.index(one)]) for one in named) == seen[0] for seen in played.seen)

    def test_an_episode_ends_when_its_steps_are_spent(self) -> None:
        """Red: a policy that never stops runs for ever, or a sequence grows beyond what an answer may have."""
        outcome = run(Played(numbers(["sroa"]) * 1000))
        assert outcome.status is Status.OK and outcome.metrics["passes_run"] < 70
        assert len(outcome.answer) <= MOST

    @pytest.mark.parametrize("policy", [RandomSequences(passes=60), Climb(tries=4)])
    def test_a_search_gives_the_same_again(self, policy: Policy) -> None:
        """Red: a search without a time limit hangs on the clock."""
        one, other = run(policy, "shapes"), run(policy, "shapes")
        assert one.status is Status.OK and (one.value, one.answer) == (other.value, other.answer)
        assert one.value <= one.metrics["default_bytes"]

    def test_at_the_time_limit_the_best_so_far_counts(self) -> None:
        """Red: a search that is stopped has found nothing."""
        task = Long()
        task.load(task.instance("words"))
        outcome = run(RandomSequences(passes=10**9), limits=Limits(wall_s=4.0), task=task)
        assert outcome.status is Status.OK and outcome.value <= outcome.metrics["default_bytes"]
        assert "time limit" in outcome.message

    def test_a_worker_that_is_killed_in_an_episode(self) -> None:
        """Red: a crash of LLVM ends the run, or the passes before it are lost."""
        killer = Played([*numbers(SOME), STOP], before={3: kill_worker})
        outcome = run(killer)
        assert outcome.status is Status.OK and outcome.metrics["workers"] == 2
        assert outcome.value == run(fixed("whole", SOME)).value and outcome.answer == list(SOME)

    def test_a_pass_that_ends_llvm_is_no_part_of_the_answer(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Red: it ends the run, or stands in an answer that cannot be built."""
        monkeypatch.setitem(actions.PIPELINES, "sink", "trigger-crash-module")
        steps = run(Played([*numbers(["sroa", "sink", "gvn"]), STOP]))
        assert steps.status is Status.OK and steps.answer == ["sroa", "gvn"] and steps.metrics["failed_passes"] == 1
        whole = run(Portfolio("whole", [["sroa", "sink"], ["-Oz"]]))
        assert whole.status is Status.OK and whole.answer == ["-Oz"]

    def test_a_program_that_does_something_else_is_invalid(self) -> None:
        """Red: a mis-compile passes for a small program."""
        problem: Problem = SmallPasses().load(SmallPasses().instance("words"))
        spoilt = replace(problem, program=replace(problem.program, expected=b"something else\n"))
        outcome = run(Answers("file", {"words": ["-Oz"]}), task=Spoilt(spoilt))
        assert outcome.status is Status.INVALID and "miscompiled" in outcome.message
        assert outcome.value == problem.program.worst
        played = Played([*numbers(["-Oz"]), RESTART, STOP])
        outcome = run(played, task=Spoilt(spoilt))
        assert outcome.status is Status.INVALID and outcome.metrics["spoilt"] == 1
        assert int(played.seen[2][FEATURES.index("last bytes")]) == problem.program.worst

    def test_symbols_that_change_are_invalid(self) -> None:
        """Red: a program from which something was dropped passes for a small one."""
        problem: Problem = SmallPasses().load(SmallPasses().instance("words"))
        other = Spoilt(replace(problem, exports=problem.exports | {"lost"}))
        outcome = run(Answers("file", {"words": ["-Oz"]}), task=other)
        assert outcome.status is Status.INVALID and "lost" in outcome.message

    def test_the_environment_is_registered(self) -> None:
        """Red: the environment cannot be made by its name, or its reward is not the size."""
        env = gymnasium.make("unseat/passes-v0", instance="range-coder")
        observation, _ = env.reset(seed=0)
        assert observation.shape == (len(FEATURES),)
        env.step(NAMES.index("-Oz"))
        _, reward, ended, _, info = env.step(STOP)
        env.close()
        assert ended and -float(reward) == info["outcome"].value == info["outcome"].metrics["default_bytes"]

    def test_a_library_keeps_its_symbols(self, tmp_path: Path) -> None:
        """Red: sources without a driver are refused, or all of them vanish."""
        (tmp_path / "lib.c").write_text("static int f(int x) { return x * 3; }\nint g(int x) { return f(x); }\n")
        (tmp_path / "more.c").write_text("int g(int);\nint h(int x) { return g(x) + 1; }\n")
        task = PassesTask().open(str(tmp_path), {})
        (instance,) = task.instances()
        assert task.load(instance).exports == {"g", "h"}
        outcome = attempt(task, instance, Portfolio("both", [["-Oz"], list(SOME)]), seed=0, limits=FREE)
        assert outcome.status is Status.OK and outcome.value > 0

    def test_the_script_makes_the_same(self, tmp_path: Path) -> None:
        """Red: what is exported is not what was measured."""
        task = SmallPasses()
        problem: Problem = task.load(task.instance("words"))
        policy = Portfolio("both", [["lower-switch"], list(SOME)])
        task.exporters()["opt"].write(policy, tmp_path / "small.sh")
        (tmp_path / "words.bc").write_bytes(problem.bitcode)
        tools = {"PATH": f"{os.environ['PATH']}"}
        subprocess.run(["./small.sh", "words.bc", "words.o"], cwd=tmp_path, env=tools, check=True)
        assert text_bytes(tmp_path / "words.o") == run(policy).metrics["module_bytes"]

    def test_a_source_that_does_not_compile_is_one_line(self, tmp_path: Path) -> None:
        """Red: a traceback, or a line that does not say which file."""
        (tmp_path / "wrong.c").write_text("int f( { }\n")
        task = PassesTask().open(str(tmp_path), {})
        with pytest.raises(UserError, match=r"wrong\.c does not compile: .*error") as raised:
            task.load(task.instances()[0])
        assert "\n" not in str(raised.value)


def test_what_cannot_be_exported_says_so(tmp_path: Path) -> None:
    """Red: a script of nothing, or a traceback."""
    with pytest.raises(UserError, match="finds its sequences"):
        PassesTask().exporters()["opt"].write(RandomSequences(), tmp_path / "x.sh")
    with pytest.raises(UserError, match="cannot be written"):
        PassesTask().exporters()["opt"].write(fixed("-Oz", ["-Oz"]), tmp_path / "no" / "x.sh")


@pytest.mark.parametrize(
    "answer", [None, "sroa", ["no-such-pass"], [3], [["sroa"]], ["sroa"] * (MOST + 1), {"sroa": 1}]
)
def test_what_is_no_sequence(answer: object) -> None:
    """Red: any text goes to LLVM."""
    with pytest.raises(InvalidAnswer):
        checked(answer)


def test_the_actions() -> None:
    """Red: a pass is listed twice, or is a pipeline that cannot be joined to others by commas."""
    assert len(set(PIPELINES.values())) == len(NAMES) - 2 and 90 <= len(NAMES) <= 120, "-Os and -Oz are -O2 here"
    assert not any(name.startswith("strip-debug") or "instrument" in name for name in NAMES)
    assert set(LEVELS) <= set(NAMES) and not set(LEVELS) & set(PASSES)


def test_a_changed_sequence_can_be_an_answer() -> None:
    """Red: a search gives a sequence that is too long, empty for ever, or the same each time."""
    rng, sequence, seen = np.random.default_rng(0), ["sroa"] * MOST, set[tuple[str, ...]]()
    for _ in range(2000):
        sequence = mutated(sequence, rng)
        seen.add(checked(sequence))
    assert len(seen) > 1900 and min(map(len, seen)) >= 1


def test_who_only_restarts_comes_to_an_end() -> None:
    """Red: an episode without a time limit never ends."""
    task = SmallPasses()
    instance = task.instances()[0]
    problem = replace(task.load(instance), steps=20)
    outcome = task.run(problem, Constant("restarts", RESTART), seed=0, limits=Limits())
    assert outcome.decisions <= 20


def test_the_order_of_a_portfolio() -> None:
    """Red: a portfolio of one is not the best sequence, or of two holds the two best ones though they are alike."""
    logs = np.array([[0.0, 0.0, 0.0], [-3.0, -3.0, 0.0], [-2.9, -2.9, 0.0], [0.0, 0.0, -1.0]])
    found = Found([("a",), ("b",), ("c",), ("d",)], logs)
    assert ordered(found, 2).members == [("b",), ("d",)]
    assert ordered(found, 9).members[0] == ("b",) and len(ordered(found, 9).members) == 4


def test_the_chooser_tries_what_its_trees_say() -> None:
    """Red: it tries the sequences that are thought worst, or always the same."""
    place = len(inputs(np.ones(len(FEATURES), np.int64)))
    # One tree: the first sequence is bad where a program has more than e^3 instructions.
    forest = Forest(np.array([0, place], np.int32), np.array([3.0, 0.5]), np.array([[-1, 1], [-2, -3]], np.int32),
                    np.array([0.0, 1.0, -1.0]), np.array([0], np.int32))  # fmt: skip
    policy = Chooser("c", [["sroa"], ["gvn"]], 1, *forest)
    for instructions, wanted in ((5, ["sroa"]), (1000, ["gvn"])):
        session = policy.start(View("passes"), 0)
        seen = np.zeros(len(FEATURES), np.int64)
        seen[0] = instructions
        assert session.decide(seen) == wanted and session.decide(seen) == STOP


@pytest.mark.parametrize(("options", "says"), [({"flags": "'"}, "--flags"), ({"flags": 3}, "--flags")])
def test_a_wrong_option_is_told(options: dict[str, Any], says: str) -> None:
    """Red: a traceback."""
    with pytest.raises(UserError, match=says):
        PassesTask().open(str(PROGRAMS), options)


def kill_worker() -> None:
    """End the worker of this process as LLVM would."""
    for one in workers():
        one.kill()


class Spoilt(SmallPasses):
    """A task whose problem is another one."""

    def __init__(self, problem: Problem) -> None:
        super().__init__()
        self.problem = problem

    def load(self, instance: Any) -> Problem:
        return self.problem


class Long(SmallPasses):
    """A task whose episodes do not end by themselves."""

    def load(self, instance: Any) -> Problem:
        problem: Problem = super().load(instance)
        return replace(problem, steps=10**9)


@dataclass(frozen=True)
class Played(Policy):
    """Answers what is written.

    Attributes:
        script: The answers.
        before: What is done before an answer, by its place.
        seen: The observations.
    """

    script: Sequence[Any]
    before: dict[int, Callable[[], None]] = field(default_factory=dict)
    seen: list[NDArray[np.int64]] = field(default_factory=list)
    name: str = "played"

    def start(self, view: View, seed: int) -> Session:
        return _Played(self)


class _Played(Session):
    def __init__(self, policy: Played) -> None:
        self.policy, self.place = policy, 0

    def decide(self, observation: NDArray[np.int64]) -> Any:
        self.policy.seen.append(observation)
        self.policy.before.get(self.place, lambda: None)()
        self.place += 1
        return self.policy.script[self.place - 1]
