"""What never stays: code of the kind that was changed, and that stands in no file after the change.

Where rules would leave such a place in a file, it is of a kind that nobody showed, and the file would be done by half.
Then it is better left alone: see `unseat.tasks.codemod.rules.apply.Rules`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice

from unseat.tasks.codemod.rules.conditions import Condition, kind, marks_of
from unseat.tasks.codemod.rules.match import Bindings, holes, matches, runs
from unseat.tasks.codemod.rules.rewrite import Rule, remaining
from unseat.tasks.codemod.rules.term import LIST, Term, is_hole
from unseat.tasks.codemod.synthesis.difference import File, Site, compared
from unseat.tasks.codemod.synthesis.evidence import Examples
from unseat.tasks.codemod.synthesis.general import Generaliser
from unseat.tasks.codemod.synthesis.sides import CLASS

LEAST = 3
"""So many changes tell a kind."""


def remains(files: Sequence[File], rules: Sequence[Rule]) -> list[Rule]:
    """Patterns that fit what was changed, and nothing that was left or made, as rules of which nothing may remain.

    Args:
        files: The examples.
        rules: What was learned of them: at places of their kinds a change is looked at.
    """
    after = Examples([compared(file.after, file.after) for file in files])
    found: list[Rule] = []
    for where, label in dict.fromkeys((rule.where, rule.before.label) for rule in rules):
        groups: dict[object, list[Site]] = {}
        for site in _sites(files, where, label):
            groups.setdefault(tuple(one.label for one in site.old.children) if where else label, []).append(site)
        made = [_caution(group, after) for group in groups.values() if len(group) >= LEAST]
        found += [one for one in made if one is not None]
    loose = [each for rule in rules for each in _loose(rule)]
    return found + [one for one in loose if _says(one.before) and not after.of(one).bad]


def _loose(rule: Rule) -> Iterator[Rule]:
    """A rule without its conditions; and what it says of an item of some list, said of any place."""
    before = _loosened(rule.before)
    yield remaining(before, rule.where, ())
    if rule.where and len(before.children) == 1:
        yield remaining(before.children[0], "", ())


def _loosened(pattern: Term) -> Term:
    """A pattern in which what was a name or a constant wherever it was seen may be anything."""
    if pattern.label in ("Name", "Constant") and is_hole(pattern.children[0]):
        return pattern.children[0]
    return pattern.with_children([_loosened(child) for child in pattern.children]) if pattern.children else pattern


def _says(pattern: Term) -> bool:
    """Whether a pattern is more than holes."""
    parts = pattern.children if pattern.label == LIST else (pattern,)
    return any(one.label not in ("$", "$*", "=") for one in parts)


def _sites(files: Sequence[File], where: str, label: str) -> Iterator[Site]:
    """For each change the smallest place of a kind that holds it; a place that holds several once."""
    for file in files:
        of_file = (next((one for one in ladder if (one.where, one.old.label) == (where, label)), None)
                   for ladder in file.ladders)  # fmt: skip
        yield from {one.key: one for one in of_file if one is not None}.values()


def _caution(sites: Sequence[Site], after: Examples) -> Rule | None:
    """The least general pattern of what was changed, its holes held to the kinds of code that were seen.

    What remained all the same had a reason, which is not known: it is taken to be any word or kind of code that was in
    none of what was changed, and where there is none of these, nothing may remain.
    """
    before = Generaliser(sites).pattern(tuple(site.old for site in sites), bool(sites[0].where))
    if not _says(before):
        return None
    seen = [bound for site in sites for bound in islice(_fits(before, site), 1)]
    when: list[Condition] = []
    for name, many in holes(before).items():
        kinds = {kind(bound[name]) for bound in seen} if not many else set()
        classes = {CLASS.get(each, (each,)) for each in kinds}
        values = {getattr(bound[name], "value", None) for bound in seen}
        if kinds == {"=str"} and 2 * len(values) <= len(seen):
            # Of names, a few that come again and again are what is meant, and not any name.
            when.append(("value", name, sorted(map(str, values))))
        elif len(classes) == 1:
            when.append(("kind", name, sorted(classes.pop())))
    rule = remaining(before, sites[0].where, tuple(when))
    left = [_said(bound) for bound, _ in after.of(rule).bad]
    if not left:
        return rule
    reasons = frozenset().union(*left) - frozenset().union(*map(_said, seen))
    if 2 * len(left) > len(sites) or not all(one & reasons for one in left):
        return None
    return replace(rule, when=(*when, ("nothing of", sorted(reasons))))


def _said(bound: Bindings) -> frozenset[str]:
    return frozenset().union(*map(marks_of, bound.values()))


def _fits(before: Term, site: Site) -> Iterator[Bindings]:
    if site.where:
        yield from (bound for stop, bound in runs(before, site.old.children, 0) if stop == len(site.old.children))
    else:
        yield from matches(before, site.old, {})
