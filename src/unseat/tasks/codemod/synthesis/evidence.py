"""What the examples say of a rule: where it is right, and where it would change what must stay."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from unseat.tasks.codemod.rules.conditions import Place, holds
from unseat.tasks.codemod.rules.match import MOST_WAYS, Bindings, matches, runs
from unseat.tasks.codemod.rules.rewrite import Rewriter, Rule, kind_of, result
from unseat.tasks.codemod.rules.term import LIST, Term
from unseat.tasks.codemod.synthesis.difference import File, Site, overlaps

Change = tuple[int, int]
"""A change by the number of its file and its own there."""
MOST_WRONG = 300


@dataclass
class Evidence:
    """What the examples say.

    Attributes:
        right: Changes that the rule makes.
        good: Bindings and places where it does what was done.
        bad: The same where it changes what stayed.
    """

    right: set[Change] = field(default_factory=set)
    good: list[tuple[Bindings, Place]] = field(default_factory=list)
    bad: list[tuple[Bindings, Place]] = field(default_factory=list)


class Examples:
    """Files before and after, indexed."""

    def __init__(self, files: Sequence[File]) -> None:
        self.files = files
        self.nodes: dict[str, list[tuple[int, Term, Place]]] = {}
        self.lists: dict[str, list[tuple[int, Term, Place]]] = {}
        self.holders: list[dict[int, list[tuple[int, Site]]]] = []
        for number, file in enumerate(files):
            for term, place in _places(file.before):
                if term.label == LIST:
                    where = kind_of(*place.above[-1])
                    if where:
                        self.lists.setdefault(where, []).append((number, term, place))
                else:
                    self.nodes.setdefault(term.label, []).append((number, term, place))
            held: dict[int, list[tuple[int, Site]]] = {}
            for at, ladder in enumerate(file.ladders):
                for site in ladder:
                    held.setdefault(site.key[0], []).append((at, site))
            self.holders.append(held)

    def changes(self) -> set[Change]:
        """All changes."""
        return {(number, at) for number, file in enumerate(self.files) for at in range(len(file.ladders))}

    def of(self, rule: Rule) -> Evidence:
        """What they say of a rule."""
        found = Evidence()
        if rule.where:
            for number, items, place in self.lists.get(rule.where, ()):
                self._runs(rule, number, items, place, found)
        else:
            for number, term, place in self.nodes.get(rule.before.label, ()):
                self._node(rule, number, term, place, found)
        return found

    def _node(self, rule: Rule, number: int, term: Term, place: Place, found: Evidence) -> None:
        wanted = self.files[number].aligned.get(id(term))
        for count, bound in enumerate(matches(rule.before, term, {})):
            if count > MOST_WAYS:
                return
            if not holds(rule.when, bound, place):
                continue
            made = result(rule, bound, term)
            if made is None or made == term:
                continue
            if wanted is None:
                return
            if wanted == term:
                if len(found.bad) < MOST_WRONG:
                    found.bad.append((bound, place))
            elif made == wanted or Rewriter([rule]).rewritten(term, place) == wanted:
                found.good.append((bound, place))
                found.right |= {(number, at) for at, _ in self.holders[number].get(id(term), ())}
            return

    def _runs(self, rule: Rule, number: int, items: Term, place: Place, found: Evidence) -> None:
        file = self.files[number]
        wanted = file.aligned.get(id(items))
        if wanted is None:
            return
        parts = file.changed.get(id(items), [])
        for start in range(len(items.children)):
            for count, (stop, bound) in enumerate(runs(rule.before, items.children, start)):
                if count > MOST_WAYS:
                    break
                here = place.run(items.children, start, stop)
                if not holds(rule.when, bound, here):
                    continue
                made = result(rule, bound, Term(LIST, items.children[start:stop]))
                if made is None or made.children == items.children[start:stop]:
                    continue
                if not overlaps(parts, start, stop):
                    if len(found.bad) < MOST_WRONG:
                        found.bad.append((bound, here))
                elif _expected(parts, wanted, start, stop) == made.children:
                    found.good.append((bound, here))
                    found.right |= {(number, at) for at, site in self.holders[number].get(id(items), ())
                                    if start <= site.key[1] and site.key[2] <= stop}  # fmt: skip
                else:
                    continue
                break


def _expected(
    parts: Sequence[tuple[int, int, int, int]], new: Term, start: int, stop: int
) -> tuple[Term, ...] | None:  # fmt: skip
    """What became of a part of a list."""
    inside = [part for part in parts if (part[0] < stop and start < part[1]) or (part[0] == part[1] and start <= part[0]
              <= stop)]  # fmt: skip
    if not inside or inside[0][0] < start or inside[-1][1] > stop:
        return None
    first, last = inside[0], inside[-1]
    return new.children[first[2] - (first[0] - start) : last[3] + (stop - last[1])]


def _places(module: Term) -> Iterator[tuple[Term, Place]]:
    """Every node and every list of a module with its place."""
    stack: list[tuple[Term, Place]] = [(module, Place((), module))]
    while stack:
        term, place = stack.pop()
        yield term, place
        for number, child in enumerate(term.children):
            below = place.below(term, number)
            if child.label == LIST:
                stack.append((child, below))
                stack.extend((one, below.item(child, at)) for at, one in enumerate(child.children)
                             if one.label not in ("=", LIST))  # fmt: skip
            elif child.label != "=" and term.label != LIST:
                stack.append((child, below))
