"""What production systems use: the fixer of a linter."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from unseat.core.errors import MissingExtra

INSTALL = "pip install 'unseat[codemod]'"


def program() -> str | None:
    """Where Ruff is: beside the interpreter, or on the path."""
    beside = Path(sys.executable).with_name("ruff")
    return str(beside) if beside.is_file() else shutil.which("ruff")


def ruff(files: Sequence[str], rules: Sequence[str], target: str = "py311") -> list[str]:
    """Files as Ruff's fixes of some rules leave them.

    Args:
        files: Texts.
        rules: Codes of its rules; none changes nothing.
        target: The oldest Python that the code must run on.

    Raises:
        MissingExtra: There is no Ruff.
    """
    found = program()
    if found is None:
        raise MissingExtra(f"the rules of Ruff need an extra: {INSTALL}")
    if not rules:
        return list(files)
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, f"file_{number}.py") for number in range(len(files))]
        for path, text in zip(paths, files, strict=True):
            path.write_text(text, encoding="utf-8")
        # With its preview rules: some of the fixes are only there.
        subprocess.run([found, "check", "--isolated", "--no-cache", "--quiet", "--exit-zero", "--fix", "--unsafe-fixes",
                        "--preview", "--target-version", target, "--select", ",".join(rules), folder],
                       capture_output=True, check=True)  # fmt: skip
        return [path.read_text(encoding="utf-8") for path in paths]
