"""Starting up costs little: what is heavy is imported when first used."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {"numba", "lightgbm", "matplotlib", "sqlalchemy", "gymnasium", "optuna", "ray", "torch", "pettingzoo", "pytest"}


def _imported(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint(*sys.modules)"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return {name.partition(".")[0] for name in done.stdout.split()}


@pytest.mark.parametrize(
    "code",
    [
        "import unseat; dir(unseat)",
        "import unseat; unseat.Task; unseat.tasks()",
        "import unseat.core.registry",
        "from unseat.core import registry; [registry.task(name).card for name in registry.names()]",
        "import unseat.learn.tune, unseat.learn.baselines",
        "import unseat.testing",
    ],
)
def test_heavy_libraries_wait(code: str) -> None:
    """Red: `unseat --help`, or naming a task, loads compilers and databases, and takes a second to start."""
    assert not _imported(code) & HEAVY


def test_public_names_exist() -> None:
    """Red: a name that the package promises cannot be imported, or an unknown one gives no AttributeError."""
    import unseat

    for name in unseat.__all__:
        assert getattr(unseat, name) is not None
    assert set(unseat.__all__) <= set(dir(unseat))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = unseat.nothing
