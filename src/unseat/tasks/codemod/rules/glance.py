"""A glance at a module: which of its statements a rule might fit at all, by the words that must stand in them."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from unseat.tasks.codemod.rules.rewrite import STATEMENTS, Rule
from unseat.tasks.codemod.rules.term import FTEXT, TEXT, Term

_SPELLED = {
    "Eq": "==", "NotEq": "!=", "Lt": "<", "Gt": ">", "LtE": "<=", "GtE": ">=", "Is": "is", "IsNot": "is", "In": "in",
    "NotIn": "not", "Not": "not", "And": "and", "Or": "or", "For": "for", "While": "while", "If": "if", "IfExp": "if",
    "Return": "return", "Raise": "raise", "Try": "try", "With": "with", "Assert": "assert", "Lambda": "lambda",
    "ListComp": "for", "SetComp": "for", "DictComp": "for", "GeneratorExp": "for", "Add": "+", "Sub": "-", "Mult": "*",
    "Div": "/", "FloorDiv": "//", "Mod": "%", "Pow": "**", "Assign": "=", "AugAssign": "=", "Subscript": "[",
    "List": "[", "Dict": "{", "Set": "{", "Await": "await", "Delete": "del", "FunctionDef": "def", "ClassDef": "class",
    "Attribute": ".", "Call": "(", "Pass": "pass", "BitOr": "|", "BitAnd": "&", "Import": "import",
}  # fmt: skip
"""How Python spells what a label stands for."""


def words(rule: Rule) -> frozenset[str]:
    """Pieces of text that must stand wherever a rule fits."""
    found: set[str] = set()
    stack: list[Term] = [rule.before]
    while stack:
        one = stack.pop()
        if one.label in (TEXT, FTEXT):
            continue  # it may be spelled by escapes
        if one.label == "=" and isinstance(one.value, str) and one.value.isidentifier():
            found.add(one.value)
        elif one.label == "Constant" and one.children[0].label == "=" and _named(one.children[0].value):
            found.add(repr(one.children[0].value))
        elif one.label in _SPELLED:
            found.add(_SPELLED[one.label])
        stack.extend(one.children)
    return frozenset(found)


def _named(value: object) -> bool:
    return value is None or isinstance(value, bool)


def glanced(source: str, tree: ast.Module, rules: Sequence[Rule], needed: Sequence[frozenset[str]]) -> ast.Module:
    """A module with those statements only that some rule might fit, each with its neighbours."""
    lines = source.splitlines(keepends=True)
    runs = [max(len(rule.before.children), 2) if rule.where == STATEMENTS else 1 for rule in rules]
    whole = any(one.label == "ClassDef" for rule in rules for one in rule.before.walk())
    return ast.Module(_kept(lines, tree.body, list(zip(needed, runs, strict=True)), whole), [])


def _kept(
    lines: Sequence[str], body: Sequence[ast.stmt], wanted: Sequence[tuple[frozenset[str], int]], whole: bool
) -> list[ast.stmt]:
    texts = ["".join(lines[_first(one) - 1 : one.end_lineno]) for one in body]
    keep: set[int] = set()
    for at in range(len(body)):
        for needed, run in wanted:
            text = texts[at] if run == 1 else "".join(texts[at : at + run])
            if all(word in text for word in needed):
                keep |= set(range(at - (run > 1), at + run + (run > 1)))
    found: list[ast.stmt] = []
    for at in sorted(keep & set(range(len(body)))):
        one = body[at]
        if isinstance(one, ast.ClassDef) and not whole:
            inner = _kept(lines, one.body, wanted, whole)
            one = ast.ClassDef(one.name, one.bases, one.keywords, inner or one.body[:1], one.decorator_list)
        found.append(one)
    return found


def _first(node: ast.stmt) -> int:
    first: int = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", ()))])
    return first
