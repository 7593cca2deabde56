"""Making a rule more general than its examples ask for: what is only copied may be anything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from unseat.tasks.codemod.rules.match import holes
from unseat.tasks.codemod.rules.rewrite import Rule
from unseat.tasks.codemod.rules.term import FTEXT, LIST, TEXT, Term, hole, is_hole

_LISTS = (LIST, TEXT, FTEXT)


def widened(rule: Rule) -> Iterator[Rule]:
    """More general rules, each with one more part made a hole; to be tried one after the other."""
    for _ in range(8):
        wider = next(_once(rule), None)
        if wider is None:
            return
        yield wider
        rule = wider


def _once(rule: Rule) -> Iterator[Rule]:
    after_runs = [one.children for one in rule.after.walk() if one.label in _LISTS]
    for one in rule.before.walk():
        if one.label not in _LISTS or not one.children:
            continue
        run = _common(one.children, after_runs)
        if run and (len(run) > 1 or not is_hole(run[0])) and any(child.label == "$*" for child in run):
            name = next(child.value for child in run if child.label == "$*")
            yield from _replaced(rule, run, hole(name, True))
    for one in rule.before.walk():
        # A node of which only the whole is used.
        if one is rule.before or one.label in (LIST, "=", "$", "$*", "arguments", TEXT, FTEXT) or not one.children:
            continue
        inner = holes(one)
        if inner and _uses(rule.after, one):
            yield from _replaced(rule, (one,), hole(next(iter(inner))))


def _uses(after: Term, part: Term) -> bool:
    return any(one == part for one in after.walk())


def _common(items: tuple[Term, ...], others: list[tuple[Term, ...]]) -> tuple[Term, ...]:
    """The longest part of a list that stands in one of the others as it is."""
    for length in range(len(items), 0, -1):
        for start in range(len(items) - length + 1):
            part = items[start : start + length]
            if any(part == other[at : at + length] for other in others for at in range(len(other) - length + 1)):
                return part
    return ()


def _replaced(rule: Rule, part: tuple[Term, ...], new: Term) -> Iterator[Rule]:
    before, after = _put(rule.before, part, new), _put(rule.after, part, new)
    gone = {name for term in part for name in holes(term)} - {new.value}
    left = set(holes(before)) | set(holes(after)) | {name for _, *names in rule.computed.values() for name in names}
    # What was in the part must be used nowhere else, and its name stand for the new hole only.
    if gone & left or _other_use(rule, part, new.value):
        return
    yield replace(rule, before=before, after=after)


def _other_use(rule: Rule, part: tuple[Term, ...], name: str) -> bool:
    mark = hole("!", part[0].label == "$*")
    return name in holes(_put(rule.before, part, mark)) or name in holes(_put(rule.after, part, mark)) \
        or any(name in names for _, *names in rule.computed.values())  # fmt: skip


def _put(term: Term, part: tuple[Term, ...], new: Term) -> Term:
    """A term with something else in the place of a part."""
    if len(part) == 1 and term == part[0]:
        return new
    children: list[Term] = []
    at = 0
    while at < len(term.children):
        if term.children[at : at + len(part)] == part:
            children.append(new)
            at += len(part)
        else:
            children.append(_put(term.children[at], part, new))
            at += 1
    return term.with_children(children) if term.children else term
