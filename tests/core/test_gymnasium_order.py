"""Gymnasium knows the tasks whichever of the two is imported first, and unseat alone does not import it."""

from __future__ import annotations

import subprocess
import sys

import pytest

MAKES = "; assert 'unseat/schedule-v0' in gymnasium.registry, sorted(gymnasium.registry)[-3:]"


def run(code: str) -> None:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "imports",
    [
        "import unseat, gymnasium",
        "import gymnasium, unseat",
        "import unseat; from gymnasium.spaces import Box; import gymnasium",
        "import unseat; import unseat.core.env; import gymnasium",
        "import unseat, importlib; importlib.import_module('gymnasium.envs.registration'); import gymnasium",
        "import unseat, threading; import gymnasium; import unseat",
    ],
)
def test_either_order(imports: str) -> None:
    """Red: `import unseat, gymnasium` is told that there is no namespace unseat."""
    run(imports + MAKES)


def test_an_environment_is_made() -> None:
    """Red: the environment is registered but cannot be made."""
    run("import unseat, gymnasium; gymnasium.make('unseat/schedule-v0').reset(seed=0)")


def test_gymnasium_is_left_as_it_is() -> None:
    """Red: `import unseat` imports Gymnasium, or Gymnasium is left with another loader, or a finder stays behind."""
    run("import sys, unseat; assert 'gymnasium' not in sys.modules; assert 'importlib.resources' not in sys.modules")
    run(
        "import sys; finders = list(sys.meta_path); import unseat, gymnasium; assert sys.meta_path == finders;"
        "assert type(gymnasium.__loader__) is type(unseat.__loader__) is type(gymnasium.__spec__.loader)"
    )


def test_a_python_without_gymnasium() -> None:
    """Red: where there is no Gymnasium, whoever looks for it gets another error than ImportError."""
    hidden = (
        "import sys, unseat; sys.path = []; sys.path_importer_cache.clear()\n"
        "try: import gymnasium\n"
        "except ModuleNotFoundError as error: assert error.name == 'gymnasium'\n"
        "else: raise SystemExit(3)\n"
    )
    run(hidden)
