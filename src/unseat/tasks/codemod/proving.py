"""Whether tests show that changed files still do the same: they pass, and they run what was changed."""

from __future__ import annotations

import ast
import difflib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from unseat.core.errors import UserError

_LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "venv", "__pycache__", "node_modules", ".mypy_cache", ".tox")
_FAULT = "raise AssertionError('is this run?')"


def proven(root: Path, tests: str, changed: Mapping[Path, str]) -> dict[Path, str]:
    """Which changed files are not shown to be unchanged in what they do, and why.

    The tests run in a copy of the folder, with your rights. A file counts as shown if they pass with it, and if they
    fail as soon as any statement that was changed raises: tests that never run it say nothing of it.

    Args:
        root: The folder of the tests and of all files.
        tests: The command.
        changed: The new text of each file.

    Raises:
        UserError: The tests fail before anything was changed, or a file is not in the folder.
    """
    outside = [file for file in changed if not file.resolve().is_relative_to(root.resolve())]
    if outside:
        raise UserError(f"{outside[0]}: not in {root.resolve()}, where the tests run; give --root")
    refused: dict[Path, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "copy")
        shutil.copytree(root, copy, ignore=_LEFT_OUT, symlinks=True)
        if not _pass(copy, tests):
            raise UserError(f"{tests!r} fails before anything is changed, and so can show nothing")
        for file, text in changed.items():
            place = copy / file.resolve().relative_to(root.resolve())
            old = place.read_text(encoding="utf-8")
            place.write_text(text, encoding="utf-8")
            why = "" if _pass(copy, tests) else "the tests fail with it"
            for line, faulty in () if why else with_faults(old, text):
                place.write_text(faulty, encoding="utf-8")
                if _pass(copy, tests):
                    why = f"the tests do not run line {line}, which it changes"
                    break
            place.write_text(old if why else text, encoding="utf-8")
            if why:
                refused[file] = why
    return refused


def with_faults(old: str, new: str) -> Iterator[tuple[int, str]]:
    """The new text with a fault at each place that was changed, and the line of that place."""
    lines = new.splitlines(keepends=True)
    tree = ast.parse(new)
    matcher = difflib.SequenceMatcher(None, old.splitlines(), new.splitlines(), autojunk=False)
    for tag, _, _, start, stop in matcher.get_opcodes():
        if tag == "equal":
            continue
        node = _statement(tree, start + 1, max(stop, start + 1))
        if node is None:
            continue
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node = node.body[0]
        at = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", ()))])
        # A statement that does not begin its line is preceded on the line by another one.
        text = lines[at - 1]
        indent = text[: len(text) - len(text.lstrip())]
        yield start + 1, "".join([*lines[: at - 1], f"{indent}{_FAULT}\n", *lines[at - 1 :]])


def _statement(tree: ast.AST, first: int, last: int) -> ast.stmt | None:
    """The smallest statement that covers lines, or the first that begins in them."""
    every = [node for node in ast.walk(tree) if isinstance(node, ast.stmt)]
    covering = [node for node in every if node.lineno <= first and (node.end_lineno or 0) >= last]
    if covering:
        return max(covering, key=lambda node: (node.lineno, -(node.end_lineno or 0)))
    begun = [node for node in every if node.lineno >= first]
    return min(begun, key=lambda node: node.lineno, default=None)


def _pass(folder: Path, tests: str) -> bool:
    # The command is the user's own, as they would type it. Byte code of an earlier text would hide a fault.
    done = subprocess.run(
        f"PYTHONDONTWRITEBYTECODE=1 {tests}", shell=True, cwd=folder, capture_output=True, check=False
    )
    return done.returncode == 0
