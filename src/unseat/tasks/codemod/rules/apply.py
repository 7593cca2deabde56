"""Rules as a transform of source: what a learned file calls."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from unseat.tasks.codemod.rules.glance import glanced, words
from unseat.tasks.codemod.rules.render import written
from unseat.tasks.codemod.rules.rewrite import Rewriter, Rule, cautions
from unseat.tasks.codemod.rules.term import Term, read, shown, term_of
from unseat.tasks.codemod.rules.words import code, told


class Rules:
    """A transform made of rules; call it with the text of a module.

    A module in which something would remain that never remained in what was learned from is left alone: it would be
    done by half (`remaining`).

    Args:
        rules: Each a `Rule`, or the JSON of one (`to_json`).
    """

    def __init__(self, rules: Iterable[Rule | Mapping[str, Any]]) -> None:
        self.rules = tuple(one if isinstance(one, Rule) else from_json(one) for one in rules)
        self._made = tuple(rule for rule in self.rules if not cautions(rule))
        self._rewriter = Rewriter(self._made)
        self._cautions = [rule for rule in self.rules if cautions(rule)]
        self._remains = Rewriter(self._cautions)
        self._needed = [words(rule) for rule in self._made]

    def __call__(self, source: str) -> str:
        """The source, transformed; the very same where nothing fits.

        Raises:
            SyntaxError: It is not Python.
        """
        old = self._fitting(source)
        if old is None:
            return source
        new = self.term(old)
        return source if new == old else written(source, old, new)

    def _fitting(self, source: str) -> Term | None:
        """The term of a module in which some rule changes something; else None, as a rule quickly."""
        if not any(all(word in source for word in needed) for needed in self._needed):
            return None
        tree = ast.parse(source)
        # Most statements of most files cannot be meant; what might be is looked at closely, and then all of it again.
        part = term_of(glanced(source, tree, self._made, self._needed))
        return None if self._rewriter.whole(part) == part else term_of(tree)

    def term(self, module: Term) -> Term:
        """A module's term, rewritten; itself where it would be done by half."""
        new = self._rewriter.whole(module)
        return module if self._remains.whole(new) != new else new

    def remains(self, source: str) -> str:
        """What keeps a module from being changed, for a person; empty where it is none of the cautions."""
        old = self._fitting(source)
        if old is None:
            return ""
        new = self._rewriter.whole(old)
        found = [code(rule.before) for rule in self._cautions if Rewriter([rule]).whole(new) != new]
        return " and ".join(" ".join(one.split()) for one in found)


def to_json(rule: Rule) -> dict[str, Any]:
    """A rule as JSON; what is empty is left out."""
    plain: dict[str, Any] = {"before": shown(rule.before), "after": shown(rule.after)}
    if rule.where:
        plain["where"] = rule.where
    if rule.when:
        plain["when"] = [list(one) for one in rule.when]
    if rule.computed:
        plain["computed"] = {name: list(one) for name, one in rule.computed.items()}
    return plain


def from_json(plain: Mapping[str, Any]) -> Rule:
    """The inverse of `to_json`.

    Raises:
        ValueError: It is no rule.
    """
    try:
        when = tuple(tuple(one) for one in plain.get("when", ()))
        computed = {name: tuple(one) for name, one in plain.get("computed", {}).items()}
        return Rule(read(plain["before"]), read(plain["after"]), plain.get("where", ""), when, computed)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a rule: {error}") from error


def as_source(rules: Sequence[Rule], about: str) -> str:
    """The module that a learned transform is saved as.

    Args:
        rules: What was learned.
        about: A line on what it was learned from.
    """
    lines = [f'"""{about}"""', "", "from unseat.tasks.codemod.rules.apply import Rules", "", "transform = Rules(["]
    for rule in rules:
        lines += [f"    # {line}" for line in told(rule)]
        lines.append(f"    {to_json(rule)!r},")
    return "\n".join([*lines, "])", ""])
