"""Tasks by name: the registered ones, those of a stranger, and clear errors for the rest."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from examples.tiny_task.task import SpinThenBlock

from unseat import UserError
from unseat.core import registry
from unseat.core.errors import ContractError, UnseatError

TINY = "examples.tiny_task.task:SpinThenBlock"


def test_registered_task_is_found_with_and_without_its_version() -> None:
    """Red: a built-in task cannot be run by its name."""
    assert {"cache", "cache-sized"} <= set(registry.names())
    assert registry.task("cache") is registry.task("cache-v0")
    assert registry.task("cache-sized").card.id == "cache-sized"


@pytest.mark.parametrize("name", registry.names())
def test_every_task_is_found_again(name: str) -> None:
    """Red: what makes a task is hidden by a module of its name as soon as the task has been made once."""
    assert registry.task(name).card.id == registry.task(name).card.id == name.partition("-v")[0]


def test_task_of_a_stranger_is_found_by_its_path() -> None:
    """Red: a new task cannot be tried before it is packaged."""
    found = registry.task(TINY)
    assert isinstance(found, SpinThenBlock)
    assert found is registry.task(TINY)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cachr", "did you mean cache"),
        ("nothing-like-it", "there are: .*cache"),
        ("cache-v7", "at version 0 here, not 7; use cache-v0"),
        ("", "there is no task"),
        ("no.such.module:task", "cannot be loaded"),
        ("examples.tiny_task.task:nothing", "cannot be loaded"),
        (":task", "cannot be loaded"),
    ],
)
def test_unknown_task_is_one_clear_line(name: str, message: str) -> None:
    """Red: a typing error in a task's name ends in a traceback, or does not say what there is."""
    with pytest.raises(UserError, match=message) as raised:
        registry.task(name)
    assert "\n" not in str(raised.value)


CALLED: list[str] = []


def harm() -> None:
    """What a path in a stranger's ledger might name."""
    CALLED.append("harm")


@pytest.mark.parametrize("name", ["json:JSONDecoder", "math:pi", f"{__name__}:harm"])
def test_what_is_no_task_is_refused(name: str) -> None:
    """Red: something that is no task is run as one, or a ledger's path calls any function of any package."""
    with pytest.raises(ContractError, match="not a Task"):
        registry.task(name)
    assert not CALLED


def test_task_without_data_option_says_so() -> None:
    """Red: --data is ignored in silence by a task that takes none."""
    with pytest.raises(UnseatError, match="takes no --data"):
        registry.task(TINY, data="trace.csv")


def test_unknown_instance_is_named() -> None:
    """Red: an instance that does not exist ends in a traceback."""
    with pytest.raises(UserError, match="no instance 'nowhere'"):
        registry.task(TINY).instance("nowhere")


@pytest.fixture
def stranger(tmp_path: Path) -> Path:
    """A folder with an installed package of a stranger: a task that works, one that lacks a part, one that is none."""
    package = tmp_path / "stranger-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text(
        f"[unseat.tasks]\nspin-then-block = {TINY}\nlacking = no_such_part:Task\nodd = json:JSONDecoder\n"
        "nameless = json:NoSuchTask\nraising = json:loads\n"
    )
    return tmp_path


def _say(stranger: Path, code: str) -> str:
    path = os.pathsep.join([str(stranger), str(Path(__file__).parents[2])])
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": path}, capture_output=True,
                          text=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_task_of_a_strangers_package_is_registered(stranger: Path) -> None:
    """Red: a task that is installed from another package is not found, or not by Gymnasium."""
    code = (
        "import gymnasium, unseat; print(unseat.task('spin-then-block-v0').card.full_id);"
        "print(gymnasium.make('unseat/spin-then-block-v0').reset(seed=0)[0][0])"
    )
    assert _say(stranger, code).splitlines() == ["spin-then-block-v0", "0.0"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("lacking", "doctor. says what is missing"),
        ("odd", "gives JSONDecoder, not a Task"),
        ("nameless", "nameless cannot be loaded: AttributeError: .*NoSuchTask"),
        ("raising", "raising cannot be loaded: TypeError"),
    ],
)
def test_broken_package_of_a_stranger_is_named_and_harms_nobody(stranger: Path, name: str, message: str) -> None:
    """Red: one broken plug-in keeps all other tasks from running, or ends in a traceback."""
    code = (
        "import gymnasium, unseat\nassert unseat.task('cache').card.id == 'cache'\n"
        f"try: unseat.task('{name}')\nexcept unseat.UnseatError as error: print(error)"
    )
    assert re.search(message, _say(stranger, code))
