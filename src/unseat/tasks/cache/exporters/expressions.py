"""From a kernel's Python expressions to C expressions, with the types that Numba would give them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from unseat.core.errors import UserError
from unseat.tasks.cache.exporters.types import (
    BOOL,
    C_ELEMENTS,
    C_SCALARS,
    DOUBLE,
    FLOAT,
    INT,
    UINT,
    Array,
    Callee,
    Requests,
    Scalar,
    Tuple,
    Type,
    c_name,
    loaded,
    type_of,
    unify,
)

_OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^",
    ast.LShift: "<<", ast.RShift: ">>",
}  # fmt: skip
_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
}  # fmt: skip
_CASTS: dict[Any, Scalar] = {
    int: INT, float: DOUBLE, bool: BOOL, np.int64: INT, np.int32: INT, np.uint64: UINT, np.float32: FLOAT,
    np.float64: DOUBLE,
}  # fmt: skip
_MATH = {np.log2: "log2", np.exp2: "exp2", np.log: "log", np.exp: "exp", np.sqrt: "sqrt", np.floor: "floor"}
_MAKERS: frozenset[Any] = frozenset({np.zeros, np.empty, np.full, np.array})
_KEYWORDS = frozenset((
    "auto", "bool", "break", "case", "char", "const", "continue", "default", "do", "double", "else", "enum", "extern",
    "false", "float", "for", "goto", "if", "inline", "int", "long", "register", "requests", "restrict", "return",
    "short", "signed", "sizeof", "static", "struct", "switch", "true", "typedef", "union", "unsigned", "void",
    "volatile", "while",
))  # fmt: skip


@dataclass(frozen=True)
class Value:
    """A C expression and its type."""

    code: str
    type: Type


class Unknown(Exception):
    """A local's type is not known yet: the pass that infers types comes back to it."""


def identifier(name: str) -> str:
    """A Python name as a C name."""
    return f"{name}_" if name in _KEYWORDS else name


def constant(value: Any) -> Value:
    """A number from a literal or a module."""
    kind = type_of(value)
    if kind == BOOL:
        return Value("true" if value else "false", BOOL)
    if kind == UINT:
        return Value(f"UINT64_C({int(value)})", UINT)
    if kind == INT:
        code = str(int(value)) if abs(int(value)) < 2**31 else f"INT64_C({int(value)})"
        return Value(f"({code})" if int(value) < 0 else code, INT)
    number = float(value)
    if np.isinf(number):
        return Value("(-INFINITY)" if number < 0 else "INFINITY", kind)
    return Value(f"({number!r}{'f' if kind == FLOAT else ''})", kind)


class Expressions:
    """Translates the expressions of one function.

    Args:
        where: the function's name and file, for messages.
        scope: what global names mean.
        local: types of local names so far.
        call: how to call another kernel: given it and its arguments, the C value of the call.
        makes: whether the function makes state, and so may make arrays.
    """

    def __init__(
        self,
        where: str,
        scope: Mapping[str, Any],
        local: dict[str, Type],
        call: Callable[[Any, list[Value]], Value],
        makes: bool,
    ) -> None:
        self.where, self.scope, self.local, self.call, self.makes = where, scope, local, call, makes
        self.used: set[str] = set()

    def refuse(self, node: ast.AST, why: str) -> UserError:
        """An error that names the place."""
        return UserError(f"{self.where}, line {getattr(node, 'lineno', '?')}: {why}; C export knows a subset of Python")

    def __call__(self, node: ast.expr) -> Value:
        """Translate one expression."""
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is None:
            raise self.refuse(node, f"{ast.unparse(node)!r} has no C form")
        value: Value = method(node)
        return value

    def condition(self, node: ast.expr) -> str:
        """An expression as a truth value."""
        value = self(node)
        if not isinstance(value.type, Scalar):
            raise self.refuse(node, f"{ast.unparse(node)!r} is no number")
        return value.code if value.type == BOOL else f"({value.code} != 0)"

    def _constant(self, node: ast.Constant) -> Value:
        return constant(node.value)

    def _name(self, node: ast.Name) -> Value:
        if node.id in self.local:
            self.used.add(node.id)
            return Value(identifier(node.id), self.local[node.id])
        if node.id not in self.scope:
            raise Unknown(node.id)
        return constant(self.scope[node.id])

    def _attribute(self, node: ast.Attribute) -> Value:
        if isinstance(node.value, ast.Name) and node.value.id in self.local:
            array = self(node.value)
            if isinstance(array.type, Array) and node.attr == "size":
                return Value(f"({array.code}.rows * {array.code}.columns)", INT)
            raise self.refuse(node, f"attribute {node.attr!r} has no C form")
        return constant(self.python(node))

    def python(self, node: ast.expr) -> Any:
        """What a global name or dotted name means in Python."""
        if isinstance(node, ast.Name) and node.id not in self.local:
            builtins = self.scope["__builtins__"]
            known = builtins if isinstance(builtins, dict) else vars(builtins)
            return self.scope.get(node.id, known.get(node.id))
        if isinstance(node, ast.Attribute):
            return getattr(self.python(node.value), node.attr)
        raise self.refuse(node, f"{ast.unparse(node)!r} has no C form")

    def _unaryop(self, node: ast.UnaryOp) -> Value:
        if isinstance(node.op, ast.Not):
            return Value(f"(!{self.condition(node.operand)})", BOOL)
        value = self(node.operand)
        if isinstance(node.op, ast.USub):
            return Value(f"(-{value.code})", INT if value.type == BOOL else value.type)
        raise self.refuse(node, f"{ast.unparse(node)!r} has no C form")

    def _boolop(self, node: ast.BoolOp) -> Value:
        operator = " && " if isinstance(node.op, ast.And) else " || "
        return Value("(" + operator.join(self.condition(value) for value in node.values) + ")", BOOL)

    def _compare(self, node: ast.Compare) -> Value:
        values = [self(operand) for operand in (node.left, *node.comparators)]
        parts = []
        for left, operator, right in zip(values, node.ops, values[1:], strict=False):
            if unify(left.type, right.type) is None or type(operator) not in _COMPARISONS:
                raise self.refuse(node, f"{ast.unparse(node)!r} compares what C cannot")
            parts.append(f"({left.code} {_COMPARISONS[type(operator)]} {right.code})")
        return Value(parts[0] if len(parts) == 1 else "(" + " && ".join(parts) + ")", BOOL)

    def _ifexp(self, node: ast.IfExp) -> Value:
        yes, no = self(node.body), self(node.orelse)
        kind = unify(yes.type, no.type)
        if kind is None:
            raise self.refuse(node, "the two values are of unlike types")
        return Value(f"({self.condition(node.test)} ? {yes.code} : {no.code})", kind)

    def _binop(self, node: ast.BinOp) -> Value:
        return self.binary(node, node.op, self(node.left), self(node.right))

    def binary(self, node: ast.AST, operator: ast.operator, left: Value, right: Value) -> Value:
        """Arithmetic on two numbers."""
        kind = unify(left.type, right.type)
        if kind is None:
            raise self.refuse(node, "the operands are of unlike types; cast one")
        kind = INT if kind == BOOL else kind
        whole = kind in (INT, UINT)
        if isinstance(operator, ast.Div):
            if whole:
                return Value(f"((double){left.code} / (double){right.code})", DOUBLE)
            return Value(f"({left.code} / {right.code})", kind)
        if isinstance(operator, ast.Pow) and not whole:
            return Value(f"{'powf' if kind == FLOAT else 'pow'}({left.code}, {right.code})", kind)
        if isinstance(operator, ast.FloorDiv | ast.Mod) and whole:
            name = "floor_div" if isinstance(operator, ast.FloorDiv) else "floor_mod"
            if kind == INT:
                return Value(f"{name}({left.code}, {right.code})", INT)
            return Value(f"({left.code} {'/' if name == 'floor_div' else '%'} {right.code})", UINT)
        symbol = _OPERATORS.get(type(operator))
        if symbol is None or (symbol in "&|^<<>>" and not whole):
            raise self.refuse(node, f"operator {type(operator).__name__} has no C form here")
        code = f"(int64_t){left.code}" if kind == INT and symbol in ("<<", "*") else left.code
        return Value(f"({code} {symbol} {right.code})", kind)

    def _tuple(self, node: ast.Tuple) -> Value:
        items = [self(item) for item in node.elts]
        kind = Tuple(tuple(item.type for item in items))
        return Value(f"(({c_name(kind)}){{{', '.join(item.code for item in items)}}})", kind)

    def _subscript(self, node: ast.Subscript) -> Value:
        if isinstance(node.value, ast.Attribute) and node.value.attr == "shape":
            array = self(node.value.value)
            field = ("rows", "columns")[int(ast.literal_eval(node.slice))]
            return Value(f"{array.code}.{field}", INT)
        base = self(node.value)
        if isinstance(base.type, Tuple):
            k = int(ast.literal_eval(node.slice))
            return Value(f"{base.code}.f{k}", base.type.items[k])
        if isinstance(base.type, Array) and base.type.ndim == 2 and not isinstance(node.slice, ast.Tuple):
            row = Array(base.type.element, 1)
            start = f"{base.code}.data + ({self(node.slice).code}) * {base.code}.columns"
            return Value(f"(({c_name(row)}){{{start}, {base.code}.columns, 1}})", row)
        return Value(*self.element(node, base))

    def element(self, node: ast.Subscript, base: Value) -> tuple[str, Type]:
        """The C place of one element, and the type it has once it is read."""
        if isinstance(base.type, Requests):
            return f"{base.code}.data[{self(node.slice).code} - {base.code}.first]", INT
        if not isinstance(base.type, Array):
            raise self.refuse(node, f"{ast.unparse(node.value)!r} is no array")
        indices = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        values = [self(index) for index in indices]
        if len(values) != base.type.ndim or any(value.type not in (INT, UINT, BOOL) for value in values):
            raise self.refuse(node, f"{ast.unparse(node)!r} is not one element")
        place = values[0].code
        if len(values) == 2:
            place = f"({place}) * {base.code}.columns + {values[1].code}"
        return f"{base.code}.data[{place}]", loaded(base.type)

    def _call(self, node: ast.Call) -> Value:
        if node.keywords:
            raise self.refuse(node, "calls take positional arguments only")
        callee = self.local.get(node.func.id) if isinstance(node.func, ast.Name) else None
        function = callee.kernel if isinstance(callee, Callee) else self.python(node.func)
        if function in _MAKERS:
            return self._make(node, function)
        arguments = self.arguments(node)
        if function in _CASTS:
            kind = _CASTS[function]
            code = arguments[0].code
            if function is np.int32:
                code = f"(int32_t){code}"
            return Value(f"({code} != 0)" if kind == BOOL else f"(({C_SCALARS[kind]}){code})", kind)
        if function in (min, max):
            return self._extreme(node, function.__name__, arguments)
        if function is abs:
            names: dict[Type, str] = {INT: "llabs", FLOAT: "fabsf", DOUBLE: "fabs"}
            if arguments[0].type not in names:
                raise self.refuse(node, "abs of what has no sign")
            return Value(f"{names[arguments[0].type]}({arguments[0].code})", arguments[0].type)
        if function in _MATH:
            single = arguments[0].type == FLOAT
            return Value(f"{_MATH[function]}{'f' if single else ''}({arguments[0].code})", FLOAT if single else DOUBLE)
        if callable(function):
            return self.call(function, arguments)
        raise self.refuse(node, f"{ast.unparse(node.func)!r} has no C form")

    def _make(self, node: ast.Call, function: Any) -> Value:
        """A new array; only functions that make state may ask for one."""
        if not self.makes:
            raise self.refuse(node, "a kernel makes no arrays")
        typed = {np.zeros: 1, np.empty: 1, np.full: 2, np.array: 1}[function]
        element = "float64"
        if len(node.args) > typed:
            element = np.dtype(self.python(node.args[typed])).name
        kind = Array(element, 2 if isinstance(node.args[0], ast.Tuple) else 1)
        if element not in C_ELEMENTS:
            raise self.refuse(node, f"arrays of {element} have no C form")
        if isinstance(node.args[0], ast.List):
            items = [self(item).code for item in node.args[0].elts]
            values = f"({C_ELEMENTS[element]}[]){{{', '.join(items)}}}"
            return Value(f"copy_{element}(memory, {values}, {len(items)}, 1)", kind)
        shape = node.args[0].elts if isinstance(node.args[0], ast.Tuple) else [node.args[0]]
        rows, columns = ([self(size).code for size in shape] + ["1"])[:2]
        filling = self(node.args[1]).code if function is np.full else "0"
        return Value(f"make_{element}(memory, {rows}, {columns}, {filling})", kind)

    def arguments(self, node: ast.Call) -> list[Value]:
        """A call's arguments, starred tuples taken apart."""
        values: list[Value] = []
        for argument in node.args:
            if not isinstance(argument, ast.Starred):
                values.append(self(argument))
                continue
            base = self(argument.value)
            if not isinstance(base.type, Tuple):
                raise self.refuse(node, "only a tuple can be starred")
            values += [Value(f"{base.code}.f{k}", item) for k, item in enumerate(base.type.items)]
        return values

    def _extreme(self, node: ast.Call, name: str, values: list[Value]) -> Value:
        result = values[0]
        for value in values[1:]:
            kind = unify(result.type, value.type)
            if not isinstance(kind, Scalar):
                raise self.refuse(node, f"{name} of unlike types")
            result = Value(f"{name}_{kind.kind}({result.code}, {value.code})", kind)
        return result
