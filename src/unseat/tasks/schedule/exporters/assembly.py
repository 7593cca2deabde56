"""One file of the parts that a policy needs: every definition that its decision leads to, in the parts' order."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

PARTS = "cluster", "rules", "graphene", "scorer", "decima", "weights", "scheduler"
"""Modules of the folder `parts`, each before those that need it."""

MADE = "decide"
"""The definition that differs from policy to policy."""

ROOTS = "Scheduler", "granted", "demo", "Cluster", "Job", "Stage"

_OWN = "unseat."


@dataclass(frozen=True)
class Definition:
    """A function, class or constant at the top of a module.

    Attributes:
        text: Its source, with the comments before it and the docstring behind it.
        names: All names that it mentions.
        constant: Whether it is neither a function nor a class.
    """

    text: str
    names: frozenset[str]
    constant: bool


@dataclass(frozen=True)
class Module:
    """What stands at the top of a module: definitions, and the module and name that each imported name stands for."""

    definitions: Mapping[str, Definition]
    imports: Mapping[str, tuple[str, str | None]]


def parsed(text: str) -> Module:
    """Definitions and imports of a module; its own docstring is left out."""
    lines, end = text.splitlines(), 0
    definitions: dict[str, Definition] = {}
    imports: dict[str, tuple[str, str | None]] = {}
    last = ""
    for node in ast.parse(text).body:
        source = re.sub("  # noqa: .*", "", "\n".join(lines[end : node.end_lineno])).strip("\n")
        end = node.end_lineno or end
        if isinstance(node, ast.Import):
            imports |= {alias.asname or alias.name: (alias.name, None) for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imports |= {alias.asname or alias.name: (str(node.module), alias.name) for alias in node.names}
        elif isinstance(node, ast.Expr):  # The docstring of a constant.
            if last:
                before = definitions[last]
                definitions[last] = Definition(f"{before.text}\n{source}", before.names, True)
        else:
            defined = _defined(node)
            constant = not isinstance(node, ast.FunctionDef | ast.ClassDef)
            names = _mentioned(node)
            for last in defined:  # Constants that are made together go together.
                definitions[last] = Definition(source, names | set(defined), constant)
    return Module(definitions, imports)


def _mentioned(node: ast.stmt) -> frozenset[str]:
    """Names from outside: all that are read and nowhere bound."""
    nodes = list(ast.walk(node))
    read = {one.id for one in nodes if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load)}
    bound = {one.id for one in nodes if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
    return frozenset(read - bound - {one.arg for one in nodes if isinstance(one, ast.arg)})


def _defined(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    assert isinstance(node, ast.Assign), ast.dump(node)
    return [one.id for target in node.targets for one in ast.walk(target) if isinstance(one, ast.Name)]


@lru_cache(maxsize=1)
def parts() -> Module:
    """All parts as one module."""
    definitions: dict[str, Definition] = {}
    imports: dict[str, tuple[str, str | None]] = {}
    for name in PARTS:
        found = parsed((Path(__file__).parent / "parts" / f"{name}.py").read_text(encoding="utf-8"))
        twice = definitions.keys() & found.definitions.keys()
        assert not twice, f"{twice} are defined by two parts"
        definitions |= found.definitions
        imports |= found.imports
    return Module(definitions, imports)


def assembled(made: str) -> tuple[str, set[str]]:
    """The body of an exported file, and the attributes that its decisions read.

    Args:
        made: Source of the function `decide` and of what else the policy brings; it takes the place of the parts' own.
    """
    base, own = parts(), parsed(made)
    definitions = {**base.definitions, **own.definitions}  # `decide` where it stood, and weights at the end.
    needed = _needed(ROOTS, definitions)
    # Constants that are made by one statement are one text.
    chosen = list({definition.text: definition for name, definition in definitions.items() if name in needed}.values())
    body, after_constant = "", True
    for definition in chosen:
        body += ("\n\n" if after_constant and definition.constant else "\n\n\n") + definition.text
        after_constant = definition.constant
    names = {name for definition in chosen for name in definition.names}
    head = _import_lines({name: base.imports[name] for name in sorted(names & base.imports.keys())})
    decision = [definitions[name] for name in _needed([MADE, "ask"], definitions)]
    return f"{head}{body}\n", _attributes([one.text for one in decision])


def _needed(roots: Sequence[str], definitions: Mapping[str, Definition]) -> set[str]:
    found: set[str] = set()
    stack = list(roots)
    while stack:
        name = stack.pop()
        if name in definitions and name not in found:
            found.add(name)
            stack += definitions[name].names
    return found


def _attributes(texts: Sequence[str]) -> set[str]:
    nodes = (node for text in texts for node in ast.walk(ast.parse(text)))
    return {node.attr for node in nodes if isinstance(node, ast.Attribute)}


def _import_lines(imports: Mapping[str, tuple[str, str | None]]) -> str:
    """Imports as a person would write them: the standard library's before NumPy's."""
    plain: list[str] = []
    lists: dict[str, list[str]] = {}
    for name, (module, origin) in imports.items():
        if origin is None:
            plain.append(f"import {module}" + (f" as {name}" if name != module else ""))
        elif not module.startswith(_OWN):
            lists.setdefault(module, []).append(origin)
    lines = sorted(plain) + [
        f"from {module} import {', '.join(sorted(names))}" for module, names in sorted(lists.items())
    ]
    groups = [[line for line in lines if ("numpy" in line) == numpy] for numpy in (False, True)]
    texts = ["from __future__ import annotations", *("\n".join(group) for group in groups if group)]
    return "\n\n".join(texts)
