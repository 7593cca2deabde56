"""A rule in words: code with `$` for holes, and conditions as sentences."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from unseat.tasks.codemod.rules.conditions import WORDS
from unseat.tasks.codemod.rules.rewrite import Rule, cautions
from unseat.tasks.codemod.rules.term import FTEXT, LIST, TEXT, Term, atom, is_hole, node_of, shown

_PLAIN = ("parent", "not parent", "inside", "not inside", "unbound", "nothing of")
"""Conditions whose first argument is no hole."""


def code(term: Term) -> str:
    """A pattern as code, holes as `$name` and `$*name`; as a term where it is no code."""
    named = _named(term)
    try:
        node = node_of(named)
        if isinstance(node, list):
            if not all(isinstance(one, ast.stmt) for one in node):
                text = ", ".join(ast.unparse(ast.fix_missing_locations(one)) for one in node)
            else:
                text = ast.unparse(ast.fix_missing_locations(ast.Module(node, [])))
        else:
            text = ast.unparse(ast.fix_missing_locations(node))
    except (ValueError, TypeError, AttributeError, KeyError):
        return shown(term)
    return text.replace("_many_", "$*").replace("_hole_", "$")


def _named(term: Term) -> Term:
    """Holes as names, as far as such code can be."""
    if term.label == "Constant" and is_hole(term.children[0]):
        return _named(term.children[0])
    children = []
    for child in term.children:
        if is_hole(child):
            name = atom(f"{'_many_' if child.label == '$*' else '_hole_'}{child.value}")
            plain = term.label in ("Name", "Attribute", "arg", "keyword", "alias", TEXT, FTEXT)
            at_text = term.label in (TEXT, FTEXT) or (plain and child is not term.children[0]) or term.label == "Name"
            children.append(name if at_text or term.label in ("arg", "keyword", "alias") else Term("Name", (name,)))
        else:
            children.append(_named(child))
    if is_hole(term):
        return Term("Name", (atom(f"_hole_{term.value}"),))
    return Term(term.label, children, term.value) if term.label != LIST else Term(LIST, children)


def told(rule: Rule) -> Iterator[str]:
    """Lines for a person."""
    yield from code(rule.before).splitlines()
    if cautions(rule):
        yield "  must not remain: a file in which it would stays as it is"
    else:
        yield "  becomes"
        yield from code(rule.after).splitlines() or ["(nothing)"]
    for name, (function, *arguments) in rule.computed.items():
        of = ", ".join(f"${one}" if one else "it" for one in arguments)
        yield f"  where ${name} is the {function} of {of}"
    for name, *arguments in rule.when:
        said = [f"${one}" if (number == 0 and name not in _PLAIN)
                or name in ("apart", "differ") else
                ", ".join(map(str, one)) if isinstance(one, list | tuple) else str(one)
                for number, one in enumerate(arguments)]  # fmt: skip
        yield f"  if {WORDS[name].format(*said)}"
