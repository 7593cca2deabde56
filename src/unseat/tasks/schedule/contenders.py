"""Everything that the task measures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

from unseat.core.learner import Contender, Learner, Role
from unseat.core.policy import Artefact, Policy
from unseat.tasks.schedule.bounds import Relaxation
from unseat.tasks.schedule.policies import RULES, RuleOf

SHIPPED = Path(__file__).parent / "shipped"
"""Policies that were fitted on the built-in training instances, with the records of their fits."""

TUNED_ONLY = "weighted-fair-conserving", "weighted-fair-srpt"
"""Stronger forms of the paper's baseline, which nobody has published with an exponent."""


def contenders() -> Mapping[str, Contender]:
    """By name: incumbents as published, incumbents tuned, challengers, the baseline, the bound."""
    found = [*_incumbents(), *_challengers(), _rule("random", Role.BASELINE)]
    found.append(Contender(Relaxation.name, Role.BOUND, Relaxation, paper="Smith, Operations Research 26, 1978"))
    return {contender.name: contender for contender in found}


def _incumbents() -> Iterator[Contender]:
    for name in RULES:
        if name != "random" and name not in TUNED_ONLY:
            yield _rule(name, Role.INCUMBENT)
    for name, rule in RULES.items():
        if any(knob.low < knob.high for knob in rule.knobs.values()):
            yield _fitted(f"{name}-tuned", Role.INCUMBENT, partial(_tuner, name), rule.paper)


def _rule(name: str, role: Role) -> Contender:
    return Contender(name, role, lambda: RuleOf(name, name), paper=RULES[name].paper)


def _fitted(name: str, role: Role, make: Callable[[], Learner], paper: str, extra: str | None = None) -> Contender:
    """A learner, with the policy that ships with the package where there is one (see `shipped/`)."""
    folder = SHIPPED / "schedule" / name
    shipped = (lambda: Artefact.load(folder).restore()) if folder.is_dir() else None
    return Contender(name, role, make, shipped=shipped, extra=extra, paper=paper)


def _tuner(name: str) -> Learner:
    """A tuned incumbent is fitted as a challenger is: on the same instances, within the limits that are asked for.

    What ships was not fitted within one limit: a tuned rule had 45 s for its one to three parameters, as random search
    had for nine weights; the scorer had 3000 s and Decima 2100 s. Each fit's record says so (`shipped/`).
    """
    from unseat.learn.tune import OptunaSearch, Parameter

    knobs = {key: knob for key, knob in RULES[name].knobs.items() if knob.low < knob.high}
    space = {key: Parameter(knob.low, knob.high) for key, knob in knobs.items()}
    default = {key: min(max(knob.default, knob.low), knob.high) for key, knob in knobs.items()}
    return OptunaSearch(f"{name}-tuned", Family(name), space, default=default)


class Family:
    """The policies of one rule, by parameters; its qualified name is part of the ledger's key."""

    def __init__(self, rule: str) -> None:
        self.rule, self.__qualname__ = rule, f"Family({rule!r})"

    def __call__(self, parameters: Mapping[str, float]) -> Policy:
        return RuleOf(self.rule, self.rule, dict(parameters))


def _challengers() -> Iterator[Contender]:
    salimans = "Salimans et al., arXiv 1703.03864 (evolution strategies)"
    yield _fitted("scorer", Role.CHALLENGER, _scorer, salimans)
    yield _rollout("scorer-rollout", "scorer", _scorer)
    yield _fitted("scorer-random", Role.CHALLENGER, _random, "Bergstra and Bengio, JMLR 13, 2012")

    yield _fitted("Decima", Role.CHALLENGER, _decima, "Mao et al. (Decima), SIGCOMM 2019", "torch")


def _rollout(name: str, base: str, make: Callable[[], Learner]) -> Contender:
    """Looks ahead with another contender, of which the shipped policy is taken."""

    def learner() -> Learner:
        from unseat.tasks.schedule.challengers.rollout import RolloutOf

        return RolloutOf(name, make())

    def shipped() -> Policy:
        from unseat.tasks.schedule.challengers.rollout import ahead

        return ahead(name, Artefact.load(SHIPPED / "schedule" / base).restore())

    paper = "Bertsekas and Castanon, Journal of Heuristics 5, 1999"
    return Contender(name, Role.CHALLENGER, learner, shipped=shipped, paper=paper)


def _decima() -> Learner:
    """PyTorch trains it; what ships runs without."""
    from unseat.tasks.schedule.challengers.decima.training import DecimaByGradient

    return DecimaByGradient("Decima")


def _scorer() -> Learner:
    from unseat.tasks.schedule.challengers.scorer import ScorerByEvolution

    return ScorerByEvolution("scorer")


def _random() -> Learner:
    from unseat.learn.tune import RandomSearch
    from unseat.tasks.schedule.challengers import scorer

    return RandomSearch("scorer-random", scorer.linear, scorer.SPACE, default=scorer.BEGIN)
