"""Transforms of whole functions, and of loops over arrays."""

from __future__ import annotations

from collections.abc import Sequence

from unseat.tasks.codemod.own.draw import Draw, Function, Kind
from unseat.tasks.codemod.own.statements import Change, Lines, in_function, kept

# Default arguments that all calls share.


def _body(draw: Draw, items: str, other: str) -> Lines:
    return draw.random.choice(
        [
            [f"{items} = {items} + [{other}] if isinstance({items}, list) else {items}", f"return {items}"],
            [f"for each in range({other} % 4):", f"    {other} = {other} + each", f"return ({other}, {items})"],
            [f"if {other} > {draw.number()}:", f"    return {other}", f"return len({items})"],
            [f"return [{other}, {items}]"],
            [f"return sorted({items})"],
            [f"{other} = {draw.whole([other])}", f"{other} += len({items})", f"return {other}"],
        ]
    )


def shared_default(draw: Draw) -> Function:
    """`def f(x=[])` becomes `def f(x=None)` with a test at its beginning."""
    other, items, more = draw.fresh("int"), draw.fresh("ints"), draw.fresh("str")
    default = draw.one(["[]", "[]", "{}", "set()", "[1, 2]", "dict()", "list()"])
    body, name = _body(draw, items, other), draw.function()
    head = draw.one(
        [
            "def {name}({other}, {items}={default}):",
            "def {name}({other}, {more}, {items}={default}):",
            "def {name}({other}, {items}={default}):",
        ]
    )
    parameters: tuple[tuple[str, Kind], ...] = (
        ((other, "int"), (more, "str")) if "{more}" in head else ((other, "int"),)
    )
    fill = {"name": name, "other": other, "items": items, "more": more}
    test = [f"if {items} is None:", f"    {items} = {default}"]
    return Function(
        name,
        parameters,
        tuple(body),
        (*test, *body),
        head.format(**fill, default=default),
        head.format(**fill, default="None"),
    )


def sound_default(draw: Draw) -> Function:
    """Defaults that nobody can change."""
    other, items = draw.fresh("int"), draw.fresh("ints")
    default = draw.one(["()", "None", "0", '""', "(1, 2)", "True", "frozenset()"])
    name = draw.function()
    body = draw.random.choice(
        [
            [f"return ({other}, {items})"],
            [f"if {items} is None:", f"    {items} = {other}", f"return {items}"],
            [f"{other} = {draw.whole([other])}", f"return [{other}, {items}]"],
        ]
    )
    head = f"def {name}({other}, {items}={default}):"
    return Function(name, ((other, "int"),), tuple(body), tuple(body), head, head)


# Type hints.

_PLAIN = ["int", "str", "float", "bytes", "bool"]
_TYPING = ("from typing import Any, Dict, Iterable, List, Optional, Set, Tuple, Union",)


def _hint(draw: Draw, deep: int = 1) -> tuple[str, str]:
    plain, more = draw.one(_PLAIN), draw.one(_PLAIN)
    inner = _hint(draw, deep - 1) if deep and draw.chance(0.3) else (plain, plain)
    third = draw.one([one for one in _PLAIN if one != more])
    pairs = [
        (f"List[{inner[0]}]", f"list[{inner[1]}]"),
        (f"Set[{plain}]", f"set[{plain}]"),
        (f"Dict[str, {inner[0]}]", f"dict[str, {inner[1]}]"),
        (f"Tuple[{plain}, {more}]", f"tuple[{plain}, {more}]"),
        (f"Optional[{inner[0]}]", f"{inner[1]} | None"),
        (f"Union[{third}, {more}]", f"{third} | {more}"),
    ]
    return draw.random.choice(pairs)


def hinted(draw: Draw) -> Function:
    """`Optional[List[int]]` becomes `list[int] | None`."""
    one, other, items = draw.fresh("int"), draw.fresh("int"), draw.fresh("ints")
    a, b, name = _hint(draw), _hint(draw), draw.function()
    body = draw.random.choice(
        [
            [f"return [{one}, {items}]"],
            [f"{other} = {draw.whole([one])}", f"return {other}"],
            [f"if {one} > {draw.number()}:", f"    return {items}", "return None"],
        ]
    )
    form = draw.one(
        [
            "def {name}({one}: int, {items}: {a}):",
            "def {name}({one}, {items}: {a}) -> {b}:",
            "def {name}({one}: int, {items}: {a}) -> Any:",
            "def {name}({one}: {a}, {items}) -> None:",
        ]
    )
    head, head_after = (form.format(name=name, one=one, items=items, a=a[at], b=b[at]) for at in (0, 1))
    return Function(name, ((one, "int"), (items, "ints")), tuple(body), tuple(body), head, head_after, _TYPING)


def modern(draw: Draw) -> Function:
    """Hints that are modern, have no modern form, or are no hints."""
    one, items, name = draw.fresh("int"), draw.fresh("ints"), draw.function()
    hint = draw.one(
        ["list[int]", "Any", "Iterable[int]", "dict[str, int]", "int | None", "Iterable[str]", "tuple[int, str]"]
    )
    body = draw.random.choice(
        [
            [f"return [{one}, {items}]"],
            [f"return {items}[{one} % 2]"],
            [f"{one} = {draw.whole([one])}", f"return {one}"],
        ]
    )
    head = f"def {name}({one}: int, {items}: {hint}) -> {draw.one(['None', 'Any', 'int'])}:"
    return Function(name, ((one, "int"), (items, "ints")), tuple(body), tuple(body), head, head, setup=_TYPING)


# Loops over arrays.

_NUMPY = ("import numpy as np",)


def _arrays(draw: Draw, names: Sequence[str]) -> tuple[str, str, str, Lines]:
    a, b, made = draw.local("left first x a"), draw.local("right second y b"), draw.local("out result total res")
    shift = draw.number()
    setup = [f"{a} = np.arange({names[0]} % 9 + 1)", f"{b} = {a} * {shift} - {draw.number()}"]
    return a, b, made, setup


def vectorised(draw: Draw, names: Sequence[str]) -> Change:
    """A loop over the elements of arrays becomes one operation on them."""
    a, b, made, setup = _arrays(draw, names)
    place, sign = draw.local("i j k n"), draw.one(["+", "-", "*"])
    rest = [f"return {made}.tolist()"]
    head = [*setup, f"{made} = np.zeros_like({a})"]
    element, whole = draw.random.choice(
        [
            (f"{a}[{place}] {sign} {b}[{place}]", f"{a} {sign} {b}"),
            (f"{a}[{place}] {sign} {b}[{place}]", f"{a} {sign} {b}"),
            (f"{a}[{place}] {sign} {names[1]}", f"{a} {sign} {names[1]}"),
        ]
    )
    return (
        [*head, f"for {place} in range(len({a})):", f"    {made}[{place}] = {element}", *rest],
        [*head, f"{made}[:] = {whole}", *rest],
    )


def not_vectorised(draw: Draw, names: Sequence[str]) -> Lines:
    """A loop in which an element depends on another, or on its place."""
    a, b, made, setup = _arrays(draw, names)
    place, sign = draw.local("i j k n"), draw.one(["+", "-", "*"])
    head = [*setup, f"{made} = np.zeros_like({a})"]
    loop = draw.random.choice(
        [
            [f"for {place} in range(1, len({a})):", f"    {made}[{place}] = {made}[{place} - 1] {sign} {b}[{place}]"],
            [f"for {place} in range(len({a})):", f"    {made}[{place}] = {a}[{place}] {sign} {place}"],
            [f"for {place} in range(len({a})):", f"    {made}[{place}] = {a}[{place}] {sign} {b}[-{place}]"],
            [
                f"for {place} in range(len({a})):",
                f"    {made}[{place}] = {names[1]} if {a}[{place}] > {b}[{place}] else 0",
            ],
            [
                f"for {place} in range(len({a})):",
                f"    {made}[{place}] = {a}[{place}] {sign} {b}[{place}]",
                "    " + f"{names[1]} += 1",
            ],
        ]
    )
    return [*head, *loop, f"return {made}.tolist()"]


ARRAYS = in_function(vectorised, _NUMPY)
NO_ARRAYS = kept(not_vectorised, _NUMPY)
__all__ = ["ARRAYS", "NO_ARRAYS", "hinted", "modern", "shared_default", "sound_default"]
