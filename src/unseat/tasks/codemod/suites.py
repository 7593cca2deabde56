"""The instances: one a transform."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from unseat.core.errors import UserError
from unseat.core.task import Instance

if TYPE_CHECKING:
    from unseat.tasks.codemod.pairs import Pairs

OWN_VALID = ("isinstance", "dict-get", "swap", "emptiness", "vectorise", "comparison-chain")
"""Of this project's transforms, those that choose among contenders; the others are there to learn from."""
QUICK = frozenset(
    {
        "none-comparison",
        "algebra",
        "isinstance",
        "not-in",
        "else-after-return",
        "generator-argument",
        "or-default",
        "copying-comprehension",
        "set-literals",
    }
)
SECONDS = 300.0
"""What a policy is given for an instance: a model that is asked several times needs minutes."""


@dataclass(frozen=True)
class Source:
    """One instance.

    Attributes:
        name: Its id, and its group.
        split: Its split.
        suites: Its suites.
        pairs: Gives its pairs.
        origin: Where the pairs come from: ``own``, the tool that made them, or ``data``.
    """

    name: str
    split: Literal["train", "valid", "test"]
    suites: frozenset[str]
    pairs: Callable[[], Pairs]
    origin: str = "own"

    def instance(self) -> Instance:
        """As the laboratory knows it."""
        return Instance(self.name, self.name, self.split, suites=self.suites, facts={"origin": self.origin})

    def problem(self) -> Pairs:
        """Its pairs."""
        return self.pairs()

    def digest(self) -> str:
        """Hash of the pairs."""
        return self.problem().digest()


def built_in() -> list[Source]:
    """This project's transforms, and those that other tools made."""
    from unseat.tasks.codemod import others
    from unseat.tasks.codemod.own.pairs import OWN, pairs

    found = []
    split: Literal["train", "valid", "test"]
    for name in OWN:
        split = "valid" if name in OWN_VALID else "train"
        found.append(Source(name, split, _suites(name), lambda name=name: pairs(name)))  # type: ignore[misc]
    for name, about in others.transforms().items():
        # What the synthesis was written with judges nothing.
        split = "valid" if about["looked_at"] else "test"
        found.append(Source(name, split, _suites(name), lambda name=name: others.pairs(name), about["tool"]))  # type: ignore[misc]
    return found


def _suites(name: str) -> frozenset[str]:
    return frozenset({"quick", "full"}) if name in QUICK else frozenset({"full"})


def opened(source: str) -> Sequence[Source]:
    """A person's own edits: a folder with the folders ``before`` and ``after``, of which half are hidden; or several.

    Raises:
        UserError: There are none.
    """
    path = Path(source)
    within = sorted(one for one in path.iterdir() if (one / "before").is_dir()) if path.is_dir() else []
    return [_own(one) for one in ([path] if (path / "before").exists() else within or [path])]


def _own(path: Path) -> Source:
    from unseat.tasks.codemod.folders import read

    found = read(path / "before", path / "after")
    if len(found.shown) < 2:
        raise UserError(f"{path}: {len(found.shown)} files differ between before/ and after/; at least 2 must")
    return Source(path.resolve().name, "test", frozenset({"quick", "full"}), lambda: found.halved(), "data")
