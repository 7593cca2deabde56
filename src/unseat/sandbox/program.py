"""Programs: functions of numbers in a small, safe part of Python, checked and turned into instructions.

What is allowed: one function of the given arguments; assignments, ``if``, ``for`` over a ``range`` of constants, and
``return``; numbers, ``+ - * /``, comparisons, ``and or not``, conditional expressions, ``min``, ``max``, ``abs``, and
of `math` the functions `FUNCTIONS`. Nothing else can be said, so a program can do nothing but compute: there are no
attributes, subscripts, strings, calls of other names, and no loop without an end. All numbers are float64 and all
operations those of IEEE 754, so that nothing raises.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from unseat.sandbox import bytecode
from unseat.sandbox.bytecode import Float64, Int32

FUNCTIONS = ("sqrt", "exp", "log", "log2", "tanh")
"""Functions of `math` that a program may call."""
MOST_INSTRUCTIONS, MOST_CHARACTERS, MOST_STATEMENTS = 256, 20_000, 5_000
_BINARY: Mapping[type[ast.operator], int] = {
    ast.Add: bytecode.ADD, ast.Sub: bytecode.SUB, ast.Mult: bytecode.MUL, ast.Div: bytecode.DIV,
}  # fmt: skip
_COMPARED: Mapping[type[ast.cmpop], tuple[int, bool]] = {
    ast.Lt: (bytecode.LESS, False), ast.LtE: (bytecode.LESS_EQUAL, False), ast.Gt: (bytecode.LESS, True),
    ast.GtE: (bytecode.LESS_EQUAL, True), ast.Eq: (bytecode.EQUAL, False),
}  # fmt: skip


class ProgramError(ValueError):
    """A program leaves the safe subset; the message names the line."""


@dataclass(frozen=True)
class Code:
    """A checked program as instructions.

    Attributes:
        code: int32 [n, 4], see `unseat.sandbox.bytecode`.
        constants: float64 [m].
        features: How many arguments it takes.
    """

    code: Int32
    constants: Float64
    features: int

    def room(self, lanes: int) -> Float64:
        """What it needs to work."""
        return bytecode.registers(self.features, len(self.constants), len(self.code), lanes)

    def scores(self, features: np.ndarray[Any, Any]) -> Float64:
        """Its result for rows of features, float64 [rows]."""
        room = self.room(len(features))
        bytecode.execute(np.ascontiguousarray(features, np.float32), self.code, self.constants, room)
        scores: Float64 = room[-1].copy()
        return scores


@functools.lru_cache(maxsize=4096)
def compiled(source: str, arguments: tuple[str, ...]) -> Code:
    """Check a program and turn it into instructions.

    Args:
        source: Its text.
        arguments: The names that its function must take.

    Raises:
        ProgramError: It is not Python, or leaves the safe subset.
    """
    return _Compiler(arguments).whole(function_of(source, arguments))


def function_of(source: str, arguments: Sequence[str]) -> ast.FunctionDef:
    """The one function of a text.

    Raises:
        ProgramError: There is not exactly one function of these arguments.
    """
    if len(source) > MOST_CHARACTERS:
        raise ProgramError(f"it has {len(source)} characters; at most {MOST_CHARACTERS} are read")
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ProgramError(f"line {getattr(error, 'lineno', 1)}: it is not Python: {error!s:.200}") from None
    # Others write the one import that is allowed, which changes nothing.
    body = [one for one in body if not (isinstance(one, ast.Import) and [a.name for a in one.names] == ["math"])]
    found = [one for one in body if isinstance(one, ast.FunctionDef)]
    if len(found) != 1 or len(body) != 1:
        raise ProgramError("it must be one function and nothing else")
    function = found[0]
    given = function.args
    plain = not (given.posonlyargs or given.kwonlyargs or given.vararg or given.kwarg or given.defaults)
    if [one.arg for one in given.args] != list(arguments) or not plain or function.decorator_list:
        raise ProgramError(f"line {function.lineno}: its arguments must be ({', '.join(arguments)}), nothing else")
    return function


@dataclass(frozen=True, slots=True)
class _Value:
    """What a name or expression stands for: a register's number and whether it is a truth value."""

    place: int
    truth: bool = False


@dataclass
class _State:
    """Names so far; and what has been returned, under which condition."""

    names: dict[str, _Value]
    returned: _Value | None = None
    when: _Value | None = None
    always: bool = False


@dataclass
class _Compiler:
    """Turns branches into selections: both sides are computed, as nothing can go wrong in either.

    Registers are numbered as they come: arguments, then constants and instructions under negative numbers until it is
    known how many constants there are.
    """

    arguments: tuple[str, ...]
    constants: dict[str, int] = field(default_factory=dict)
    rows: dict[tuple[int, ...], int] = field(default_factory=dict)
    statements: int = 0

    def whole(self, function: ast.FunctionDef) -> Code:
        state = _State({name: _Value(place) for place, name in enumerate(self.arguments)})
        body = function.body
        if isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
            body = body[1:]
        try:
            self.block(body, state)
        except RecursionError:
            raise ProgramError("it is nested too deeply") from None
        if state.returned is None or not state.always:
            raise ProgramError(f"line {function.lineno}: it does not return a number on every path")
        return self._laid_out(state.returned.place)

    def block(self, body: Sequence[ast.stmt], state: _State) -> None:
        for one in body:
            if state.always:
                raise ProgramError(f"line {one.lineno}: it is never reached")
            self.statement(one, state)

    def statement(self, one: ast.stmt, state: _State) -> None:
        self.statements += 1
        if self.statements > MOST_STATEMENTS:
            raise ProgramError(f"it is too long: at most {MOST_STATEMENTS} statements, loops written out")
        match one:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                state.names[name] = self.expression(value, state)
            case ast.AugAssign(target=ast.Name(id=name), op=op, value=value):
                left = self.expression(ast.copy_location(ast.Name(name, ast.Load()), one), state)
                state.names[name] = self.binary(op, left, self.expression(value, state), one)
            case ast.Return(value=ast.expr() as value):
                self.give(self.number(value, state), state)
            case ast.If(test=test, body=body, orelse=other):
                self.branch(self.truth(test, state), body, other, state)
            case ast.For(target=ast.Name(id=name), body=body, orelse=[]):
                for number in self.numbers(one):
                    state.names[name] = self.constant(number)
                    self.block(body, state)
            case ast.Pass():
                pass
            case _:
                raise ProgramError(f"line {one.lineno}: {_named(one)} is not allowed")

    def give(self, value: _Value, state: _State) -> None:
        if state.when is not None and state.returned is not None:
            value = self.row(bytecode.SELECT, state.when, state.returned, value)
        state.returned, state.when, state.always = value, None, True

    def branch(self, test: _Value, body: Sequence[ast.stmt], other: Sequence[ast.stmt], state: _State) -> None:
        """Both sides, each on its own names; what they disagree on is selected."""
        sides = [_State(dict(state.names)) for _ in range(2)]
        self.block(body, sides[0])
        self.block(other, sides[1])
        then, otherwise = sides
        names = then.names.keys() & otherwise.names.keys()
        # After a side that has returned, only the other one goes on.
        if then.always or otherwise.always:
            goes_on = otherwise if then.always else then
            state.names = dict(goes_on.names)
        else:
            state.names = {name: self.merged(test, then.names[name], otherwise.names[name]) for name in names}
        self._returned(test, then, otherwise, state)

    def _returned(self, test: _Value, then: _State, otherwise: _State, state: _State) -> None:
        if then.returned is None and otherwise.returned is None:
            return
        zero = self.constant(0.0)
        value = self.row(bytecode.SELECT, test, then.returned or zero, otherwise.returned or zero)
        whens = [self._when(side) for side in (then, otherwise)]
        when = self.row(bytecode.SELECT, test, *whens, truth=True)
        if state.when is not None and state.returned is not None:
            value = self.row(bytecode.SELECT, state.when, state.returned, value)
            when = self.row(bytecode.OR, state.when, when, truth=True)
        state.returned, state.when = value, when
        state.always = then.always and otherwise.always
        if state.always:
            state.when = None

    def _when(self, side: _State) -> _Value:
        if side.when is not None:
            return side.when
        return self.constant(float(side.always))

    def merged(self, test: _Value, left: _Value, right: _Value) -> _Value:
        if left == right:
            return left
        if left.truth != right.truth:
            raise ProgramError("a name is a number on one side of an `if` and a truth value on the other")
        return self.row(bytecode.SELECT, test, left, right, truth=left.truth)

    def numbers(self, loop: ast.For) -> list[float]:
        """The values of a loop's variable."""
        match loop.iter:
            case ast.Call(func=ast.Name(id="range"), args=args, keywords=[]) if 1 <= len(args) <= 3:
                values = [one.value for one in args if isinstance(one, ast.Constant) and type(one.value) is int]
                if len(values) == len(args) and all(abs(value) <= 1000 for value in values) and 0 not in values[2:]:
                    return [float(value) for value in range(*values)]
        raise ProgramError(f"line {loop.lineno}: a loop must be over a range of constants")

    def expression(self, one: ast.expr, state: _State) -> _Value:
        match one:
            case ast.Constant(value=bool()):
                pass
            case ast.Constant(value=int() | float() as number):
                return self.constant(_finite(number, one))
            case ast.Name(id=name):
                if name not in state.names:
                    raise ProgramError(f"line {one.lineno}: {name} is not set here; there are {', '.join(state.names)}")
                return state.names[name]
            case ast.BinOp(left=left, op=op, right=right):
                return self.binary(op, self.number(left, state), self.number(right, state), one)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self.row(bytecode.NEG, self.number(operand, state))
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.number(operand, state)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return self.row(bytecode.NOT, self.truth(operand, state), truth=True)
            case ast.BoolOp(op=op, values=values):
                kind = bytecode.AND if isinstance(op, ast.And) else bytecode.OR
                truths = [self.truth(value, state) for value in values]
                return functools.reduce(lambda left, right: self.row(kind, left, right, truth=True), truths)
            case ast.Compare(left=left, ops=ops, comparators=others):
                return self.comparison(left, ops, others, state)
            case ast.IfExp(test=test, body=body, orelse=other):
                sides = self.number(body, state), self.number(other, state)
                return self.row(bytecode.SELECT, self.truth(test, state), *sides)
            case ast.Call(keywords=[]):
                return self.call(one, state)
        raise ProgramError(f"line {one.lineno}: {_named(one)} is not allowed")

    def number(self, one: ast.expr, state: _State) -> _Value:
        value = self.expression(one, state)
        if value.truth:
            raise ProgramError(f"line {one.lineno}: a truth value stands where a number must; write `1 if ... else 0`")
        return value

    def truth(self, one: ast.expr, state: _State) -> _Value:
        value = self.expression(one, state)
        if not value.truth:
            raise ProgramError(f"line {one.lineno}: a number stands where a truth value must; write `... > 0`")
        return value

    def binary(self, op: ast.operator, left: _Value, right: _Value, at: ast.AST) -> _Value:
        if type(op) not in _BINARY:
            raise ProgramError(f"line {getattr(at, 'lineno', 1)}: the operator {_named(op)} is not allowed")
        if left.truth or right.truth:
            raise ProgramError(f"line {getattr(at, 'lineno', 1)}: truth values are not numbers")
        return self.row(_BINARY[type(op)], left, right)

    def comparison(
        self, first: ast.expr, ops: Sequence[ast.cmpop], others: Sequence[ast.expr], state: _State
    ) -> _Value:
        left, found = self.number(first, state), []
        for op, other in zip(ops, others, strict=True):
            right = self.number(other, state)
            if isinstance(op, ast.NotEq):
                equal = self.row(bytecode.EQUAL, left, right, truth=True)
                found.append(self.row(bytecode.NOT, equal, truth=True))
            elif type(op) in _COMPARED:
                kind, swapped = _COMPARED[type(op)]
                found.append(self.row(kind, *((right, left) if swapped else (left, right)), truth=True))
            else:
                raise ProgramError(f"line {first.lineno}: the comparison {_named(op)} is not allowed")
            left = right
        return functools.reduce(lambda one, two: self.row(bytecode.AND, one, two, truth=True), found)

    def call(self, one: ast.Call, state: _State) -> _Value:
        values = [self.number(argument, state) for argument in one.args]
        match one.func:
            case ast.Name(id="min" | "max" as name) if len(values) >= 2:
                kind = bytecode.MIN if name == "min" else bytecode.MAX
                return functools.reduce(lambda left, right: self.row(kind, left, right), values)
            case ast.Name(id="abs") if len(values) == 1:
                return self.row(bytecode.ABS, values[0])
            case ast.Name(id="float") if len(values) == 1:
                return values[0]
            case ast.Attribute(value=ast.Name(id="math"), attr="fabs") if len(values) == 1:
                return self.row(bytecode.ABS, values[0])
            case ast.Attribute(value=ast.Name(id="math"), attr=name) if name in FUNCTIONS and len(values) == 1:
                return self.row(bytecode.NAMES.index(name), values[0])
        raise ProgramError(
            f"line {one.lineno}: {ast.unparse(one.func):.40} with {len(values)} arguments cannot be called; there are "
            f"min, max, abs and math.{', math.'.join(FUNCTIONS)}"
        )

    def constant(self, number: float) -> _Value:
        # By its text, since -0.0 equals 0.0 and they divide differently.
        return _Value(-1 - 2 * self.constants.setdefault(repr(float(number)), len(self.constants)))

    def row(self, op: int, *operands: _Value, truth: bool = False) -> _Value:
        """An instruction; one that is there already is not computed again."""
        places = [one.place for one in operands]
        key = (op, *places, *places[:1] * (3 - len(places)))
        number = self.rows.setdefault(key, len(self.rows))
        if number >= 4 * MOST_INSTRUCTIONS:
            raise ProgramError(f"it is too long: at most {MOST_INSTRUCTIONS} operations, loops written out")
        return _Value(-2 - 2 * number, truth)

    def _laid_out(self, result: int) -> Code:
        """Instructions that the result needs, numbered for good."""
        rows, needed = list(self.rows), set[int]()
        todo = [result]
        while todo:
            place = todo.pop()
            if place < 0 and place % 2 == 0 and (number := -place // 2 - 1) not in needed:
                needed.add(number)
                todo += rows[number][1:]
        kept = sorted(needed)
        if len(kept) > MOST_INSTRUCTIONS:
            raise ProgramError(f"it is too long: {len(kept)} operations, at most {MOST_INSTRUCTIONS} are run")
        first = len(self.arguments)
        base = first + len(self.constants)
        number_of = {number: base + place for place, number in enumerate(kept)}

        def final(place: int) -> int:
            if place >= 0:
                return place
            return number_of[-place // 2 - 1] if place % 2 == 0 else first + (-place - 1) // 2

        table = [[rows[number][0], *map(final, rows[number][1:])] for number in kept]
        if not kept or number_of[kept[-1]] != final(result):
            # The result is an argument, a constant or an earlier step: the last register must hold it.
            table.append([bytecode.MIN, *[final(result)] * 3])
        constants = np.array([float(text) for text in self.constants])
        return Code(np.array(table, np.int32), constants, first)


def _finite(number: int | float, at: ast.AST) -> float:
    try:
        value = float(number)
    except OverflowError:
        value = np.inf
    if not np.isfinite(value):
        raise ProgramError(f"line {getattr(at, 'lineno', 1)}: {number!s:.20} is too large")
    return value


def _named(node: ast.AST) -> str:
    return f"`{type(node).__name__}`"
