"""Record the pairs of `codemod` that tools of others make; needs Ruff, pyupgrade and the packages of the manifest.

    pip download --no-deps -d FOLDER django==3.2.25 ...   (others/packages.toml names them all, with their hashes)
    python -m benchmarks.record_codemod_others FOLDER [--only NAME,...]

Every function of 4 to 30 lines is cut out of the packages, and each tool is run on each function by itself. Of those
that it changes, twenty are drawn, from all packages in turn, no two with the same change; ten that must stay are drawn
from those most like the changed ones by their words. Draws are by hash. Writes `others/pairs.json.zst`.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import textwrap
import tomllib
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import zstandard

from unseat.tasks.codemod.incumbents import ruff
from unseat.tasks.codemod.pairs import equal

ROOM = Path(__file__).parents[1] / "src/unseat/tasks/codemod/others"
CHANGED, KEPT, LIKE = 20, 10, 60
SHORTEST, LONGEST = 4, 30
_PYUPGRADE = """
import json, sys
import pyupgrade._plugins
from pyupgrade import _data
from pyupgrade._main import _fix_plugins
module = 'pyupgrade._plugins.' + sys.argv[1]
for kind, functions in list(_data.FUNCS.items()):
    _data.FUNCS[kind] = [one for one in functions if one.__module__ == module]
made = []
for text in json.load(sys.stdin):
    try:
        made.append(_fix_plugins(text, _data.Settings(min_version=(3, 11))))
    except Exception:
        made.append(text)
json.dump(made, sys.stdout)
"""


def functions(wheel: Path, sha256: str) -> Iterator[str]:
    """The functions of a package, by themselves."""
    if hashlib.sha256(wheel.read_bytes()).hexdigest() != sha256:
        sys.exit(f"{wheel}: its hash is not that of the manifest")
    with zipfile.ZipFile(wheel) as archive:
        for name in sorted(archive.namelist()):
            if name.endswith(".py"):
                yield from _functions(archive.read(name))


def _functions(data: bytes) -> Iterator[str]:
    try:
        text = data.decode()
        tree = ast.parse(text)
    except (UnicodeDecodeError, SyntaxError):
        return
    lines = text.splitlines()
    stack: list[ast.stmt] = list(tree.body)[::-1]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.ClassDef):
            stack.extend(node.body[::-1])
        if not isinstance(node, ast.FunctionDef):
            continue
        first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
        if SHORTEST <= (node.end_lineno or 0) - first + 1 <= LONGEST:
            cut = textwrap.dedent("\n".join(lines[first - 1 : node.end_lineno])) + "\n"
            try:
                ast.parse(cut)
            except SyntaxError:
                continue
            yield cut


def fixed(tool: str, rule: str, texts: Sequence[str]) -> list[str]:
    """What a tool makes of functions."""
    if tool == "ruff":
        return ruff(texts, [rule])
    python = os.environ.get("PYUPGRADE_PYTHON", sys.executable)
    done = subprocess.run([python, "-c", _PYUPGRADE, rule], input=json.dumps(texts), capture_output=True,
                          text=True, check=True)  # fmt: skip
    made: list[str] = json.loads(done.stdout)
    return made


def _draw(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+|[^\w\s]+", text))


def chosen(texts: Mapping[str, str], made: Mapping[str, str]) -> dict[str, Any]:
    """The pairs of a transform.

    Args:
        texts: Function to its package.
        made: Function to what became of it.
    """
    changed: dict[str, list[str]] = {}
    seen: set[str] = set()
    gone: list[str] = []
    for text in sorted(texts, key=_draw):
        if equal(text, made[text]):
            continue
        difference = [line for line in difflib.ndiff(text.splitlines(), made[text].splitlines()) if line[0] in "+-"]
        key = "\n".join(re.sub(r"\s+", " ", line) for line in difference)
        if key not in seen:
            seen.add(key)
            changed.setdefault(texts[text], []).append(text)
            gone += [line[2:] for line in difference if line[0] == "-"]
    rows = sorted(changed.items())
    turn = [text for place in range(CHANGED) for _, row in rows if place < len(row) for text in row[place : place + 1]]
    pairs = sorted(turn[:CHANGED], key=lambda text: _draw(text + "half"))
    if len(pairs) < CHANGED:
        sys.exit(f"only {len(pairs)} functions change")
    frequent = Counter(word for text in list(texts)[:5000] for word in _words(text))
    telling = {word: times / (1 + frequent[word]) for word, times in Counter(w for g in gone for w in _words(g)).items()
               if times > len(gone) // 10}  # fmt: skip
    still = [text for text in texts if equal(text, made[text])]
    like = sorted(still, key=lambda text: -sum(telling.get(word, 0.0) for word in _words(text)))[:LIKE]
    return {
        "changed": [[text, made[text], texts[text]] for text in pairs],
        "kept": [[text, texts[text]] for text in sorted(like, key=_draw)[:KEPT]],
    }


def main() -> None:
    """Record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    manifest = tomllib.loads((ROOM / "packages.toml").read_text())
    texts: dict[str, str] = {}
    for package in manifest["packages"]:
        for text in functions(arguments.folder / package["file"], package["sha256"]):
            texts.setdefault(text, package["name"])
    path, only = ROOM / "pairs.json.zst", [one for one in arguments.only.split(",") if one]
    found = json.loads(zstandard.decompress(path.read_bytes())) if only else {}
    for transform in manifest["transforms"]:
        if only and transform["name"] not in only:
            continue
        names = list(texts)
        made = dict(zip(names, fixed(transform["tool"], transform["rule"], names), strict=True))
        found[transform["name"]] = chosen(texts, made)
        print(
            f"{transform['name']}: {sum(made[one] != one for one in names)} of {len(names)} functions change",
            flush=True,
        )
    with tempfile.NamedTemporaryFile(dir=ROOM, delete=False) as file:
        file.write(zstandard.compress(json.dumps(found, sort_keys=True).encode(), 19))
    Path(file.name).chmod(0o644)
    Path(file.name).rename(path)


if __name__ == "__main__":
    main()
