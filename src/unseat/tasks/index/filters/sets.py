"""The sets of strings: recorded ones that ship with the package, generated ones, and a person's own."""

from __future__ import annotations

import lzma
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unseat.core.errors import UserError
from unseat.data import Manifest, load_manifest, locate

MANIFEST_PATH = Path(__file__).with_name("data.toml")
LETTERS = "abcdefghijklmnopqrstuvwxyz"
GENERATED = 12_000
"""Keys, and non-keys, of a generated set."""
CONSONANTS, VOWELS = "bcdfghjklmnprstvz", "aeiou"

Pair = tuple[list[str], list[str]]
"""Keys and non-keys, each without duplicates, none in both."""


@dataclass(frozen=True)
class Recorded:
    """A set that ships with the package, cheap to list: its keys are one file, its non-keys another."""

    name: str
    keys: int
    digest: str


@lru_cache(maxsize=1)
def manifest() -> Manifest:
    """The manifest of this task's files."""
    return load_manifest(MANIFEST_PATH)


def recorded() -> list[Recorded]:
    """The recorded sets by name."""
    files = {file.name.removesuffix(".txt.xz"): file for file in manifest().files}
    return [
        Recorded(name, int(file.details["strings"]), f"{file.sha256} {files[f'{name}-others'].sha256}")
        for name, file in files.items()
        if not name.endswith("-others")
    ]


def read_recorded(name: str) -> Pair:
    """Keys and non-keys of a recorded set."""
    return _lines(f"{name}.txt.xz"), _lines(f"{name}-others.txt.xz")


def _lines(name: str) -> list[str]:
    entry = manifest().file(name)
    lines = lzma.decompress(locate(entry).read_bytes()).decode().split("\n")
    if len(lines) != entry.details["strings"]:
        raise UserError(f"{name}: {len(lines):,} strings instead of {entry.details['strings']:,}; reinstall unseat")
    return lines


def random_digits() -> Pair:
    """Keys and non-keys drawn alike: 16 hexadecimal digits. There is nothing to learn."""
    words = np.unique(_generator(1).integers(0, 1 << 63, 2 * GENERATED + 64, np.int64))
    strings = [f"{word:016x}" for word in _generator(2).permutation(words)[: 2 * GENERATED].tolist()]
    return strings[:GENERATED], strings[GENERATED:]


def syllables() -> Pair:
    """Keys are words of two to four syllables; of the non-keys one half is too, and the other half any letters."""
    rng = _generator(3)
    words = list(dict.fromkeys(_word(rng) for _ in range(3 * GENERATED)))[: GENERATED + GENERATED // 2]
    any_letters = dict.fromkeys("".join(_drawn(rng, LETTERS, len(word))) for word in words[: GENERATED // 2 + 64])
    known = set(words)
    others = [one for one in any_letters if one not in known][: GENERATED // 2]
    return words[:GENERATED], [*words[GENERATED:], *others]


def misspelt() -> Pair:
    """Keys are the recorded identifiers; non-keys are these with one letter changed, left out, added or swapped."""
    keys, _ = read_recorded("identifiers")
    rng, known = _generator(4), set(keys)
    made = dict.fromkeys(_edited(rng, keys[place]) for place in rng.integers(0, len(keys), 2 * len(keys)).tolist())
    return keys, [one for one in made if one not in known][: len(keys)]


def _generator(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


def _drawn(rng: np.random.Generator, letters: str, count: int) -> list[str]:
    return [letters[place] for place in rng.integers(0, len(letters), count).tolist()]


def _word(rng: np.random.Generator) -> str:
    count = int(rng.integers(2, 5))
    pairs = zip(_drawn(rng, CONSONANTS, count), _drawn(rng, VOWELS, count), strict=True)
    return "".join(first + second for first, second in pairs)


def _edited(rng: np.random.Generator, word: str) -> str:
    place, kind, letter = int(rng.integers(len(word))), int(rng.integers(4)), _drawn(rng, LETTERS, 1)[0]
    if kind == 0:
        return word[:place] + letter + word[place + 1 :]
    if kind == 1:
        return word[:place] + word[place + 1 :]
    if kind == 2:
        return word[:place] + letter + word[place:]
    return word[:place] + word[place : place + 2][::-1] + word[place + 2 :]


def read_file(path: Path) -> list[str]:
    """The distinct lines of a text file, in order, empty ones aside.

    Raises:
        UserError: It cannot be read, or is no UTF-8.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); give a text file with a string a line") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: byte {error.start} is not UTF-8; give a text file with a string a line") from error
    return list(dict.fromkeys(line for line in lines if line))


def own(keys: Path, others: Path) -> Pair:
    """A person's own keys and non-keys.

    Raises:
        UserError: A file cannot be used.
    """
    pair = read_file(keys), read_file(others)
    for path, lines in zip((keys, others), pair, strict=True):
        if len(lines) < 100:
            raise UserError(f"{path}: {len(lines)} distinct lines; 100 or more are needed")
    both = set(pair[0]).intersection(pair[1])
    if both:
        raise UserError(f"{others}: {min(both)!r} is a key of {keys} too; non-keys are strings that are no keys")
    return pair


def part(strings: Sequence[str], count: int | None, seed: int) -> list[str]:
    """So many of the strings, drawn at random, or all of them, in random order."""
    order: NDArray[np.int64] = _generator(seed).permutation(len(strings))
    return [strings[place] for place in order[:count].tolist()]


READERS: dict[str, Callable[[], Pair]] = {
    "random-digits": random_digits,
    "syllables": syllables,
    "misspelt": misspelt,
}
"""The generated sets."""
