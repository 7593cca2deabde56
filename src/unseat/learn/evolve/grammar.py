"""Programs from a grammar, and what genetic programming does with them; it needs no model.

J. R. Koza, "Genetic Programming", MIT Press 1992: trees, crossing of subtrees, mutation. A tree is a tuple: ``("x",
name)``, ``("c", number)``, or an operation with its operands. ``("if", a, b, x, y)`` is ``x if a < b else y``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from unseat.sandbox import bytecode
from unseat.sandbox.program import Code

Tree = tuple[Any, ...]
Path = tuple[int, ...]
_ARITY = {"add": 2, "sub": 2, "mul": 2, "div": 2, "min": 2, "max": 2, "neg": 1, "abs": 1, "exp": 1, "tanh": 1, "if": 4}
_WEIGHTS = {"add": 5, "sub": 4, "mul": 4, "div": 1, "min": 2, "max": 2, "neg": 1, "abs": 1, "exp": 1, "tanh": 1,
            "if": 3}  # fmt: skip
_SIGNS = {"add": "+", "sub": "-", "mul": "*", "div": "/"}
MOST_NODES = 60


@dataclass(frozen=True)
class Grammar:
    """Draws and changes trees.

    Attributes:
        function: Name of the function that a tree becomes.
        arguments: Its arguments.
        features: Those of them that trees use.
    """

    function: str
    arguments: tuple[str, ...]
    features: tuple[str, ...]

    def draw(self, rng: np.random.Generator, depth: int) -> Tree:
        """A tree of at most that depth; half of the trees grow unevenly (Koza's "ramped half and half")."""
        if depth <= 1 or (depth <= 3 and rng.random() < 0.25):
            return self.leaf(rng)
        names = list(_WEIGHTS)
        weights = np.array(list(_WEIGHTS.values()), float)
        name = names[rng.choice(len(names), p=weights / weights.sum())]
        return (name, *(self.draw(rng, depth - 1) for _ in range(_ARITY[name])))

    def program(self, rng: np.random.Generator, depth: int) -> Tree:
        """A tree to begin with: one time in two a weighted sum of most features, of which many good scores are made."""
        return self.weighted(rng) if rng.random() < 0.5 else self.draw(rng, depth)

    def weighted(self, rng: np.random.Generator) -> Tree:
        """A sum of most features with weights from -2 to 2."""
        chosen = [name for name in self.features if rng.random() < 0.7] or [self.features[0]]
        terms: list[Tree] = [("mul", ("c", float(np.round(rng.uniform(-2, 2), 2))), ("x", name)) for name in chosen]
        total = terms[0]
        for term in terms[1:]:
            total = ("add", total, term)
        return total

    def leaf(self, rng: np.random.Generator) -> Tree:
        """A feature, or one time in four a constant."""
        if rng.random() < 0.25:
            return ("c", float(np.round(rng.normal() * 2, 2)))
        return ("x", self.features[rng.integers(len(self.features))])

    def mutate(self, tree: Tree, rng: np.random.Generator) -> Tree:
        """A tree that differs a little."""
        kind = rng.choice(
            ["constants", "subtree", "feature", "wrap", "hoist", "term"], p=[0.3, 0.2, 0.1, 0.1, 0.1, 0.2]
        )
        places = list(nodes(tree))
        where = places[rng.integers(len(places))]
        if kind == "constants":
            return self._with_constants(tree, rng)
        if kind == "feature":
            leaves = [place for place in places if at(tree, place)[0] == "x"]
            return put(tree, leaves[rng.integers(len(leaves))], self.leaf(rng)) if leaves else self.draw(rng, 3)
        if kind == "hoist":
            return at(tree, where)
        if kind == "term":
            # What linear scorers are made of: one more weighted feature.
            scaled = ("mul", ("c", float(np.round(rng.normal(), 2))), self.leaf(rng))
            return ("add", tree, scaled)
        if kind == "wrap":
            inner = at(tree, where)
            other = self.draw(rng, 2)
            name = ("add", "sub", "mul", "min", "max")[rng.integers(5)]
            return put(tree, where, (name, inner, other))
        return put(tree, where, self.draw(rng, 3))

    def cross(self, left: Tree, right: Tree, rng: np.random.Generator) -> Tree:
        """The one tree with a part of the other in a place of its own."""
        here, there = list(nodes(left)), list(nodes(right))
        return put(left, here[rng.integers(len(here))], at(right, there[rng.integers(len(there))]))

    def source(self, tree: Tree) -> str:
        """A tree as a program."""
        return f"def {self.function}({', '.join(self.arguments)}):\n    return {text(tree)}\n"

    def tree(self, code: Code) -> Tree | None:
        """A program as a tree; None where it is too large, or says what trees do not."""
        try:
            return self._tree(code, code.features + len(code.constants) + len(code.code) - 1, [4 * MOST_NODES])
        except KeyError:
            return None

    def _tree(self, code: Code, place: int, left: list[int]) -> Tree:
        left[0] -= 1
        if left[0] < 0:
            raise KeyError("too large")
        if place < code.features:
            return ("x", self.arguments[place])
        place -= code.features
        if place < len(code.constants):
            return ("c", float(code.constants[place]))
        op, *operands = (int(number) for number in code.code[place - len(code.constants)])
        name = bytecode.NAMES[op]
        if name == "min" and operands[0] == operands[1]:
            return self._tree(code, operands[0], left)
        if name == "select":
            row = operands[0] - code.features - len(code.constants)
            if row < 0 or code.code[row, 0] not in (bytecode.LESS, bytecode.LESS_EQUAL):
                raise KeyError("not a comparison")
            tests = [self._tree(code, int(each), left) for each in code.code[row, 1:3]]
            return ("if", *tests, *(self._tree(code, each, left) for each in operands[1:3]))
        return (name, *(self._tree(code, each, left) for each in operands[: _ARITY[name]]))

    def _with_constants(self, tree: Tree, rng: np.random.Generator) -> Tree:
        places = [place for place in nodes(tree) if at(tree, place)[0] == "c"]
        if not places:
            return ("mul", ("c", float(np.round(1 + rng.normal() / 2, 3))), tree)
        # Steps of all lengths: long ones find the region, short ones settle in it.
        step = 0.5 * 10 ** -rng.uniform(0, 1.5)
        for place in places if rng.random() < 0.5 else [places[rng.integers(len(places))]]:
            number = at(tree, place)[1]
            changed = number * (1 + step * rng.normal()) + 0.2 * step * rng.normal()
            tree = put(tree, place, ("c", float(np.round(changed, 4))))
        return tree


def size(tree: Tree) -> int:
    """Nodes of a tree."""
    return 1 if tree[0] in "xc" else 1 + sum(map(size, tree[1:]))


def nodes(tree: Tree, path: Path = ()) -> Iterator[Path]:
    """Where its nodes are, the root first."""
    yield path
    if tree[0] not in ("x", "c"):
        for place, part in enumerate(tree[1:], 1):
            yield from nodes(part, (*path, place))


def at(tree: Tree, path: Path) -> Tree:
    """The part of a tree at a place."""
    for step in path:
        tree = tree[step]
    return tree


def put(tree: Tree, path: Path, part: Tree) -> Tree:
    """The tree with another part at a place."""
    if not path:
        return part
    return (*tree[: path[0]], put(tree[path[0]], path[1:], part), *tree[path[0] + 1 :])


def text(tree: Tree) -> str:
    """A tree as an expression of Python."""
    name, operands = tree[0], tree[1:]
    if name == "x":
        return str(operands[0])
    if name == "c":
        return repr(operands[0]) if operands[0] >= 0 else f"({operands[0]!r})"
    parts: Sequence[str] = [text(part) for part in operands]
    if name in _SIGNS:
        return f"({parts[0]} {_SIGNS[name]} {parts[1]})"
    if name == "neg":
        return f"(-{parts[0]})"
    if name == "if":
        return f"({parts[2]} if {parts[0]} < {parts[1]} else {parts[3]})"
    called = name if name in ("min", "max", "abs") else f"math.{name}"
    return f"{called}({', '.join(parts)})"
