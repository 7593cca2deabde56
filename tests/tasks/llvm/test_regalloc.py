"""The task `regalloc`: its outcomes, its question, wrong answers, and how near LLVM's own rule comes to LLVM."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from tests.tasks.llvm.small_regalloc import PRESSED, SmallRegalloc
from tests.tasks.llvm.small_task import PROGRAMS

from unseat.core import env as environments
from unseat.core.errors import MissingExtra, UserError
from unseat.core.jit import jit
from unseat.core.outcome import Limits, Outcome, Status
from unseat.core.policy import Asker, Form, Policy, Session, View
from unseat.lab.attempt import attempt
from unseat.learn.baselines import Constant
from unseat.tasks.llvm.data.builds import Module
from unseat.tasks.llvm.engine import compiler, counting, doctor, toolchain, workplace
from unseat.tasks.llvm.engine.channel import Header, Tensor
from unseat.tasks.llvm.regalloc.evolution import LinearByEvolution, begin
from unseat.tasks.llvm.regalloc.policies import COLUMNS, Greedy, GreedyWeight, linear
from unseat.tasks.llvm.regalloc.problem import Problem
from unseat.tasks.llvm.regalloc.question import FEATURES, MASK, NOTHING, ROWS, Answering, reader
from unseat.tasks.llvm.regalloc.task import RegallocTask

FREE = Limits()
OWN_RULE = GreedyWeight("own rule")


def run(policy: Policy, name: str = "rounds", limits: Limits = FREE) -> Outcome:
    task = SmallRegalloc()
    return attempt(task, task.instance(name), policy, seed=0, limits=limits)


def a_header(names: tuple[str, ...] = (MASK, *FEATURES), rows: int = ROWS) -> Header:
    tensors = (
        Tensor(name, np.dtype("<f4" if name != MASK else "<i8"), (1,) if name == "progress" else (1, rows))
        for name in names
    )
    return Header(tuple(tensors), Tensor("index_to_evict", np.dtype("<i8"), (1,)))


def sent(header: Header) -> bytes:
    """A message in which every feature holds its number among the features, and every second row is masked."""
    parts = []
    for tensor in header.features:
        values = np.zeros(tensor.shape, tensor.dtype)
        values[...] = FEATURES.index(tensor.name) if tensor.name in FEATURES else np.arange(ROWS) % 2
        parts.append(values.tobytes())
    return b"".join(parts)


@pytest.mark.parametrize("names", [(MASK, *FEATURES), (*reversed(FEATURES), MASK)])
def test_features_are_found_by_their_names(names: tuple[str, ...]) -> None:
    """Red: an LLVM that sends them in another order is misread, or rows and columns are mistaken."""
    header = a_header(names)
    seen = reader(header)(sent(header))
    assert np.array_equal(seen["ranges"], np.tile(np.arange(len(FEATURES)), (ROWS, 1)))
    assert seen["action_mask"].tolist() == [row % 2 for row in range(ROWS)]


@pytest.mark.parametrize("header", [a_header((MASK, *FEATURES[1:])), a_header(FEATURES), a_header(rows=24)])
def test_an_llvm_that_sends_something_else_is_told(header: Header) -> None:
    """Red: a feature that is not there is taken for zero, or other rows than ours are read as ours."""
    with pytest.raises(UserError, match="this LLVM"):
        reader(header)


def test_an_infinite_weight_is_the_largest() -> None:
    """Red: what LLVM sends for a range that must not be spilled, NaN, reaches policies and spoils their sums."""
    header = a_header()
    values = [
        np.full(tensor.shape, 1 if tensor.name == MASK else np.nan).astype(tensor.dtype) for tensor in header.features
    ]
    seen = reader(header)(b"".join(one.tobytes() for one in values))["ranges"]
    assert np.array_equal(seen, np.ones((ROWS, len(FEATURES))))


def ranges(**columns: list[float]) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Rows with these features, the last value of each being the range's own."""
    made = np.zeros((ROWS, len(FEATURES)), np.float32)
    for name, values in columns.items():
        made[: len(values) - 1, FEATURES.index(name)] = values[:-1]
        made[NOTHING, FEATURES.index(name)] = values[-1]
    return made


def mask(*rows: int) -> np.ndarray[Any, np.dtype[np.int8]]:
    made = np.zeros(ROWS, np.int8)
    made[list(rows)] = 1
    return made


@pytest.mark.parametrize(
    ("columns", "legal", "answer"),
    [
        ({"use_def_density": [0.5, 0.2, 0.3, 0.4]}, (0, 1, 2, NOTHING), 1),
        ({"use_def_density": [0.5, 0.2, 0.3, 0.4]}, (0, 2, NOTHING), 2),
        ({"use_def_density": [0.5, 0.4, 0.4]}, (0, 1, NOTHING), NOTHING),
        ({"use_def_density": [0.5, 0.4, 0.0]}, (0, 1), 1),
        ({"use_def_density": [0.1, 0.2, 0.3], "nr_broken_hints": [1, 0, 0]}, (0, 1, NOTHING), 1),
        ({"use_def_density": [0.2, 0.1, 0.3], "is_hint": [1, 0, 0]}, (0, 1, NOTHING), 0),
        ({"use_def_density": [0.2, 0.1, 0.3], "is_local": [1, 1, 0]}, (0, 1, NOTHING), 0),
        ({"use_def_density": [0.1, 0.2, 0.0], "nr_urgent": [1, 0, 0], "nr_broken_hints": [0, 1, 0]}, (0, 1), 1),
    ],
)
def test_llvms_own_rule(columns: dict[str, list[float]], legal: tuple[int, ...], answer: int) -> None:
    """Red: a line of LLVM's `DefaultEvictionAdvisor` is not followed: lighter than one's own, then the fewest hints,
    then the lightest; a hint ends the search; no swap within a block; the order of evictions is broken last."""
    seen = ranges(**columns)
    for policy in (OWN_RULE, linear({})):
        session = policy.start(View("evict"), 0)
        assert session.decide({"ranges": seen, "action_mask": mask(*legal)}) == answer


def test_a_scorer_weighs_as_its_weights_say() -> None:
    """Red: powers go to other columns than their names say, the factor is ignored, or a masked row is answered."""
    seen = {
        "ranges": ranges(use_def_density=[0.5, 0.2, 0.1, 0.4], liverange_size=[0.1, 0.5, 0.0, 0.4]),
        "action_mask": mask(0, 1, NOTHING),
    }

    def answer(**parameters: float) -> Any:
        return linear(parameters).start(View("evict"), 0).decide(seen)

    assert [answer(), answer(factor=0.51), answer(factor=0.49)] == [1, 1, NOTHING]
    assert [answer(row=2.0), answer(liverange_size=2.0), answer(use_def_density=-3.0)] == [NOTHING, 0, 0]
    assert answer(row=99.0) == 1 and answer(liverange_size=-99.0, factor=0.001) == NOTHING
    assert COLUMNS[: len(FEATURES)] == FEATURES


def test_evolution_begins_at_llvms_rule() -> None:
    """Red: the search begins elsewhere, so that it could end below LLVM's own rule."""
    assert LinearByEvolution("e")._policy(begin()).artefact.hash == linear({}).artefact.hash


@pytest.mark.usefixtures("llvm", "nothing_left")
class TestRuns:
    """With a real LLVM."""

    @pytest.mark.parametrize("name", ["rounds", "adder@whole"])
    def test_greedy_is_what_clang_makes(self, name: str) -> None:
        """Red: the incumbent is not the compiler's own heuristic, or it is asked after all."""
        outcome = run(Greedy(), name)
        assert outcome.status is Status.OK and outcome.value == outcome.metrics["default_bytes"] > 0
        assert outcome.decisions == 0

    @pytest.mark.parametrize("name", ["shapes", "big-integer"])
    def test_llvms_own_rule_makes_llvms_objects(self, name: str) -> None:
        """Red: the channel changes more than the decisions, or the rule is not LLVM's: gains could be an artefact.

        `rounds` is another matter: where a weight is infinite, LLVM sends zero for all others.
        """
        ours, theirs = objects(name, OWN_RULE), objects(name, None)
        assert ours == theirs and ours != objects(name, Constant("first", 0))

    def test_evictions_are_counted(self) -> None:
        """Red: to evict nothing counts as an eviction, or a range that must get a register gets none."""
        never, own = run(Constant("never", NOTHING)), run(OWN_RULE)
        assert 0 < never.metrics["evicted"] < own.metrics["evicted"] < own.decisions

    def test_a_masked_answer_never_reaches_the_compiler(self) -> None:
        """Red: the compiler crashes of it, or makes a wrong program of it; or the session is told which were legal."""
        told: list[View] = []
        outcome = run(Fixed(lambda seen: int(np.argmin(seen["action_mask"])), told))
        assert outcome.status is Status.INVALID and "answer 1 is" in outcome.message and "masked" in outcome.message
        assert outcome.value == SmallRegalloc().load(SmallRegalloc().instance("rounds")).worst
        assert len(told) == 1 and outcome.decisions == 1

    def test_a_range_that_must_have_a_register(self) -> None:
        """Red: to evict nothing is let through where LLVM cannot do without a register."""
        outcome = run(Fixed(lambda seen: NOTHING))
        assert outcome.status is Status.INVALID and f"is {NOTHING}, which is masked" in outcome.message

    @pytest.mark.parametrize("answer", [ROWS, -1, 1 << 40, 0.5, None])
    def test_an_answer_that_is_no_row(self, answer: Any) -> None:
        """Red: any number goes to the compiler."""
        assert run(Fixed(lambda seen: answer)).status is Status.INVALID

    def test_a_policy_that_raises(self) -> None:
        """Red: its error ends the experiment, or leaves the compiler waiting for an answer."""
        outcome = run(Fixed(lambda seen: seen["nothing"]))
        assert outcome.status is Status.CRASHED and "nothing" in outcome.message

    def test_what_a_policy_writes_does_not_unmask(self) -> None:
        """Red: a policy makes an answer legal by writing into its observation."""

        def unmask(seen: dict[str, Any]) -> int:
            row = int(np.argmin(seen["action_mask"]))
            seen["action_mask"][:] = 1
            return row

        assert run(Fixed(unmask)).status is Status.INVALID

    def test_a_compiled_policy_decides_the_same(self) -> None:
        """Red: a kernel sees something else than a policy in Python, or is not asked."""
        asked, compiled = run(Constant("first", 0)), run(Kernel("first"))
        assert asked.value == compiled.value and asked.metrics == compiled.metrics
        assert asked.decisions == compiled.decisions > 100
        assert run(Kernel("masked", 1)).status is Status.INVALID

    def test_a_program_that_does_something_else_is_invalid(self) -> None:
        """Red: a mis-compile passes for a small program."""
        task = SmallRegalloc()
        problem = task.load(task.instance("rounds"))
        spoilt = task.run(replace(problem, expected=b"no\n"), OWN_RULE, seed=0, limits=FREE)
        assert spoilt.status is Status.INVALID and "miscompiled" in spoilt.message

    def test_a_compiler_that_crashes_is_an_outcome(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Red: a crash of the compiler ends the experiment, or counts as success."""
        SmallRegalloc().load(SmallRegalloc().instance("rounds"))
        monkeypatch.setattr(compiler, "_ASK_ALLOCATOR", ("-no-such-option",))
        outcome = run(OWN_RULE)
        assert outcome.status is Status.CRASHED and "no-such-option" in outcome.message

    def test_a_run_ends_at_its_limit(self) -> None:
        """Red: the time that the compiler takes is not counted."""
        SmallRegalloc().load(SmallRegalloc().instance("rounds"))
        assert run(OWN_RULE, limits=Limits(wall_s=1e-3)).status is Status.TIMEOUT

    def test_the_environment_is_registered(self) -> None:
        """Red: `gymnasium.make` does not know the task, or a legal action ends the episode as an illegal one does."""
        environments.register()
        env = gymnasium.make("unseat/regalloc-v0", instance="huffman-coder")
        observation, info = env.reset(seed=0)
        legal = info["action_mask"]
        assert observation["ranges"].shape == (ROWS, len(FEATURES)) and legal.any() and not legal.all()
        assert env.step(int(np.argmax(legal)))[2] is False
        _, reward, ended, _, info = env.step(int(np.argmin(info["action_mask"])))
        assert ended and info["outcome"].status is Status.INVALID and np.isfinite(float(reward))
        env.close()

    def test_instructions_are_counted_where_they_are_asked_for(self) -> None:
        """Red: counts differ from run to run, are those of another program, or slow down runs that ask for none."""
        if counting.need().found is None:
            pytest.skip("no valgrind here; apt-get install valgrind")
        task = RegallocTask().open(str(PROGRAMS / "rounds"), {"instructions": "true"})
        problem = task.load(task.instances()[0])
        first, again, other = (
            task.run(problem, policy, seed=0, limits=FREE).metrics["instructions"]
            for policy in (OWN_RULE, OWN_RULE, Constant("first", 0))
        )
        assert 10_000 < first == again < other
        unasked = RegallocTask().open(str(PROGRAMS / "rounds"), {})
        assert not unasked.load(unasked.instances()[0]).instructions and "instructions" not in run(OWN_RULE).metrics

    def test_doctor_tries_it(self) -> None:
        """Red: an LLVM that does not ask about evictions passes for one that does, or the other way round."""
        (need,) = doctor.evictions()
        assert need.found and not need.optional


def test_a_count_that_cannot_be_had_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red: where there is no valgrind, or it fails, the run fails as well."""
    assert counting.executed(tmp_path / "nothing", b"", tmp_path) is None
    monkeypatch.setenv("PATH", str(tmp_path))
    assert counting.executed(Path("/bin/true"), b"", tmp_path) is None


def test_without_an_llvm_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Red: listing the task or asking doctor fails where no LLVM is installed."""
    monkeypatch.setattr(toolchain, "_candidates", lambda: iter(()))
    caches = (toolchain.find, doctor.needs, doctor.evictions)
    for cached in caches:
        cached.cache_clear()
    try:
        task = SmallRegalloc()
        assert task.content(task.instances()[0]) and task.contenders()
        missing = [need for need in task.needs() if need.found is None and not need.optional]
        assert [need.name for need in missing] == ["LLVM"] and "unseat[llvm]" in missing[0].install
        with pytest.raises(MissingExtra, match=r"unseat\[llvm\]"):
            Problem("p", (), False, None, b"").build(compiler.Compiler.here(), lambda one, other: None)
    finally:
        for cached in caches:
            cached.cache_clear()


def test_a_wrong_option_is_told() -> None:
    """Red: a traceback."""
    with pytest.raises(UserError, match="--instructions"):
        RegallocTask().open(str(PROGRAMS), {"instructions": "perhaps"})


def objects(name: str, policy: Policy | None) -> list[bytes]:
    """The objects of a program's modules, of LLVM's own making without a policy."""
    task = SmallRegalloc() if name in PRESSED else RegallocTask()
    problem = task.load(task.instance(name))
    made = []
    here = compiler.Compiler.here()
    with workplace.folder() as folder:
        for module in problem.modules:
            made.append(an_object(here, module, folder, task, policy))
    return made


def an_object(
    here: compiler.Compiler, module: Module, folder: Path, task: RegallocTask, policy: Policy | None
) -> bytes:
    source, output = folder / "module.bc", folder / "module.o"
    source.write_bytes(module.bitcode)
    if policy is None:
        here.compiled(source, output)
    else:
        asker = Asker(policy.start(View("evict"), 0), task.questions["evict"])
        here.asked_evictions(source, output, Answering(asker).begin)
    return output.read_bytes()


@dataclass(frozen=True)
class Fixed(Policy):
    """Answers by a function of the observation, and keeps each view that it is given."""

    answer: Callable[[dict[str, Any]], Any]
    told: list[View] | None = None
    name: str = "fixed"

    def start(self, view: View, seed: int) -> Session:
        if self.told is not None:
            self.told.append(view)
        session = Session()
        session.decide = self.answer  # type: ignore[method-assign, assignment]
        return session


@jit
def pick(ranges: Any, mask: Any, wanted: Any) -> int:
    """The first row whose mask is the wanted one."""
    for row in range(mask.size):
        if mask[row] == wanted[0]:
            return row
    return -1


@dataclass(frozen=True)
class Kernel(Policy):
    """A compiled policy: the first legal row, or the first masked one."""

    form = Form.KERNEL
    name: str
    masked: int = 0

    def start(self, view: View, seed: int) -> Session:
        session = Session()
        kernel: Callable[..., Any] = pick
        session.kernel = (kernel, (np.array([1 - self.masked]),))
        return session
