"""What changed between two versions of a file: for each change, the smallest place, and all places around it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from unseat.tasks.codemod.rules.conditions import Place
from unseat.tasks.codemod.rules.rewrite import kind_of
from unseat.tasks.codemod.rules.term import FTEXT, LIST, TEXT, Term


@dataclass(frozen=True, eq=False)
class Site:
    """A place that changed.

    Attributes:
        old: What was there; a list for a part of a list.
        new: What is there now.
        where: Of which kind of list it is a part; empty for a node.
        place: Where it is.
    """

    old: Term
    new: Term
    where: str
    place: Place

    @property
    def key(self) -> tuple[int, int, int]:
        """What tells it from other sites of the same file."""
        if self.place.here is None:
            return id(self.old), 0, 0
        above = self.place.above[-1]
        return id(above[0].children[above[1]]), self.place.here[1], self.place.here[2]


@dataclass
class File:
    """An example: a file before and after, or one that must stay as it is.

    Attributes:
        before: Its term.
        after: The other term; equal where it must stay.
        ladders: For each change the sites that hold it, from the smallest to the largest.
        aligned: By the id of each old term that has a counterpart, that counterpart.
        changed: By the id of each old list, the parts of it that changed.
    """

    before: Term
    after: Term
    ladders: list[list[Site]] = field(default_factory=list)
    aligned: dict[int, Term] = field(default_factory=dict)
    changed: dict[int, list[tuple[int, int, int, int]]] = field(default_factory=dict)


def compared(before: Term, after: Term) -> File:
    """The changes of a file."""
    file = File(before, after)
    _node(file, before, after, Place((), before), [])
    return file


def _node(file: File, old: Term, new: Term, place: Place, above: list[Site]) -> None:
    file.aligned[id(old)] = new
    if old == new:
        _same(file, old)
        return
    ladder = [*above, Site(old, new, "", place)]
    if old.label != new.label or old.value != new.value or old.label in (TEXT, FTEXT, "=") \
            or len(old.children) != len(new.children):  # fmt: skip
        file.ladders.append(ladder[::-1])
        return
    for number, (a, b) in enumerate(zip(old.children, new.children, strict=True)):
        if a == b:
            file.aligned[id(a)] = b
            _same(file, a)
        elif a.label == LIST and b.label == LIST:
            _list(file, (old, number), a, b, place, ladder)
        elif a.label == "=" or b.label == "=":
            file.ladders.append(ladder[::-1])
        else:
            _node(file, a, b, place.below(old, number), ladder)


def _list(
    file: File, owner: tuple[Term, int], old: Term, new: Term, place: Place, above: list[Site]
) -> None:  # fmt: skip
    file.aligned[id(old)] = new
    below, where = place.below(*owner), kind_of(*owner)
    found: list[tuple[int, int, int, int]] = []
    for tag, i, j, k, m in SequenceMatcher(None, old.children, new.children, autojunk=False).get_opcodes():
        if tag == "equal":
            for a, b in zip(old.children[i:j], new.children[k:m], strict=True):
                file.aligned[id(a)] = b
                _same(file, a)
        else:
            found.append((i, j, k, m))
    file.changed[id(old)] = found
    for i, j, k, m in found:
        ladder = above
        whole = Site(Term(LIST, old.children[i:j]), Term(LIST, new.children[k:m]), where,
                     below.run(old.children, i, j))  # fmt: skip
        if where:
            ladder = [*above, *_wider(old, new, where, below, (i, j, k, m)), whole]
        if j - i == m - k and all(a.label == b.label or j - i == 1
                                  for a, b in zip(old.children[i:j], new.children[k:m], strict=True)):  # fmt: skip
            for at in range(j - i):
                _node(file, old.children[i + at], new.children[k + at], below.item(old, i + at), ladder)
        else:
            file.ladders.append(ladder[::-1])


def _wider(old: Term, new: Term, where: str, below: Place, part: tuple[int, int, int, int]) -> Iterator[Site]:
    """A part of a list with what stands next to it, where that is a block of statements."""
    if where != "statements":
        return
    i, j, k, m = part
    for left, right in ((1, 1), (0, 1), (1, 0)):
        if i - left >= 0 and k - left >= 0 and j + right <= len(old.children) and m + right <= len(new.children):
            yield Site(Term(LIST, old.children[i - left : j + right]), Term(LIST, new.children[k - left : m + right]),
                       where, below.run(old.children, i - left, j + right))  # fmt: skip


def _same(file: File, old: Term) -> None:
    for one in old.walk():
        file.aligned.setdefault(id(one), one)


def overlaps(parts: Sequence[tuple[int, int, int, int]], start: int, stop: int) -> bool:
    """Whether a part of a list touches what changed in it."""
    return any((i < stop and start < j) or (i == j and start < i < stop) for i, j, _, _ in parts)
