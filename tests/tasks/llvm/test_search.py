"""The search for a module's decisions, beside all of them, with a real LLVM."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.tasks.llvm.small_task import SmallInline

from unseat.core.errors import LimitReached
from unseat.core.outcome import Limits, Outcome, Status
from unseat.core.policy import DeadlineReached, InvalidAnswer
from unseat.lab.attempt import attempt, clocked, settled
from unseat.lab.reports import Reports
from unseat.lab.study import LocalStudy
from unseat.tasks.llvm.data.programs import Program, Unit, corpus
from unseat.tasks.llvm.engine import workplace
from unseat.tasks.llvm.engine.compiler import Compiler
from unseat.tasks.llvm.engine.elf import functions, text_bytes
from unseat.tasks.llvm.engine.remarks import calls
from unseat.tasks.llvm.inline import answers, best_known, search
from unseat.tasks.llvm.inline.best_known import digest
from unseat.tasks.llvm.inline.building import seed_of
from unseat.tasks.llvm.inline.exhaustive import optimum
from unseat.tasks.llvm.inline.learners import FlipRegression, compiled
from unseat.tasks.llvm.inline.policies import CostThreshold, Default
from unseat.tasks.llvm.inline.problem import Problem, load
from unseat.tasks.llvm.inline.rules import OF_MODULE
from unseat.tasks.llvm.inline.search import Search
from unseat.tasks.llvm.inline.searched import GuidedSearch, SearchRule, ranked
from unseat.tasks.llvm.inline.suites import Source
from unseat.tasks.llvm.inline.task import InlineTask
from unseat.tasks.llvm.inline.trials import play, tried

pytestmark = pytest.mark.usefixtures("llvm", "nothing_left")

PAYS = """
extern void fail(const char *, int);
static int big(int *p, int n) {
    int s = 0, t = 1, u = 2, v = 3;
    for (int i = 0; i < n; i++) {
        s += p[i]; t ^= p[i] * s; u += t >> 1; v -= u & s;
        if (v == 77) fail("v", v);
    }
    return s ^ t ^ u ^ v;
}
int f(int *p, int n, int a, int b, int c, int d) {
    int r = a * b + c * d;
    if (n > 100) r += big(p, n);
    for (int i = 0; i < n; i++) r = r * a + p[i] * b - c ^ d;
    return r + a - b + c - d;
}
struct s { char *at, *end; int line; };
extern int refill(struct s *);
static int next(struct s *s) { return s->at < s->end ? (unsigned char)*s->at++ : refill(s); }
int word(struct s *s) { int c = next(s); while (c == ' ') c = next(s); return c; }
int line(struct s *s) { int c; while ((c = next(s)) != 10 && c != -1) ; s->line++; return c; }
"""
"""Inlining the only call of `big`, as LLVM does, needs more registers than there are."""


def in_order(observations: np.ndarray, actions: np.ndarray) -> np.ndarray:
    return np.arange(len(actions), dtype=float)


@pytest.fixture
def module(tmp_path: Path) -> Problem:
    """A module of a handful of decisions."""
    (tmp_path / "pays.c").write_text(PAYS)
    return load(Program("pays", (Unit(Path("pays.c"), tmp_path),)), whole=False)


TWICE = """
static unsigned mix(unsigned a, unsigned b) { return (a ^ b) * 31 + (a >> 3) - (b << 2) + (a & b); }
unsigned f(unsigned a, unsigned b) { return mix(a, b) + 1; }
unsigned g(unsigned a, unsigned b) { return mix(b, a) ^ 7; }
"""
"""LLVM inlines both calls. Called, both are smaller together, and neither alone, for then the body is there as well."""


def test_all_calls_of_a_function_are_decided_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red: only single decisions are turned over, none of which shows what the last call takes away."""
    monkeypatch.setattr(search, "RULES", (None,))
    (tmp_path / "twice.c").write_text(TWICE)
    (one,) = load(Program("twice", (Unit(Path("twice.c"), tmp_path),)), whole=False).modules
    best, sizes = optimum(one.bitcode), []
    assert best is not None
    found = Search(one.bitcode, in_order, 20, report=lambda attempt: sizes.append(attempt.nbytes)).best()
    assert found.nbytes == best[0] < sizes[0]
    assert set(found.actions) == {0}


def test_the_search_finds_what_all_decisions_give(module: Problem) -> None:
    """Red: good decisions are taken for bad ones, or the enumeration misses a sequence of answers."""
    (one,) = module.modules
    best = optimum(one.bitcode)
    assert best is not None
    found = Search(one.bitcode, in_order, 40).best()
    default = tried(module, one, Default(), 0).nbytes
    assert best[0] <= found.nbytes <= default
    assert found.nbytes == best[0] < default
    assert optimum(one.bitcode, most=2) is None


def test_the_best_that_is_known_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    """Red: the bound is of other decisions than the recorded ones, or a module that is not recorded has none."""
    task = SmallInline()
    problem = task.load(task.instance("adder"))
    sizes = {}
    for answer in "01":
        table = {digest(one.bitcode): {"decisions": answer * 99} for one in problem.modules}
        monkeypatch.setattr(best_known, "known", lambda table=table: table)
        sizes[answer] = best_known.BestKnown().solve(problem, seed=0, limits=Limits()).value
        constant = attempt(task, task.instance("adder"), CostThreshold("c", 10**9 * (2 * int(answer) - 1)), seed=0,
                           limits=Limits())  # fmt: skip
        assert sizes[answer] == constant.value
    monkeypatch.setattr(best_known, "known", dict)
    searched = best_known.BestKnown().solve(problem, seed=0, limits=Limits())
    assert searched.status is Status.OK and searched.value <= min(problem.default_bytes, *sizes.values())


def test_a_module_without_calls_is_compiled_once(tmp_path: Path) -> None:
    """Red: a module in which nothing is asked ends the search, and the fit that it is a part of."""
    (tmp_path / "plain.c").write_text("int twice(int x) { return x + x; }\n")
    (one,) = load(Program("plain", (Unit(Path("plain.c"), tmp_path),)), whole=False).modules
    search = Search(one.bitcode, in_order, 9)
    assert search.best().nbytes == text_of(one.bitcode) and search.left == 6 and not search.learned
    assert optimum(one.bitcode) == (text_of(one.bitcode), [])


def text_of(bitcode: bytes) -> int:
    with workplace.folder() as folder:
        (folder / "m.bc").write_bytes(bitcode)
        Compiler.here().compiled(folder / "m.bc", folder / "m.o")
        return text_bytes(folder / "m.o")


def test_what_was_found_is_what_the_policy_builds() -> None:
    """Red: the decisions that were found are not those that are replayed, module by module."""
    task = SmallInline()
    problem = task.load(task.instance("adder"))
    outcome = attempt(task, task.instance("adder"), SearchRule("s", 6), seed=3, limits=Limits())
    found = [Search(one.bitcode, SearchRule("s", 6).rank(seed_of(3, number)), 6).best().nbytes
             for number, one in enumerate(problem.modules)]  # fmt: skip
    assert outcome.status is Status.OK and outcome.value <= problem.default_bytes
    assert [outcome.metrics[f"bytes of {one.name}"] for one in problem.modules] == found
    assert outcome.start_s > 10 * (outcome.decide_s or 0.0)


def test_no_more_is_compiled_than_allowed(module: Problem) -> None:
    """Red: a search costs more than it says, or one compilation does not give the default."""
    for allowed in (1, 2, 5):
        spent: list[None] = []
        search = Search(module.modules[0].bitcode, in_order, allowed, spend=lambda: spent.append(None))  # noqa: B023
        search.best()
        assert len(spent) == allowed
    (one,) = module.modules
    assert Search(one.bitcode, in_order, 1).best().nbytes == tried(module, one, Default(), 0).nbytes


def test_a_search_ends_at_its_limits(module: Problem) -> None:
    """Red: a deadline is waited out, or a learner's budget is overdrawn."""
    with pytest.raises(DeadlineReached):
        Search(module.modules[0].bitcode, in_order, 5, deadline=0.0).best()

    def spend() -> None:
        raise LimitReached("spent")

    with pytest.raises(LimitReached):
        Search(module.modules[0].bitcode, in_order, 5, spend=spend).best()


def test_what_was_found_in_time_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red: a search whose time ends has found nothing, or what it found of modules before is forgotten."""
    (tmp_path / "pays.c").write_text(PAYS)
    units = [Unit(Path("pays.c"), tmp_path, flags) for flags in ((), ("-Df=g", "-Dword=words", "-Dline=lines"))]
    task = InlineTask([Source(Program("pays", tuple(units)), False)])
    problem, plain, left = task.load(task.instance("pays")), Compiler.asked, [0]

    def until(self: Compiler, *how: Any) -> int:
        left[0] -= 1
        if not left[0]:
            raise DeadlineReached("time was up")
        return plain(self, *how)

    def ended(after: int) -> Outcome:
        left[0] = after + 1
        monkeypatch.setattr(Compiler, "asked", until)
        # What is scored is compiled anew, as it is elsewhere.
        answers._compiled.cache_clear()
        reports = Reports()
        outcome = clocked(task, task.instance("pays"), problem, SearchRule("s", 9), reports, seed=3, limits=Limits())
        monkeypatch.setattr(Compiler, "asked", plain)
        return settled(task, problem, outcome, reports, Limits())

    whole = attempt(task, task.instance("pays"), SearchRule("s", 9), seed=3, limits=Limits())
    assert whole.answer and whole.progress[-1][1] == whole.value < whole.progress[0][1] == problem.default_bytes
    assert ended(0).status is Status.TIMEOUT
    cut = [ended(after) for after in (1, 9, 19)]
    assert all(one.status is Status.OK and one.metrics.keys() == whole.metrics.keys() for one in cut)
    assert cut[0].answer == {} and cut[0].value == problem.default_bytes
    assert cut[1].answer == {"0": whole.answer["0"]} and "1" in whole.answer
    assert cut[2].answer == whole.answer and cut[2].value == whole.value


@pytest.mark.parametrize("answer", [{"9": []}, {"0": [10**6]}, {"0": [-1]}, {"0": "1"}, {"0": [True]}, {"00": []}, 3])
def test_what_names_no_decisions_is_refused(answer: object) -> None:
    """Red: an answer for another program is taken for LLVM's advice."""
    task = SmallInline()
    with pytest.raises(InvalidAnswer):
        task.score(task.load(task.instance("adder")), answer)


def test_a_compiler_that_fails_on_the_way_costs_a_try(module: Problem, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red: one failed compilation ends the search, or its object counts."""
    default = Search(module.modules[0].bitcode, in_order, 1).best().nbytes
    plain, count = Compiler.asked, iter(range(100))

    def failing(self: Compiler, source: Path, *rest: object) -> int:
        if next(count) in (1, 2):
            source.write_bytes(b"no bitcode")
        return plain(self, source, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Compiler, "asked", failing)
    assert Search(module.modules[0].bitcode, in_order, 12).best().nbytes < default


def test_functions_and_calls_are_those_of_the_object(tmp_path: Path) -> None:
    """Red: sizes are credited to other functions than the calls were made in."""
    found = next(one for one in corpus() if one.name == "csv-query")
    with workplace.folder() as folder:
        unit = found.units[0]
        source, made, remarks = folder / "m.bc", folder / "m.o", folder / "remarks"
        Compiler.here().bitcode(unit.source, unit.flags, unit.folder, source)
        asked = Compiler.here().asked(source, made, lambda header: lambda data: 0, remarks)
        told = calls(remarks)
        sizes = functions(made)
        names = subprocess.run([Compiler.here().llvm.tool("llvm-nm"), "-S", made], capture_output=True, text=True,
                               check=True).stdout  # fmt: skip
        rows = [line.split() for line in names.splitlines()]
        assert sizes == {row[3]: int(row[1], 16) for row in rows if len(row) == 4 and row[2] in "tT"}
        assert len(told) == asked > 5 and text_bytes(made) >= sum(sizes.values())
        # Nothing was inlined, so whoever calls or is called is still there; a thin wrapper may be gone all the same.
        assert len({name for call in told for name in call} - set(sizes)) <= 1


def test_turning_a_decision_over_changes_that_one(module: Problem) -> None:
    """Red: another decision than the one that is credited was turned over."""
    (one,) = module.modules
    never = CostThreshold("never", -(10**9))
    plain = tried(module, one, never, 0)
    assert not plain.actions.any()
    for turned in range(len(plain.actions)):
        other = tried(module, one, never, 0, turned)
        assert other.actions[: turned + 1].tolist() == [*[0] * turned, 1]
        assert other.observations[: turned + 1].tolist() == plain.observations[: turned + 1].tolist()


def test_an_episode_for_every_module() -> None:
    """Red: modules are mixed up, or what a policy saw is not what it answered to."""
    task = SmallInline()
    problem = task.load(task.instance("adder"))
    episodes = play(problem, Default(), 0)
    assert [episode.context for episode in episodes] == [f"adder {one.name}" for one in problem.modules]
    outcome = attempt(task, task.instance("adder"), Default(), seed=0, limits=Limits())
    assert sum(episode.cost for episode in episodes) == outcome.metrics["modules_bytes"]
    assert sum(len(episode.actions) for episode in episodes) == outcome.decisions


def test_what_was_tried_teaches_the_order() -> None:
    """Red: trees are fitted to the opposite, or see what names the module."""
    task = SmallInline()
    study = LocalStudy(task, [task.instance("words")], [], Limits(runs=40), 0)
    learner = GuidedSearch("g", 4, rounds=2, searched=20)
    found = learner.fit(study)
    assert isinstance(found, SearchRule) and 30 < study.runs <= 40
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 100, (400, 39))
    rows[:, 5] = np.arange(400) % 2
    fitted = learner._fitted([(row, 0, -9 if row[5] else 9) for row in rows], 0)
    order = fitted.rank(0)(rows, np.zeros(400, np.int64))
    assert order[rows[:, 5] == 1].mean() < order[rows[:, 5] == 0].min()
    assert not ranked(rows, np.ones(400, np.int64))[:, np.array(OF_MODULE)].any()


def test_flips_are_credited_with_what_inlining_adds() -> None:
    """Red: the sign of a flip from inlined to not inlined is lost, so that the worst decisions look best."""
    task = SmallInline()
    problem = task.load(task.instance("words"))
    study = LocalStudy(task, [task.instance("words")], [], Limits(), 0)
    for base in (CostThreshold("never", -(10**9)), CostThreshold("always", 10**9)):
        works = list(compiled(study, [problem], base))
        FlipRegression().turn(study, works, base, 4, np.random.default_rng(0))
        (work,) = works
        assert len(work.grows) == 4
        for row, grows in zip(work.rows, work.grows, strict=True):
            (number,) = [at for at, seen in enumerate(work.trial.observations) if (seen == row).all()][:1]
            other = tried(problem, work.module, base, 0, number)
            sizes = {int(work.trial.actions[number]): work.trial.nbytes, int(other.actions[number]): other.nbytes}
            assert grows == sizes[1] - sizes[0]
