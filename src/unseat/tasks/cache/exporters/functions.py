"""From kernels to C functions: statements, types of locals, and the kernels that a kernel calls."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

from unseat.core.errors import UserError
from unseat.core.jit import python
from unseat.tasks.cache.engine.lists import empty_lists
from unseat.tasks.cache.exporters.expressions import Expressions, Unknown, Value, identifier
from unseat.tasks.cache.exporters.types import INT, Array, Callee, Scalar, Tuple, Type, c_name, unify

Result = Type | None


class Program:
    """The C functions that a set of kernels needs, each once per combination of argument types."""

    def __init__(self) -> None:
        self.bodies: list[str] = []
        self.kinds: list[Type] = []
        self._names: dict[tuple[Any, tuple[Type, ...]], tuple[str, Result]] = {}

    def function(self, kernel: Callable[..., Any], arguments: list[Type]) -> tuple[str, Result]:
        """Translate a kernel for these argument types unless that is done; its C name and what it returns.

        Raises:
            UserError: the kernel leaves the subset that has a C form; the message names file and line.
        """
        plain = python(kernel)
        key = plain, tuple(arguments)
        if key not in self._names:
            if not inspect.isfunction(plain):
                raise UserError(f"{kernel!r} is no kernel; C export knows a subset of Python")
            module = plain.__module__.rsplit(".", 1)[-1]
            name = f"{module}_{plain.__name__}"
            taken = {other for other, _ in self._names.values()}
            name = name if name not in taken else f"{name}_{len(taken)}"
            body, result = _Function(self, plain, name, arguments, makes(kernel)).translate()
            self.bodies.append(body)
            self._names[key] = name, result
        return self._names[key]

    def call(self, kernel: Callable[..., Any], arguments: list[Value]) -> Value:
        """A call of another kernel; a call without a result has the C type ``void``, which nothing can use."""
        if kernel is empty_lists:  # part of the runtime: it is written with slices
            return Value(
                f"empty_lists(memory, {', '.join(argument.code for argument in arguments)})", Array("int32", 2)
            )
        name, result = self.function(kernel, [argument.type for argument in arguments])
        codes = [argument.code for argument in arguments if not isinstance(argument.type, Callee)]
        codes = ["memory", *codes] if makes(kernel) else codes
        return Value(f"{name}({', '.join(codes)})", INT if result is None else result)


def makes(kernel: Callable[..., Any]) -> bool:
    """Whether a function is plain Python, which makes state, and not a compiled kernel."""
    return python(kernel) is kernel


class _Function:
    def __init__(
        self, program: Program, plain: Callable[..., Any], name: str, arguments: list[Type], makes: bool
    ) -> None:
        lines, first = inspect.getsourcelines(plain)
        node = ast.increment_lineno(ast.parse(textwrap.dedent("".join(lines))), first - 1).body[0]
        assert isinstance(node, ast.FunctionDef)
        self.tree, self.name, self.program = node, name, program
        parameters = [argument.arg for argument in node.args.args]
        file = Path(inspect.getsourcefile(plain) or "?").name
        if len(parameters) != len(arguments):
            raise UserError(f"{file}: {plain.__name__} takes {len(parameters)} arguments, not {len(arguments)}")
        self.parameters = dict(zip(parameters, arguments, strict=True))
        self.local: dict[str, Type] = dict(self.parameters)
        self.result: Result = None
        self.expressions = Expressions(f"{file}: {plain.__name__}", plain.__globals__, self.local, program.call, makes)

    def translate(self) -> tuple[str, Result]:
        """The C function and the type of its result."""
        statements = self.tree.body
        first = statements[0]
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
            statements = statements[1:]
        before: dict[str, Type] = {}
        while before != self.local:  # a local's type can depend on one assigned further down, in a loop
            before = dict(self.local)
            body = self._block(statements, 1)
        self.program.kinds += [kind for kind in self.local.values() if not isinstance(kind, Callee)]
        if self.result is not None:
            self.program.kinds.append(self.result)
        given = {name: kind for name, kind in self.parameters.items() if not isinstance(kind, Callee)}
        head = ", ".join(f"{c_name(kind)} {identifier(name)}" for name, kind in given.items())
        head = f"struct unseat_memory *memory, {head}" if self.expressions.makes else head
        lines = [f"static {'void' if self.result is None else c_name(self.result)} {self.name}({head}) {{"]
        for name, kind in self.local.items():
            if name not in self.parameters:
                lines.append(f"    {c_name(kind)} {identifier(name)} = {'0' if isinstance(kind, Scalar) else '{0}'};")
        skipped = self.expressions.used | (self.parameters.keys() - given.keys())
        unused = [identifier(name) for name in self.local if name not in skipped]
        lines += [f"    (void){name};" for name in [*unused, *(["memory"] if self.expressions.makes else [])]]
        return "\n".join([*lines, *body, "}"]), self.result

    def _block(self, statements: list[ast.stmt], depth: int) -> list[str]:
        lines: list[str] = []
        for statement in statements:
            method = getattr(self, f"_{type(statement).__name__.lower()}", None)
            if method is None:
                raise self.expressions.refuse(statement, f"statement {type(statement).__name__} has no C form")
            try:
                written: list[str] = method(statement, depth)
            except Unknown as unknown:
                if unknown.args[0] not in _assigned(self.tree):
                    raise self.expressions.refuse(statement, f"{unknown.args[0]!r} is not known") from None
                continue
            lines += written
        return lines

    def _lines(self, depth: int, *codes: str) -> list[str]:
        return ["    " * depth + code for code in codes]

    def _pass(self, node: ast.Pass, depth: int) -> list[str]:
        return []

    def _break(self, node: ast.Break, depth: int) -> list[str]:
        return self._lines(depth, "break;")

    def _continue(self, node: ast.Continue, depth: int) -> list[str]:
        return self._lines(depth, "continue;")

    def _expr(self, node: ast.Expr, depth: int) -> list[str]:
        return self._lines(depth, f"{self.expressions(node.value).code};")

    def _return(self, node: ast.Return, depth: int) -> list[str]:
        if node.value is None:
            return self._lines(depth, "return;")
        value = self.expressions(node.value)
        kind = value.type if self.result is None else unify(self.result, value.type)
        if kind is None:
            raise self.expressions.refuse(node, "results are of unlike types")
        self.result = kind
        return self._lines(depth, f"return {value.code};")

    def _assign(self, node: ast.Assign, depth: int) -> list[str]:
        if len(node.targets) != 1:
            raise self.expressions.refuse(node, "one target an assignment")
        return self._store(node, node.targets[0], self.expressions(node.value), depth)

    def _annassign(self, node: ast.AnnAssign, depth: int) -> list[str]:
        if node.value is None:
            return []
        return self._store(node, node.target, self.expressions(node.value), depth)

    def _augassign(self, node: ast.AugAssign, depth: int) -> list[str]:
        value = self.expressions.binary(
            node, node.op, self.expressions(_loading(node.target)), self.expressions(node.value)
        )
        return self._store(node, node.target, value, depth)

    def _store(self, node: ast.stmt, target: ast.expr, value: Value, depth: int) -> list[str]:
        if isinstance(target, ast.Name):
            known = self.local.get(target.id, value.type)
            kind = unify(known, value.type)
            if kind is None:
                raise self.expressions.refuse(node, f"{target.id!r} has values of unlike types")
            self.local[target.id] = kind
            return self._lines(depth, f"{identifier(target.id)} = {value.code};")
        if isinstance(target, ast.Tuple):
            if not isinstance(value.type, Tuple) or len(value.type.items) != len(target.elts):
                raise self.expressions.refuse(node, "only a tuple of that length can be taken apart")
            lines: list[str] = []
            for k, (part, kind) in enumerate(zip(target.elts, value.type.items, strict=True)):
                lines += self._store(node, part, Value(f"{value.code}.f{k}", kind), depth)
            return lines
        if isinstance(target, ast.Subscript):
            base = self.expressions(target.value)
            if isinstance(target.slice, ast.Tuple) and ast.unparse(target.slice.elts[0]) == ":":
                column = self.expressions(target.slice.elts[1]).code
                place = f"{base.code}.data[row * {base.code}.columns + {column}]"
                head = f"for (int64_t row = 0; row < {base.code}.rows; row++)"
                return self._lines(depth, f"{head} {place} = {value.code};")
            place, _ = self.expressions.element(target, base)
            if not isinstance(base.type, Array) or not isinstance(value.type, Scalar):
                raise self.expressions.refuse(node, "only numbers are stored, and only in arrays")
            return self._lines(depth, f"{place} = {value.code};")
        raise self.expressions.refuse(node, f"{ast.unparse(target)!r} cannot be assigned to")

    def _if(self, node: ast.If, depth: int) -> list[str]:
        lines = self._lines(depth, f"if ({self.expressions.condition(node.test)}) {{")
        lines += self._block(node.body, depth + 1)
        if node.orelse:
            lines += [*self._lines(depth, "} else {"), *self._block(node.orelse, depth + 1)]
        return [*lines, *self._lines(depth, "}")]

    def _while(self, node: ast.While, depth: int) -> list[str]:
        lines = self._lines(depth, f"while ({self.expressions.condition(node.test)}) {{")
        return [*lines, *self._block(node.body, depth + 1), *self._lines(depth, "}")]

    def _for(self, node: ast.For, depth: int) -> list[str]:
        call = node.iter
        if not (isinstance(call, ast.Call) and ast.unparse(call.func) == "range" and isinstance(node.target, ast.Name)):
            raise self.expressions.refuse(node, "loops go over range()")
        values = [self.expressions(argument).code for argument in call.args]
        start, stop = (values[0], values[1]) if len(values) > 1 else ("0", values[0])
        step = int(ast.literal_eval(call.args[2])) if len(values) == 3 else 1
        self.local[node.target.id] = INT
        name = identifier(node.target.id)
        compare, move = ("<", f"{name} += {step}") if step > 0 else (">", f"{name} -= {-step}")
        head = f"for (int64_t {name}_end = {stop}; {name} {compare} {name}_end; {move}) {{"
        return [
            *self._lines(depth, f"{name} = {start};", head),
            *self._block(node.body, depth + 1),
            *self._lines(depth, "}"),
        ]


def _assigned(tree: ast.FunctionDef) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


def _loading(target: ast.expr) -> ast.expr:
    return ast.parse(ast.unparse(target), mode="eval").body
