"""What the tests of the compiler share: nothing may be left behind, and where there is no LLVM they say so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from unseat.tasks.llvm.engine import toolchain, workplace


@pytest.fixture
def llvm() -> toolchain.Toolchain:
    """The LLVM of this machine."""
    found = toolchain.find()
    if found is None:
        pytest.skip(f"no LLVM {toolchain.OLDEST} or newer here; {toolchain.INSTALL}")
    return found


def traces() -> tuple[set[int], list[Path], set[Path]]:
    """Child processes, files in the temporary folder, and open descriptors of this process."""
    with workplace.folder() as own:
        home = own.parent
    children = {child.pid for child in psutil.Process().children(recursive=True)}
    return children, sorted(home.iterdir()), set(Path("/proc/self/fd").iterdir())


@pytest.fixture
def nothing_left() -> Iterator[None]:
    """Fails if a process, a file or an open descriptor is left behind."""
    before = traces()
    yield
    assert traces() == before
