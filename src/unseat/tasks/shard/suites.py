"""The instances: generated ones to learn from and to judge by, and the contest's to be judged on."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from unseat.core.errors import UserError
from unseat.core.task import Instance, Split
from unseat.data import FileEntry, Manifest, load_manifest, locate
from unseat.tasks.shard.data.generators import FAMILIES, Recipe, generate
from unseat.tasks.shard.engine.problem import Problem

GENERATOR = 1
"""Version of the generator; part of an instance's content."""

SPLITS: Mapping[str, Split] = {
    "mlp": "train", "transformer": "train", "recurrent": "train", "convolution": "valid", "experts": "test",
    "encoder-decoder": "test",
}  # fmt: skip
"""Families of generated models; each is in one split."""

LAYERS = (2, 6, 24)
QUICK_LAYERS = 2
QUICK_S, GENERATED_S, PUBLISHED_S, OWN_S = 3.0, 3.0, 5.0, 60.0
"""Wall time that a solver is given, so that the full suite takes a quarter of an hour; the contest gives minutes. A
limit of the command line can only shorten it."""


@dataclass(frozen=True)
class Source:
    """One instance.

    Attributes:
        name: The instance's id.
        group: Family of models.
        split: Of the family.
        suites: Suites that it is in.
        recipe: What it is drawn from, of a generated one.
        path: Its file, of a person's own.
        entry: Its file, of a published one.
        seconds: Wall time that a solver is given.
    """

    name: str
    group: str
    split: Split
    suites: frozenset[str] = frozenset({"full"})
    recipe: Recipe | None = None
    path: Path | None = None
    entry: FileEntry | None = field(default=None, compare=False, hash=False)
    seconds: float = math.inf

    def instance(self) -> Instance:
        """As the laboratory knows it."""
        facts = {"layers": self.recipe.layers, "seed": self.recipe.seed} if self.recipe else {}
        return Instance(self.name, self.group, self.split, suites=self.suites, facts=facts)

    def digest(self) -> str:
        """Hash of the content."""
        if self.recipe:
            return hashlib.sha256(f"{GENERATOR} {sorted(asdict(self.recipe).items())}".encode()).hexdigest()
        if self.entry:
            return str(self.entry.hash[1])
        assert self.path is not None
        return _file_digest(self.path, self.path.stat().st_mtime_ns)

    def problem(self) -> Problem:
        """The problem itself."""
        return replace(self._read(), seconds=self.seconds)

    def _read(self) -> Problem:
        if self.recipe:
            return generate(self.recipe)
        from unseat.tasks.shard.data.binary import opened as reopened

        path = locate(self.entry) if self.entry else self.path
        assert path is not None
        return reopened(path, self.digest())

    def operators(self, nodes: int) -> list[str]:
        """A name for each node: those of a list in ``<instance>.names.json`` beside a person's own file, or numbers.

        Raises:
            UserError: The list does not name every node.
        """
        beside = self.path.with_name(f"{_stem(self.path)}.names.json") if self.path else None
        if beside is None or not beside.is_file():
            return [str(node) for node in range(nodes)]
        try:
            found = json.loads(beside.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UserError(f"{beside}: cannot be read ({error}); give a JSON list of names") from error
        if not isinstance(found, list) or len(found) != nodes:
            raise UserError(f"{beside}: must be a list of {nodes} names, one a node in the instance's order")
        return [str(name) for name in found]


@lru_cache(maxsize=256)
def _file_digest(path: Path, changed: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def manifest() -> Manifest:
    """The published instances."""
    return load_manifest(Path(__file__).with_name("data.toml"))


def built_in() -> list[Source]:
    """Generated instances of all families, and the contest's, each a group of its own."""
    found = []
    for family in FAMILIES:
        for layers in LAYERS:
            for seed in range(2 if layers != QUICK_LAYERS else 3):
                quick = layers == QUICK_LAYERS and seed == 0
                recipe = Recipe(family, seed, layers, (4, 2) if seed % 2 == 0 else (8, 4))
                suites = frozenset({"quick", "full"}) if quick else frozenset({"full"})
                name = f"{family}-{layers}-{seed}"
                found.append(Source(name, family, SPLITS[family], suites, recipe,
                                    seconds=QUICK_S if quick else GENERATED_S))  # fmt: skip
    for entry in manifest().files:
        name = entry.name.split(".")[0].removeprefix("asplos-2025-")
        found.append(
            Source(
                name,
                str(entry.details["family"]),
                "test",
                frozenset({"contest", "full"}),
                entry=entry,
                seconds=PUBLISHED_S,
            )
        )
    return found


def opened(source: str) -> Sequence[Source]:
    """A person's own instances: a file of the contest's format, or a folder of them.

    Raises:
        UserError: There are none.
    """
    path = Path(source)
    if path.is_dir():
        files = sorted(one for one in path.iterdir() if one.name.endswith((".json", ".json.gz"))
                       and not one.name.endswith(".names.json"))  # fmt: skip
        if not files:
            raise UserError(f"{path}: no .json or .json.gz in this folder; give instances of the contest's format")
    elif path.is_file():
        files = [path]
    else:
        raise UserError(f"{path}: no such file or folder; give an instance of the contest's format")
    return [
        Source(_stem(one), _stem(one), "test", frozenset({"quick", "full"}), path=one, seconds=OWN_S) for one in files
    ]


def _stem(path: Path) -> str:
    return path.name.removesuffix(".gz").removesuffix(".json")
