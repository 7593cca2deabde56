"""The task `codemod`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from unseat.core.answers import solve
from unseat.core.card import Card
from unseat.core.outcome import Limits, Outcome
from unseat.core.policy import Form, InvalidAnswer, Policy, Question
from unseat.core.sources import SourcedTask
from unseat.core.task import Exported, Instance, Need, Objective, Task

if TYPE_CHECKING:
    import numpy as np

    from unseat.core.learner import Contender
    from unseat.tasks.codemod.pairs import Pairs
    from unseat.tasks.codemod.suites import Source

RULE = Question("Which transformer makes these changes in other files, and no others? Or: what become these files?")


class Options(BaseModel):
    """Options of `unseat run codemod --data FOLDER`: none; the folder holds ``before`` and ``after``."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class CodemodTask(SourcedTask["Source"]):
    """Which rule makes these changes everywhere else, and no others?"""

    forms = frozenset({Form.DECIDE, Form.ANSWERS})
    options = Options

    def __init__(self, sources: Sequence[Source] | None = None) -> None:
        super().__init__(sources)
        self.card = _card()
        self.objective = Objective("F1", "", worst=lambda problem, limits: 0.0, minimise=False, can_be_zero=True)

    def built_in(self) -> Sequence[Source]:
        """The sources of both suites."""
        from unseat.tasks.codemod.suites import built_in

        return built_in()

    @property
    def questions(self) -> Mapping[str, Question]:
        """One question, put once."""
        return {"rule": RULE}

    def content(self, instance: Instance) -> str:
        """Hash of the pairs, which are kept."""
        pairs: Pairs = self.load(instance)
        return pairs.digest()

    def run(self, problem: Pairs, policy: Policy, *, seed: int, limits: Limits) -> Outcome:
        """Ask once; the transformer is applied and scored when the clock has stopped."""
        from unseat.tasks.codemod.suites import SECONDS

        return solve(policy, "rule", RULE, facts(problem), seed=seed, limits=limits.within(SECONDS))

    def score(self, problem: Pairs, answer: Any) -> Outcome:
        """F1 over the files that are judged."""
        from unseat.tasks.codemod.applying import applied
        from unseat.tasks.codemod.pairs import scored

        judged = problem.judged
        before = [pair.before for pair in judged]
        cpu_s = 0.0
        if not isinstance(answer, Mapping) or len(answer) != 1:
            raise InvalidAnswer('an answer is {"transformer": SOURCE} or {"files": [TEXT, ...]}')
        if isinstance(answer.get("transformer"), str):
            done = applied(answer["transformer"], before)
            made, cpu_s = (
                [new if new is not None else old for new, old in zip(done.files, before, strict=True)],
                done.cpu_s,
            )
        elif isinstance(answer.get("files"), list | tuple) and len(answer["files"]) == len(judged) \
                and all(isinstance(one, str) for one in answer["files"]):  # fmt: skip
            made = list(answer["files"])
        else:
            raise InvalidAnswer(f"the answer holds neither a transformer nor {len(judged)} texts")
        found = scored(judged, made)
        lines = sum(text.count("\n") for text in before)
        return Outcome(found.f1, metrics={
            "precision": found.precision, "recall": found.recall, "wrong": float(found.wrong),
            "missed": float(found.missed), "seconds_per_1000_lines": 1000 * cpu_s / max(lines, 1),
        })  # fmt: skip

    def contenders(self) -> Mapping[str, Contender]:
        """Incumbents, challengers, the bound."""
        from unseat.tasks.codemod.contenders import contenders

        return contenders()

    def open(self, source: str, options: Mapping[str, Any]) -> Task:
        """A folder that holds ``before`` and ``after``, or a folder of such."""
        from unseat.tasks.codemod.suites import opened

        return CodemodTask(opened(source))

    def draw(self, rng: np.random.Generator, folder: Path) -> None:
        from unseat.tasks.codemod.drawing import draw

        draw(rng, folder)

    def exporters(self) -> Mapping[str, Exported]:
        """A transformer as a Python file."""
        from unseat.tasks.codemod.exporters import exporters

        return exporters(self.sources)

    def needs(self) -> Sequence[Need]:
        """A sandbox to apply transformers in; Ruff and LibCST."""
        from unseat.sandbox import bubblewrap

        return [
            Need("bubblewrap", bubblewrap.found(), "0.5 or newer", bubblewrap.INSTALL, False,
                 "applying transformers that nobody has read"),
            Need("ruff", _version("ruff"), "0.8 or newer", "pip install 'unseat[codemod]'", True, "the contender ruff"),
            Need("LibCST", _version("libcst"), "1.1 or newer", "pip install 'unseat[codemod]'", True,
                 "transformers that a model writes"),
        ]  # fmt: skip


def facts(problem: Pairs) -> Mapping[str, Any]:
    """What a policy is told: pairs that show the transform, files that must stay, and the files that it is for."""
    return {
        "text": problem.text, "shown": [list(pair) for pair in problem.shown],
        "kept": [pair.before for pair in problem.kept], "files": [pair.before for pair in problem.judged],
        "ruff": list(problem.ruff),
    }  # fmt: skip


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


@lru_cache(maxsize=1)
def _card() -> Card:
    return Card.read(Path(__file__).with_name("card.toml"))
