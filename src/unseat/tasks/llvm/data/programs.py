"""Programs as sources, and the readers of those that come with the package or from a user."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from unseat.core.errors import UserError
from unseat.core.task import Split

CORPUS = Path(__file__).parents[1] / "corpus"
"""Programs of this project, a folder each: sources, ``expected.txt`` and, where they read something, ``input.txt``."""

SOURCES = frozenset({".c", ".cc", ".cpp", ".cxx"})
_READ = SOURCES | {".h", ".hh", ".hpp", ".hxx", ".inc", ".def"}

EXPECTED, _INPUT, _DATABASE = "expected.txt", "input.txt", "compile_commands.json"

_ALONE = ("-O", "-W", "-g", "-M", "-c", "-S", "-E", "-flto", "-pipe", "-fdiagnostics", "-save-temps")
_WITH_NEXT = frozenset({"-o", "-MF", "-MT", "-MQ", "-Xlinker", "--serialize-diagnostics"})
"""Arguments that say what to do with a source and not what it means; those of the second kind take the next one too."""


@dataclass(frozen=True)
class Unit:
    """A source that is compiled by itself.

    Attributes:
        source: Its path, relative to `folder` where it can be.
        folder: Where the compiler works.
        flags: What the project compiles it with.
    """

    source: Path
    folder: Path
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Program:
    """A program, or a part of one, as sources.

    Attributes:
        name: Its name.
        units: Its sources.
        expected: What it prints; None where it is not to be run, and then it need not be a whole program.
        given: What it reads on standard input.
        split: Its split.
    """

    name: str
    units: tuple[Unit, ...]
    expected: bytes | None = None
    given: bytes = b""
    split: Split = "test"

    @property
    def plus_plus(self) -> bool:
        """Whether C++ is in it."""
        return any(unit.source.suffix != ".c" for unit in self.units)

    @cached_property
    def digest(self) -> str:
        """Hash of its sources, of the headers beside them and of all else that is a part of it."""
        found, folders = hashlib.sha256(repr((self.expected, self.given)).encode()), set[Path]()
        for unit in self.units:
            found.update(f"{unit.source} {unit.flags}\n".encode())
            source = (unit.folder / unit.source).resolve()
            if not source.is_relative_to(unit.folder.resolve()):
                found.update(source.read_bytes())
            folders |= {unit.folder.resolve(), *_included(unit)}
        for folder in sorted(folders):
            for path in _files(folder, _READ):
                found.update(f"{path.relative_to(folder)}\n".encode() + path.read_bytes())
        return found.hexdigest()


def split_of(name: str) -> Split:
    """The split of a built-in program: drawn by its name, so that one that is added moves no other."""
    drawn = hashlib.sha256(f"unseat-corpus-0/{name}".encode()).digest()[0]
    return "train" if drawn < 118 else "valid" if drawn < 172 else "test"


def corpus(folder: Path = CORPUS) -> list[Program]:
    """The programs of a corpus, each in its split."""
    return [read(path, (), split_of(path.name)) for path in _program_folders(folder)]


def read(folder: Path, flags: Sequence[str] = (), split: Split = "test", name: str = "") -> Program:
    """A folder of sources as one program; it is run where it holds ``expected.txt``.

    Args:
        folder: The folder.
        flags: What its sources are compiled with.
        split: Its split.
        name: Its name, if not the folder's.

    Raises:
        UserError: There is no C or C++ in it.
    """
    folder = folder.resolve()
    sources = [path.relative_to(folder) for path in _files(folder, SOURCES)]
    if not sources:
        raise UserError(f"{folder}: there is no C or C++ source in it")
    units = tuple(Unit(source, folder, ("-I.", *flags)) for source in sources)
    expected, given = (_bytes(folder / name) for name in (EXPECTED, _INPUT))
    return Program(name or folder.name, units, expected, given or b"", split)


def opened(source: str, flags: Sequence[str]) -> list[Program]:
    """What ``--data`` names: a folder of programs, of sources, a source, a compilation database, or ``csmith:COUNT``.

    Raises:
        UserError: It is none of these.
    """
    path = Path(source).expanduser()
    if not path.exists() and source.split(":")[0] == "csmith":
        from unseat.tasks.llvm.data.csmith import drawn

        return drawn(source, flags)
    if not path.exists():
        raise UserError(f"{source}: there is no such file or folder; give a folder of C or C++, or {_DATABASE}")
    if path.is_file():
        if path.suffix == ".json":
            return [database(path, flags)]
        if path.suffix not in SOURCES:
            raise UserError(f"{source}: neither C nor C++ nor {_DATABASE}; give a folder of sources")
        return [Program(path.stem, (Unit(Path(path.name), path.parent.resolve(), tuple(flags)),))]
    if (path / _DATABASE).is_file():
        return [database(path / _DATABASE, flags)]
    within = [] if (path / EXPECTED).is_file() else _program_folders(path)
    return [read(one, flags) for one in within or [path]]


def database(path: Path, flags: Sequence[str] = ()) -> Program:
    """A compilation database (``compile_commands.json``, as CMake and Bear write it) as one program.

    Raises:
        UserError: It is damaged, or holds no C or C++.
    """
    try:
        entries = json.loads(path.read_bytes())
        units = {(unit.folder / unit.source).resolve(): unit for unit in map(_unit, entries)}
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UserError(f"{path}: no compilation database ({error}); let CMake or Bear write it anew") from error
    chosen = [units[place] for place in sorted(units) if place.suffix in SOURCES]
    if not chosen:
        raise UserError(f"{path}: it names no C or C++ source")
    lacking = [unit for unit in chosen if not (unit.folder / unit.source).is_file()]
    if lacking:
        raise UserError(f"{path}: {lacking[0].folder / lacking[0].source} is not there; build the project first")
    made = tuple(Unit(unit.source, unit.folder, (*unit.flags, *flags)) for unit in chosen)
    return Program(path.resolve().parent.name, made)


def _unit(entry: Any) -> Unit:
    folder, source = Path(entry["directory"]), Path(entry["file"])
    words = entry["arguments"] if "arguments" in entry else shlex.split(entry["command"])
    if source.is_absolute() and source.is_relative_to(folder):
        source = source.relative_to(folder)
    return Unit(source, folder, tuple(_meaning(words[1:], entry["file"])))


def _meaning(words: Sequence[str], source: str) -> Iterator[str]:
    """The arguments that a source's meaning hangs on."""
    skip = False
    for word in words:
        if skip or word == source or word == "--":
            skip = False
        elif word in _WITH_NEXT:
            skip = True
        elif not word.startswith((*_ALONE, *(_WITH_NEXT))):
            yield word


def _included(unit: Unit) -> Iterator[Path]:
    """Folders of the project's own headers; those of the system are part of what the compiler is."""
    words = iter(unit.flags)
    for word in words:
        if word.startswith(("-I", "-iquote", "-isystem")):
            name = word.removeprefix("-isystem").removeprefix("-iquote").removeprefix("-I") or next(words, "")
            folder = (unit.folder / name).resolve()
            if folder.is_dir() and not folder.is_relative_to("/usr"):
                yield folder


def _program_folders(folder: Path) -> list[Path]:
    return sorted(path.parent for path in folder.glob(f"*/{EXPECTED}"))


def _files(folder: Path, suffixes: frozenset[str]) -> list[Path]:
    """Files of these kinds, however deep, but for hidden ones."""
    found = (path for path in folder.rglob("*") if path.suffix in suffixes and path.is_file())
    return sorted(path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts))


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None
