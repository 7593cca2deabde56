"""Programs that a language model writes: it is shown the best so far with their scores, and what failed and why.

After FunSearch (B. Romera-Paredes et al., Nature 625, 2024) and OpenEvolve's reading of AlphaEvolve. Whatever the model
answers is text: a program is looked for in it, and what is found must pass the checker like any other.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from typing import Any, cast

import numpy as np

from unseat.core.learner import Study
from unseat.learn.evolve.archive import Candidate
from unseat.learn.evolve.proposers import Proposal, Proposer, Situation, Stopped
from unseat.llm import BudgetSpent, Model, ModelError, Prompt
from unseat.llm.model import Purse
from unseat.llm.transcript import Transcript
from unseat.sandbox.program import FUNCTIONS, MOST_INSTRUCTIONS

SYSTEM = (
    "You improve one small Python function. Answer with the whole function in one fenced code block and nothing else. "
    "Allowed: assignments, if, for over range of constants, return, numbers, + - * /, comparisons, and or not, "
    f"conditional expressions, min, max, abs, math.{', math.'.join(FUNCTIONS)}. Not allowed: imports, other calls, "
    f"subscripts, attributes, while, more than {MOST_INSTRUCTIONS} operations. All values are floats; nothing raises."
)
PATIENCE = 3
"""Exchanges in a row that may fail before the search stops."""
MOST_SHOWN = 1500
"""Characters of a program that are shown."""
_FENCE = re.compile(r"```[a-zA-Z]*[ \t]*\n(.*?)(?:```|\Z)", re.DOTALL)


class ModelProposer(Proposer):
    """A language model.

    Args:
        model: Who answers.
        temperature: Of its sampling.
        max_tokens: Most tokens of a reply.
    """

    name = "model"

    def __init__(self, model: Model, temperature: float = 0.8, max_tokens: int = 800) -> None:
        self.model, self.temperature, self.max_tokens = model, temperature, max_tokens
        self.purse, self.study = Purse(), cast(Study | None, None)

    def config(self) -> Mapping[str, Any]:
        """The model by name, and how it is asked."""
        return {"proposer": self.name, "model": self.model.name, "temperature": self.temperature,
                "max_tokens": self.max_tokens}  # fmt: skip

    def begin(self, study: Study) -> None:
        """Take the study's limits in tokens and dollars as a hard budget."""
        self.purse, self.study = Purse(study.limits.tokens, study.limits.dollars), study

    def propose(self, situation: Situation, rng: np.random.Generator) -> Proposal:
        """Ask once; an answer without a program is a candidate too, which the checker refuses."""
        shown = [situation.island.pick(rng) for _ in range(2)]
        shown = sorted({one.number: one for one in [*shown, situation.island.best]}.values(), key=_score)
        prompt = Prompt(SYSTEM, question(situation, shown), self.temperature, self.max_tokens, situation.number)
        for attempt in range(PATIENCE):
            try:
                self.purse.afford(prompt, self.model.price)
                reply = self.model.complete(prompt)
                break
            except BudgetSpent as error:
                raise Stopped(str(error)) from error
            except ModelError as error:
                if attempt == PATIENCE - 1 or (isinstance(self.model, Transcript) and self.model.model is None):
                    raise Stopped(str(error)) from error
        self.purse.pay(reply)
        if self.study:
            self.study.spend(tokens=reply.tokens, dollars=reply.dollars)
        parents = tuple(one.number for one in shown)
        return Proposal(program_in(reply.text), f"model: {reply.model or self.model.name}", parents)


def question(situation: Situation, shown: list[Candidate]) -> str:
    """What the model is asked: the task, the best programs with their scores, and what failed."""
    offer = situation.offer
    features = "\n".join(f"- {name}: {meaning}" for name, meaning in offer.arguments.items() if name not in offer.idle)
    programs = "\n".join(
        f"# saves {100 * (one.score or 0.0):.2f}% of the start's cost\n{one.source[:MOST_SHOWN]}" for one in shown
    )
    failed = "\n".join(f"- {one.end}: {one.message[:200]}" for one in situation.failures)
    trouble = f"\nThese did not work lately:\n{failed}\n" if failed else ""
    head = f"def {offer.function}({', '.join(offer.arguments)}):"
    return (
        f"{offer.text}\n\nIts arguments:\n{features}\n\nPrograms so far, the worst first:\n```python\n{programs}```\n"
        f"{trouble}\nWrite a better one, unlike these. It must begin with\n{head}\n"
    )


def program_in(answer: str) -> str:
    """The program in an answer: the last fenced block that defines something, or whatever stands from ``def`` on."""
    blocks = [block for block in _FENCE.findall(answer) if "def " in block]
    text = blocks[-1] if blocks else answer
    at = re.search(r"^[ \t]*(?:import math|def )", text, re.MULTILINE)
    if at is None:
        return text.strip()[:2000] or "(an empty answer)"
    lines = textwrap.dedent(text[at.start() :]).splitlines()
    kept = lines[:1]
    for line in lines[1:]:
        # Prose may follow a program that is not fenced.
        if line.strip() and not line.startswith((" ", "\t", "def ", "import math", "#")):
            break
        kept.append(line)
    return "\n".join(kept).rstrip() + "\n"


def _score(one: Candidate) -> float:
    return one.score if one.score is not None else -np.inf
