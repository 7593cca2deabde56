"""Who writes the next program: genetic programming, chance, or (see `unseat.learn.evolve.model`) a language model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from unseat.core.learner import Study
from unseat.learn.evolve.archive import Candidate, Island
from unseat.learn.evolve.grammar import MOST_NODES, Grammar, size
from unseat.sandbox.programs import Offer


@dataclass(frozen=True)
class Proposal:
    """A program that nobody has tried."""

    source: str
    how: str
    parents: tuple[int, ...] = ()


@dataclass
class Situation:
    """What a proposer sees of the search.

    Attributes:
        offer: What is programmed.
        island: Where the new program will live.
        failures: Latest candidates of that island that failed.
        number: Of the candidate to be made.
    """

    offer: Offer
    island: Island
    failures: Sequence[Candidate]
    number: int


class Stopped(Exception):
    """The proposer can give no more: a budget is spent, or a model does not answer. What was found so far stands."""


class Proposer(ABC):
    """Makes programs, one at a time."""

    name: str

    @abstractmethod
    def propose(self, situation: Situation, rng: np.random.Generator) -> Proposal:
        """The next program; of equal situations and draws an equal one.

        Raises:
            Stopped: There is none.
        """

    def begin(self, study: Study) -> None:
        """Be told of the study, before the first program."""

    def config(self) -> Mapping[str, Any]:
        """What tells this proposer from another, as JSON."""
        return {"proposer": self.name}


def grammar_of(offer: Offer) -> Grammar:
    """The grammar of an offer's programs."""
    arguments = tuple(offer.arguments)
    return Grammar(offer.function, arguments, tuple(name for name in arguments if name not in offer.idle))


@dataclass
class GrammarProposer(Proposer):
    """Genetic programming: crossing and mutation of trees; needs no model.

    Attributes:
        first: Of so many programs half are drawn anew, so that there is something to cross.
        fresh: Share of the later ones that are drawn anew.
        crossed: Share of the others that have two parents.
    """

    name: str = "grammar"
    first: int = 72
    fresh: float = 0.05
    crossed: float = 0.3
    _trees: dict[int, Any] = field(default_factory=dict, repr=False)

    def begin(self, study: Study) -> None:
        """Forget the trees of another search."""
        self._trees.clear()

    def propose(self, situation: Situation, rng: np.random.Generator) -> Proposal:
        """Change a parent or two of the island."""
        grammar = grammar_of(situation.offer)
        if rng.random() < (self.fresh if situation.number > self.first else 0.5):
            return Proposal(grammar.source(grammar.program(rng, 4)), "grammar: drawn")
        for _ in range(20):
            parents: tuple[int, ...]
            mother = situation.island.pick(rng)
            tree = self._tree(grammar, situation.offer, mother)
            if rng.random() < self.crossed:
                father = situation.island.pick(rng)
                made = grammar.cross(tree, self._tree(grammar, situation.offer, father), rng)
                how, parents = "crossed", (mother.number, father.number)
            else:
                made, how, parents = tree, "changed", (mother.number,)
                for _ in range(1 + int(rng.geometric(0.6) > 1)):
                    made = grammar.mutate(made, rng)
            if made != tree and size(made) <= MOST_NODES:
                return Proposal(grammar.source(made), f"grammar: {how}", parents)
        return Proposal(grammar.source(grammar.draw(rng, 4)), "grammar: drawn")

    def _tree(self, grammar: Grammar, offer: Offer, one: Candidate) -> Any:
        if one.number not in self._trees:
            # What a model wrote may say more than a tree can: its place is taken by a feature.
            tree = grammar.tree(offer.compiled(one.source))
            self._trees[one.number] = tree or ("x", grammar.features[0])
        return self._trees[one.number]


@dataclass
class RandomProposer(Proposer):
    """Programs drawn from the grammar, none of them learned from: what a search must beat at the same budget."""

    name: str = "random"

    def propose(self, situation: Situation, rng: np.random.Generator) -> Proposal:
        """Draw one."""
        grammar = grammar_of(situation.offer)
        return Proposal(grammar.source(grammar.program(rng, int(rng.integers(2, 6)))), "random: drawn")
