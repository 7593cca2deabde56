"""Exported policies against the engine: the same counts, to the miss."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.tasks.cache.test_incumbents import golden_trace

from unseat.core.errors import UserError
from unseat.core.jit import jit
from unseat.core.policy import Artefact, Form, Policy, Session, View
from unseat.tasks.cache.challengers.linear import make
from unseat.tasks.cache.challengers.lrb import RelaxedBelady
from unseat.tasks.cache.engine import sampled
from unseat.tasks.cache.engine.sampled import Float32
from unseat.tasks.cache.engine.simulate import simulate
from unseat.tasks.cache.engine.trace import Int32, Int64, Trace
from unseat.tasks.cache.exporters import Make, exporters, fused_to_c, policy_to_c, to_c
from unseat.tasks.cache.incumbents import FUSED
from unseat.tasks.cache.policies import Classical

COMPILER = shutil.which("gcc") or shutil.which("cc") or shutil.which("clang")
needs_compiler = pytest.mark.skipif(COMPILER is None, reason="no C compiler (gcc, cc or clang) on PATH")
STRICT = ("-std=c99", "-pedantic", "-O1", "-Wall", "-Wextra", "-Werror", "-DUNSEAT_MAIN")


def golden(sized: bool) -> Trace:
    """The golden trace, with sizes from 1 to 100 bytes if asked."""
    trace = golden_trace()
    sizes = 1 + np.arange(trace.n_objects, dtype=np.int64) * 7919 % 100
    return Trace(trace.ids, sizes if sized else None, trace.n_objects, trace.name)


def driven(source: Path, trace: Trace, capacity: int, max_objects: int) -> subprocess.CompletedProcess[str]:
    """Compile a file strictly, unless that is done, and drive it over a trace whose keys are no dense ids."""
    program = source.with_suffix("")
    if not program.exists():
        assert COMPILER is not None
        subprocess.run([COMPILER, *STRICT, "-o", str(program), str(source), "-lm"], check=True)
    sizes = np.ones(trace.n_objects, np.int64) if trace.sizes is None else trace.sizes
    requests = zip(trace.ids.tolist(), sizes[trace.ids].tolist(), strict=True)
    lines = "".join(f"{x * 1_000_003 + 17} {size}\n" for x, size in requests)
    return subprocess.run([str(program), str(capacity), str(max_objects)], input=lines, capture_output=True, text=True)


def counted(source: Path, trace: Trace, capacity: int) -> list[int]:
    """Requests, misses, missed bytes and evictions of an exported file."""
    done = driven(source, trace, capacity, trace.n_objects)
    assert (done.returncode, done.stderr) == (0, "")
    return [int(word) for word in done.stdout.split()]


@needs_compiler
@pytest.mark.parametrize("name", FUSED)
def test_c_equals_engine(name: str, tmp_path: Path) -> None:
    """Red: the C that a person would ship decides otherwise than the policy that was measured."""
    fused = FUSED[name]
    trace = golden(fused.sized)
    path = tmp_path / "policy.c"
    fused_to_c(fused, path)
    for capacity in (300, 30_000) if fused.sized else (1, 64, 1000):
        assert counted(path, trace, capacity) == list(simulate(fused, trace, capacity)[1]), capacity


@needs_compiler
def test_tuned_parameters_are_exported(tmp_path: Path) -> None:
    """Red: an exported tuned incumbent runs with the published parameters instead of its own."""
    trace, path = golden(False), tmp_path / "policy.c"
    tuned = {"small": 0.3, "ghost": 2.0, "threshold": 1.0}
    fused_to_c(FUSED["s3fifo"], path, tuned)
    expected = simulate(FUSED["s3fifo"], trace, 300, 0, **tuned)[1]
    assert counted(path, trace, 300) == list(expected) != list(simulate(FUSED["s3fifo"], trace, 300)[1])
    with pytest.raises(UserError, match="s3fifo has no parameter smal"):
        fused_to_c(FUSED["s3fifo"], path, {"smal": 0.3})


@needs_compiler
@pytest.mark.parametrize("sized", [False, True])
@pytest.mark.parametrize("passed", [False, True])
def test_learned_scorer_equals_engine(sized: bool, passed: bool, tmp_path: Path) -> None:
    """Red: a challenger's C, with its learned arrays and 32-bit arithmetic, decides otherwise than the engine."""
    trace, path = golden(sized), tmp_path / "policy.c"
    weights = np.array([1.0, 0.2, -0.3, 0.1, 0.0, -0.5, -0.7, -0.2, -0.1, 0.4], np.float32)
    made = Make(sampled.init, (3, sized, sampled.ALL))
    if passed:
        to_c(path, "linear", sampled.serve_kernel, (made, (weights,)), sized=sized, choose=sampled.best_linear)
    else:
        to_c(path, "linear", sampled.serve_linear, (made, weights), sized=sized)
    sizes = np.empty(0, np.int64) if trace.sizes is None else trace.sizes
    for capacity in (3000, 30_000) if sized else (64, 1000):
        counts = np.zeros(4, np.int64)
        state = sampled.init(trace.n_objects, capacity, 3, sized), weights
        sampled.serve_linear(trace.ids, sizes, 0, trace.n_requests, capacity, state, counts)
        assert counted(path, trace, capacity) == counts.tolist(), capacity


def arithmetic_init(n_objects: int, capacity: int) -> Any:
    """State of `arithmetic_run`."""
    table = np.full((4, 3), -2, np.int32)
    table[:, 1] = 7
    return table, np.array([0.5, 2.0]), np.zeros(2, np.float32)


@jit
def pick(table: Int32, at: int, default: int) -> int:
    """A helper with early returns, negative steps and a row view."""
    row = table[at]
    for k in range(2, -1, -1):
        if row[k] > 0:
            return int(row[k])
    return default


@jit
def arithmetic_run(ids: Int32, sizes: Int64, start: int, stop: int, capacity: int, state: Any, counts: Int64) -> None:
    """Every operator and conversion that the translator knows, folded into the counts."""
    table, numbers, single = state
    for t in range(start, stop):
        double = ids[t] - 500  # a C keyword as a name
        total = (double // 7) * 3 + double % 7 - (double // -3) + double % -5
        total ^= (double << 3) | (capacity & 6)
        total += max(double, -double, 4) - min(total, 9) + abs(double) + (5 if 0 < double <= 90 else -1)
        numbers[0] = numbers[0] * 0.5 + double / 3 + float(capacity) ** 0.25
        single[1] = np.exp2(np.float32(0.25)) + single[0] * np.float32(1.5)
        flag = not (double == 3 or double > 480) and numbers[0] > -1e300
        while total > 1000:
            total = total >> 1
            if total == 700:
                break
        table[abs(double) % 4, 0] = total % 100
        counts[0] += 1
        counts[1] += int(flag) + (1 if double > 0 else 0)
        counts[2] = (counts[2] * 31 + total + int(numbers[0]) + int(single[1] * 8.0)) % 1_000_003
        counts[3] = (counts[3] + pick(table, abs(double) % 4, 5)) % 1_000_003


@needs_compiler
def test_every_operator_means_the_same_in_c(tmp_path: Path) -> None:
    """Red: an operator of the translated subset has another meaning in C (floor division, mixed types, shifts)."""
    path, trace = tmp_path / "policy.c", golden(False).prefix(5000)
    to_c(path, "arithmetic", arithmetic_run, Make(arithmetic_init), sized=False)
    counts = np.zeros(4, np.int64)
    state = arithmetic_init(1, 6)
    arithmetic_run(trace.ids, np.empty(0, np.int64), 0, trace.n_requests, 6, state, counts)
    assert counted(path, trace, 6) == counts.tolist()


@needs_compiler
def test_c_refuses_what_it_cannot_hold(tmp_path: Path) -> None:
    """Red: an exported cache overruns its arrays instead of refusing a key too many or a capacity of zero."""
    path, trace = tmp_path / "policy.c", golden(False).prefix(2000)
    fused_to_c(FUSED["arc"], path)
    full = driven(path, trace, 10, trace.n_objects - 1)
    assert (full.returncode, full.stderr) == (2, f"more than {trace.n_objects - 1} distinct keys\n")
    assert driven(path, trace, 0, 5).returncode == 2


@needs_compiler
@pytest.mark.parametrize("name", ["lru", "gdsf", "linear"])
def test_c_names_evicted_keys(name: str, tmp_path: Path) -> None:
    """Red: a system that holds the exported policy's word against its own store would evict the wrong keys."""
    sized, source, library = name == "gdsf", tmp_path / "policy.c", tmp_path / "policy.so"
    trace = golden(sized).prefix(3000)
    policy_to_c(make({"age": 1.0}) if name == "linear" else Classical(name, name), source, sized=sized)
    assert COMPILER is not None
    subprocess.run([COMPILER, *STRICT[:-1], "-shared", "-fPIC", "-o", str(library), str(source), "-lm"], check=True)
    shared = ctypes.CDLL(str(library))
    shared.unseat_create.restype = ctypes.c_void_p
    shared.unseat_evicted.restype = ctypes.c_uint64
    capacity = 5000 if sized else 100
    cache = ctypes.c_void_p(shared.unseat_create(ctypes.c_uint64(capacity), ctypes.c_uint64(trace.n_objects)))
    sizes = np.ones(trace.n_objects, np.int64) if trace.sizes is None else trace.sizes
    room = (ctypes.c_uint64 * 64)()
    cached: set[int] = set()
    for x in trace.ids.tolist():
        key = x * 1_000_003 + 17
        hit = shared.unseat_access(cache, ctypes.c_uint64(key), ctypes.c_uint64(int(sizes[x])))
        assert hit == (key in cached)
        evicted = set(room[: shared.unseat_evicted(cache, room, ctypes.c_uint64(64))])
        assert evicted <= cached
        cached = cached - evicted | {key}
    shared.unseat_free(cache)


@jit
def unexportable(ids: Int32, sizes: Int64, start: int, stop: int, capacity: int, state: Any, counts: Int64) -> None:
    """A kernel with a statement that has no C form."""
    for x in ids:
        counts[0] += x


def test_refusal_names_the_place(tmp_path: Path) -> None:
    """Red: a kernel outside the subset is exported wrongly, or the message does not say where to look."""
    with pytest.raises(UserError, match=r"test_exporters\.py: unexportable, line \d+: loops go over range\(\)"):
        to_c(tmp_path / "policy.c", "no", unexportable, Make(FUSED["lru"].init), sized=False)


def test_arrays_come_back(tmp_path: Path) -> None:
    """Red: a policy exported as arrays is not the policy when it is read again."""
    policy = make({"age": 1.0, "fast": -0.5})
    exporters(False)["arrays"].write(policy, tmp_path / "policy")
    assert Artefact.load(tmp_path / "policy").hash == policy.artefact.hash


@jit
def best_by_table(features: Float32, table: Float32, cuts: Float32) -> int:
    """A policy with a two-dimensional array: a score by the age's bin, one row a feature."""
    best = 0
    highest = np.float32(-1e30)
    for k in range(features.shape[0]):
        score = np.float32(0.0)
        for f in range(table.shape[0]):
            at = 0
            while at < cuts.size and features[k, f] > cuts[at]:
                at += 1
            score += table[f, at]
        if score > highest:
            highest = score
            best = k
    return best


@dataclass(frozen=True, eq=False)
class Table(Policy):
    """A compiled policy as a plug-in would bring one."""

    form: ClassVar[Form] = Form.KERNEL
    name: str
    table: NDArray[np.float32]
    cuts: NDArray[np.float32]

    def start(self, view: View, seed: int) -> Session:
        session = Session()
        session.kernel = best_by_table, (self.table, self.cuts)
        return session


class Pythonic(Policy):
    """A policy without a kernel."""

    name = "pythonic"

    def start(self, view: View, seed: int) -> Session:
        return Session()


@needs_compiler
def test_any_contender_is_exported_or_refused(tmp_path: Path) -> None:
    """Red: `unseat export` writes another policy than the one named, or fails without saying why."""
    trace = golden(False)
    rng = np.random.default_rng(5)
    table = Table("table", rng.normal(size=(9, 6)).astype(np.float32), np.linspace(-4, 4, 5, dtype=np.float32))
    counts = np.zeros(4, np.int64)
    state = sampled.init(trace.n_objects, 200, 0, False), (table.table, table.cuts)
    sizes = np.empty(0, np.int64)
    sampled.serve_kernel(trace.ids, sizes, 0, trace.n_requests, 200, state, counts, best_by_table)
    exporters(False)["c"].write(table, tmp_path / "table.c")
    assert counted(tmp_path / "table.c", trace, 200) == counts.tolist()
    exporters(False)["c"].write(Classical("CLOCK-tuned", "clock", {"bits": 2.0}), tmp_path / "clock.c")
    expected = simulate(FUSED["clock"], trace, 200, 0, bits=2)[1]
    assert counted(tmp_path / "clock.c", trace, 200) == list(expected)
    with pytest.raises(UserError, match="pythonic decides in Python"):
        exporters(False)["c"].write(Pythonic(), tmp_path / "no.c")
    with pytest.raises(UserError, match="lrb goes on choosing or learning as it runs"):
        policy_to_c(RelaxedBelady(), tmp_path / "lrb.c", sized=False)
