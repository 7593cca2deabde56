"""Matching: where a pattern fits a term, and what its holes then hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from unseat.tasks.codemod.rules.term import LIST, Term, is_hole

Found = Term | tuple[Term, ...]
Bindings = Mapping[str, Found]
MOST_WAYS = 64
"""Ways to fit one pattern to one term that are looked at."""


def matches(pattern: Term, term: Term, bound: Bindings) -> Iterator[Bindings]:
    """Every way in which a pattern fits, the parts of lists as short as can be first."""
    if pattern.label == "$":
        if term.label == LIST or (term.label == "=" and not isinstance(term.value, str | int | float | None)):
            return
        yield from _bind(pattern.value, term, bound)
        return
    if pattern.label != term.label or pattern.value != term.value or type(pattern.value) is not type(term.value):
        return
    if pattern.label == LIST or any(child.label == "$*" for child in pattern.children):
        yield from _listed(pattern.children, term.children, bound)
        return
    if len(pattern.children) != len(term.children):
        return
    if not pattern.children:
        yield bound
        return
    yield from _each(pattern.children, term.children, bound)


def _each(patterns: Sequence[Term], terms: Sequence[Term], bound: Bindings) -> Iterator[Bindings]:
    if len(patterns) == 1:
        yield from matches(patterns[0], terms[0], bound)
        return
    for first in matches(patterns[0], terms[0], bound):
        yield from _each(patterns[1:], terms[1:], first)


def _listed(patterns: Sequence[Term], terms: Sequence[Term], bound: Bindings) -> Iterator[Bindings]:
    if not patterns:
        if not terms:
            yield bound
        return
    head, rest = patterns[0], patterns[1:]
    needed = sum(one.label != "$*" for one in rest)
    if head.label == "$*":
        if head.value in bound:
            held = bound[head.value]
            assert isinstance(held, tuple)
            if tuple(terms[: len(held)]) == held:
                yield from _listed(rest, terms[len(held) :], bound)
            return
        most = len(terms) - needed
        # The last one takes what is left.
        sizes = [most] if not any(one.label == "$*" for one in rest) else range(most + 1)
        for size in sizes:
            if size >= 0:
                yield from _listed(rest, terms[size:], {**bound, head.value: tuple(terms[:size])})
        return
    if len(terms) < needed + 1:
        return
    for first in matches(head, terms[0], bound):
        yield from _listed(rest, terms[1:], first)


def _bind(name: str, term: Term, bound: Bindings) -> Iterator[Bindings]:
    if name not in bound:
        yield {**bound, name: term}
    elif bound[name] == term:
        yield bound


def runs(pattern: Term, terms: Sequence[Term], start: int) -> Iterator[tuple[int, Bindings]]:
    """Every way in which a pattern of a part of a list fits from a place on: where it ends, and what its holes hold."""
    least = sum(one.label != "$*" for one in pattern.children)
    most = least if least == len(pattern.children) else len(terms) - start
    for length in range(max(least, 1), most + 1):
        if start + length > len(terms):
            return
        for bound in _listed(pattern.children, terms[start : start + length], {}):
            yield start + length, bound


def filled(template: Term, bound: Bindings) -> Term:
    """A template with its holes filled.

    Raises:
        KeyError: A hole holds nothing.
    """
    if template.label == "$":
        held = bound[template.value]
        assert isinstance(held, Term)
        return held
    if not template.children:
        return template
    children: list[Term] = []
    for child in template.children:
        if child.label == "$*":
            held = bound[child.value]
            children.extend(held if isinstance(held, tuple) else (held,))
        else:
            children.append(filled(child, bound))
    return template.with_children(children)


def holes(term: Term) -> dict[str, bool]:
    """The holes of a pattern, and whether each is for many."""
    return {one.value: one.label == "$*" for one in term.walk() if is_hole(one)}
