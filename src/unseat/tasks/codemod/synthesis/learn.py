"""From examples to rules: cluster what changed, generalise each cluster, keep the fewest rules that explain most."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from unseat.tasks.codemod.rules.match import holes
from unseat.tasks.codemod.rules.rewrite import Rewriter, Rule
from unseat.tasks.codemod.rules.term import LIST, Term, is_hole
from unseat.tasks.codemod.synthesis.difference import File, Site, compared
from unseat.tasks.codemod.synthesis.evidence import Change, Evidence, Examples
from unseat.tasks.codemod.synthesis.general import Generaliser
from unseat.tasks.codemod.synthesis.remains import remains
from unseat.tasks.codemod.synthesis.sides import careful, learned
from unseat.tasks.codemod.synthesis.widen import widened


@dataclass(frozen=True)
class Settings:
    """How bold the synthesis is.

    Attributes:
        levels: How far from the smallest place of a change it looks for a rule.
        least: Places where a rule must be right, unless all that it names is usual.
        narrow: Classes of code that a hole must have held to be free to hold any; with fewer it holds these only.
        condition_cost: What a learned condition weighs against a place of more context.
        widen: Whether parts that are copied as they are become holes.
        whole: Whether a file is left alone that would be done by half.
    """

    levels: int = 6
    least: int = 2
    narrow: int = 2
    condition_cost: float = 2.0
    widen: bool = True
    whole: bool = True


@dataclass(frozen=True)
class Candidate:
    """A rule that is never wrong on the examples.

    Attributes:
        rule: The rule.
        right: The changes that it explains.
        cost: What speaks against it.
        cases: Places where it is right.
        trusted: Whether it may be right at fewer places than others must.
    """

    rule: Rule
    right: frozenset[Change]
    cost: float
    cases: int
    trusted: bool


class Learner:
    """Learns from pairs of terms.

    Args:
        pairs: Modules before and after; equal where nothing may change.
        settings: How bold it is.
        until: `time.monotonic()` at which it must stop looking.
    """

    def __init__(
        self, pairs: Sequence[tuple[Term, Term]], settings: Settings | None = None, until: float | None = None
    ) -> None:
        self.settings = settings or Settings()
        self.examples = Examples([compared(before, after) for before, after in pairs])
        self.until = until

    def rules(self, heard: Callable[[list[Rule]], None] = lambda rules: None) -> list[Rule]:
        """The rules, the most specific first.

        Args:
            heard: Is told of each set of rules that is better than the one before.
        """
        pool: list[Candidate] = []
        every = self.examples.changes()
        chosen: list[Candidate] = []
        for level in range(self.settings.levels):
            for group in self._groups(level):
                pool.extend(self._clusters(group, level))
                if self._late():
                    break
            chosen = self._chosen(pool, every)
            heard(self._cautious(self._checked(chosen)))
            explained = set().union(*(one.right for one in chosen))
            if self._late() or (explained == every and all(one.cost < self.settings.condition_cost for one in chosen)):
                break
        return self._cautious(self._checked(chosen))

    def _cautious(self, rules: list[Rule]) -> list[Rule]:
        """With what must not remain where they have changed something."""
        return [*rules, *(remains(self.examples.files, rules) if self.settings.whole else ())]

    def _late(self) -> bool:
        return self.until is not None and time.monotonic() > self.until

    def _groups(self, level: int) -> Iterator[list[Site]]:
        """Sites at a distance from the smallest places, those together that might be of one rule."""
        groups: dict[tuple[str, object], dict[tuple[int, ...], Site]] = {}
        for number, file in enumerate(self.examples.files):
            for ladder in file.ladders:
                if level < len(ladder):
                    site = ladder[level]
                    if site.old.label == "Module":
                        continue
                    shape = tuple(one.label for one in site.old.children) if site.where else site.old.label
                    groups.setdefault((site.where, shape), {})[(number, *site.key)] = site
        yield from ([*group.values()] for group in groups.values())
        # Parts of blocks of different lengths may be of one rule too.
        loose: dict[str, dict[tuple[int, ...], Site]] = {}
        for (kind, _), group in groups.items():
            if kind:
                loose.setdefault(kind, {}).update(group)
        yield from ([*group.values()] for kind, group in loose.items() if sum(key[0] == kind for key in groups) > 1)

    def _clusters(self, sites: list[Site], level: int) -> Iterator[Candidate]:
        """Rules for a group of sites: one for all, or as few as can be found one site after the other."""
        usual = _usual(sites)
        one = self._candidate(sites, level, usual)
        if one is not None:
            yield one
            return
        clusters: list[tuple[list[Site], Candidate | None]] = []
        for site in sites:
            if self._late():
                break
            placed = False
            ranked = sorted(range(len(clusters)), key=lambda at: -_likeness(clusters[at][0], site))
            for at in ranked[:4]:
                members = [*clusters[at][0], site]
                found = self._candidate(members, level, usual)
                if found is not None:
                    clusters[at], placed = (members, found), True
                    break
            if not placed:
                clusters.append(([site], None))
        for members, found in clusters:
            found = found or self._candidate(members, level, usual)
            if found is not None:
                yield found

    def _candidate(self, sites: Sequence[Site], level: int, usual: frozenset[Term]) -> Candidate | None:
        """The rule of a cluster, with conditions where it needs some; None where there is none that is never wrong."""
        found = None
        for late in (False, True):
            general = Generaliser(sites, late, usual)
            rule = general.rule()
            if rule is not None and set(holes(rule.after)) - set(rule.computed) <= set(holes(rule.before)):
                found = self._sound(rule, level, general.grounded(rule))
            if found is not None or not general.doubtful:
                break
        if self.settings.widen and found is not None:
            for wide in widened(found.rule):
                wider = self._sound(replace(wide, when=()), level, found.trusted)
                if wider is not None and wider.right >= found.right and wider.cost <= found.cost + 0.5:
                    found = wider
        return found

    def _sound(self, rule: Rule, level: int, trusted: bool) -> Candidate | None:
        evidence = self.examples.of(rule)
        if not evidence.good:
            return None
        when = learned(rule, evidence)
        if when is None:
            return None
        if when:
            rule = replace(rule, when=when)
            evidence = self.examples.of(rule)
            if evidence.bad or not evidence.good:
                return None
        rule = careful(rule, evidence, self.settings.narrow)
        cost = self.settings.condition_cost * len(when) + level + 0.01 * rule.before.size
        return Candidate(rule, frozenset(evidence.right), cost, len(evidence.good), trusted)

    def _chosen(self, pool: Sequence[Candidate], every: set[Change]) -> list[Candidate]:
        """Few rules that explain many changes."""
        pool = [one for one in pool if one.cases >= self.settings.least or one.trusted]
        left, chosen = set(every), list[Candidate]()
        while left:
            best = max(pool, key=lambda one: (len(one.right & left) - 0.05 * one.cost, -one.cost), default=None)
            if best is None or not best.right & left:
                break
            chosen.append(best)
            left -= best.right
        return chosen

    def _checked(self, chosen: Sequence[Candidate]) -> list[Rule]:
        """Without the rules that spoil a file together with the others."""
        rules = [one.rule for one in sorted(chosen, key=lambda one: (-_fixed(one.rule.before), -one.rule.before.size))]
        spoiled = self._spoiled(rules)
        while spoiled and rules:
            tried = [(self._spoiled([*rules[:at], *rules[at + 1 :]]), at) for at in range(len(rules))]
            fewest, at = min(tried)
            if fewest >= spoiled:
                break
            del rules[at]
            spoiled = fewest
        return rules

    def _spoiled(self, rules: Sequence[Rule]) -> int:
        """Files that come out changed, and wrong."""
        rewriter = Rewriter(rules)
        found = 0
        for file in self.examples.files:
            made = rewriter.whole(file.before)
            found += made != file.after and made != file.before
        return found


def _usual(sites: Sequence[Site]) -> frozenset[Term]:
    """What three quarters of the changes of a group hold."""
    counted = Counter(one for site in sites for one in set(site.old.walk()))
    return frozenset(one for one, times in counted.items() if 4 * times >= 3 * max(len(sites), 2))


def _likeness(members: Sequence[Site], site: Site) -> float:
    """How much is left of a cluster's first change when one more site joins it."""
    rule = Generaliser([members[0], site])
    before = rule.pattern((members[0].old, site.old))
    return _fixed(before) / max(members[0].old.size, site.old.size)


def _fixed(pattern: Term) -> int:
    return sum(not is_hole(one) and one.label != LIST for one in pattern.walk())


def learn(
    pairs: Sequence[tuple[Term, Term]], settings: Settings | None = None, until: float | None = None,
    heard: Callable[[list[Rule]], None] = lambda rules: None,
) -> list[Rule]:  # fmt: skip
    """Rules from modules before and after; see `Learner`."""
    return Learner(pairs, settings, until).rules(heard)


__all__ = ["Candidate", "Evidence", "File", "Learner", "Settings", "learn"]
