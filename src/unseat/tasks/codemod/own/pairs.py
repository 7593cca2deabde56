"""Pairs of a transform: ten that show it, ten that are hidden, ten that must stay; each is run before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from unseat.tasks.codemod.own import expressions as e
from unseat.tasks.codemod.own import functions as f
from unseat.tasks.codemod.own import statements as s
from unseat.tasks.codemod.own.draw import Draw, Function, Maker, inert
from unseat.tasks.codemod.own.running import behaviour
from unseat.tasks.codemod.pairs import Pair, Pairs

SHOWN, HIDDEN, KEPT = 10, 10, 10


@dataclass(frozen=True)
class Own:
    """A transform of this project.

    Attributes:
        text: What it does, in a line.
        change: Draws a function that changes.
        keep: Draws one that looks alike and must stay.
        ruff: Rules of Ruff that do the same, with a fix.
    """

    text: str
    change: Maker
    keep: Maker
    ruff: tuple[str, ...] = ()


OWN: Mapping[str, Own] = {
    "constant-folding": Own("fold arithmetic of whole numbers", e.on_numbers(e.folding), e.same(e.no_folding)),
    "algebra": Own("drop operations that do nothing", e.on_numbers(e.algebra), e.same(e.no_algebra)),
    "none-comparison": Own("compare with None by identity", e.on_numbers(e.to_none), e.same(e.no_none), ("E711",)),
    "emptiness": Own("test for emptiness by truth", e.on_numbers(e.empty), e.same(e.not_empty), ("PLC1802",)),
    "isinstance": Own("merge tests of type", e.on_numbers(e.instances), e.same(e.no_instances), ("SIM101",)),
    "comparison-chain": Own("chain comparisons", e.on_numbers(e.chained), e.same(e.no_chain), ("PLR1716",)),
    "f-string": Own("format by f-strings", e.on_numbers(e.formatted), e.same(e.not_formatted), ("UP032",)),
    "comprehension": Own(
        "loops that append become comprehensions",
        s.in_function(s.comprehension),
        s.kept(s.no_comprehension),
        ("PERF401",),
    ),
    "sum": Own("loops that add become sums", s.in_function(s.summed), s.kept(s.not_summed)),
    "any": Own("loops that look for one become any()", s.in_function(s.sought), s.kept(s.not_sought), ("SIM110",)),
    "dead-branch": Own("drop branches that are never taken", s.in_function(s.dead), s.kept(s.not_dead)),
    "dict-get": Own("read a dictionary with a default", s.in_function(s.got), s.kept(s.not_got), ("SIM401",)),
    "enumerate": Own("count along by enumerate", s.in_function(s.counted), s.kept(s.not_counted)),
    "swap": Own("exchange without a third variable", s.in_function(s.swapped), s.kept(s.not_swapped)),
    "default-argument": Own("defaults that calls do not share", f.shared_default, f.sound_default, ("B006",)),
    "type-hints": Own("type hints by built-in names", f.hinted, f.modern, ("UP006", "UP007", "UP045")),
    "vectorise": Own("loops over arrays become operations on arrays", f.ARRAYS, f.NO_ARRAYS),
}
"""This project's transforms, by name."""


@lru_cache(maxsize=64)
def pairs(name: str, salt: str = "") -> Pairs:
    """The pairs of a transform; the same always, and others with a salt.

    Raises:
        AssertionError: A pair does not behave the same before and after.
    """
    own = OWN[name]
    changing = [_checked(_file(own, f"{salt}{name} {number}", True), number) for number in range(SHOWN + HIDDEN)]
    staying = [_checked(_file(own, f"{salt}{name} stays {number}", False), number) for number in range(KEPT)]
    return Pairs(
        name,
        own.text,
        tuple(changing[:SHOWN]),
        tuple(changing[SHOWN:]),
        tuple(staying[: KEPT // 2]),
        tuple(staying[KEPT // 2 :]),
        own.ruff,
    )


@dataclass(frozen=True)
class Drawn:
    """A file and how to call what is in it."""

    pair: Pair
    functions: tuple[Function, ...]


def _file(own: Own, seed: str, changes: bool) -> Drawn:
    draw = Draw(seed)
    makers: list[Maker] = [own.change] * draw.random.choice([1, 1, 2]) if changes else []
    makers += [own.keep] * draw.random.choice([1, 2] if changes else [2, 3])
    makers += [inert] * draw.random.choice([0, 1, 2])
    draw.random.shuffle(makers)
    functions = []
    names: set[str] = set()
    for maker in makers:
        draw.taken = set(names)
        made = maker(draw)
        names.add(made.name)
        functions.append(made)
    setup = sorted({line for one in functions for line in one.setup})
    return Drawn(Pair(_text(setup, functions, False), _text(setup, functions, True)), tuple(functions))


def _text(setup: Sequence[str], functions: Sequence[Function], after: bool) -> str:
    parts = ["\n".join(setup)] if setup else []
    for one in functions:
        head = (one.head_after if after else one.head) or f"def {one.name}({', '.join(n for n, _ in one.parameters)}):"
        parts.append("\n".join([head, *(f"    {line}" for line in (one.after if after else one.before))]))
    return "\n\n\n".join(parts) + "\n"


def _checked(drawn: Drawn, number: int) -> Pair:
    pair = drawn.pair
    before, after = (behaviour(text, drawn.functions) for text in (pair.before, pair.after))
    assert before == after, f"pair {number} does not do the same before and after:\n{pair.before}\n{pair.after}"
    return pair
