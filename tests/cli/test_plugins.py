"""Commands that a task's package brings through the entry points ``unseat.commands``."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

COMMANDS = """
import typer

app = typer.Typer()


@app.command()
def learn(steps: int = 1) -> int:
    "Learn a rule."
    print(f"learned in {steps} steps")
    return 0


@app.command()
def forget() -> int:
    "Forget it."
    return 1
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder with an installed package of two commands, one of which cannot be imported."""
    (tmp_path / "demo_commands.py").write_text(COMMANDS)
    info = tmp_path / "demo-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[unseat.commands]\ndemo = demo_commands:app\nbroken = no_such_module:app\nrun = demo_commands:app\n"
    )
    return tmp_path


def call(site: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command line where that package is installed."""
    path = os.pathsep.join([str(site), *filter(None, sys.path)])
    return subprocess.run(
        [sys.executable, "-c", "import sys; from unseat.cli import main; sys.exit(main())", *words],
        env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_plugin_command_is_listed_and_runs(site: Path) -> None:
    """Goes red if a package cannot bring a command, if its exit code is lost, or if it can replace a built-in one."""
    listed = call(site, "--help").stdout
    assert "demo" in listed
    done = call(site, "demo", "learn", "--steps", "3")
    assert (done.returncode, done.stdout) == (0, "learned in 3 steps\n")
    assert call(site, "demo", "forget").returncode == 1
    assert "TASK" in call(site, "run", "--help").stdout


def test_broken_plugin_leaves_the_others_alone(site: Path) -> None:
    """Goes red if one package that cannot be imported takes `unseat --help` and every other command with it."""
    assert call(site, "--help").returncode == 0
    done = call(site, "broken", "--anything")
    assert done.returncode == 2
    assert done.stderr.startswith("unseat: command broken cannot be loaded")
    assert len(done.stderr.splitlines()) == 1
