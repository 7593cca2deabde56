"""Two folders of Python files, before and after some edits."""

from __future__ import annotations

from pathlib import Path

from unseat.core.errors import UserError
from unseat.tasks.codemod.pairs import Pair, Pairs, equal


def text_of(path: Path) -> str:
    """The text of a file that must be Python.

    Raises:
        UserError: It cannot be read, or is no Python; names the line.
    """
    import ast

    try:
        text = path.read_text(encoding="utf-8")
        ast.parse(text)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror or error})") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8") from error
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UserError(f"{path}, line {getattr(error, 'lineno', None) or 1}: not Python: {error}") from error
    return text


def python_files(path: Path) -> list[Path]:
    """The Python files at a path: itself, or all of a folder.

    Raises:
        UserError: There are none.
    """
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise UserError(f"{path}: no such file or folder")
    hidden = (one for one in sorted(path.rglob("*.py"))
              if not any(part.startswith(".") for part in one.relative_to(path).parts))  # fmt: skip
    found = [one for one in hidden if one.is_file()]
    if not found:
        raise UserError(f"{path}: no .py file in this folder")
    return found


def read(before: Path, after: Path) -> Pairs:
    """Pairs of files of the same name; those that are equal are shown as files that must stay.

    Raises:
        UserError: A folder or a file is missing, or is no Python.
    """
    if before.is_file() and after.is_file():
        names = [(before, after)]
    else:
        names = [(path, after / path.relative_to(before)) for path in python_files(before)]
    changed, kept = list[Pair](), list[Pair]()
    for old, new in names:
        if not new.is_file():
            raise UserError(f"{new}: missing; every file of {before} must be there too, changed or not")
        pair = Pair(text_of(old), text_of(new))
        (kept if equal(*pair) else changed).append(pair)
    return Pairs(before.resolve().parent.name, f"edits from {before} to {after}", tuple(changed), (), tuple(kept))
