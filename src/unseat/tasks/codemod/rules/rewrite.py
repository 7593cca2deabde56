"""Applying rules to a term, from the inside out, until nothing fits any more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from unseat.tasks.codemod.rules.conditions import Condition, Place, holds
from unseat.tasks.codemod.rules.derive import derived
from unseat.tasks.codemod.rules.match import MOST_WAYS, Bindings, filled, matches, runs
from unseat.tasks.codemod.rules.term import CHAIN, LIST, Term, fields_of

MOST_ROUNDS = 30
"""Rewrites at one place, one after the other."""
STATEMENTS = "statements"
_REMAINS = Term("Remains")
_BLOCKS = {"body", "orelse", "finalbody"}


@dataclass(frozen=True)
class Rule:
    """What stands in the place of what, and when.

    Attributes:
        before: A pattern of a node, or (with the label ``[]``) of a part of a list.
        after: A template with the pattern's holes, and those of `computed`; or what `remaining` puts there.
        where: Of which lists it may be a part (`kind_of`); empty for a node.
        when: Conditions, all of which must hold.
        computed: Holes of the template that are worked out: name to a function of `derive` and the holes it takes.
    """

    before: Term
    after: Term
    where: str = ""
    when: tuple[Condition, ...] = ()
    computed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def remaining(before: Term, where: str, when: tuple[Condition, ...]) -> Rule:
    """No change, but a caution: where this would still stand in a file that was changed, the file stays as it was."""
    return Rule(before, Term(LIST, (_REMAINS,)) if where else _REMAINS, where, when)


def cautions(rule: Rule) -> bool:
    """Whether a rule is made by `remaining`."""
    return rule.after in (_REMAINS, Term(LIST, (_REMAINS,)))


def kind_of(parent: Term, place: int) -> str:
    """Which kind of list the child of a term is, where it is one."""
    if parent.label == CHAIN:
        return f"{CHAIN}.{parent.children[0].label}"
    if parent.label == "BoolOp":
        return f"BoolOp.{parent.children[0].label}"
    if parent.label in ("Text", "FText", LIST, "="):
        return ""
    name = fields_of(parent.label)[place]
    if name in _BLOCKS and parent.label not in ("Lambda", "IfExp", "Expression"):
        return STATEMENTS
    return f"{parent.label}.{name}"


def result(rule: Rule, bound: Bindings, matched: Term) -> Term | None:
    """What a rule makes of a place that it fits; None where something cannot be worked out."""
    if rule.computed:
        more = dict(bound)
        for name, (function, *arguments) in rule.computed.items():
            value = derived(function, [matched if one == "" else bound[one] for one in arguments])
            if value is None:
                return None
            more[name] = value
        bound = more
    return filled(rule.after, bound)


def at_node(rule: Rule, term: Term, place: Place) -> Term | None:
    """What a rule for nodes makes of a node; None where it does not fit."""
    for number, bound in enumerate(matches(rule.before, term, {})):
        if number > MOST_WAYS:
            break
        if holds(rule.when, bound, place):
            made = result(rule, bound, term)
            if made is not None and made != term:
                return made
    return None


def at_run(rule: Rule, items: Sequence[Term], start: int, place: Place) -> tuple[int, tuple[Term, ...]] | None:
    """Where a rule for parts of lists ends that fits from a place on, and what it makes of that part."""
    for number, (stop, bound) in enumerate(runs(rule.before, items, start)):
        if number > MOST_WAYS:
            break
        here = place.run(items, start, stop)
        if holds(rule.when, bound, here):
            made = result(rule, bound, Term(LIST, items[start:stop]))
            if made is not None and made.children != tuple(items[start:stop]):
                return stop, made.children
    return None


class Rewriter:
    """Applies rules; the first that fits is taken."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.by_label: dict[str, list[Rule]] = {}
        self.by_kind: dict[str, list[Rule]] = {}
        for rule in rules:
            if rule.where:
                self.by_kind.setdefault(rule.where, []).append(rule)
            else:
                self.by_label.setdefault(rule.before.label, []).append(rule)
        self.fits_anywhere = "$" in self.by_label

    def whole(self, module: Term) -> Term:
        """A module, rewritten."""
        return self.rewritten(module, Place((), module))

    def rewritten(self, term: Term, place: Place) -> Term:
        """A term, rewritten from the inside out; itself where nothing fits."""
        children = self._children(term, place)
        changed = any(new is not old for new, old in zip(children, term.children, strict=True))
        now = term.with_children(children) if changed else term
        for _ in range(MOST_ROUNDS):
            new = self._once(now, place)
            if new is None:
                break
            now = new
        return now

    def _once(self, term: Term, place: Place) -> Term | None:
        for rule in self.by_label.get(term.label, ()):
            made = at_node(rule, term, place)
            if made is not None:
                return made
        return None

    def _children(self, term: Term, place: Place) -> list[Term]:
        found = []
        for number, child in enumerate(term.children):
            if child.label == LIST:
                found.append(self._list(term, number, child, place))
            elif child.children or child.label in self.by_label:
                found.append(self.rewritten(child, place.below(term, number)))
            else:
                found.append(child)
        return found

    def _list(self, parent: Term, number: int, child: Term, place: Place) -> Term:
        below = place.below(parent, number)
        items: list[Term] = []
        for at, one in enumerate(child.children):
            items.append(self.rewritten(one, below.item(child, at)) if one.children else one)
        rules = self.by_kind.get(kind_of(parent, number), ()) if self.by_kind else ()
        for _ in range(MOST_ROUNDS if rules else 0):
            if not self._run_once(rules, items, below):
                break
        if not items and child.children and kind_of(parent, number) == STATEMENTS and parent.label != "Module" \
                and fields_of(parent.label)[number] == "body":  # fmt: skip
            items.append(Term("Pass"))
        same = len(items) == len(child.children) and all(new is old for new, old in zip(items, child.children,
                                                                                          strict=True))  # fmt: skip
        return child if same else Term(LIST, items)

    @staticmethod
    def _run_once(rules: Sequence[Rule], items: list[Term], place: Place) -> bool:
        for rule in rules:
            for start in range(len(items)):
                made = at_run(rule, items, start, place)
                if made is not None:
                    stop, new = made
                    items[start:stop] = list(new)
                    return True
        return False
