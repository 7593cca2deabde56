"""Terms: Python's syntax trees in a form in which everything is a label and a list of children.

A node of `ast` is a term with a child for each field. A list of nodes is a term ``[]``, what is no node an atom. Three
things are spelled so that parts of them can be matched: a chain of one operator (``a + b + c``) is a list of operands,
a text is a list of words, spaces and signs, and an f-string is such a list with expressions in it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

LIST, TEXT, FTEXT, CHAIN = "[]", "Text", "FText", "Chain"
MOST_SPELLED = 240
"""A text with more characters is one atom."""
_WORDS = re.compile(r"\w+|\s+|[^\w\s]")
_LEFT_OUT = {"ctx", "type_comment", "kind", "type_ignores"}
_CHAINED = (ast.Add, ast.Mult, ast.BitOr, ast.BitAnd)


class Term:
    """A label and children; equal terms have equal hashes.

    Attributes:
        label: The node's class, ``[]`` for a list, ``=`` for an atom.
        children: In the order of the node's fields.
        value: Of an atom: a text, a number, None, True, False, an Ellipsis; or the name of a hole.
        origin: The node that it was made of, as long as it is unchanged; of no weight in comparisons.
    """

    __slots__ = ("_hash", "children", "label", "origin", "size", "value")

    def __init__(
        self, label: str, children: Sequence[Term] = (), value: Any = None, origin: ast.AST | None = None
    ) -> None:
        self.label, self.children, self.value, self.origin = label, tuple(children), value, origin
        self._hash = hash((label, self.children, type(value), value))
        self.size: int = 1 + sum(child.size for child in self.children)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Term) or self._hash != other._hash or self.label != other.label:
            return False
        if type(self.value) is not type(other.value) or self.value != other.value:
            return False
        return self.children == other.children

    def __repr__(self) -> str:
        return shown(self)

    def with_children(self, children: Sequence[Term]) -> Term:
        """The same with other children."""
        return Term(self.label, children, self.value)

    def walk(self) -> Iterator[Term]:
        """It and all below, from above."""
        stack = [self]
        while stack:
            one = stack.pop()
            yield one
            stack.extend(reversed(one.children))


def atom(value: Any) -> Term:
    """A term of something that is no node."""
    return Term("=", (), value)


def hole(name: str, many: bool = False) -> Term:
    """A hole of a pattern, for one term; or for a part of a list."""
    return Term("$*" if many else "$", (), name)


def is_hole(term: Term) -> bool:
    """Whether it is a hole for one term or for many."""
    return term.label in ("$", "$*")


@lru_cache(maxsize=512)
def fields_of(label: str) -> tuple[str, ...]:
    """The fields of a class of nodes that terms keep."""
    return tuple(name for name in getattr(ast, label)._fields if name not in _LEFT_OUT)


def term_of(node: ast.AST) -> Term:
    """The term of a node."""
    label = type(node).__name__
    if isinstance(node, ast.Constant):
        if type(node.value) is str:
            return _text(node.value, node)
        return Term(label, (atom(node.value),), None, node)
    if isinstance(node, ast.JoinedStr):
        return Term(FTEXT, tuple(_parts(node)), None, node)
    if isinstance(node, ast.BinOp) and isinstance(node.op, _CHAINED):
        operands: list[Term] = []
        left: ast.expr = node
        while isinstance(left, ast.BinOp) and type(left.op) is type(node.op):
            operands.append(term_of(left.right))
            left = left.left
        operands.append(term_of(left))
        return Term(CHAIN, (Term(type(node.op).__name__), Term(LIST, operands[::-1])), None, node)
    return Term(label, [_field(getattr(node, name, None)) for name in fields_of(label)], None, node)


def _field(value: Any) -> Term:
    if isinstance(value, ast.AST):
        return term_of(value)
    if isinstance(value, list):
        return Term(LIST, [_field(one) for one in value])
    return atom(value)


def _text(value: str, node: ast.AST | None = None) -> Term:
    words = _WORDS.findall(value) if len(value) <= MOST_SPELLED else [value]
    return Term(TEXT, [atom(word) for word in words], None, node)


def _parts(node: ast.JoinedStr) -> Iterable[Term]:
    for part in node.values:
        if isinstance(part, ast.Constant):
            yield from _text(str(part.value)).children
        else:
            yield term_of(part)


def node_of(term: Term) -> Any:
    """The node of a term, or the list, or the atom's value; the inverse of `term_of`.

    Raises:
        ValueError: No such code can be: a chain of one operand is not one, for example.
    """
    label = term.label
    if label == "=":
        return term.value
    if label == LIST:
        return [node_of(child) for child in term.children]
    if label == TEXT:
        return ast.Constant("".join(_word(child) for child in term.children))
    if label == FTEXT:
        return _joined(term)
    if label == CHAIN:
        operator, operands = term.children
        nodes = [node_of(one) for one in operands.children]
        if not nodes:
            raise ValueError("a chain of no operands")
        found = nodes[0]
        for right in nodes[1:]:
            found = ast.BinOp(found, node_of(operator), right)
        return found
    if label == "BoolOp" and len(term.children[1].children) == 1:
        return node_of(term.children[1].children[0])
    if is_hole(term):
        raise ValueError(f"a hole ${term.value} is left")
    made = getattr(ast, label)()
    if label == "Module":
        made.type_ignores = []
    for name, child in zip(fields_of(label), term.children, strict=True):
        setattr(made, name, node_of(child))
    return made


def _word(child: Term) -> str:
    if child.label != "=" or not isinstance(child.value, str):
        raise ValueError("a text holds what is no text")
    return child.value


def _joined(term: Term) -> ast.JoinedStr:
    values: list[ast.expr] = []
    for child in term.children:
        if child.label == "=":
            if values and isinstance(values[-1], ast.Constant):
                values[-1] = ast.Constant(str(values[-1].value) + _word(child))
            else:
                values.append(ast.Constant(_word(child)))
        else:
            values.append(node_of(child))
    return ast.JoinedStr(values)


def normal(source: str) -> Term:
    """Code up to its formatting: sources with equal terms do the same.

    Raises:
        SyntaxError: It is not Python.
    """
    try:
        return term_of(ast.parse(source))
    except (ValueError, RecursionError, MemoryError) as error:
        raise SyntaxError(str(error)) from error


def shown(term: Term) -> str:
    """A term on one line, for messages and files; a pattern is read back by `read`."""
    if term.label == "=":
        return repr(term.value)
    if is_hole(term):
        return f"{term.label}{term.value}"
    inner = ", ".join(shown(child) for child in term.children)
    return f"[{inner}]" if term.label == LIST else f"{term.label}({inner})"


_TOKENS = re.compile(
    r"\s*(?:(?P<hole>\$\*?\w+)|(?P<atom>[bru]*'(?:\\.|[^'\\])*'|b?\"(?:\\.|[^\"\\])*\"|-?[0-9][\w.+]*|None\b|True\b|"
    r"False\b|Ellipsis\b|inf\b|nan\b)|(?P<label>[A-Za-z_]+)|(?P<sign>[\[\](),]))"
)


def read(text: str) -> Term:
    """The inverse of `shown`.

    Raises:
        ValueError: It is no term.
    """
    tokens: list[tuple[str, str]] = []
    at = 0
    while at < len(text.rstrip()):
        found = _TOKENS.match(text, at)
        if not found:
            raise ValueError(f"column {at + 1}: not a term: {text[at : at + 20]!r}")
        tokens.append((found.lastgroup or "", found[found.lastgroup or 0]))
        at = found.end()
    term, left = _read(tokens, 0)
    if left != len(tokens):
        raise ValueError(f"there is more after a term: {tokens[left][1]!r}")
    return term


def _read(tokens: list[tuple[str, str]], at: int) -> tuple[Term, int]:
    if at >= len(tokens):
        raise ValueError("the term ends too early")
    kind, text = tokens[at]
    at += 1
    if kind == "hole":
        many = text.startswith("$*")
        return hole(text[2:] if many else text[1:], many), at
    if kind == "atom":
        return atom(... if text == "Ellipsis" else ast.literal_eval(text)), at
    if kind == "label":
        if tokens[at : at + 1] != [("sign", "(")]:
            raise ValueError(f"{text} has no children")
        children, at = _listed(tokens, at + 1, ")")
        return Term(text, children), at
    if text == "[":
        children, at = _listed(tokens, at, "]")
        return Term(LIST, children), at
    raise ValueError(f"{text!r} begins no term")


def _listed(tokens: list[tuple[str, str]], at: int, end: str) -> tuple[list[Term], int]:
    found: list[Term] = []
    while tokens[at : at + 1] != [("sign", end)]:
        if found:
            if tokens[at : at + 1] != [("sign", ",")]:
                raise ValueError(f"a comma or {end} is missing")
            at += 1
        one, at = _read(tokens, at)
        found.append(one)
    return found, at + 1
