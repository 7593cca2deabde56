"""Policies: what answers with a transformer, or with the files themselves."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from unseat.core.policy import Policy, Session, View

NOTHING = "def transform(source):\n    return source\n"
SECONDS = 20.0
"""Seconds that a synthesis looks for rules in a run without a time limit."""
MARGIN_S = 0.5
"""What is left of a time limit, to check the rules together."""


class Ask(Session):
    """Answers once."""

    def __init__(self, answer: Callable[[], Any]) -> None:
        self.answer = answer

    def decide(self, observation: Any) -> Any:
        return self.answer()


@dataclass(frozen=True)
class Nothing(Policy):
    """Leaves every file as it is."""

    name: str = "do nothing"

    def start(self, view: View, seed: int) -> Session:
        return Ask(lambda: {"transformer": NOTHING})


@dataclass(frozen=True)
class Ruff(Policy):
    """Rules of Ruff's fixer, unsafe fixes included; nothing where it has none for a transform."""

    name: str = "ruff"

    def start(self, view: View, seed: int) -> Session:
        def fixed() -> Any:
            from unseat.tasks.codemod.incumbents import ruff

            return {"files": ruff(view.facts["files"], view.facts["ruff"])}

        return Ask(fixed)


@dataclass(frozen=True)
class Synthesis(Policy):
    """Rules by anti-unification of the shown pairs.

    Attributes:
        seconds: Seconds it looks in a run without a time limit.
        settings: What differs from `synthesis.learn.Settings`.
    """

    name: str = "synthesis"
    seconds: float = SECONDS
    settings: Mapping[str, float] = field(default_factory=dict)

    def start(self, view: View, seed: int) -> Session:
        def learned() -> None:
            from unseat.tasks.codemod.rules.apply import as_source
            from unseat.tasks.codemod.synthesis.learn import learn

            until = time.monotonic() + self.seconds
            if view.deadline is not None:
                left = view.deadline - time.monotonic()
                until = min(until, view.deadline - min(MARGIN_S, left / 2))
            about = f"Rules for: {view.facts['text']}."
            view.report({"transformer": as_source([], about)})
            rules = learn(terms(view.facts["shown"], view.facts["kept"]), settings_of(self.settings), until,
                          lambda found: view.report({"transformer": as_source(found, about)}))  # fmt: skip
            view.report({"transformer": as_source(rules, about)})

        return Ask(learned)


def terms(shown: Sequence[Sequence[str]], kept: Sequence[str]) -> list[tuple[Any, Any]]:
    """Examples as terms, for the synthesis."""
    from unseat.tasks.codemod.rules.term import normal

    found = [(normal(before), normal(after)) for before, after in shown]
    return found + [(one, one) for one in map(normal, kept)]


def settings_of(changed: Mapping[str, float]) -> Any:
    """Settings of the synthesis, some of them changed; whole numbers stay whole."""
    from dataclasses import fields, replace

    from unseat.tasks.codemod.synthesis.learn import Settings

    default = Settings()
    kinds = {part.name: type(getattr(default, part.name)) for part in fields(default)}
    return replace(default, **{name: kinds[name](value) for name, value in changed.items()})
