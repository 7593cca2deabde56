"""What can be worked out from what a hole holds, where an example shows something that the code before does not."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Sequence
from typing import Any

from unseat.tasks.codemod.rules.match import Found
from unseat.tasks.codemod.rules.term import TEXT, Term, node_of, term_of

MOST_BITS, MOST_CHARACTERS = 256, 2000
_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.LShift: operator.lshift, ast.RShift: operator.rshift,
    ast.BitOr: operator.or_, ast.BitAnd: operator.and_, ast.BitXor: operator.xor, ast.Pow: operator.pow,
}  # fmt: skip
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Invert: operator.invert,
    ast.Not: operator.not_,
}


def _value(terms: Sequence[Found]) -> Term | None:
    """What an expression of constants is worth."""
    (term,) = terms
    if isinstance(term, tuple):
        return None
    try:
        value = _worth(node_of(term))
    except (ValueError, ArithmeticError, TypeError, KeyError):
        return None
    if isinstance(value, str):
        return term_of(ast.Constant(value)) if len(value) <= MOST_CHARACTERS else None
    if isinstance(value, int | float) and value < 0:
        return term_of(ast.UnaryOp(ast.USub(), ast.Constant(-value)))
    return term_of(ast.Constant(value))


def _worth(node: Any) -> Any:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.UnaryOp):
        return _UNARY[type(node.op)](_worth(node.operand))
    if isinstance(node, ast.BinOp):
        left, right = _worth(node.left), _worth(node.right)
        if isinstance(node.op, ast.Pow | ast.LShift) and not (abs(left) < 1 << 16 and abs(right) < MOST_BITS // 16):
            raise ValueError("too large")
        if isinstance(node.op, ast.Mult) and isinstance(left, str) | isinstance(right, str):
            raise ValueError("too long")
        found = _BINARY[type(node.op)](left, right)
        if isinstance(found, int) and found.bit_length() > MOST_BITS:
            raise ValueError("too large")
        return found
    raise ValueError("no constant")


def _name(terms: Sequence[Found]) -> Term | None:
    """A name as a text, or a text as a name."""
    (term,) = terms
    if isinstance(term, tuple):
        return None
    if term.label == "Name":
        return term_of(ast.Constant(term.children[0].value))
    if term.label == "=" and isinstance(term.value, str):
        return term_of(ast.Constant(term.value))
    if term.label == TEXT and len(term.children) == 1 and str(term.children[0].value).isidentifier():
        return term_of(ast.Name(str(term.children[0].value)))
    return None


DERIVED: dict[str, Callable[[Sequence[Found]], Term | None]] = {"value": _value, "name": _name}
"""Functions of what holes hold."""


def derived(function: str, terms: Sequence[Found]) -> Term | None:
    """What a function makes of terms; None where it makes nothing."""
    return DERIVED[function](terms)
