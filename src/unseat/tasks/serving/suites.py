"""The instances: requests, generated or published, at a cluster."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from unseat.core.errors import UserError
from unseat.core.task import Instance, Split
from unseat.tasks.serving.cluster import Serving
from unseat.tasks.serving.generators import CHUNK
from unseat.tasks.serving.problem import Problem, Requests

QUICK = frozenset({"quick", "full"})
FULL = frozenset({"full"})

LARGE = "llama-3.1-70b-fp8"

MADE: Mapping[str, tuple[int, Serving]] = {
    "chat": (900, Serving("h100_sxm", LARGE, 2, 1, 2, 0, 1.0, 0.05, chunk=CHUNK)),
    "code": (600, Serving("h200_sxm", LARGE, 2, 1, 2, 0, 1.5, 0.06, chunk=CHUNK)),
    "document": (400, Serving("h100_sxm", LARGE, 4, 1, 2, 0, 3.0, 0.06, chunk=CHUNK)),
    "mixed": (700, Serving("b200_sxm", LARGE, 1, 1, 3, 0, 1.5, 0.05, chunk=CHUNK)),
}
"""Kind of generated requests to how many of them, and the cluster that serves them."""

QUICKLY = frozenset({"chat", "document"})
"""Kinds of which one instance of each split is in the quick suite."""

TRACES: Mapping[str, Serving] = {
    "azure-2023-conv": Serving("h100_sxm", LARGE, 2, 1, 4, 0, 1.0, 0.05),
    "azure-2023-code": Serving("h200_sxm", LARGE, 2, 1, 4, 0, 1.5, 0.05),
    "mooncake-conversation": Serving("h200_sxm", LARGE, 4, 1, 4, 0, 10.0, 0.1, chunk=512),
    "mooncake-synthetic": Serving("b200_sxm", LARGE, 4, 1, 4, 0, 10.0, 0.1, chunk=512),
}
"""Published traces to the cluster that serves them."""

PARTS: Mapping[Split, tuple[float, float]] = {"train": (0.0, 0.5), "valid": (0.5, 0.6), "test": (0.6, 1.0)}
"""Which part of a published trace, by time, is for what."""

MOST_TO_LEARN = 1500
"""Requests of a trace's first half that are learned from, its last ones: a fit runs them many times."""


@dataclass(frozen=True)
class Source:
    """Requests at a cluster.

    Attributes:
        name: The instance's id.
        group: What is independent of others: a seed of a kind, or a part of a trace.
        split: Of the group.
        kind: Of generated requests, or the published trace.
        serving: The cluster.
        count: Generated requests.
        seed: Of them.
        suites: Suites that it is in.
    """

    name: str
    group: str
    split: Split
    kind: str
    serving: Serving
    count: int = 0
    seed: int = 0
    suites: frozenset[str] = FULL

    def instance(self) -> Instance:
        """As the laboratory knows it."""
        return Instance(self.name, self.group, self.split, None, "", 1.0, self.suites, self._drawn())

    def requests(self) -> Requests:
        """Draw or read the requests."""
        from unseat.tasks.serving import generators
        from unseat.tasks.serving.data.traces import published

        if self.count:
            return generators.generate(self.kind, self.count, self.seed)
        whole = published(self.kind)
        begin, end = (whole.at_s[0] + share * (whole.at_s[-1] - whole.at_s[0]) for share in PARTS[self.split])
        last = len(whole.at_s) if self.split == "test" else int((whole.at_s < end).sum())
        first = int((whole.at_s < begin).sum())
        return whole.part(max(first, last - MOST_TO_LEARN) if self.split == "train" else first, last)

    def problem(self) -> Problem:
        """The problem."""
        return Problem(self.requests(), self.serving)

    def digest(self) -> str:
        """A hash of all that decides the problem, without reading it."""
        from unseat.tasks.serving.data.traces import content

        text = json.dumps([self._drawn(), self.split, "1" if self.count else content(self.kind)], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def _drawn(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "count": self.count,
            "seed": self.seed,
            "part": "" if self.count else self.split,
            **asdict(self.serving),
        }


@dataclass(frozen=True, eq=False)
class Own:
    """A person's own requests at a cluster."""

    name: str
    group: str
    own: Requests
    serving: Serving
    hashed: str
    split: Split = "test"

    def instance(self) -> Instance:
        """Everything of a person's own is for testing."""
        return Instance(self.name, self.group, "test", None, "", 1.0, QUICK, self.serving.facts())

    def problem(self) -> Problem:
        """The requests as they were read."""
        return Problem(self.own, self.serving)

    def digest(self) -> str:
        """A hash of the file and the cluster."""
        return hashlib.sha256(f"{self.hashed} {self.serving}".encode()).hexdigest()


@lru_cache(maxsize=1)
def built_in() -> tuple[Source, ...]:
    """All instances; the quick suite is generated and needs no data."""
    return (*_made(), *_published())


def _made() -> Iterator[Source]:
    for split, seeds in (("train", range(2)), ("valid", range(10, 11)), ("test", range(20, 23))):
        for kind, (count, serving) in MADE.items():
            for seed in seeds:
                name = f"{kind}-{split}-{seed}"
                suites = QUICK if seed in (0, 10, 20) and kind in QUICKLY else FULL
                yield Source(name, name, split, kind, serving, count, seed, suites)  # type: ignore[arg-type]


def _published() -> Iterator[Source]:
    for kind, serving in TRACES.items():
        for split in PARTS:
            name = f"{kind}-{split}"
            yield Source(name, name, split, kind, serving)


def opened(path: str, options: Mapping[str, Any]) -> Sequence[Own]:
    """A person's own requests, or every file of a folder, at the cluster that was asked for.

    Raises:
        UserError: An option or the file is wrong.
    """
    from unseat.tasks.serving.data.traces import read
    from unseat.tasks.serving.options import parsed

    given = Path(path)
    files = sorted(file for file in given.iterdir() if file.is_file()) if given.is_dir() else [given]
    if not files or not files[0].is_file():
        raise UserError(f"{path}: no such file, or an empty folder; give requests as JSON lines or CSV")
    found = []
    for file in files:
        requests, chunk = read(file)
        hashed = hashlib.sha256(file.read_bytes()).hexdigest()
        found.append(Own(file.name, file.name, requests, parsed(options, chunk), hashed))
    return found
