"""The task `inline`: its outcomes, its question, a user's sources."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.tasks.llvm.small_task import PROGRAMS, SmallInline

from unseat.core.errors import MissingExtra, UserError
from unseat.core.jit import jit
from unseat.core.outcome import Limits, Outcome, Status
from unseat.core.policy import Form, Policy, Session, View
from unseat.lab.attempt import attempt
from unseat.tasks.llvm.engine import compiler, toolchain
from unseat.tasks.llvm.engine.channel import Header, Tensor
from unseat.tasks.llvm.inline.policies import CostThreshold, Default
from unseat.tasks.llvm.inline.problem import Problem
from unseat.tasks.llvm.inline.question import COST, FEATURES, reader
from unseat.tasks.llvm.inline.task import InlineTask

FREE = Limits()


def run(policy: Policy, name: str = "shapes", limits: Limits = FREE) -> Outcome:
    task = SmallInline()
    return attempt(task, task.instance(name), policy, seed=0, limits=limits)


def one_header(names: tuple[str, ...], kind: str = "<i8") -> Header:
    return Header(tuple(Tensor(name, np.dtype(kind), (1,)) for name in names), Tensor("a", np.dtype("<i8"), (1,)))


def test_features_are_found_by_their_names() -> None:
    """Red: an LLVM that sends them in another order is misread."""
    values = np.arange(len(FEATURES))
    assert reader(one_header(FEATURES))(values.tobytes()).tolist() == values.tolist()
    sent = (*reversed(FEATURES), "new_feature")
    seen = reader(one_header(sent))(np.arange(len(sent)).tobytes())
    assert seen.tolist() == values[::-1].tolist()


@pytest.mark.parametrize("header", [one_header(FEATURES[1:]), one_header(FEATURES, "<f4")])
def test_an_llvm_that_sends_something_else_is_told(header: Header) -> None:
    """Red: a feature that is not there is taken for zero, or bytes for numbers of another type."""
    with pytest.raises(UserError, match="this LLVM"):
        reader(header)


def test_an_observation_is_the_policys_own() -> None:
    """Red: it cannot be written to, as environments' users do."""
    data = bytes(8 * len(FEATURES))
    seen = reader(one_header(FEATURES))(data)
    seen[0] = 1
    assert seen[0] == 1 and reader(one_header(FEATURES))(data)[0] == 0


@pytest.mark.usefixtures("llvm", "nothing_left")
class TestRuns:
    """With a real LLVM."""

    @pytest.mark.parametrize("name", ["shapes", "adder", "adder@whole"])
    def test_the_default_is_what_clang_makes(self, name: str) -> None:
        """Red: the incumbent is not the compiler's own heuristic."""
        outcome = run(Default(), name)
        assert outcome.status is Status.OK and outcome.value == outcome.metrics["default_bytes"] > 0
        assert outcome.decisions > 1 and 0 < outcome.metrics["inlined"] <= outcome.decisions

    def test_modules_are_told_by_name(self) -> None:
        """Red: a module's size is missing, or their sum is taken for the program's."""
        metrics = run(Default(), "adder").metrics
        parts = {name: size for name, size in metrics.items() if name.startswith("bytes of ")}
        assert sorted(parts) == ["bytes of adder.c", "bytes of main.c"]
        assert metrics["modules_bytes"] == sum(parts.values()) < run(Default(), "adder").value

    def test_a_compiled_policy_decides_the_same(self) -> None:
        """Red: a kernel sees something else than a policy in Python, or is not asked."""
        asked, compiled = (run(policy, "words") for policy in (CostThreshold("t", -20), Kernel("t", -20)))
        assert asked.value == compiled.value and asked.decisions == compiled.decisions
        assert asked.metrics == compiled.metrics != run(CostThreshold("t", 20), "words").metrics

    def test_a_kernel_that_answers_what_it_must_not(self) -> None:
        """Red: any number goes to the compiler."""
        assert run(Kernel("t", -20, 2)).status is Status.INVALID

    def test_a_program_that_does_something_else_is_invalid(self) -> None:
        """Red: a mis-compile passes for a small program."""
        task = SmallInline()
        problem: Problem = task.load(task.instance("shapes"))
        spoilt = Spoilt(replace(problem, expected=b"something else\n"))
        outcome = attempt(spoilt, task.instance("shapes"), Default(), seed=0, limits=FREE)
        assert outcome.status is Status.INVALID and "miscompiled" in outcome.message
        assert outcome.value == problem.worst

    def test_a_compiler_that_crashes_is_an_outcome(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Red: a crash of the compiler ends the experiment, or counts as success."""
        task = SmallInline()
        task.load(task.instance("shapes"))
        monkeypatch.setattr(compiler, "ASK_INLINER", ("-no-such-option",))
        outcome = run(Default())
        assert outcome.status is Status.CRASHED and "no-such-option" in outcome.message

    def test_a_run_ends_at_its_limit(self) -> None:
        """Red: the time that the compiler takes is not counted."""
        SmallInline().load(SmallInline().instance("shapes"))
        assert run(Default(), limits=Limits(wall_s=1e-3)).status is Status.TIMEOUT

    def test_any_folder_of_sources_is_measured(self, tmp_path: Path) -> None:
        """Red: sources without a driver are refused, or linked."""
        (tmp_path / "lib.cpp").write_text(
            "static int f(int x) { return x * 3; }\nint g(int x) { return f(x) + f(2); }\n"
        )
        (tmp_path / "more.c").write_text("int h(int x) { return x; }\n")
        task = InlineTask().open(str(tmp_path), {})
        (instance,) = task.instances()
        assert attempt(task, instance, Default(), seed=0, limits=FREE).status is Status.OK

    def test_a_source_that_does_not_compile_is_one_line(self, tmp_path: Path) -> None:
        """Red: a traceback, or a line that does not say which file."""
        (tmp_path / "wrong.c").write_text("int f( { }\n")
        task = InlineTask().open(str(tmp_path), {})
        with pytest.raises(UserError, match=r"wrong\.c does not compile: .*wrong\.c:1:8: error") as raised:
            task.load(task.instances()[0])
        assert "\n" not in str(raised.value)

    def test_a_library_as_a_whole_is_refused(self) -> None:
        """Red: a library of which nothing is left once all is hidden counts as the smallest program."""
        task = InlineTask().open(str(PROGRAMS / "adder" / "adder.c"), {"whole": True})
        with pytest.raises(UserError, match="no machine code once all but main is hidden"):
            task.load(task.instances()[0])

    def test_sources_without_expected_output_that_it_should_have(self, tmp_path: Path) -> None:
        """Red: a driver whose output was never right is compared with it anyway."""
        (tmp_path / "main.c").write_text('#include <stdio.h>\nint main(void) { puts("b"); return 0; }\n')
        (tmp_path / "expected.txt").write_text("a\n")
        task = InlineTask().open(str(tmp_path), {})
        with pytest.raises(UserError, match=r"does not do what its expected\.txt says"):
            task.load(task.instances()[0])


def test_without_an_llvm_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Red: listing the task or asking doctor fails where no LLVM is installed."""
    from unseat.tasks.llvm.engine import doctor

    monkeypatch.setattr(toolchain, "_candidates", lambda: iter(()))
    toolchain.find.cache_clear()
    doctor.needs.cache_clear()
    try:
        task = SmallInline()
        assert task.content(task.instances()[0]) and task.contenders()
        (need,) = task.needs()
        assert need.found is None and not need.optional and "unseat[llvm]" in need.install
        with pytest.raises(MissingExtra, match=r"unseat\[llvm\]"):
            Problem("p", (), False, None, b"").build(compiler.Compiler.here(), lambda one, other: None)
    finally:
        toolchain.find.cache_clear()
        doctor.needs.cache_clear()


@pytest.mark.parametrize("part", ["find", "code"])
def test_a_content_hangs_on_the_compiler_and_on_what_runs_it(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red: another LLVM, or a changed engine, finds old outcomes in the ledger and takes them for its own."""
    task = SmallInline()
    instance = task.instances()[0]
    before = task.content(instance)
    other = toolchain.Toolchain(Path("clang"), 99, "clang version 99.0") if part == "find" else "other"
    monkeypatch.setattr(toolchain, part, lambda: other)
    assert task.content(instance) != before


@pytest.mark.parametrize(("options", "says"), [({"flags": "'"}, "--flags"), ({"whole": "perhaps"}, "--whole")])
def test_a_wrong_option_is_told(options: dict[str, Any], says: str) -> None:
    """Red: a traceback."""
    with pytest.raises(UserError, match=says):
        InlineTask().open(str(PROGRAMS), options)


class Spoilt(SmallInline):
    """A task whose problem is another one."""

    def __init__(self, problem: Problem) -> None:
        super().__init__()
        self.problem = problem

    def load(self, instance: Any) -> Problem:
        return self.problem


@jit
def under(features: Any, threshold: Any) -> int:
    """The threshold as a kernel."""
    return threshold[1] if features[COST] < threshold[0] else 0


@dataclass(frozen=True)
class Kernel(Policy):
    """A compiled cost threshold, and what it answers under it."""

    form = Form.KERNEL
    name: str
    threshold: int
    answer: int = 1

    def start(self, view: View, seed: int) -> Session:
        session = Session()
        kernel: Callable[..., Any] = under
        session.kernel = (kernel, (np.array([self.threshold, self.answer]),))
        return session
