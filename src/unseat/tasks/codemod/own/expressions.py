"""Transforms of expressions: each draws functions that change, and functions that look alike and must not."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from unseat.tasks.codemod.own.draw import Draw, Function, Pair, around, placed

Drawn = tuple[Pair, str]
"""An expression before and after, and its kind."""


def on_numbers(make: Callable[[Draw, Sequence[str]], Drawn], setup: tuple[str, ...] = ()) -> Callable[[Draw], Function]:
    """A function of two numbers, a list and a text around an expression."""

    def made(draw: Draw) -> Function:
        one, other, items, text = draw.fresh("int"), draw.fresh("int"), draw.fresh("ints"), draw.fresh("str")
        pair, kind = make(draw, (one, other, items, text))
        before, after = around(draw, *placed(draw, pair, kind, (one, other)), (one, other))
        parameters = ((one, "int"), (other, "int"), (items, "ints"), (text, "str"))
        return Function(draw.function(), parameters, tuple(before), tuple(after), setup=setup)

    return made


def same(
    make: Callable[[Draw, Sequence[str]], tuple[str, str]], setup: tuple[str, ...] = ()
) -> Callable[[Draw], Function]:
    """A function around an expression that must stay."""

    def kept(draw: Draw, names: Sequence[str]) -> Drawn:
        text, kind = make(draw, names)
        return (text, text), kind

    return on_numbers(kept, setup)


# Constant folding.


def folding(draw: Draw, names: Sequence[str]) -> Drawn:
    """`2 * 30 + 1` becomes `61`."""
    a, b, c = draw.number(), draw.number(), draw.number()
    text = draw.one(
        [
            f"{a} * {b}",
            f"{a} + {b}",
            f"{a} - {b}" if a > b else f"{b} - {a}",
            f"{a} * {b} + {c}",
            f"{a} + {b} + {c}",
            f"({a} + {b}) * {c}",
            f"{a} * {b} * {c}",
        ]
    )
    value = str(eval(text))
    other = names[0]
    around_it = draw.one(["{}", f"{other} + ({{}})", f"max({other}, {{}})", f"{other} < {{}}", f"({{}}) % {other}"])
    if "({})" in around_it:
        return (around_it.format(text), around_it.replace("({})", "{}").format(value)), "number"
    return (around_it.format(text), around_it.format(value)), "number"


def no_folding(draw: Draw, names: Sequence[str]) -> tuple[str, str]:
    """With a name in it, of texts, or divided."""
    a, b = draw.number(), draw.number()
    return draw.one(
        [
            f"{names[0]} * {a} + {b}",
            f"{a} / {b}",
            f"{a} - {names[1]}",
            f'"{draw.words()}" * {draw.number(2, 5)}',
            f"{names[0]} + {a} * {names[1]}",
            f"{a} // {b} + {names[0]}",
            f"[{a}, {b}]",
        ]
    ), "number"


# Algebraic simplification.


def algebra(draw: Draw, names: Sequence[str]) -> Drawn:
    """`x + 0`, `x * 1`, `x - 0`, `x // 1` and `x ** 1` become `x`."""
    inner = draw.one(
        [names[0], f"len({names[2]})", f"max({names[0]}, {names[1]})", f"{names[2]}[0]", f"abs({names[1]})"]
    )
    return (
        draw.one(
            [
                f"{inner} + 0",
                f"{inner} * 1",
                f"{inner} - 0",
                f"{inner} // 1",
                f"{inner} ** 1",
                f"0 + {inner}",
                f"1 * {inner}",
            ]
        ),
        inner,
    ), "number"


def no_algebra(draw: Draw, names: Sequence[str]) -> tuple[str, str]:
    """Other constants, or on the other side."""
    one = names[0]
    return draw.one(
        [
            f"{one} + 1",
            f"{one} * 2",
            f"0 - {one}",
            f"{one} - 1",
            f"{one} ** 2",
            f"{one} // 10",
            f"{one} * 0",
            f"{one} + 10",
            f"1 - {one}",
            f"2 ** ({one} % 5)",
        ]
    ), "number"


# Comparison with None.


def to_none(draw: Draw, names: Sequence[str]) -> Drawn:
    """`x == None` becomes `x is None`."""
    inner = draw.one(
        [names[0], names[3], f"{names[2]}[0]", f"getattr({names[3]}, 'unit', None)", f"{names[2]}.clear()"]
    )
    no = draw.chance(0.5)
    return (f"{inner} {'!=' if no else '=='} None", f"{inner} {'is not' if no else 'is'} None"), "truth"


def no_none(draw: Draw, names: Sequence[str]) -> tuple[str, str]:
    """With something else, or done already."""
    one = draw.one([names[0], names[3], f"{names[2]}[0]"])
    return draw.one(
        [
            f"{one} == 0",
            f"{one} is None",
            f"{one} is not None",
            f'{one} != ""',
            f"{one} in (None, 3)",
            f"{one} == False",
            f"{one} == {names[1]}",
            f"{one} != {draw.number()}",
        ]
    ), "truth"


# Emptiness.


def empty(draw: Draw, names: Sequence[str]) -> Drawn:
    """`len(x) == 0` becomes `not x`."""
    inner = draw.one([names[2], names[3], f"{names[2]}[1:]", f"{names[3]}.split()", f"sorted({names[2]})"])
    return (f"len({inner}) == 0", f"not {inner}"), "truth"


def not_empty(draw: Draw, names: Sequence[str]) -> tuple[str, str]:
    """Another number, another comparison, another function."""
    inner = draw.one([names[2], names[3]])
    return draw.one(
        [
            f"len({inner}) == {draw.number(1, 4)}",
            f"len({inner}) > 0",
            f"sum({names[2]}) == 0",
            f"len({inner}) != 0",
            f"{names[0]} == 0",
            f"len({inner}) == {names[0]}",
        ]
    ), "truth"


# Merging of isinstance.

_TYPES = ["int", "str", "float", "list", "dict", "bytes", "set", "tuple"]


def instances(draw: Draw, names: Sequence[str]) -> Drawn:
    """`isinstance(x, A) or isinstance(x, B)` becomes `isinstance(x, (A, B))`."""
    one = draw.one([names[0], names[3], names[2], f"{names[2]}[0]"])
    kinds = draw.random.sample(_TYPES, draw.random.choice([2, 2, 2, 3]))
    before = " or ".join(f"isinstance({one}, {kind})" for kind in kinds)
    return (before, f"isinstance({one}, ({', '.join(kinds)}))"), "truth"


def no_instances(draw: Draw, names: Sequence[str]) -> tuple[str, str]:
    """Of two things, joined by `and`, with another test."""
    a, b = draw.random.sample(_TYPES, 2)
    one, other = draw.random.sample([names[0], names[2], names[3]], 2)
    return draw.one(
        [
            f"isinstance({one}, {a}) or isinstance({other}, {b})",
            f"isinstance({one}, {a}) or {names[0]} > 3",
            f"isinstance({one}, {a}) and isinstance({other}, {b})",
            f"isinstance({one}, ({a}, {b}))",
            f"isinstance({one}, {a}) and not isinstance({one}, {b})",
            f"type({one}) is {a} or type({one}) is {b}",
        ]
    ), "truth"


# Chained comparison.


def chained(draw: Draw, names: Sequence[str]) -> Drawn:
    """`a < b and b < c` becomes `a < b < c`."""
    one, low, high = (
        names[0],
        draw.one([str(draw.number(0, 9)), f"{names[2]}[0]"]),
        draw.one([names[1], str(draw.number())]),
    )
    middle = draw.one([one, one, f"len({names[3]})", f"{names[2]}[1]"])
    a, b = draw.one(["<", "<="]), draw.one(["<", "<="])
    return (f"{low} {a} {middle} and {middle} {b} {high}", f"{low} {a} {middle} {b} {high}"), "truth"


def no_chain(draw: Draw, names: Sequence[str]) -> tuple[str, str]:
    """Another middle, or joined by `or`."""
    a, b, c = names[0], names[1], f"len({names[3]})"
    return draw.one(
        [
            f"{a} < {b} and {a} < {c}",
            f"{a} < {b} or {b} < {c}",
            f"{a} < {b} and {c} < {draw.number()}",
            f"{draw.number()} < {a} < {b}",
            f"{a} > {b} and {c} > {b}",
            f"{b} < {a} and {b} != {c}",
        ]
    ), "truth"


# Texts with fields.


def formatted(draw: Draw, names: Sequence[str]) -> Drawn:
    """`"{} of {}".format(a, b)` becomes an f-string."""
    values = draw.random.sample(
        [names[0], names[1], names[3], f"len({names[2]})", f"{names[2]}[0]", f"{names[0]} + 2", f"{names[3]}.upper()"],
        draw.random.choice([1, 1, 2, 2, 3]),
    )
    ends = draw.one(["", "", ".", "!", ")"]), draw.one(["", "", "", "(", "> "])
    middles = [draw.one([" ", ", ", ": ", f" {draw.words()} "]) for _ in values[1:]]
    parts = [ends[1] + draw.one(["", draw.words() + " ", draw.words() + ": "])]
    for number, _ in enumerate(values):
        parts.append("{" + str(number) + "}")
        if number < len(middles):
            parts.append(middles[number])
    text = "".join([*parts, draw.one(["", " " + draw.words()]), ends[0]])
    plain, filled = text, text
    for number, value in enumerate(values):
        plain = plain.replace(f"{{{number}}}", "{}")
        filled = filled.replace(f"{{{number}}}", f"{{{value}}}")
    return (f'"{plain}".format({", ".join(values)})', f'f"{filled}"'), "text"


def not_formatted(draw: Draw, names: Sequence[str]) -> tuple[str, str]:
    """A list of values, a text in a variable, a format within the field."""
    text = draw.words()
    return draw.one(
        [
            f'"{text} {{}} {{}}".format(*{names[2]}[:2])',
            f"{names[3]}.format({names[0]})",
            f'"{text} {{:>5}}".format({names[0]})',
            f'"{text}: {{value}}".format(value={names[0]})',
            f'"{text}".join([{names[3]}, {names[3]}])',
            f'"{text}" + str({names[0]})',
            f'"{{0}} {text} {{0}}".format({names[1]})',
        ]
    ), "text"
