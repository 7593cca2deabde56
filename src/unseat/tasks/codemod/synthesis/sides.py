"""Side conditions: the fewest that hold wherever a rule was right and fail wherever it would have been wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from unseat.tasks.codemod.rules.conditions import CONDITIONS, Condition, Place, kind, labels_of
from unseat.tasks.codemod.rules.match import Bindings, holes
from unseat.tasks.codemod.rules.rewrite import Rule
from unseat.tasks.codemod.rules.term import LIST, Term, is_hole, shown
from unseat.tasks.codemod.synthesis.evidence import Evidence

Case = tuple[Bindings, Place]
MOST_LEARNED = 3
"""Conditions that are learned for one rule from what must stay."""
MOST_VALUES = 3
_PARTS = frozenset({"many", "=str", "=int", "=NoneType"})


_CLASSES = (("Name", "Attribute", "Subscript", "Call", "BinOp", "Chain", "UnaryOp"), ("BoolOp", "Compare", "IfExp"),
            ("List", "ListComp"), ("Dict", "DictComp"), ("Set", "SetComp"), ("str", "FText"))  # fmt: skip
CLASS = {each: group for group in _CLASSES for each in group}
"""Kinds of code that stand for much the same."""


def true(condition: Condition, case: Case) -> bool:
    """Whether a condition holds in a case."""
    name, *arguments = condition
    return CONDITIONS[name](*case, *arguments)


def learned(rule: Rule, evidence: Evidence) -> tuple[Condition, ...] | None:
    """Conditions that tell right from wrong; None where none of those that are known do."""
    left, found = list(evidence.bad), list[Condition]()
    if not left:
        return ()
    choices = [one for one in _candidates(rule, evidence) if all(true(one, case) for case in evidence.good)]
    while left and len(found) < MOST_LEARNED:
        counted = [(sum(not true(one, case) for case in left), -number, one) for number, one in enumerate(choices)]
        best = max(counted, default=(0, 0, ()))
        if not best[0]:
            return None
        found.append(best[2])
        left = [case for case in left if true(best[2], case)]
    return None if left else tuple(found)


def _candidates(rule: Rule, evidence: Evidence) -> Iterator[Condition]:
    """Conditions that might tell, the more telling first."""
    names = holes(rule.before)
    ones = list(names)
    for number, one in enumerate(ones):
        for other in ones[number + 1 :]:
            yield "apart", one, other
            yield "differ", one, other
    for one in ones:
        yield "only here", one
        yield "not later", one
        yield "not earlier", one
        yield "plain items", one
        if names[one]:
            yield "some", one
            yield "none", one
    for one in ones:
        here = {label for bound, _ in evidence.good for label in labels_of(bound[one])}
        there = {label for bound, _ in evidence.bad for label in labels_of(bound[one])}
        yield "quiet", one
        if not names[one]:
            yield "kind", one, sorted({kind(bound[one]) for bound, _ in evidence.good})
            yield from _values(one, evidence)
        for label in sorted(there - here):
            yield "without", one, label
    yield from _places(evidence)
    for name in _globals(rule):
        yield "unbound", name
    yield ("last",)


def _values(one: str, evidence: Evidence) -> Iterator[Condition]:
    good = {getattr(bound[one], "value", None) for bound, _ in evidence.good}
    bad = {getattr(bound[one], "value", None) for bound, _ in evidence.bad}
    if None in good or not all(isinstance(value, str | int) for value in good):
        return
    # A list of all that was seen is no rule: values must be few, and come again.
    if len(good) <= MOST_VALUES and len(good) < len(evidence.good):
        yield "value", one, sorted(good, key=str)
    other = {value for value in bad - good if isinstance(value, str | int)}
    if other and len(other) <= MOST_VALUES and 2 * len(other) <= len(evidence.bad):
        yield "not value", one, sorted(other, key=str)


def _places(evidence: Evidence) -> Iterator[Condition]:
    good, bad = ({place.parent for _, place in cases} for cases in (evidence.good, evidence.bad))
    yield "parent", sorted(good)
    yield "not parent", sorted(bad - good)
    around = [set(place.labels()) for _, place in evidence.good]
    wrong: set[str] = set().union(*(place.labels() for _, place in evidence.bad))
    for label in sorted(wrong - set().union(*around)):
        yield "not inside", label
    for label in sorted(set.intersection(*around)) if around else ():
        yield "inside", label


def _globals(rule: Rule) -> list[str]:
    """Names that a pattern names itself."""
    return sorted({str(one.children[0].value) for one in rule.before.walk()
                   if one.label == "Name" and one.children[0].label == "="})  # fmt: skip


def careful(rule: Rule, evidence: Evidence, narrow: int) -> Rule:
    """A rule with the conditions that caution asks for, as far as they hold wherever it was right.

    What is worked out less or more often than before must call nothing; names that a pattern names must be the usual
    ones; and a hole that has held few classes of code holds no other.

    Args:
        rule: The rule.
        evidence: Where it is right.
        narrow: Classes of code that a hole must have held to be free.
    """
    wanted: list[Condition] = []
    for one, many in holes(rule.before).items():
        times = _times(rule.before, one), _times(rule.after, one)
        kinds = sorted({kind(bound[one]) for bound, _ in evidence.good})
        if times[0] != times[1] and not set(kinds) & _PARTS - {"many"}:
            wanted.append(("quiet", one))
        if _item(rule.before, one) and (many or "Starred" not in kinds):
            wanted.append(("plain items", one))
        if not many and not set(kinds) & _PARTS:
            classes = {CLASS.get(each, (each,)) for each in kinds}
            if len(classes) < narrow:
                wanted.append(("kind", one, sorted(each for group in classes for each in group)))
    wanted += _alone(rule)
    wanted += [("unbound", name) for name in _globals(rule)]
    kept = [one for one in wanted if one not in rule.when and all(true(one, case) for case in evidence.good)]
    return replace(rule, when=(*rule.when, *kept))


def _alone(rule: Rule) -> Iterator[Condition]:
    """That a part of a list is all of a row of such items: what was seen of two of them says nothing of three."""
    items = rule.before.children
    if rule.where and len(items) > 1 and items[0].label == items[-1].label and not is_hole(items[0]):
        counted = Counter(name for item in items for name in holes(item))
        yield "alone", shown(items[-1]), sorted(name for name in holes(items[-1]) if counted[name] == len(items))


def _item(pattern: Term, name: str) -> bool:
    """Whether a hole stands for items of a list of expressions, which may have a star."""
    return any(each.label in ("Call", "Tuple", "List", "Set") and child.label == LIST
               and any(one.label in ("$", "$*") and one.value == name for one in child.children)
               for each in pattern.walk() for child in each.children)  # fmt: skip


def _times(pattern: Term, name: str) -> int:
    return sum(one.label in ("$", "$*") and one.value == name for one in pattern.walk())
