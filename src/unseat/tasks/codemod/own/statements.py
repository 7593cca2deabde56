"""Transforms of statements: each draws functions that change, and functions that look alike and must not."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from unseat.tasks.codemod.own.draw import Draw, Function, _in, around

Lines = list[str]
Change = tuple[Lines, Lines]
Body = Callable[[Draw, Sequence[str]], Change]


def in_function(
    make: Body, setup: tuple[str, ...] = (), kinds: tuple[str, ...] = ("int", "int", "ints", "str", "dict")
) -> Callable[[Draw], Function]:
    """A function around statements; `names` are its parameters in the order of `kinds`."""

    def made(draw: Draw) -> Function:
        names = [draw.fresh(kind) for kind in kinds]
        before, after = around(draw, *make(draw, names), names[:2])
        return Function(
            draw.function(), tuple(zip(names, kinds, strict=True)), tuple(before), tuple(after), setup=setup
        )

    return made


def kept(make: Callable[[Draw, Sequence[str]], Lines], setup: tuple[str, ...] = ()) -> Callable[[Draw], Function]:
    """A function around statements that must stay."""

    def both(draw: Draw, names: Sequence[str]) -> Change:
        lines = make(draw, names)
        return lines, lines

    return in_function(both, setup)


def _used(draw: Draw, made: str, names: Sequence[str]) -> Lines:
    """What a function does with a list or a number that it has made."""
    return draw.random.choice(
        [
            [f"return {made}"],
            [f"return ({names[0]}, {made})"],
            [f"{names[0]} = str({made})", f"return {names[0]}"],
            [f"if {names[1]} > {draw.number()}:", f"    return {names[1]}", f"return {made}"],
        ]
    )


def _element(draw: Draw, one: str, names: Sequence[str]) -> str:
    return draw.one(
        [
            f"{one} * {draw.number()}",
            f"{one} + {names[0]}",
            f"str({one})",
            f"({one}, {names[1]})",
            f"max({one}, {names[0]})",
            f"abs({one} - {names[1]})",
            one,
        ]
    )


def _items(draw: Draw, names: Sequence[str]) -> str:
    return draw.one([names[2], names[2], f"range({names[0]} % 7)", f"sorted({names[2]})", f"{names[2]}[1:]"])


# Loop to comprehension.


def comprehension(draw: Draw, names: Sequence[str]) -> Change:
    """A loop that only appends becomes a comprehension."""
    made, one = draw.local("result out found rows kept"), draw.local("item each x value element")
    element, items = _element(draw, one, names), _items(draw, names)
    rest = _used(draw, made, names)
    if draw.chance(0.35):
        test = draw.truth([one])
        return (
            [f"{made} = []", f"for {one} in {items}:", f"    if {test}:", f"        {made}.append({element})", *rest],
            [f"{made} = [{element} for {one} in {items} if {test}]", *rest],
        )
    return (
        [f"{made} = []", f"for {one} in {items}:", f"    {made}.append({element})", *rest],
        [f"{made} = [{element} for {one} in {items}]", *rest],
    )


def no_comprehension(draw: Draw, names: Sequence[str]) -> Lines:
    """A loop that does more, that starts with something, or looks at what it has made."""
    made, one = draw.local("result out found rows kept"), draw.local("item each x value element")
    element, items = _element(draw, one, names), _items(draw, names)
    rest = _used(draw, made, names)
    return draw.random.choice(
        [
            [f"{made} = [{names[0]}]", f"for {one} in {items}:", f"    {made}.append({element})", *rest],
            [f"{made} = []", f"for {one} in {items}:", f"    {made}.append({element})", f"    {names[1]} += 1", *rest],
            [f"{made} = []", f"for {one} in {items}:", f"    {made}.append(len({made}) + {one})", *rest],
            [f"{made} = []", f"for {one} in {items}:", f"    {made}.insert(0, {element})", *rest],
            [f"{made} = set()", f"for {one} in {items}:", f"    {made}.add({element})", *rest],
        ]
    )


# A loop that sums.


def summed(draw: Draw, names: Sequence[str]) -> Change:
    """A loop that only adds becomes `sum`."""
    made, one = draw.local("sum_of amount result acc"), draw.local("item each x value element")
    element = draw.one(
        [one, f"{one} * {draw.number()}", f"{one} - {names[0]}", f"abs({one})", f"{one} % {draw.number()}"]
    )
    items, rest = _items(draw, names), _used(draw, made, names)
    return (
        [f"{made} = 0", f"for {one} in {items}:", f"    {made} += {element}", *rest],
        [f"{made} = sum({element} for {one} in {items})", *rest],
    )


def not_summed(draw: Draw, names: Sequence[str]) -> Lines:
    """A loop that multiplies, begins elsewhere, or has a test."""
    made, one = draw.local("sum_of amount result acc"), draw.local("item each x value element")
    items, rest = _items(draw, names), _used(draw, made, names)
    return draw.random.choice(
        [
            [f"{made} = 1", f"for {one} in {items}:", f"    {made} *= {one}", *rest],
            [f"{made} = {names[0]}", f"for {one} in {items}:", f"    {made} += {one}", *rest],
            [f"{made} = 0", f"for {one} in {items}:", f"    {made} += {one} + {made}", *rest],
            [f"{made} = 0", f"for {one} in {items}:", f"    {made} += {one}", f"    {names[1]} = {one}", *rest],
            [f"{made} = 0", f"for {one} in {items}:", f"    {made} -= {one}", *rest],
            [f"{made} = 0", f"while {made} < {draw.number()}:", f"    {made} += {draw.number()}", *rest],
        ]
    )


# A loop that looks for one.


def sought(draw: Draw, names: Sequence[str]) -> Change:
    """A loop that returns True for the first becomes `any`; one that returns False, `all` of the contrary."""
    one, items = draw.local("item each x value element"), _items(draw, names)
    test = draw.one([draw.truth([one]), f"{one} == {names[0]}", f"{one} in ({names[0]}, {names[1]})"])
    return (
        [f"for {one} in {items}:", f"    if {test}:", "        return True", "return False"],
        [f"return any({test} for {one} in {items})"],
    )


def not_sought(draw: Draw, names: Sequence[str]) -> Lines:
    """One that returns something else, or does more."""
    one, items, test = draw.local("item each x value element"), _items(draw, names), draw.truth(["_"])
    test = test.replace("_", one)
    return draw.random.choice(
        [
            [f"for {one} in {items}:", f"    if {test}:", f"        return {one}", "return False"],
            [f"for {one} in {items}:", f"    if {test}:", "        return True", "return None"],
            [
                f"for {one} in {items}:",
                f"    {names[0]} += 1",
                f"    if {test}:",
                "        return True",
                "return False",
            ],
            [
                f"for {one} in {items}:",
                f"    if {test}:",
                "        return True",
                f"    {names[0]} = {one}",
                "return False",
            ],
            [f"for {one} in {items}:", f"    if {test}:", "        return False", f"return {names[0]} > 3"],
        ]
    )


# Dead code.


def dead(draw: Draw, names: Sequence[str]) -> Change:
    """A branch that is never, or always, taken goes."""
    live = draw.random.choice(
        [
            [f"{names[0]} = {draw.whole(names[:2])}"],
            [f"{names[1]} += {draw.number()}"],
            [f"{names[0]} = max({names[0]}, 3)", f"{names[1]} = {names[0]}"],
        ]
    )
    gone = draw.random.choice(
        [[f"{names[0]} = {draw.number()}"], [f"print({names[1]})"], [f"{names[1]} -= {names[0]}", f"print({names[0]})"]]
    )
    rest = [f"return ({names[0]}, {names[1]})"]
    if draw.chance(0.4):
        return ["if False:", *_in(gone), *rest], rest
    if draw.chance(0.5):
        return ["if False:", *_in(gone), "else:", *_in(live), *rest], [*live, *rest]
    return ["if True:", *_in(live), *(["else:", *_in(gone)] if draw.chance(0.5) else []), *rest], [*live, *rest]


def not_dead(draw: Draw, names: Sequence[str]) -> Lines:
    """A test that is one."""
    test = draw.one(
        [f"{names[0]} is True", f"not {names[0]}", f"{names[0]} == False", names[1], f"{names[0]} > {draw.number()}"]
    )
    body = [f"    {names[0]} = {draw.number()}"]
    more = draw.random.choice([[], ["else:", f"    {names[1]} = False"]])
    return [f"if {test}:", *body, *more, f"return ({names[0]}, {names[1]})"]


# A value of a dictionary.


def got(draw: Draw, names: Sequence[str]) -> Change:
    """`if k in d: v = d[k] else: v = w` becomes `v = d.get(k, w)`."""
    made = draw.local("result found entry price answer")
    table, key = names[4], draw.one([names[3], names[3], f'"{draw.one(["a", "b", "name"])}"', f"str({names[0]})"])
    other = draw.one([str(draw.number()), names[0], "None", f'"{draw.words(1, 1)}"', f"-{names[1]}"])
    rest = _used(draw, made, names)
    return (
        [f"if {key} in {table}:", f"    {made} = {table}[{key}]", "else:", f"    {made} = {other}", *rest],
        [f"{made} = {table}.get({key}, {other})", *rest],
    )


def not_got(draw: Draw, names: Sequence[str]) -> Lines:
    """Another key, another variable, or more in a branch."""
    made = draw.local("result found entry price answer")
    table, key, rest = names[4], names[3], _used(draw, made, names)
    return draw.random.choice(
        [
            [
                f"if {key} in {table}:",
                f"    {made} = {table}[{key}]",
                f"    {names[0]} += 1",
                "else:",
                f"    {made} = 0",
                *rest,
            ],
            [
                f"{made} = 0",
                f"if {key} in {table}:",
                f"    {made} = {table}[{key}]",
                "else:",
                f"    {names[1]} = 4",
                *rest,
            ],
            [f"if {key} in {table}:", f"    {made} = {names[2]}[0]", "else:", f"    {made} = {draw.number()}", *rest],
            [f"if {key} in {table}:", f"    {made} = len({table})", "else:", f"    {made} = {draw.number()}", *rest],
            [f"if {key} not in {table}:", f"    {made} = {names[0]}", "else:", f"    {made} = {table}[{key}]", *rest],
        ]
    )


# Counting along.


def counted(draw: Draw, names: Sequence[str]) -> Change:
    """`for i in range(len(xs)): x = xs[i]` becomes `for i, x in enumerate(xs)`."""
    place, one, made = (
        draw.local("i j n position"),
        draw.local("item each x value element"),
        draw.local("result out found"),
    )
    items, rest = draw.one([names[2], names[3]]), _used(draw, made, names)
    body = draw.random.choice(
        [
            [f"{made}.append(({place}, {one}))"],
            [f"if {place} > {draw.number(0, 3)}:", f"    {made}.append({one})"],
            [f"{made}.append(str({one}) * ({place} % 3))"],
            [f"{made}.append({one})", f"{names[0]} += {place}"],
            [f"{names[1]} = {place}", f"{made} = {made} + [{one}, {names[0]}]"],
        ]
    )
    return (
        [f"{made} = []", f"for {place} in range(len({items})):", f"    {one} = {items}[{place}]", *_in(body), *rest],
        [f"{made} = []", f"for {place}, {one} in enumerate({items}):", *_in(body), *rest],
    )


def not_counted(draw: Draw, names: Sequence[str]) -> Lines:
    """Another list, a range with a start, or a place beside it."""
    place, one, made = (
        draw.local("i j n position"),
        draw.local("item each x value element"),
        draw.local("result out found"),
    )
    items, rest = names[2], _used(draw, made, names)
    start = [f"{made} = []"]
    return draw.random.choice(
        [
            [
                *start,
                f"for {place} in range(1, len({items})):",
                f"    {one} = {items}[{place}]",
                f"    {made}.append({one})",
                *rest,
            ],
            [
                *start,
                f"for {place} in range(len({items})):",
                f"    {one} = {items}[{place} - 1]",
                f"    {made}.append({one})",
                *rest,
            ],
            [
                *start,
                f"for {place} in range(len({items})):",
                f"    {one} = {place} + {names[0]}",
                f"    {made}.append({one})",
                *rest,
            ],
            [
                *start,
                f"for {place} in range({names[0]} % 2):",
                f"    {one} = {items}[{place}]",
                f"    {made}.append({one})",
                *rest,
            ],
            [
                *start,
                f"for {place} in range(len({items}) - 1):",
                f"    {one} = {items}[{place}]",
                f"    {made}.append(-{one})",
                *rest,
            ],
        ]
    )


# Exchange.


def swapped(draw: Draw, names: Sequence[str]) -> Change:
    """`t = a; a = b; b = t` becomes `a, b = b, a`."""
    spare = draw.local("tmp temp t saved")
    a, b = draw.random.choice(
        [(names[0], names[1]), (names[1], names[0]), (f"{names[2]}[0]", f"{names[2]}[1]"), (f"{names[2]}[0]", names[0])]
    )
    head = draw.random.choice([[], [f"{names[0]} += {draw.number()}"]])
    rest = [f"return ({names[0]}, {names[1]}, {names[2]})"]
    return [*head, f"{spare} = {a}", f"{a} = {b}", f"{b} = {spare}", *rest], [*head, f"{a}, {b} = {b}, {a}", *rest]


def not_swapped(draw: Draw, names: Sequence[str]) -> Lines:
    """A third value, or a variable that is needed later."""
    spare = draw.local("tmp temp t saved")
    a, b = names[0], names[1]
    rest = [f"return ({a}, {b}, {names[2]})"]
    return draw.random.choice(
        [
            [f"{spare} = {a}", f"{a} = {b}", f"{b} = {spare} + 1", *rest],
            [f"{spare} = {a}", f"{a} = {b}", f"{b} = {spare}", f"return ({a}, {b}, {spare})"],
            [f"{spare} = {a}", f"{a} = {draw.number()}", f"{b} = {spare}", *rest],
            [f"{spare} = {a}", f"{b} = {a}", f"{a} = {spare}", *rest],
            [f"{spare} = {b}", f"{a} = {b}", f"{names[2]} = {spare}", *rest],
        ]
    )
