"""Conditions of a rule: what must hold of what its holes hold, and of where it fits. None is about one transform."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from unseat.tasks.codemod.rules.match import Bindings, Found, matches
from unseat.tasks.codemod.rules.term import LIST, TEXT, Term, read

Condition = tuple[Any, ...]
"""A name of `CONDITIONS` and its arguments, plain JSON."""

_EFFECTS = frozenset({"Call", "Await", "Yield", "YieldFrom", "NamedExpr"})
_SCOPES = frozenset({"FunctionDef", "AsyncFunctionDef", "Lambda", "ClassDef", "Module"})


@dataclass(frozen=True)
class Place:
    """Where a term is.

    Attributes:
        above: Its ancestors, the module first, each with the number of the child that leads on.
        module: The whole.
        here: Of a part of a list: the list, where the part begins and where it ends.
    """

    above: tuple[tuple[Term, int], ...]
    module: Term
    here: tuple[Sequence[Term], int, int] | None = None

    def below(self, term: Term, number: int) -> Place:
        """The place of a child."""
        return Place((*self.above, (term, number)), self.module)

    def item(self, items: Term, number: int) -> Place:
        """The place of a list's item."""
        return Place((*self.above, (items, number)), self.module)

    def run(self, items: Sequence[Term], start: int, stop: int) -> Place:
        """The place of a part of a list."""
        return replace(self, here=(items, start, stop))

    @property
    def parent(self) -> str:
        """The label of the node above, and the field in which it is."""
        for term, number in reversed(self.above):
            if term.label != LIST:
                return f"{term.label}.{number}"
        return ""

    def scope(self) -> Term:
        """The function, class or module that it is in."""
        for term, _ in reversed(self.above):
            if term.label in _SCOPES:
                return term
        return self.module

    def after(self) -> Iterator[Term]:
        """What comes later in its block."""
        if self.here is not None:
            items, _, stop = self.here
            yield from items[stop:]
            return
        for term, number in reversed(self.above):
            if term.label == LIST:
                yield from term.children[number + 1 :]
                return

    def before(self) -> Iterator[Term]:
        """What comes earlier in its block."""
        if self.here is not None:
            items, start, _ = self.here
            yield from items[:start]
            return
        for term, number in reversed(self.above):
            if term.label == LIST:
                yield from term.children[:number]
                return

    def labels(self) -> Iterator[str]:
        """Labels of its ancestors up to the function, class or module."""
        for term, _ in reversed(self.above):
            if term.label != LIST:
                yield term.label
            if term.label in _SCOPES:
                return


def kind(found: Found) -> str:
    """What a hole holds, in a word."""
    if isinstance(found, tuple):
        return "many"
    if found.label == "Constant":
        return type(found.children[0].value).__name__
    if found.label == "=":
        return f"={type(found.value).__name__}"
    return "str" if found.label == TEXT else found.label


@lru_cache(maxsize=20_000)
def names(term: Term) -> frozenset[str]:
    """Names that stand in a term, as variables, arguments or attributes' owners."""
    if term.label == "=":
        return frozenset()
    own = {str(child.value) for child in term.children if child.label == "=" and isinstance(child.value, str)}
    found = own if term.label in ("Name", "arg") else set()
    return frozenset(found.union(*(names(child) for child in term.children)))


@lru_cache(maxsize=20_000)
def count(term: Term, name: str) -> int:
    """How often a name stands in a term."""
    if name not in names(term):
        return 0
    own = term.label in ("Name", "arg") and term.children[0].value == name
    return int(own) + sum(count(child, name) for child in term.children)


@lru_cache(maxsize=20_000)
def labels(term: Term) -> frozenset[str]:
    """Labels that occur in a term."""
    return frozenset({term.label}).union(*(labels(child) for child in term.children))


def names_of(found: Found) -> frozenset[str]:
    """Names in what a hole holds; of an atom, itself."""
    if isinstance(found, tuple):
        return frozenset().union(*(names(one) for one in found))
    return frozenset({str(found.value)}) if found.label == "=" else names(found)


def labels_of(found: Found) -> frozenset[str]:
    """Labels in what a hole holds."""
    return frozenset().union(*(labels(one) for one in (found if isinstance(found, tuple) else (found,))))


@lru_cache(maxsize=20_000)
def marks(term: Term) -> frozenset[str]:
    """What a term says beside names: labels, words of texts, other constants."""
    if term.label in ("Name", "arg", "Attribute", "keyword", "alias"):
        return frozenset({term.label}).union(*(marks(child) for child in term.children if child.label != "="))
    if term.label == "=":
        return frozenset({repr(term.value)})
    return frozenset({term.label}).union(*(marks(child) for child in term.children))


def marks_of(found: Found) -> frozenset[str]:
    """The same of what a hole holds."""
    return frozenset().union(*(marks(one) for one in (found if isinstance(found, tuple) else (found,))))


def _matched_count(bound: Bindings, place: Place, name: str) -> int:
    if place.here is not None:
        items, start, stop = place.here
        return sum(count(one, name) for one in items[start:stop])
    term, number = place.above[-1]
    return count(term.children[number], name)


def _only_here(bound: Bindings, place: Place, hole: str) -> bool:
    scope = place.scope()
    return all(count(scope, name) <= _matched_count(bound, place, name) for name in names_of(bound[hole]))


def _later(bound: Bindings, place: Place, hole: str) -> bool:
    mine = names_of(bound[hole])
    return not any(mine & names(one) for one in place.after())


def _earlier(bound: Bindings, place: Place, hole: str) -> bool:
    mine = names_of(bound[hole])
    return not any(mine & names(one) for one in place.before())


def _unbound(bound: Bindings, place: Place, name: str) -> bool:
    return name not in _assigned(place.module)


@lru_cache(maxsize=512)
def _assigned(module: Term) -> frozenset[str]:
    """Names that a module binds itself, other than by a use."""
    found: set[str] = set()
    for one in module.walk():
        if one.label in ("FunctionDef", "AsyncFunctionDef", "ClassDef", "arg") or one.label == "alias":
            found.add(str(one.children[0].value))
        elif one.label == "Assign" or one.label in ("For", "comprehension", "AnnAssign", "NamedExpr"):
            found |= {str(each.children[0].value) for each in one.children[0].walk() if each.label == "Name"}
    return frozenset(found)


def _quiet(bound: Bindings, place: Place, hole: str) -> bool:
    return not _EFFECTS & labels_of(bound[hole])


def _alone(bound: Bindings, place: Place, pattern: str, shared: Sequence[str]) -> bool:
    fixed = {name: bound[name] for name in shared}
    near = (next(place.after(), None), next(iter(reversed(list(place.before()))), None))
    return not any(one is not None and next(matches(_pattern(pattern), one, fixed), None) is not None for one in near)


@lru_cache(maxsize=256)
def _pattern(text: str) -> Term:
    return read(text)


def _size(found: Found) -> int:
    return len(found) if isinstance(found, tuple) else len(found.children)


CONDITIONS: dict[str, Callable[..., bool]] = {
    "kind": lambda bound, place, hole, kinds: kind(bound[hole]) in kinds,
    "value": lambda bound, place, hole, values: getattr(bound[hole], "value", None) in values,
    "not value": lambda bound, place, hole, values: getattr(bound[hole], "value", None) not in values,
    "quiet": _quiet,
    "without": lambda bound, place, hole, label: label not in labels_of(bound[hole]),
    "apart": lambda bound, place, hole, other: not names_of(bound[hole]) & names_of(bound[other]),
    "some": lambda bound, place, hole: _size(bound[hole]) > 0,
    "none": lambda bound, place, hole: _size(bound[hole]) == 0,
    "only here": _only_here,
    "not later": _later,
    "not earlier": _earlier,
    "parent": lambda bound, place, parents: place.parent in parents,
    "not parent": lambda bound, place, parents: place.parent not in parents,
    "inside": lambda bound, place, label: label in place.labels(),
    "not inside": lambda bound, place, label: label not in place.labels(),
    "unbound": _unbound,
    "differ": lambda bound, place, hole, other: bound[hole] != bound[other],
    "plain items": lambda bound, place, hole: not {"Starred", "keyword"} & {
        one.label for one in (bound[hole] if isinstance(bound[hole], tuple) else (bound[hole],))},
    "alone": _alone,
    "last": lambda bound, place: next(place.after(), None) is None,
    "nothing of": lambda bound, place, said: not any(marks_of(one) & frozenset(said) for one in bound.values()),
}  # fmt: skip
"""What a condition asks, by name: of the bindings, the place, and its arguments."""

WORDS = {
    "kind": "{0} is {1}", "value": "{0} is one of {1}", "not value": "{0} is none of {1}",
    "quiet": "nothing is called in {0}", "without": "no {1} in {0}", "apart": "{0} and {1} share no name",
    "some": "{0} is not empty", "none": "{0} is empty", "only here": "{0} is used nowhere else in the function",
    "not later": "{0} is not used later in the block", "not earlier": "{0} is not used earlier in the block",
    "parent": "it stands in {0}", "not parent": "it does not stand in {0}", "inside": "it is in a {0}",
    "not inside": "it is in no {0}", "unbound": "the module does not bind {0}", "differ": "{0} is not {1}",
    "plain items": "{0} has no stars and no keywords", "alone": "nothing next to it is such an item too",
    "last": "nothing comes after it in its block", "nothing of": "nothing of {0} is in it",
}  # fmt: skip
"""The same for a person."""


def holds(when: Sequence[Condition], bound: Bindings, place: Place) -> bool:
    """Whether all conditions hold."""
    return all(CONDITIONS[name](bound, place, *arguments) for name, *arguments in when)
