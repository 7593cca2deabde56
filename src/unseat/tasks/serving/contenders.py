"""Everything that the task measures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from unseat.core.learner import Contender, Learner, Role
from unseat.core.policy import Artefact, Policy
from unseat.tasks.serving.bounds import OnTime
from unseat.tasks.serving.engine import play as of
from unseat.tasks.serving.incumbents import INCUMBENTS
from unseat.tasks.serving.policies import RuleOf

SHIPPED = Path(__file__).parent / "shipped"
"""Policies that were fitted on the built-in training instances, with the records of their fits."""


def contenders() -> Mapping[str, Contender]:
    """By name: incumbents as published, incumbents tuned, challengers, the baseline, the bound."""
    found = [*_incumbents(), *_challengers()]
    random = {"router": of.RANDOM_ROUTER, "order": of.RANDOM_ORDER}
    found.append(Contender("random", Role.BASELINE, partial(RuleOf, "random", random)))
    found.append(
        Contender(OnTime.name, Role.BOUND, OnTime, paper="Kise, Ibaraki and Mine, Operations Research 26, 1978")
    )
    return {contender.name: contender for contender in found}


def _incumbents() -> Iterator[Contender]:
    for name, known in INCUMBENTS.items():
        yield Contender(name, Role.INCUMBENT, partial(RuleOf, name, known.settings), paper=known.paper)
    for name, known in INCUMBENTS.items():
        if known.knobs:
            yield fitted(f"{name}-tuned", Role.INCUMBENT, partial(_tuner, name), known.paper)


def fitted(name: str, role: Role, make: Callable[[], Learner], paper: str) -> Contender:
    """A learner, with the policy that ships with the package where there is one (see `shipped/`)."""
    folder = SHIPPED / "serving" / name
    shipped = (lambda: Artefact.load(folder).restore()) if folder.is_dir() else None
    return Contender(name, role, make, shipped=shipped, paper=paper)


class Family:
    """The policies of one incumbent, by parameters; its qualified name is part of the ledger's key."""

    def __init__(self, incumbent: str) -> None:
        self.incumbent, self.__qualname__ = incumbent, f"Family({incumbent!r})"

    def __call__(self, parameters: Mapping[str, float]) -> Policy:
        return RuleOf(self.incumbent, {**INCUMBENTS[self.incumbent].settings, **parameters})


_BEGIN: Mapping[str, Mapping[str, float]] = {
    "shortest-admitted": {"budget": 550.0, "affinity": 0.8, "imbalance": 24.0, "patient": 0.5},
}
"""Where a search begins that does not find again what an earlier one found: nobody should win by its bad luck."""


def _tuner(name: str) -> Learner:
    """A tuned incumbent is fitted as a challenger is: on the same instances, within the limits that are asked for."""
    from unseat.learn.tune import OptunaSearch, Parameter

    known = INCUMBENTS[name]
    space = {key: Parameter(low, high, log=bool(log)) for key, (low, high, log) in known.knobs.items()}
    begin = {"patient": 0.5, "affinity": 0.3, "imbalance": 16.0, **known.settings, **_BEGIN.get(name, {})}
    default = {key: float(begin[key]) for key in space}
    return OptunaSearch(f"{name}-tuned", Family(name), space, default=default, minimise=False)


def _challengers() -> Iterator[Contender]:
    """What learns; see `challengers`."""
    yield Contender("paced", Role.CHALLENGER, _paced, paper="batches by the time per token that is left; no fit")
    yield Contender("adaptive", Role.CHALLENGER, _adaptive, paper="a request's cost and wait; no fit")
    yield fitted("shortest-left", Role.CHALLENGER, _shortest_left, _LENGTHS)
    salimans = "Salimans et al., arXiv 1703.03864 (evolution strategies)"
    yield fitted("settings-evolved", Role.CHALLENGER, _settings_evolved, salimans)
    for name in EVOLVED:
        one = fitted(name, Role.CHALLENGER, partial(_evolved, name), salimans)
        whole = SHIPPED / "serving" / "learned"
        yield one if one.shipped or not whole.is_dir() else replace(one, shipped=partial(_part, name, whole))
    yield fitted("settings-random", Role.CHALLENGER, _random, "Bergstra and Bengio, JMLR 13, 2012")


def _paced() -> Policy:
    from unseat.tasks.serving.challengers import settings

    return settings.policy(settings.PACED).renamed("paced")


def _adaptive() -> Policy:
    from unseat.tasks.serving.challengers import settings

    return settings.adaptive(settings.BEGIN)


_LENGTHS = "Jin et al. (S3), NeurIPS 2023; Shahout et al. (TRAIL), arXiv 2410.01035"

EVOLVED: Mapping[str, tuple[str, ...]] = {
    "composer": ("order", "pace"), "router": ("router",), "admission": ("admission",),
    "learned": ("order", "pace", "router", "admission"),
}  # fmt: skip
"""What is learned in each: one question alone, or all of them; the rest is `adaptive`."""


def _part(name: str, folder: Path) -> Policy:
    """What ships of one question alone is that part of `learned`, with its weights and the record of its fit."""
    artefact = Artefact.load(folder)
    from unseat.tasks.serving.challengers.evolution import only

    made = only(name, EVOLVED[name], artefact.config["settings"], artefact.arrays["weights"],
                artefact.arrays["lengths"])  # fmt: skip
    object.__setattr__(made, "fit_record", artefact.fit)
    return made


def _evolved(name: str) -> Learner:
    from unseat.tasks.serving.challengers.evolution import ByEvolution

    return ByEvolution(name, EVOLVED[name])


def _settings_evolved() -> Learner:
    from unseat.tasks.serving.challengers.evolution import ByEvolution

    # Few numbers bear larger steps than many weights do, and need fewer samples for one.
    return ByEvolution("settings-evolved", EVOLVED["learned"], weighted=False, sigma=0.3, pairs=8, rate=0.1)


def _shortest_left() -> Learner:
    from unseat.tasks.serving.challengers.lengths import ShortestLeft

    return ShortestLeft("shortest-left", {"budget": 1024, "router": of.PREFIX})


def _random() -> Learner:
    from unseat.learn.tune import RandomSearch
    from unseat.tasks.serving.challengers import settings

    return RandomSearch("settings-random", settings.adaptive, settings.SPACE, default=settings.BEGIN, minimise=False)
