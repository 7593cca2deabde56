"""A language model as contender: it rewrites each file itself, or writes the transformer, as the paper has it.

The loop is that of Cummins et al. (arXiv 2410.08806): describe the examples, make the description precise, write a
transformer, run it on the examples, look at what failed, and again. Whatever the model answers is text; what it writes
runs in the sandbox only.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unseat.core.errors import MissingExtra, UserError
from unseat.core.policy import InvalidAnswer, Policy, Session, View
from unseat.llm import BudgetSpent, Model, ModelError, Prompt, opened
from unseat.llm.model import Purse
from unseat.tasks.codemod.pairs import Pair, equal, scored
from unseat.tasks.codemod.policies import NOTHING, Ask

MODEL, REPLAY, TRANSCRIPT, TOKENS = (
    "UNSEAT_MODEL", "UNSEAT_MODEL_REPLAY", "UNSEAT_MODEL_TRANSCRIPT", "UNSEAT_MODEL_TOKENS",
)  # fmt: skip
ROUNDS, SHOWN = 5, 4
"""Transformers that are tried; pairs that a prompt shows."""
MOST_SHOWN = 3000
"""Characters of a file or a failure that a prompt shows."""
_FENCE = re.compile(r"```[a-zA-Z]*[ \t]*\n(.*?)(?:```|\Z)", re.DOTALL)
_WRITER = (
    "You write Python modules that transform source. Answer with one fenced code block: a module that defines "
    "transform(source: str) -> str, or a class Transform(libcst.CSTTransformer). It may import ast, re and libcst. "
    "It must leave alone whatever the examples do not show."
)
_REWRITER = "You rewrite Python files. Answer with the whole file in one fenced code block and nothing else."


@dataclass(frozen=True)
class Asked:
    """Which model, and what it may cost; read from the environment when contenders are listed.

    Attributes:
        model: Its name at the address in ``OPENAI_BASE_URL``, or a GGUF file.
        replay: A transcript that answers instead.
        transcript: Where exchanges are kept.
        tokens: Most tokens of one run.
    """

    model: str = ""
    replay: str = ""
    transcript: str = ""
    tokens: int = 200_000

    @classmethod
    def named(cls) -> Asked:
        """The model that the environment names.

        Raises:
            MissingExtra: It names none.
            UserError: The limit of tokens is no number.
        """
        model, replay, transcript, tokens = (os.environ.get(name, "") for name in (MODEL, REPLAY, TRANSCRIPT, TOKENS))
        if tokens and not tokens.isdigit():
            raise UserError(f"{TOKENS} is {tokens!r}; set it to a whole number of tokens")
        found = cls(model, replay, transcript, int(tokens or cls.tokens))
        if not found.model and not found.replay:
            raise MissingExtra(f"not evaluated: no model is given; name one by {MODEL}, or a transcript by {REPLAY}")
        return found

    def opened(self) -> Model:
        """The model."""
        return opened(self.model or None, transcript=Path(self.transcript) if self.transcript else None,
                      replay=Path(self.replay) if self.replay else None)  # fmt: skip


class Talk:
    """A conversation within a budget."""

    def __init__(self, asked: Asked, seed: int) -> None:
        self.model, self.purse, self.seed = asked.opened(), Purse(asked.tokens), seed

    def ask(self, system: str, user: str) -> str:
        """One exchange.

        Raises:
            BudgetSpent: It might cost too much.
            ModelError: There is no reply.
        """
        prompt = Prompt(system, user, 0.2, 2048, self.seed)
        self.purse.afford(prompt, self.model.price)
        reply = self.model.complete(prompt)
        self.purse.pay(reply)
        return reply.text


@dataclass(frozen=True)
class Direct(Policy):
    """The model rewrites each file, with the pairs before its eyes."""

    name: str
    asked: Mapping[str, Any]

    def start(self, view: View, seed: int) -> Session:
        return Ask(lambda: {"files": self._files(view, seed)})

    def _files(self, view: View, seed: int) -> list[str]:
        talk, made = Talk(Asked(**self.asked), seed), list(view.facts["files"])
        for number, text in enumerate(view.facts["files"]):
            question = (
                f"{examples(view.facts)}\n\nMake the same change in this file, or leave it as it is:\n{fenced(text)}"
            )
            try:
                made[number] = block(talk.ask(_REWRITER, question)) or text
            except (BudgetSpent, ModelError):
                break  # what was not asked for stays as it is
        talk.model.close()
        return made


@dataclass(frozen=True)
class Loop(Policy):
    """The model writes a transformer, sees what it does to the examples, and writes it again."""

    name: str
    asked: Mapping[str, Any]
    rounds: int = ROUNDS

    def start(self, view: View, seed: int) -> Session:
        return Ask(lambda: self._answer(view, seed))

    def _answer(self, view: View, seed: int) -> Any:
        talk, facts = Talk(Asked(**self.asked), seed), view.facts
        best, best_f1 = {"transformer": NOTHING}, 0.0
        try:
            shown = examples(facts)
            described = talk.ask(_WRITER, f"{shown}\n\nDescribe in a few sentences what is changed, and when. No code.")
            draft = f"{shown}\n\nA description:\n{described[:MOST_SHOWN]}\n\n"
            precise = talk.ask(_WRITER, f"{draft}What does it leave open or get wrong? Describe it precisely. No code.")
            failure = ""
            for _ in range(self.rounds):
                asked = f"{shown}\n\nWhat is changed:\n{precise[:MOST_SHOWN]}\n{failure}\nWrite the module."
                source = block(talk.ask(_WRITER, asked))
                f1, trouble = tried(source, facts)
                if f1 > best_f1:
                    best, best_f1 = {"transformer": source}, f1
                    view.report(best)
                if not trouble:
                    break
                failure = f"\nThis was tried:\n{fenced(source)}\nIt fails: {trouble}\n"
        except (BudgetSpent, ModelError):
            pass  # what was found counts
        talk.model.close()
        return best


def tried(source: str, facts: Mapping[str, Any]) -> tuple[float, str]:
    """F1 of a transformer on the examples, and what is wrong with it, for whoever wrote it."""
    from unseat.tasks.codemod.applying import applied

    pairs = [Pair(*pair) for pair in facts["shown"]] + [Pair(text, text) for text in facts["kept"]]
    try:
        done = applied(source, [pair.before for pair in pairs])
    except InvalidAnswer as error:
        return 0.0, str(error)
    made = [pair.before if new is None else new for pair, new in zip(pairs, done.files, strict=True)]
    for pair, new, raw in zip(pairs, made, done.files, strict=True):
        if not equal(new, pair.after):
            what = "it raises an error" if raw is None else f"it gives\n{fenced(new)}"
            return scored(pairs, made).f1, f"of\n{fenced(pair.before)}{what}\nwanted is\n{fenced(pair.after)}"
    return scored(pairs, made).f1, ""


def examples(facts: Mapping[str, Any]) -> str:
    """Pairs and a file that stays, for a prompt."""
    pairs: Sequence[Sequence[str]] = facts["shown"][:SHOWN]
    told = [f"Before:\n{fenced(before)}After:\n{fenced(after)}" for before, after in pairs]
    return "\n".join([*told, *(f"Must stay:\n{fenced(text)}" for text in facts["kept"][:1])])


def fenced(text: str) -> str:
    """A text as a block of code."""
    return f"```python\n{text[:MOST_SHOWN]}```\n"


def block(answer: str) -> str:
    """The code in an answer: its longest fenced block, or all of it where there is none."""
    return max(_FENCE.findall(answer), key=len, default=answer)
