"""Everything that the task measures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

from unseat.core.learner import Contender, Learner, Role
from unseat.core.policy import Artefact, Policy
from unseat.tasks.codemod.bounds import Perfect
from unseat.tasks.codemod.policies import SECONDS, Nothing, Ruff, Synthesis

SHIPPED = Path(__file__).parent / "shipped"
"""Settings that were searched on the training transforms, with the records of their fits."""

_PAPER = "Cummins et al., arXiv 2410.08806"


def contenders(seconds: float = SECONDS) -> Mapping[str, Contender]:
    """By name: incumbents, challengers, the bound."""
    found = [
        Contender("do nothing", Role.INCUMBENT, Nothing, paper="the files as they are"),
        Contender("ruff", Role.INCUMBENT, Ruff, paper="astral-sh/ruff, rules with a fix", extra="codemod"),
        Contender("model, file by file", Role.INCUMBENT, _direct, paper=f"{_PAPER}, the comparison", extra="llm"),
        Contender("synthesis", Role.CHALLENGER, lambda: Synthesis("synthesis", seconds),
                  paper="Plotkin, Machine Intelligence 5, 1970; Kutsia et al., JAR 52, 2014"),
        Contender("model, transformer", Role.CHALLENGER, _loop, paper=_PAPER, extra="llm"),
        *_fitted(seconds),
        Contender(Perfect.name, Role.BOUND, Perfect, paper="F1 is at most 1"),
    ]  # fmt: skip
    return {contender.name: contender for contender in found}


def _direct() -> Policy:
    from unseat.tasks.codemod.model import Asked, Direct

    return Direct("model, file by file", asdict(Asked.named()))


def _loop() -> Policy:
    from unseat.tasks.codemod.model import Asked, Loop

    return Loop("model, transformer", asdict(Asked.named()))


def _fitted(seconds: float) -> Iterator[Contender]:
    papers = {
        "synthesis-tuned": "Bergstra et al., NeurIPS 2011",
        "synthesis-random": "Bergstra and Bengio, JMLR 13, 2012",
    }
    for name, paper in papers.items():
        folder = SHIPPED / "codemod" / name
        shipped = (lambda folder=folder: Artefact.load(folder).restore()) if folder.is_dir() else None
        make: Callable[[], Learner] = lambda name=name: _search(name, seconds)  # type: ignore[misc]  # noqa: E731
        yield Contender(name, Role.CHALLENGER, make, shipped=shipped, paper=paper, suites=frozenset({"full"}))


def _search(name: str, seconds: float) -> Learner:
    from unseat.learn.tune import OptunaSearch, RandomSearch
    from unseat.tasks.codemod.challengers import DEFAULT, SPACE, Family

    kind = RandomSearch if name.endswith("random") else OptunaSearch
    return kind(name, Family(seconds), SPACE, default=DEFAULT)
