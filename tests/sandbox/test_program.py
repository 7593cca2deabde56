"""Programs: the checker lets nothing else through, and instructions, machine code and Python decide alike."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseat.core.jit import python
from unseat.sandbox import bytecode
from unseat.sandbox.program import ProgramError, compiled
from unseat.sandbox.programs import machine_code

ARGUMENTS = ("a", "b", "c")
HEAD = "def score(a, b, c):\n"


class Numbers:
    """`math` as IEEE has it: nothing raises."""

    sqrt, exp, log, log2, tanh = np.sqrt, np.exp, np.log, np.log2, np.tanh


def plainly(source: str, rows: Any) -> Any:
    """The slow, obvious reference: Python itself, on NumPy's numbers, which do not raise."""
    scope: dict[str, Any] = {"math": Numbers}
    exec(source, scope)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.array([float(scope["score"](*map(np.float64, row))) for row in rows])


numbers = st.sampled_from(["a", "b", "c", "t", "0.5", "2", "3.25", "np1"]).map(lambda name: name.replace("np1", "(-1)"))


def wider(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Expressions of expressions."""
    pair = st.tuples(inner, inner)
    tests = st.tuples(inner, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), inner).map(" ".join)
    both = st.tuples(tests, st.sampled_from(["and", "or"]), tests).map(lambda t: f"({t[0]}) {t[1]} ({t[2]})")
    test = st.one_of(tests, both, tests.map(lambda t: f"not ({t})"))
    return st.one_of(
        st.tuples(inner, st.sampled_from("+-*"), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        pair.map(lambda t: f"({t[0]} / ({t[1]} + 7.5))"),
        st.tuples(st.sampled_from(["min", "max"]), inner, inner).map(lambda t: f"{t[0]}({t[1]}, {t[2]})"),
        inner.map(lambda t: f"abs({t})"), inner.map(lambda t: f"(-{t})"),
        st.tuples(st.sampled_from(["sqrt", "log2", "tanh", "exp"]), inner).map(lambda t: f"math.{t[0]}({t[1]})"),
        st.tuples(inner, test, inner).map(lambda t: f"({t[0]} if {t[1]} else {t[2]})"),
    )  # fmt: skip


EXPRESSIONS = st.recursive(numbers, wider, max_leaves=8)


@st.composite
def programs(draw: st.DrawFn) -> str:
    """Programs with branches, loops and early returns."""

    def take() -> str:
        return draw(EXPRESSIONS)

    lines = [f"    t = {draw(st.sampled_from(['a', 'b * c', '1.5']))}"]
    for _ in range(draw(st.integers(0, 3))):
        kind = draw(st.sampled_from(["set", "add", "if", "for", "return"]))
        if kind == "set":
            lines.append(f"    t = {take()}")
        elif kind == "add":
            lines.append(f"    t += {take()}")
        elif kind == "if":
            lines += [f"    if {take()} < {take()}:", f"        t = {take()}", f"    elif {take()} > 1:",
                      f"        t = t * {take()}", "    else:", f"        b = {take()}"]  # fmt: skip
        elif kind == "for":
            lines += [f"    for i in range({draw(st.integers(0, 3))}):", f"        t = t * 0.5 + i * {take()}"]
        else:
            lines += [f"    if {take()} > {take()}:", f"        return {take()}"]
    return HEAD + "\n".join([*lines, f"    return {take()}"]) + "\n"


ROWS = np.random.default_rng(3).normal(scale=2, size=(16, 3)).astype(np.float32)


def alike(left: Any, right: Any) -> bool:
    """Equal to a few units in the last place: NumPy has functions of its own."""
    return np.allclose(left, right, rtol=1e-9, atol=1e-9, equal_nan=True)


@settings(max_examples=80, deadline=None)
@given(programs())
def test_instructions_are_python(source: str) -> None:
    """Red: a program scores otherwise than the Python that it is."""
    try:
        code = compiled(source, ARGUMENTS)
    except ProgramError as error:
        assert "too long" in str(error)
        return
    assert alike(code.scores(ROWS), plainly(source, ROWS)), source


@settings(max_examples=4, deadline=None)
@given(programs())
def test_machine_code_decides_the_same(source: str) -> None:
    """Red: an elite that Numba compiled chooses another row than its instructions, so its score was another's."""
    code = compiled(source, ARGUMENTS)
    choose, room = machine_code(source, ARGUMENTS), code.room(16)
    for seed in range(5):
        rows = np.random.default_rng(seed).normal(scale=3, size=(16, 3)).astype(np.float32)
        assert choose(rows) == bytecode.best_row(rows, code.code, code.constants, room), source


def test_interpreter_as_python() -> None:
    """Red: the compiled interpreter differs from its own Python."""
    code = compiled(HEAD + "    return min(a, b) / c if a > b and c != 0 else math.tanh(a)\n", ARGUMENTS)
    room = code.room(16)
    python(bytecode.execute)(ROWS, code.code, code.constants, room)
    assert alike(room[-1], code.scores(ROWS))


def test_what_is_not_a_number_loses() -> None:
    """Red: a program that divides nothing by nothing evicts at will."""
    code = compiled(HEAD + "    return math.log(a) if a < 0 else a\n", ARGUMENTS)
    rows = np.array([[-1, 0, 0], [2, 0, 0], [3, 0, 0], [-2, 0, 0]], np.float32)
    assert bytecode.best_row(rows, code.code, code.constants, code.room(4)) == 2


REFUSED = {
    "import": "import os\n" + HEAD + "    return a",
    "import inside": HEAD + "    import os\n    return a",
    "attribute": HEAD + "    return a.__class__",
    "escape": HEAD + "    return ().__class__.__base__.__subclasses__()",
    "call of a name": HEAD + "    return eval(a)",
    "call of an attribute": HEAD + "    return math.__dict__(a)",
    "other function of math": HEAD + "    return math.factorial(a)",
    "subscript": HEAD + "    return a[0]",
    "text": HEAD + "    return 'x'",
    "endless loop": HEAD + "    while a > 0:\n        a = a\n    return a",
    "loop over a variable": HEAD + "    for i in range(a):\n        b = i\n    return b",
    "long loop": HEAD + "    for i in range(999):\n        a = a * i + b\n    return a",
    "loops in loops": HEAD + "".join("    " * (n + 1) + f"for i{n} in range(1000):\n" for n in range(4))
    + "                    pass\n    return a",
    "function inside": HEAD + "    def g():\n        return a\n    return g()",
    "lambda": HEAD + "    return (lambda: a)()",
    "class": "class A:\n    pass\n" + HEAD + "    return a",
    "decorator": "@print\n" + HEAD + "    return a",
    "default": "def score(a, b, c=print()):\n    return a",
    "more arguments": "def score(a, b, c, *d):\n    return a",
    "other arguments": "def score(a, b):\n    return a",
    "global": HEAD + "    global x\n    x = a\n    return a",
    "walrus": HEAD + "    return (x := a)",
    "comprehension": HEAD + "    return sum([a for x in (1, 2)])",
    "power": HEAD + "    return a ** 99999999",
    "big number": HEAD + "    return a + 1e999",
    "truth as a number": HEAD + "    return (a < b) + 1",
    "number as a truth": HEAD + "    return a if b else c",
    "no return": HEAD + "    x = a",
    "half a return": HEAD + "    if a > 0:\n        return b",
    "half a name": HEAD + "    if a > 0:\n        x = b\n    return x",
    "no Python": "half a prog",
    "nothing": "",
    "only a comment": "# ignore all previous instructions",
    "two functions": HEAD + "    return a\n" + HEAD + "    return b",
    "deep": HEAD + "    return " + "(" * 3000 + "a" + ")" * 3000,
    "long": HEAD + "    return a" + " + a" * 10_000,
    "null": HEAD + "    return a\0",
    "numba": HEAD + "    with objmode():\n        pass\n    return a",
}  # fmt: skip


@pytest.mark.parametrize("source", REFUSED.values(), ids=list(REFUSED))
def test_the_checker_refuses(source: str) -> None:
    """Red: the safe subset is not safe, or a bad program is more than one line of error."""
    with pytest.raises(ProgramError) as caught:
        compiled(source, ARGUMENTS)
    assert len(str(caught.value).splitlines()) == 1
    with pytest.raises(ProgramError):
        machine_code(source, ARGUMENTS)


def test_constants_keep_their_sign() -> None:
    """Red: minus zero becomes zero, and one over it the wrong infinity."""
    code = compiled(HEAD + "    return a / -0.0 + 0.0\n", ARGUMENTS)
    assert math.isinf(code.scores(np.ones((1, 3), np.float32))[0])
    assert code.scores(np.ones((1, 3), np.float32))[0] < 0
