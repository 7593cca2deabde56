"""Anti-unification: the least general rule that several changes are instances of.

G. Plotkin, A Note on Inductive Generalization, Machine Intelligence 5, 1970, for lists after T. Kutsia, J. Levy and
M. Villaret, Anti-unification for Unranked Terms and Hedges, JAR 52, 2014: what stands in both lists in the same order
is kept, and what lies between becomes a hole for many. Equal differences become the same hole, before and after.
"""

from __future__ import annotations

import builtins
from collections import Counter
from collections.abc import Iterator, Sequence

from unseat.tasks.codemod.rules.derive import DERIVED, derived
from unseat.tasks.codemod.rules.match import Found, holes
from unseat.tasks.codemod.rules.rewrite import Rule
from unseat.tasks.codemod.rules.term import FTEXT, LIST, TEXT, Term, hole, is_hole
from unseat.tasks.codemod.synthesis.difference import Site

FEW = 4
"""Of fewer changes, what all of them have may be chance."""
FEW_VALUES = 3
MOST_STATES = 2000
"""States of the search for a template of a list."""
_BUILT_IN = frozenset(dir(builtins))
_NAMES = "abcdefghijklmnopqrstuvwxyz"


class Generaliser:
    """Makes one rule of several changes.

    Args:
        sites: The changes.
        late: Of several ways to align lists, take the last one instead of the first.
        usual: Terms that most changes have, which stay as they are. Of a few changes, what they all have and only copy
            is chance if it is not among these, and becomes a hole.
    """

    def __init__(self, sites: Sequence[Site], late: bool = False, usual: frozenset[Term] | None = None) -> None:
        self.sites, self.late, self.doubtful = sites, late, False
        self.copied: frozenset[Term] = frozenset()
        self.usual = usual
        if usual is not None and len(sites) < FEW:
            after = frozenset.intersection(*(frozenset(_copyable(site.new)) for site in sites))
            self.copied = after - usual
        self.ones: dict[tuple[Term, ...], str] = {}
        self.many: dict[tuple[tuple[Term, ...], ...], str] = {}
        self.computed: dict[str, tuple[str, ...]] = {}
        self._made: dict[tuple[Term, ...], str] = {}

    def rule(self) -> Rule | None:
        """The rule; None where the code after cannot be told from the code before."""
        olds = tuple(site.old for site in self.sites)
        before = self.pattern(olds, olds[0].label == LIST)
        if before.label in ("$", "$*") or (before.label == LIST and all(one.label in ("$", "$*")
                                                                       for one in before.children)):  # fmt: skip
            return None
        after = self.template(tuple(site.new for site in self.sites))
        if after is None:
            return None
        if self._traceless(before, after):
            return None
        return Rule(before, after, self.sites[0].where, (), self.computed)

    def grounded(self, rule: Rule) -> bool:
        """Whether all that a rule names is usual, so that even one change may be trusted."""
        named = [one for one in rule.before.walk() if one.label in ("Name", "Constant", "Attribute", "keyword", TEXT)
                 or (one.label == "=" and isinstance(one.value, str))]  # fmt: skip
        if not holes(rule.before):
            # Code that only names what Python brings is no chance.
            return all(str(one.children[0].value) in _BUILT_IN for one in rule.before.walk() if one.label == "Name")
        return all(holes(one) or (self.usual is not None and one in self.usual) for one in named)

    def _traceless(self, before: Term, after: Term) -> bool:
        """Whether few values of a part differ and leave no trace: then these are several rules, not one."""
        if any("" in names for _, *names in self.computed.values()):
            return False
        used = {*holes(after), *(name for _, *names in self.computed.values() for name in names)}
        times = Counter(one.value for one in before.walk() if is_hole(one))
        return any(
            times[name] == 1
            and name not in used
            and len(set(terms)) <= FEW_VALUES
            and all(one.label in ("=", "Constant", "Name") or not one.children for one in terms)
            for terms, name in self.ones.items()
        )

    def _name(self) -> str:
        number = len(self.ones) + len(self.many) + len(self._made)
        return _NAMES[number] if number < len(_NAMES) else f"v{number}"

    def pattern(self, terms: tuple[Term, ...], top: bool = False) -> Term:
        """The least general pattern that fits all terms."""
        first = terms[0]
        if terms in self.ones:
            return hole(self.ones[terms])
        if all(one == first for one in terms[1:]):
            if first in self.copied and not top:
                return self._hole(terms)
            return (
                first.with_children([self.pattern((child,) * len(terms)) for child in first.children])
                if self.copied and first.children
                else first
            )
        same = all(one.label == first.label and one.value == first.value and type(one.value) is type(first.value)
                   for one in terms)  # fmt: skip
        if not same:
            return self._hole(terms)
        if first.label in (LIST, TEXT, FTEXT):
            return first.with_children(self._list(tuple(one.children for one in terms), first.label != LIST))
        if any(len(one.children) != len(first.children) for one in terms):
            return self._hole(terms)
        return first.with_children([self.pattern(tuple(one.children[at] for one in terms))
                                    for at in range(len(first.children))])  # fmt: skip

    def _hole(self, terms: tuple[Term, ...]) -> Term:
        if terms not in self.ones:
            self.ones[terms] = self._name()
        return hole(self.ones[terms])

    def _list(self, lists: tuple[tuple[Term, ...], ...], text: bool) -> list[Term]:
        lengths = {len(one) for one in lists}
        if len(lengths) == 1 and not text:
            return [self.pattern(column) for column in zip(*lists, strict=True)]
        found: list[Term] = []
        places = _anchors(lists)
        last = [[len(one) - 1 - at for at in reversed(row)]
                for one, row in zip(lists, _anchors([one[::-1] for one in lists]), strict=True)]  # fmt: skip
        if places != last:
            self.doubtful = True
            places = last if self.late else places
        ends = [0] * len(lists)
        for anchor in [*zip(*places, strict=True), None]:
            stops = anchor or tuple(len(one) for one in lists)
            gap = tuple(one[start:stop] for one, start, stop in zip(lists, ends, stops, strict=True))
            found.extend(self._gap(gap, text))
            if anchor:
                found.append(self.pattern(tuple(one[at] for one, at in zip(lists, anchor, strict=True))))
                ends = [at + 1 for at in anchor]
        return found

    def _gap(self, runs: tuple[tuple[Term, ...], ...], text: bool) -> list[Term]:
        if not any(runs):
            return []
        if all(len(run) == 1 for run in runs) and not text:
            return [self.pattern(tuple(run[0] for run in runs))]
        if all(run == runs[0] for run in runs):
            return list(runs[0])
        if runs not in self.many:
            self.many[runs] = self._name()
        return [hole(self.many[runs], True)]

    def template(self, terms: tuple[Term, ...]) -> Term | None:
        """What stands in the place: made of the pattern's holes; None where it cannot be."""
        if terms in self.ones:
            return hole(self.ones[terms])
        first = terms[0]
        if all(one == first for one in terms[1:]) and not (self.copied and first.children):
            return first
        if all(one.label == first.label and one.value == first.value for one in terms) and first.children:
            if first.label in (LIST, TEXT, FTEXT):
                made = self._template_list(tuple(one.children for one in terms))
                if made is not None:
                    return first.with_children(made)
            elif all(len(one.children) == len(first.children) for one in terms):
                children = []
                for at in range(len(first.children)):
                    made_one = self.template(tuple(one.children[at] for one in terms))
                    if made_one is None:
                        break
                    children.append(made_one)
                else:
                    return first.with_children(children)
        elif first.label in (LIST, TEXT, FTEXT) and all(one.label == first.label for one in terms):
            made = self._template_list(tuple(one.children for one in terms))
            return None if made is None else first.with_children(made)
        return self._worked_out(terms)

    def _worked_out(self, terms: tuple[Term, ...]) -> Term | None:
        if terms in self._made:
            return hole(self._made[terms])
        whole: tuple[Found, ...] = tuple(site.old for site in self.sites)
        for name, held in [("", whole), *((name, held) for held, name in self.ones.items())]:
            for function in DERIVED:
                if all(derived(function, [one]) == wanted for one, wanted in zip(held, terms, strict=True)):
                    made = self._name()
                    self._made[terms], self.computed[made] = made, (function, name)
                    return hole(made)
        return None

    def _template_list(self, lists: tuple[tuple[Term, ...], ...]) -> list[Term] | None:
        ends = tuple(len(one) for one in lists)
        dead: set[tuple[int, ...]] = set()
        by_first = sorted(self.many.items(), key=lambda one: -sum(map(len, one[0])))

        def search(at: tuple[int, ...]) -> list[Term] | None:
            if at == ends:
                return []
            if at in dead or len(dead) > MOST_STATES:
                return None
            for runs, name in by_first:
                if any(runs) and all(items[i : i + len(run)] == run
                                     for items, i, run in zip(lists, at, runs, strict=True)):  # fmt: skip
                    rest = search(tuple(i + len(run) for i, run in zip(at, runs, strict=True)))
                    if rest is not None:
                        return [hole(name, True), *rest]
            if all(i < end for i, end in zip(at, ends, strict=True)):
                rest = None
                one = self.template(tuple(items[i] for items, i in zip(lists, at, strict=True)))
                if one is not None:
                    rest = search(tuple(i + 1 for i in at))
                if one is not None and rest is not None:
                    return [one, *rest]
            dead.add(at)
            return None

        return search(tuple(0 for _ in lists))


def _copyable(term: Term) -> Iterator[Term]:
    """Parts of what came that may stand for anything: names, constants, and what is made of them."""
    for one in term.walk():
        if one.label in ("Name", "Constant", "Attribute", "Subscript", "Call", TEXT):
            yield one


def _key(term: Term) -> object:
    return ("=", term.value) if term.label == "=" else term.label


def _anchors(lists: Sequence[Sequence[Term]]) -> list[list[int]]:
    """Places of what stands in all lists in the same order, for each list."""
    common = [_key(one) for one in min(lists, key=len)]
    for items in lists:
        common = _subsequence(common, [_key(one) for one in items])
    found = []
    for items in lists:
        places, at = [], 0
        keys = [_key(one) for one in items]
        for key in common:
            at = keys.index(key, at)
            places.append(at)
            at += 1
        found.append(places)
    return found


def _subsequence(a: Sequence[object], b: Sequence[object]) -> list[object]:
    """A longest common subsequence."""
    best = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i in range(len(a) - 1, -1, -1):
        for j in range(len(b) - 1, -1, -1):
            best[i][j] = best[i + 1][j + 1] + 1 if a[i] == b[j] else max(best[i + 1][j], best[i][j + 1])
    found: list[object] = []
    i = j = 0
    while i < len(a) and j < len(b):
        if a[i] == b[j]:
            found.append(a[i])
            i, j = i + 1, j + 1
        elif best[i + 1][j] >= best[i][j + 1]:
            i += 1
        else:
            j += 1
    return found
