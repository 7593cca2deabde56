"""Drawing small programs: names, expressions, places for an expression, and functions around them."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Kind = str
"""What a parameter holds: int, ints, str, strs, or dict (of texts to numbers)."""

_NAMES = {
    "int": [
        "count",
        "size",
        "limit",
        "total",
        "index",
        "width",
        "height",
        "depth",
        "offset",
        "step",
        "level",
        "score",
        "weight",
        "speed",
        "age",
    ],
    "ints": ["values", "numbers", "sizes", "scores", "items", "weights", "counts", "steps", "prices", "levels"],
    "str": ["name", "title", "word", "label", "key", "path", "unit", "code", "city", "text"],
    "strs": ["names", "words", "labels", "keys", "lines", "parts", "fields", "tags", "cities"],
    "dict": ["table", "prices", "stock", "ages", "lookup", "cache", "mapping", "totals"],
}
_VERBS = [
    "load",
    "read",
    "find",
    "make",
    "check",
    "build",
    "merge",
    "count",
    "update",
    "scan",
    "pick",
    "join",
    "fold",
    "trace",
    "plan",
]
_NOUNS = ["report", "record", "order", "batch", "page", "entry", "result", "user", "route", "event", "frame", "token"]


@dataclass(frozen=True)
class Function:
    """A function before and after.

    Attributes:
        name: Its name.
        parameters: Names and kinds.
        before: Lines of its body.
        after: The same afterwards.
        head: Its first line before, where that is not made of name and parameters.
        head_after: The same afterwards.
        setup: Lines at the top of the module, such as imports.
    """

    name: str
    parameters: tuple[tuple[str, Kind], ...]
    before: tuple[str, ...]
    after: tuple[str, ...]
    head: str = ""
    head_after: str = ""
    setup: tuple[str, ...] = ()


class Draw:
    """Draws; equal seeds draw alike."""

    def __init__(self, seed: str) -> None:
        self.random = random.Random(seed)
        self.taken: set[str] = set()

    def one(self, choices: Sequence[str]) -> str:
        """One of several."""
        return self.random.choice(choices)

    def chance(self, share: float) -> bool:
        """True that often."""
        return self.random.random() < share

    def number(self, low: int = 2, high: int = 99) -> int:
        """A number."""
        return self.random.randint(low, high)

    def fresh(self, kind: Kind) -> str:
        """A name that the function has not used."""
        free = [name for name in _NAMES[kind] if name not in self.taken]
        name = self.one(free) if free else f"{self.one(_NAMES[kind])}_{len(self.taken)}"
        self.taken.add(name)
        return name

    def local(self, names: str) -> str:
        """A name for a variable that the function has not used."""
        free = [name for name in names.split() if name not in self.taken]
        name = self.one(free) if free else f"v{len(self.taken)}"
        self.taken.add(name)
        return name

    def function(self) -> str:
        """A name of a function, unlike those before."""
        while True:
            name = f"{self.one(_VERBS)}_{self.one(_NOUNS)}" + (f"_{self.number()}" if self.chance(0.2) else "")
            if name not in self.taken:
                self.taken.add(name)
                return name

    def whole(self, names: Sequence[str], deep: int = 1) -> str:
        """A number made of names; nothing in it can be folded."""
        one = self.one(names)
        if deep <= 0 or self.chance(0.3):
            return one
        choice = self.random.randrange(6)
        other = self.one(names) if self.chance(0.5) else str(self.number())
        if choice == 0:
            return f"{one} + {other}" if other != one else f"{one} - {self.number()}"
        if choice == 1:
            return f"{one} * {self.number()}"
        if choice == 2:
            return f"max({self.whole(names, deep - 1)}, {other})"
        if choice == 3:
            return f"abs({one} - {self.number()})"
        if choice == 4:
            return f"({one} - {other if other != one else self.number()}) * {self.number()}"
        return f"{one} % {self.number(3, 9)}"

    def truth(self, names: Sequence[str]) -> str:
        """A comparison of names."""
        one = self.one(names)
        choice = self.random.randrange(4)
        if choice == 0:
            return f"{one} > {self.number()}"
        if choice == 1:
            return f"{one} % {self.number(2, 5)} == {self.number(0, 1)}"
        if choice == 2:
            return f"{self.whole(names)} < {self.number()}"
        return f"{one} != {self.number()}"

    def words(self, low: int = 1, high: int = 3) -> str:
        """A few words."""
        pool = [
            "the",
            "value",
            "of",
            "a",
            "user",
            "in",
            "page",
            "order",
            "is",
            "not",
            "found",
            "at",
            "line",
            "from",
            "new",
            "old",
            "total",
            "for",
            "size",
        ]
        return " ".join(self.one(pool) for _ in range(self.number(low, high)))


Pair = tuple[str, str]
"""An expression before and after."""


def placed(draw: Draw, pair: Pair, kind: Kind, names: Sequence[str]) -> tuple[list[str], list[str]]:
    """An expression somewhere in the body of a function that gives something; the same place before and after.

    Args:
        draw: Draws.
        pair: The expression.
        kind: ``truth`` may be asked; anything else is only kept.
        names: Numbers that the function has.
    """
    made = draw.local("found answer value current chosen state")
    extra = draw.one(names)
    choices: list[list[str]] = [
        ["return {}"],
        [f"{made} = {{}}", f"return {made}"],
        [f"{made} = [{extra}, {{}}]", f"return {made}"],
        [f"{made} = {extra} + {draw.number()}", f"return ({{}}, {made})"],
        [f"{made} = []", f"{made}.append({{}})", f"return {made}"],
        [f'return {{{{"{extra}": {{}}}}}}'],
        [f"if {extra} > {draw.number()}:", "    return {}", "return None"],
        [f"{made} = []", f"for _ in range(2 + {extra} % 3):", f"    {made}.append(str({{}}))", f"return {made}"],
    ]
    if kind == "truth":
        choices += [
            ["if {}:", f"    return {extra}", f"return -{draw.number()}"],
            [f"{made} = {extra}", "if {}:", f"    {made} += {draw.number()}", f"return {made}"],
            [f"return {extra} if {{}} else {draw.number()}"],
            [f"{made} = {{}} and {extra} > {draw.number()}", f"return {made}"],
            [f"assert ({{}}) in (True, False), {extra}", f"return {extra}"],
        ]
    lines = draw.random.choice(choices)
    # The place may want parentheses around an operator; they are no difference of form.
    return [line.format(wrapped(pair[0], line)) for line in lines], [
        line.format(wrapped(pair[1], line)) for line in lines
    ]


def wrapped(expression: str, line: str) -> str:
    """An expression for a place in a line, in parentheses where the line goes on with an operator."""
    return f"({expression})" if " and " in line or " if {}" in line else expression


def around(draw: Draw, before: list[str], after: list[str], names: Sequence[str]) -> tuple[list[str], list[str]]:
    """A body with something before it, or within a block."""
    choice = draw.random.randrange(6)
    one = draw.one(names)
    if choice == 0:
        made = draw.local("base first start initial")
        head = [f"{made} = {draw.whole(names)}", f"{one} = {one} + {made}"]
        return head + before, head + after
    if choice == 1:
        head = [f"if {one} > {draw.number()}:", f"    {one} = {one} - {draw.number()}"]
        return head + before, head + after
    if choice == 2:
        head = [f"if {one} != {draw.number(500, 900)}:"]
        return head + _in(before), head + _in(after)
    if choice == 3:
        tail = ["finally:", f"    {one} = {draw.number()}"]
        return ["try:", *_in(before), *tail], ["try:", *_in(after), *tail]
    return before, after


def _in(lines: Sequence[str]) -> list[str]:
    return [f"    {line}" if line else line for line in lines]


def inert(draw: Draw) -> Function:
    """A function that no transform is about."""
    numbers, items = draw.fresh("int"), draw.fresh("ints")
    made = draw.local("out kept rest tail")
    choices: list[tuple[str, ...]] = [
        (f"return ({draw.whole([numbers])}) * {draw.number()}",),
        (f"{made} = {{}}", f"for place in {items}:", f"    {made}[place] = place - {numbers}", f"return {made}"),
        (f"if {draw.truth([numbers])}:", f"    {items} = {items}[1:]", f"return {items}"),
        (f"while {numbers} > {draw.number(2, 9)}:", f"    {numbers} //= 2", f"return {numbers}"),
        (f"{made} = sorted({items})", f"return {made}[:{draw.number(2, 5)}]"),
        (f'"""Give {draw.words()}."""', f"return [{numbers}] + list({items})"),
        (f"{made} = {draw.whole([numbers])}", f"{made} += len({items})", f"return {made}"),
        (f"return dict.fromkeys({items}, {numbers})",),
    ]
    lines = draw.random.choice(choices)
    return Function(draw.function(), ((numbers, "int"), (items, "ints")), lines, lines)


Maker = Callable[[Draw], Function]
