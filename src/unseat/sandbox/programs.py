"""Programs at work: as a policy, as machine code, and as what a task offers to whoever writes programs."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from unseat.core.policy import Form, Policy, Session, View
from unseat.sandbox import bytecode
from unseat.sandbox.program import Code, compiled, function_of


@dataclass(frozen=True)
class Offer:
    """What a task lets be programmed: a function that scores the rows of a question, of which the highest is chosen.

    Attributes:
        function: The function's name.
        text: What it is for, in a paragraph: for its docstring, and for whoever writes one.
        arguments: Name to meaning of each feature of a row, in order.
        rows: Rows of a question.
        start: The program to begin with: an incumbent.
        entry: ``module:function`` that runs a program in the sandbox: ``entry(code, constants, problems)``, with what
            `share` gave by name, returns the actions it took, by name.
        warm: ``module:function`` that compiles what that needs.
        share: Gives what a problem consists of in there, as JSON and arrays. The future may be in it: a program sees
            rows only, and whatever else ran there could only say it in actions.
        replay: The objective's value of actions on a problem, counted outside; `InvalidAnswer` for what are none.
        idle: Arguments that tell nothing here, which a search leaves out.
        shortened: Gives a smaller problem that tells bad programs from good ones at a small part of the cost.
        elite: The actions on a problem of a program that is machine code (`machine_code`), outside of the sandbox.
        make: A policy of a name and a source, where it is not a kernel that chooses among rows.
    """

    function: str
    text: str
    arguments: Mapping[str, str]
    rows: int
    start: str
    entry: str
    warm: str
    share: Callable[[Any], Mapping[str, Any]]
    replay: Callable[[Any, Any], float]
    idle: tuple[str, ...] = ()
    shortened: Callable[[Any], Any] | None = None
    elite: Callable[[Callable[..., int], Any], Any] | None = None
    make: Callable[[str, str], Policy] | None = None

    def compiled(self, source: str) -> Code:
        """A program as instructions.

        Raises:
            ProgramError: It leaves the safe subset.
        """
        return compiled(source, tuple(self.arguments))

    def policy(self, name: str, source: str) -> Policy:
        """A program as a policy."""
        if self.make is not None:
            return self.make(name, source)
        return Program(name, source, tuple(self.arguments), self.rows)


@dataclass(frozen=True)
class Program(Policy):
    """A policy as source: of the rows of a question, the one with the highest score is the answer.

    Attributes:
        name: Its name in tables.
        source: A function of the safe subset.
        arguments: What it is called with: a row's features, in order.
        rows: Rows of the question.
    """

    form: ClassVar[Form] = Form.PROGRAM
    name: str
    source: str
    arguments: tuple[str, ...]
    rows: int

    def start(self, view: View, seed: int) -> Session:
        """Check and compile to instructions; takes about a millisecond."""
        code = compiled(self.source, tuple(self.arguments))
        session = Session()
        session.kernel = bytecode.best_row, (code.code, code.constants, code.room(self.rows))
        return session


def machine_code(source: str, arguments: tuple[str, ...]) -> Callable[..., int]:
    """A checked program as a kernel of its own, compiled by Numba: the same answers as the instructions, sooner.

    Args:
        source: A function of the safe subset.
        arguments: Its arguments.

    Returns:
        ``choose(features: float32 [rows, features]) -> row``.

    Raises:
        ProgramError: It leaves the safe subset.
    """
    import math

    import numba

    compiled(source, arguments)
    tree = _Floats().visit(function_of(source, arguments))
    tree.name = "score"
    tree.returns = None
    columns = ", ".join(f"np.float64(features[k, {place}])" for place in range(len(arguments)))
    text = ast.unparse(ast.fix_missing_locations(tree)) + (
        "\n\n@njit(nogil=True, error_model='numpy')\ndef choose(features):\n    best = 0\n    top = -np.inf\n"
        f"    for k in range(features.shape[0]):\n        value = score({columns})\n"
        "        if value > top:\n            top = value\n            best = k\n    return best\n"
    )
    # The text has passed the checker: it can compute, and nothing else.
    scope: dict[str, Any] = {"math": math, "np": np, "njit": numba.njit}
    exec(compile("@njit(nogil=True, error_model='numpy')\n" + text, "<program>", "exec"), scope)
    choose: Callable[..., int] = scope["choose"]
    return choose


class _Floats(ast.NodeTransformer):
    """Makes every number a float64, as the instructions have it; what counts loops stays whole."""

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return ast.copy_location(ast.Constant(float(node.value)), node) if type(node.value) is int else node

    def visit_For(self, node: ast.For) -> ast.AST:
        # The variable becomes a float inside: `for i_ in range(3): i = float(i_)`.
        assert isinstance(node.target, ast.Name)
        counter = f"{node.target.id}__"
        first = ast.parse(f"{node.target.id} = float({counter})").body
        body = [*first, *(self.visit(one) for one in node.body)]
        return ast.copy_location(ast.For(ast.Name(counter, ast.Store()), node.iter, body, []), node)
