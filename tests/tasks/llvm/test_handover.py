"""What a user's own build does with a policy, and what is recorded of it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from tests.tasks.llvm.small_task import PROGRAMS, SmallInline

from unseat.core.errors import UserError
from unseat.tasks.llvm.data.programs import opened
from unseat.tasks.llvm.data.recorder import database, record
from unseat.tasks.llvm.engine.compiler import Compiler
from unseat.tasks.llvm.engine.elf import text_bytes
from unseat.tasks.llvm.inline.exporters import write
from unseat.tasks.llvm.inline.policies import CostThreshold, Default
from unseat.tasks.llvm.inline.problem import load
from unseat.tasks.llvm.inline.question import COST, FEATURES, bare, inline, told
from unseat.tasks.llvm.inline.rules import NetworkRule, TreeRule
from unseat.tasks.llvm.inline.searched import SearchRule
from unseat.tasks.llvm.inline.task import InlineTask
from unseat.tasks.llvm.inline.trials import tried

MAKEFILE = """
program: adder.o main.o
\t$(CC) adder.o main.o -o program
%.o: %.c adder.h
\t$(CC) -Oz -DUNUSED='"a b"' -I. -c $< -o $@
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A program of two sources with a makefile."""
    folder = tmp_path / "project"
    folder.mkdir()
    for path in (PROGRAMS / "adder").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "Makefile").write_text(MAKEFILE)
    return folder


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", *arguments], cwd=folder, capture_output=True, text=True, check=False)


def wait_for_compiler(build: subprocess.Popen[Any]) -> None:
    """Until it waits for its source."""
    while True:
        assert build.poll() is None
        for child in psutil.Process(build.pid).children():
            with contextlib.suppress(psutil.NoSuchProcess):
                if "slow.c" in child.cmdline():
                    return


@pytest.mark.usefixtures("llvm", "nothing_left")
class TestChannel:
    """An exported policy in a build, with a real LLVM."""

    def test_a_build_asks_the_policy(self, project: Path, tmp_path: Path) -> None:
        """Red: an exported policy decides otherwise than the one that was measured, or not at all."""
        for policy in (Default("default"), CostThreshold("never", -(10**9)), CostThreshold("always", 10**9)):
            programs = write(policy, tmp_path / policy.name)
            for made in ("adder.o", "main.o", "program"):
                (project / made).unlink(missing_ok=True)
            done = make(project, f"CC={programs[0]}", "-j2")
            assert not done.returncode, done.stderr
            printed = subprocess.run([project / "program"], capture_output=True, check=True).stdout
            assert printed == (project / "expected.txt").read_bytes()
            problem = load(opened(str(project), [])[0], whole=False)
            sizes = [tried(problem, module, policy, 0).nbytes for module in problem.modules]
            assert [text_bytes(project / name) for name in ("adder.o", "main.o")] == sizes

    @pytest.mark.parametrize("name", ["cost-threshold-tuned", "flip-regression", "evolution"])
    def test_little_is_imported_for_a_source(self, name: str, project: Path, tmp_path: Path) -> None:
        """Red: every source of a build waits a second for libraries that nobody asks."""
        shipped = InlineTask().contenders()[name].shipped
        assert shipped is not None
        shipped().artefact.save(tmp_path / "policy")
        script = (
            "import sys; from pathlib import Path; from unseat.tasks.llvm.inline.driver import main\n"
            f"assert not main(Path({str(tmp_path / 'policy')!r}), 'clang', ['-Oz', '-c', 'adder.c'])\n"
            "print(*sys.modules)"
        )
        done = subprocess.run([sys.executable, "-c", script], cwd=project, capture_output=True, text=True, check=True)
        assert (project / "adder.o").exists()
        imported = set(done.stdout.split())
        assert not imported & {"gymnasium", "numba", "pydantic", "lightgbm", "unseat.core.task", "asyncio"}
        assert len([one for one in imported if one.startswith("unseat.")]) <= 20, sorted(imported)

    def test_what_clang_says_and_how_it_ends_are_clangs(self, project: Path, tmp_path: Path) -> None:
        """Red: an error of the user's is hidden, or a build goes on after it."""
        programs = write(Default(), tmp_path / "out")
        (project / "adder.c").write_text("int f( { }\n")
        done = subprocess.run([programs[0], "-c", "adder.c"], cwd=project, capture_output=True, text=True, check=False)
        assert done.returncode == 1 and "adder.c:1:8: error" in done.stderr and "unseat" not in done.stderr
        told = subprocess.run([programs[1], "--version"], capture_output=True, text=True, check=True)
        assert "clang version" in told.stdout

    def test_a_policy_that_is_damaged_is_told(self, project: Path, tmp_path: Path) -> None:
        """Red: a traceback, or a build with other decisions than one believes."""
        programs = write(Default(), tmp_path / "out")
        (tmp_path / "out" / "policy" / "manifest.json").write_text("{}")
        done = subprocess.run([programs[0], "-c", "adder.c"], cwd=project, capture_output=True, text=True, check=False)
        assert done.returncode == 1 and done.stderr.startswith("unseat-clang: ") and done.stderr.count("\n") == 1
        assert not (project / "adder.o").exists()

    def test_an_interrupt_ends_both(self, project: Path, tmp_path: Path) -> None:
        """Red: Ctrl-C prints a traceback for every compiler of a build, or leaves half an object."""
        programs = write(Default(), tmp_path / "out")
        os.mkfifo(project / "slow.c")
        build = subprocess.Popen([programs[0], "-c", "slow.c"], cwd=project, stderr=subprocess.PIPE, text=True)
        wait_for_compiler(build)
        build.send_signal(signal.SIGINT)
        _, said = build.communicate()
        assert build.returncode == 130 and "Traceback" not in said
        assert not (project / "slow.o").exists()

    def test_what_follows_two_dashes_is_a_file(self, project: Path, tmp_path: Path) -> None:
        """Red: what we tell clang is taken for sources."""
        programs = write(Default(), tmp_path / "out")
        subprocess.run([programs[0], "-Oz", "-c", "--", "adder.c"], cwd=project, check=True)
        assert (project / "adder.o").exists()

    def test_a_build_that_is_interrupted_leaves_no_compiler(self, project: Path, tmp_path: Path) -> None:
        """Red: after Ctrl-C a clang waits for answers that never come."""
        programs = write(Default(), tmp_path / "out")
        os.mkfifo(project / "slow.c")
        build = subprocess.Popen([programs[0], "-c", "slow.c"], cwd=project)
        wait_for_compiler(build)
        left = psutil.Process(build.pid).children(recursive=True)
        build.kill()
        build.wait()
        _, alive = psutil.wait_procs(left, timeout=60)
        assert not alive


@pytest.mark.parametrize("name", ["flip-regression", "evolution"])
def test_a_rules_python_says_what_its_kernel_says(name: str) -> None:
    """Red: a build gets other decisions than were measured."""
    shipped = InlineTask().contenders()[name].shipped
    assert shipped is not None
    policy, rng = shipped(), np.random.default_rng(0)
    if isinstance(policy, NetworkRule):
        # What was learned hardly moves the threshold.
        policy = replace(policy, output=policy.output + 9.0)
    assert isinstance(policy, TreeRule | NetworkRule)
    session = policy.start(told(), 0)
    assert session.kernel is not None
    function, arrays = session.kernel
    rows = np.round(rng.normal(0, 1, (400, len(FEATURES))) * 10 ** rng.uniform(0, 3, (400, 1))).astype(np.int64)
    rows[:, COST] = rng.integers(-60, 60, 400)
    said = [session.decide(row) for row in rows]
    assert said == [function(row, *arrays) for row in rows] and 0 < sum(said) < 400
    # And not only where trees are unsure.
    assert said != [int(row[COST] < policy.rule[0]) for row in rows]


@pytest.mark.parametrize("action", [0, 1, 2, -1, 1.0, True, "1", None, np.int64(1), np.int8(2), np.float64(1)])
def test_an_answer_is_one_whoever_checks_it(action: object) -> None:
    """Red: a build takes answers that a run refuses."""
    spaces = inline().action, bare().action
    assert spaces[0] is not None and spaces[1] is not None
    assert spaces[0].contains(action) == spaces[1].contains(action)


def test_the_name_of_a_policy_is_no_line_of_a_script(tmp_path: Path) -> None:
    """Red: a stranger's policy runs what it is called."""
    for program in write(Default("x\nimport os"), tmp_path / "out"):
        assert "x?import os" in program.read_text()


def test_a_policy_that_compiles_by_itself_is_not_handed_over(tmp_path: Path) -> None:
    """Red: a build that takes sixteen times as long, or decisions for another command line."""
    with pytest.raises(UserError, match="compiles a module several times"):
        write(SearchRule("s", 4), tmp_path / "out")
    assert "channel" in SmallInline().exporters()


@pytest.mark.usefixtures("llvm")
def test_a_build_is_recorded_and_read_again(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red: a source or a flag is lost on the way from a build to instances."""
    folder = Path(Compiler.here().llvm.clang).parent
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.chdir(project)
    told = record("inline", ["make", "CC=clang"], project / "compile_commands.json")
    assert told.startswith("2 sources") and (project / "program").exists()
    (found,) = opened(str(project / "compile_commands.json"), [])
    assert [str(unit.source) for unit in found.units] == ["adder.c", "main.c"]
    assert found.units[0].flags == ('-DUNUSED="a b"', "-I.")
    assert load(found, whole=False).default_bytes > 0


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["true"], "true compiled nothing"),
        (["false"], "exit code 1; nothing is recorded"),
        (["/no/such/program"], "cannot be run"),
    ],
)
def test_a_build_that_tells_nothing(command: list[str], says: str, tmp_path: Path) -> None:
    """Red: an empty database, or a traceback."""
    with pytest.raises(UserError, match=says):
        record("inline", command, tmp_path / "compile_commands.json")
    assert not list(tmp_path.iterdir())


def test_a_source_that_the_build_removes_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red: what a build makes to try the compiler makes the record useless."""
    folder = tmp_path / "with a blank"
    folder.mkdir()
    monkeypatch.chdir(folder)
    (folder / "cc").write_text("#!/bin/sh\n")
    (folder / "cc").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    build = "echo > kept.c; echo > conftest.c; cc -c conftest.c && rm conftest.c && cc -c kept.c"
    told = record("inline", ["sh", "-c", build], folder / "compile_commands.json")
    assert told.startswith("1 sources") and "(1 were removed" in told
    (found,) = opened(str(folder / "compile_commands.json"), [])
    assert [str(unit.source) for unit in found.units] == ["kept.c"]


def test_a_compiler_that_is_missing_fails_the_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red: the stand-in calls itself for ever, or hides that there is no compiler."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="exit code 1"):
        build = "import subprocess, sys; sys.exit(subprocess.call(['c99', '-c', 'x.c']))"
        record("inline", [sys.executable, "-c", build], tmp_path / "database")


def test_a_command_of_several_sources_is_several_entries() -> None:
    """Red: sources of one command are compiled together, or what only looks at a source is taken for a build."""
    calls = [
        {"directory": "/p", "arguments": ["cc", "-DX", "a.c", "sub/b.cc", "-o", "p"]},
        {"directory": "/p", "arguments": ["cc", "-E", "c.c"]},
        {"directory": "/p/sub", "arguments": ["cc", "-DY", "-c", "../a.c"]},
        {"directory": "/p", "arguments": ["cc", "x.o", "-o", "p"]},
    ]
    found = database(calls)
    assert [entry["file"] for entry in found] == ["../a.c", "sub/b.cc"]
    assert found[0]["arguments"] == ["cc", "-DY", "-c", "../a.c"]
    assert found[1]["arguments"] == ["cc", "-DX", "sub/b.cc", "-o", "p"]
