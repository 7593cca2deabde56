"""The page on LearnedIndex: what it shows is what happens."""

from __future__ import annotations

import doctest
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from unseat.structures import LearnedIndex

PAGE = Path(__file__).parents[2] / "docs" / "learned-index.md"


def test_what_the_page_shows_is_what_happens() -> None:
    """Goes red if a person who types the page's examples sees something else."""
    failed, tried = doctest.testfile(str(PAGE), module_relative=False)
    assert tried > 20
    assert not failed


@pytest.mark.skipif(shutil.which("g++") is None, reason="no g++ on PATH: the page's C++ is not compiled")
def test_the_program_of_the_page_compiles(tmp_path: Path) -> None:
    """Goes red if the page's C++ does not compile or its assertions fail."""
    LearnedIndex(np.arange(0, 30_000, 3)).export(tmp_path / "index.hpp")
    (program,) = re.findall(r"^```cpp\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    (tmp_path / "main.cpp").write_text(program)
    subprocess.run(["g++", "-std=c++17", "main.cpp", "-o", "main"], cwd=tmp_path, check=True)
    subprocess.run([tmp_path / "main"], check=True)
