"""The instances: generated graphs to learn from and to judge by, and the contest's to be judged on."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from unseat.core.errors import UserError
from unseat.core.task import Instance, Split
from unseat.data import FileEntry, Manifest, load_manifest, locate
from unseat.tasks.graphsched.data.generators import FAMILIES, Recipe, generate
from unseat.tasks.graphsched.engine.problem import Problem, read_json

GENERATOR = 1
"""Version of the generator; part of an instance's content."""

SPLITS: Mapping[str, Split] = {
    "chain": "train", "mlp": "train", "residual": "train", "attention": "test", "wide": "valid", "convolution": "test",
}  # fmt: skip
"""Families of generated graphs; each is in one split."""

BLOCKS = (2, 5, 12)
QUICK_S, GENERATED_S, PUBLISHED_S, OWN_S = 1.0, 2.0, 5.0, 60.0
"""Wall time that a solver is given, so that the full suite takes a quarter of an hour; the contest gives minutes. A
limit of the command line can only shorten it."""


@dataclass(frozen=True)
class Source:
    """One instance: a recipe, a published file, or a person's own."""

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
        facts = {"blocks": self.recipe.blocks, "seed": self.recipe.seed} if self.recipe else {}
        return Instance(self.name, self.group, self.split, suites=self.suites, facts=facts)

    def digest(self) -> str:
        """Hash of the content."""
        if self.recipe:
            return hashlib.sha256(f"{GENERATOR} {sorted(asdict(self.recipe).items())}".encode()).hexdigest()
        if self.entry:
            return str(self.entry.hash[1])
        assert self.path is not None
        return hashlib.sha256(self.path.read_bytes()).hexdigest()

    def problem(self) -> Problem:
        """The problem itself."""
        return replace(self._read(), seconds=self.seconds)

    def _read(self) -> Problem:
        if self.recipe:
            return generate(self.recipe)
        path = locate(self.entry) if self.entry else self.path
        assert path is not None
        return read_json(path)


def manifest() -> Manifest:
    """The published instances."""
    return load_manifest(Path(__file__).with_name("data.toml"))


def built_in() -> list[Source]:
    """Generated graphs of all families, and the contest's."""
    found = []
    for family in FAMILIES:
        for blocks in BLOCKS:
            for seed in range(2):
                quick = blocks == BLOCKS[0] and seed == 0
                suites = frozenset({"quick", "full"}) if quick else frozenset({"full"})
                found.append(Source(f"{family}-{blocks}-{seed}", family, SPLITS[family], suites,
                                    Recipe(family, seed, blocks),
                                    seconds=QUICK_S if quick else GENERATED_S))  # fmt: skip
    for entry in manifest().files:
        name = entry.name.removesuffix(".json")
        found.append(Source(name, name, "test", frozenset({"contest", "full"}), entry=entry, seconds=PUBLISHED_S))
    return found


def opened(source: str) -> Sequence[Source]:
    """A person's own instances: a file of the contest's format, or a folder of them.

    Raises:
        UserError: There are none.
    """
    path = Path(source)
    if path.is_dir():
        files = sorted(path.glob("*.json"))
        if not files:
            raise UserError(f"{path}: no .json in this folder; give instances of the contest's format")
    elif path.is_file():
        files = [path]
    else:
        raise UserError(f"{path}: no such file or folder; give an instance of the contest's format")
    return [Source(one.stem, one.stem, "test", frozenset({"quick", "full"}), path=one, seconds=OWN_S) for one in files]
