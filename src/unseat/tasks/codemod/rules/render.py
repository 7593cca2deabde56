"""From a rewritten term back to text: all that did not change stays as it was written."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from unseat.tasks.codemod.rules.rewrite import STATEMENTS, kind_of
from unseat.tasks.codemod.rules.term import CHAIN, FTEXT, LIST, TEXT, Term, node_of, normal


@dataclass
class Edit:
    """Characters of the source and what stands in their place; `new` is one term, or statements."""

    start: int
    stop: int
    new: Sequence[Term]
    column: int
    lines: bool


class NotLocal(Exception):
    """A change is no change of one place; the node above must be written anew."""


class Source:
    """A text and where its nodes are."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines = text.splitlines(keepends=True) or [""]
        self.starts = [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line))
        self.plain = text.isascii()

    def at(self, line: int, column: int) -> int:
        """The place of a line and a column in bytes, as `ast` gives them."""
        if not self.plain:
            column = len(self.lines[line - 1].encode()[:column].decode(errors="replace"))
        return self.starts[line - 1] + column

    def span(self, node: Any) -> tuple[int, int]:
        """Where a node begins and ends, its decorators included."""
        line, column = node.lineno, node.col_offset
        for each in getattr(node, "decorator_list", ()):
            if each.lineno < line:
                line = each.lineno
        return self.at(line, column), self.at(node.end_lineno, node.end_col_offset)

    def alone(self, node: Any) -> bool:
        """Whether nothing but comments shares a statement's lines."""
        start, stop = self.span(node)
        before = self.text[self.text.rfind("\n", 0, start) + 1 : start]
        end = self.text.find("\n", stop)
        after = self.text[stop : end if end >= 0 else len(self.text)].strip()
        return not before.strip() and (not after or after.startswith("#"))

    def block(self, nodes: Sequence[Any]) -> tuple[int, int]:
        """Where lines of statements begin and end, the newline included."""
        start, _ = self.span(nodes[0])
        _, stop = self.span(nodes[-1])
        first = self.text.rfind("\n", 0, start) + 1
        last = self.text.find("\n", stop)
        return first, last + 1 if last >= 0 else len(self.text)


def written(text: str, old: Term, new: Term) -> str:
    """The text of a module that was rewritten.

    Args:
        text: As it was.
        old: Its term.
        new: What it became; parts that did not change are those of `old`.

    Raises:
        ValueError: The new term is no code.
    """
    source = Source(text)
    try:
        edits = list(_edits(source, old, new))
        for mode in (0, 1, 2):
            made = _applied(source, edits, mode)
            try:
                if normal(made) == new:
                    return made
            except SyntaxError:
                continue
    except NotLocal:
        pass
    made = ast.unparse(ast.fix_missing_locations(node_of(new))) + "\n"
    if normal(made) != new:
        raise ValueError("the rewritten code cannot be written")
    return made


def _edits(source: Source, old: Term, new: Term) -> Iterator[Edit]:
    """The smallest edits of a node."""
    if new is old or new == old:
        return
    try:
        yield from list(_inside(source, old, new))
    except NotLocal:
        node = old.origin
        if not isinstance(node, ast.expr | ast.stmt):
            raise
        if isinstance(node, ast.stmt):
            if not source.alone(node):
                raise
            start, stop = source.block([node])
            yield Edit(start, stop, [new], node.col_offset, True)
        else:
            start, stop = source.span(node)
            yield Edit(start, stop, [new], node.col_offset, False)


def _inside(source: Source, old: Term, new: Term) -> Iterator[Edit]:
    if old.label != new.label or old.label in (TEXT, FTEXT, "=") or len(old.children) != len(new.children):
        raise NotLocal
    if old.value != new.value:
        raise NotLocal
    for number, (a, b) in enumerate(zip(old.children, new.children, strict=True)):
        if a is b or a == b:
            continue
        if a.label == LIST and b.label == LIST:
            yield from _lists(source, a, b, kind_of(old, number) == STATEMENTS)
        elif a.origin is None:
            yield from _inside(source, a, b)
        else:
            yield from _edits(source, a, b)


def _lists(source: Source, old: Term, new: Term, statements: bool) -> Iterator[Edit]:
    if not statements:
        if len(old.children) != len(new.children):
            raise NotLocal
        for a, b in zip(old.children, new.children, strict=True):
            yield from _edits(source, a, b)
        return
    for gone, come, before in _split(_gaps(old.children, new.children)):
        if len(gone) == len(come) == 1 and gone[0].label == come[0].label:
            yield from _edits(source, gone[0], come[0])
            continue
        nodes: list[Any] = [one.origin for one in gone] or [old.children[min(before, len(old.children) - 1)].origin]
        if not all(isinstance(node, ast.stmt) and source.alone(node) for node in nodes):
            raise NotLocal
        start, stop = source.block(nodes)
        if not gone:
            start, stop = (start, start) if before < len(old.children) else (stop, stop)
        yield Edit(start, stop, come, nodes[0].col_offset, True)


def _split(
    gaps: Iterator[tuple[Sequence[Term], Sequence[Term], int]],
) -> Iterator[tuple[Sequence[Term], Sequence[Term], int]]:
    """Gaps without the statements at either end that are old ones with something new inside."""
    for gone, come, before in gaps:
        while gone and come and _descends(gone[0], come[0]):
            yield gone[:1], come[:1], before
            gone, come, before = gone[1:], come[1:], before + 1
        ends = []
        while gone and come and _descends(gone[-1], come[-1]):
            ends.append((gone[-1:], come[-1:], before + len(gone) - 1))
            gone, come = gone[:-1], come[:-1]
        if gone or come:
            yield gone, come, before
        yield from ends


def _descends(old: Term, new: Term) -> bool:
    return old.label == new.label and any(a is b for a, b in zip(old.children, new.children, strict=True)
                                          if a.children or a.label == LIST)  # fmt: skip


def _gaps(old: Sequence[Term], new: Sequence[Term]) -> Iterator[tuple[Sequence[Term], Sequence[Term], int]]:
    """What lies between statements that both lists hold: the old, the new, and where it was."""
    place = {id(one): number for number, one in enumerate(old)}
    i = j = 0
    for number, one in enumerate(new):
        at = place.get(id(one))
        if at is None or at < i:
            continue
        if at > i or number > j:
            yield old[i:at], new[j:number], i
        i, j = at + 1, number + 1
    if i < len(old) or j < len(new):
        yield old[i:], new[j:], i


def _applied(source: Source, edits: Sequence[Edit], mode: int) -> str:
    parts, at = [], 0
    for edit in sorted(edits, key=lambda one: (one.start, one.stop)):
        parts.append(source.text[at : edit.start])
        parts.append(_text(source, edit, mode))
        at = edit.stop
    return "".join([*parts, source.text[at:]])


@dataclass
class _Kept:
    """Parts of the old text that the new one holds, under names that stand for them."""

    source: Source
    mode: int
    held: list[Term] = field(default_factory=list)

    def name(self, term: Term) -> str:
        self.held.append(term)
        return f"_held_{len(self.held) - 1}_"

    def lightened(self, term: Term, inner: bool = False) -> Term:
        """A term whose old parts are names."""
        node = term.origin
        held = isinstance(node, ast.expr) and not isinstance(node, ast.Starred | ast.Slice | ast.Name | ast.Constant)
        if held and inner and self.mode < 2 and hasattr(node, "lineno"):
            return Term("Name", (Term("=", (), self.name(term)),))
        if term.label == FTEXT or not term.children:
            return term
        if term.label == LIST or term.label == CHAIN or term.label not in (TEXT,):
            return term.with_children([self._child(term, number, child) for number, child in enumerate(term.children)])
        return term

    def _child(self, parent: Term, number: int, child: Term) -> Term:
        if child.label == LIST and parent.label not in (LIST, "=") and kind_of(parent, number) == STATEMENTS:
            return Term(LIST, [self.statement(one) for one in child.children])
        return self.lightened(child, True)

    def statement(self, term: Term) -> Term:
        if self.mode < 2 and isinstance(term.origin, ast.stmt) and self.source.alone(term.origin):
            name = Term("Name", (Term("=", (), self.name(term)),))
            return Term("Expr", (name,))
        return self.lightened(term)


def _text(source: Source, edit: Edit, mode: int) -> str:
    kept = _Kept(source, mode)
    if not edit.lines:
        made = ast.unparse(ast.fix_missing_locations(node_of(kept.lightened(edit.new[0]))))
        return _filled(source, made, kept, 0)
    light = [kept.statement(one) for one in edit.new]
    made = ast.unparse(ast.fix_missing_locations(ast.Module([node_of(one) for one in light], [])))
    pad = " " * edit.column
    lines = "".join(f"{pad}{line}\n" if line else "\n" for line in made.splitlines())
    text = _filled(source, lines, kept, edit.column)
    lost = [one for one in comments(source.text[edit.start : edit.stop]) if one not in comments(text)]
    return "".join(f"{pad}{one}\n" for one in lost) + text


def _filled(source: Source, made: str, kept: _Kept, column: int) -> str:
    # From the outside in: a part that is held may stand in another one only by way of the template.
    for number, term in reversed(list(enumerate(kept.held))):
        name = f"_held_{number}_"
        node: Any = term.origin
        at = made.find(name)
        if at < 0:
            continue
        if isinstance(node, ast.stmt):
            line = made.rfind("\n", 0, at) + 1
            made = made[:line] + _moved(source, node, at - line) + made[made.find("\n", at) + 1 :]
        else:
            start, stop = source.span(node)
            text = source.text[start:stop]
            made = made[:at] + (f"({text})" if kept.mode == 1 else text) + made[at + len(name) :]
    return made


def _moved(source: Source, node: Any, column: int) -> str:
    """The lines of a statement, indented anew."""
    start, stop = source.block([node])
    text = source.text[start:stop]
    if not text.endswith("\n"):
        text += "\n"
    shift = column - node.col_offset
    if shift == 0:
        return text
    inside = {line for one in ast.walk(node) if isinstance(one, ast.Constant | ast.JoinedStr) and
              one.end_lineno != one.lineno and isinstance(getattr(one, "value", ""), str)
              for line in range(one.lineno + 1, (one.end_lineno or 0) + 1)}  # fmt: skip
    first = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", ()))])
    moved = []
    for number, line in enumerate(text.splitlines(keepends=True), first):
        if number in inside or not line.strip():
            moved.append(line)
        elif shift > 0:
            moved.append(" " * shift + line)
        else:
            moved.append(line[min(-shift, len(line) - len(line.lstrip())) :])
    return "".join(moved)


def comments(text: str) -> list[str]:
    """The comments of a piece of code."""
    if "#" not in text:
        return []
    found = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                found.append(token.string)
    except (tokenize.TokenError, IndentationError, SyntaxError):
        pass
    return found
