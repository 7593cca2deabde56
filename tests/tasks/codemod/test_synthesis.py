"""What is learned from examples, and what is not."""

from __future__ import annotations

from typing import Any

import pytest

from unseat.tasks.codemod import others
from unseat.tasks.codemod.own.pairs import HIDDEN, KEPT, OWN, SHOWN, pairs
from unseat.tasks.codemod.pairs import Pair, Score, equal, scored
from unseat.tasks.codemod.policies import terms
from unseat.tasks.codemod.rules.apply import Rules, as_source
from unseat.tasks.codemod.synthesis.learn import Settings, learn


@pytest.mark.parametrize("name", list(OWN))
def test_own_pairs(name: str) -> None:
    """Red: a pair does not do the same before and after, does not change, or is shown and hidden."""
    found = pairs(name)  # runs every pair
    assert [len(found.shown), len(found.hidden), len(found.kept) + len(found.unkept)] == [SHOWN, HIDDEN, KEPT]
    assert not any(equal(*pair) for pair in found.shown + found.hidden)
    assert len({pair.before for pair in (*found.shown, *found.judged, *found.kept)}) == SHOWN + HIDDEN + KEPT


@pytest.mark.parametrize("name", list(others.transforms()))
def test_recorded_pairs(name: str) -> None:
    """Red: recorded pairs are not ten and ten, do not change, or are shown and hidden."""
    found = others.pairs(name)
    assert [len(found.shown), len(found.hidden), len(found.kept), len(found.unkept)] == [10, 10, 5, 5]
    assert not any(equal(*pair) for pair in found.shown + found.hidden)
    assert all(equal(*pair) for pair in found.kept + found.unkept)
    assert len({pair.before for pair in (*found.shown, *found.judged, *found.kept)}) == 30


def test_four_and_more_were_not_looked_at() -> None:
    """Red: a transform with which the synthesis was written judges it."""
    from unseat.tasks.codemod.suites import built_in

    splits = {source.name: source.split for source in built_in()}
    unseen = {name for name, one in others.transforms().items() if not one["looked_at"]}
    assert len(unseen) >= 4 and {name for name, split in splits.items() if split == "test"} == unseen


@pytest.mark.parametrize("name", ["emptiness", "isinstance", "dict-get", "dead-branch", "constant-folding"])
def test_a_rule_holds_on_files_that_were_hidden(name: str) -> None:
    """Red: what is learned of ten pairs does not make the others, or changes what must stay."""
    found = pairs(name)
    rule = Rules(learn(terms(found.shown, [pair.before for pair in found.kept])))
    score = scored(found.judged, [rule(pair.before) for pair in found.judged])
    assert score.f1 >= 0.9 and score.precision >= 0.9


def test_what_must_stay_teaches_a_condition() -> None:
    """Red: a file that must stay does not narrow the rule that would change it."""
    shown = [
        ("def f(a):\n    return g(a, 1) + 2\n", "def f(a):\n    return h(a) + 2\n"),
        ("def k(b, c):\n    x = g(b + c, 1)\n    return x\n", "def k(b, c):\n    x = h(b + c)\n    return x\n"),
    ]
    kept = ["def f(a):\n    return g(p(a), 1)\n"]
    later = "def z(q):\n    return [g(q * 2, 1), g(p(q), 1)]\n"
    assert Rules(learn(terms(shown, [])))(later).count("h(") == 2
    assert Rules(learn(terms(shown, kept)))(later) == "def z(q):\n    return [h(q * 2), g(p(q), 1)]\n"


def test_a_file_is_not_done_by_half() -> None:
    """Red: a file is changed in one place and left in the next, which is of a kind that nobody showed.

    Or it is left alone although what remains has what had remained before, or is nothing of the kind.
    """
    shown = [(f"u = g({each}, {n})\n", f"u = {each}[{'xy'[n - 1]}]\n") for each in ("a", "b.c", "d(0)") for n in (1, 2)]
    kept = ["u = g(a, 'no')\n"]
    rule = Rules(learn(terms(shown, [])))
    assert rule("u = g(p, 1)\nv = g(q, 3)\n") == "u = g(p, 1)\nv = g(q, 3)\n"
    assert rule("u = g(p, 1)\nv = f(q, 3)\n") == "u = p[x]\nv = f(q, 3)\n"
    assert rule("u = g(p, 1)\nv = g(q, 2)\n") == "u = p[x]\nv = q[y]\n"
    assert Rules(learn(terms(shown, []), Settings(whole=False)))("u = g(p, 1)\nv = g(q, 3)\n").startswith("u = p[x]")
    excused = Rules(learn(terms(shown, kept)))
    assert excused("u = g(p, 1)\nv = g(q, 'no')\n") == "u = p[x]\nv = g(q, 'no')\n"
    scope: dict[str, Any] = {}
    exec(as_source(rule.rules, "A test."), scope)
    assert scope["transform"]("u = g(p, 1)\nv = g(q, 3)\n") == "u = g(p, 1)\nv = g(q, 3)\n"


@pytest.mark.parametrize(
    "shown",
    [
        [],
        [("x = 1\n", "x = 1\n")],
        [("x = 1\n", "y = 2\n"), ("a.b(c)\n", "while d:\n    pass\n")],
        [("x = f(a)\n", "x = f(b)\n"), ("x = f(a)\n", "x = f(c)\n")],
    ],
)
def test_nothing_is_learned_from_nothing(shown: list[tuple[str, str]]) -> None:
    """Red: a rule is made up where the edits have nothing in common, or contradict each other."""
    rule = Rules(learn(terms(shown, [])))
    assert rule("x = 2\nz = f(q)\n") == "x = 2\nz = f(q)\n"


def test_the_score_counts_what_had_to_stay() -> None:
    """Red: a file that was changed and had to stay costs nothing, or a wrong change counts as none."""
    judged = [Pair("a = 1\n", "a = 2\n"), Pair("b = 1\n", "b = 2\n"), Pair("c = 1\n", "c = 1\n")]
    assert scored(judged, ["a = 2  # so\n", "b=2\n", "c = 1\n"]) == Score(2, 0, 0)
    assert scored(judged, ["a = 2\n", "b = 3\n", "c = 2\n"]) == Score(1, 2, 1)
    assert scored(judged, ["a = 1\n", "b = 1\n", "c = 1\n"]) == Score(0, 0, 2)
    assert Score(0, 0, 2).f1 == 0 and Score(0, 0, 2).precision == 1 and Score(1, 1, 1).f1 == 0.5
    assert scored(judged, ["a = (\n", "b = 2\n", "c = 1\n"]) == Score(1, 1, 1)
