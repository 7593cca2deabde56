"""Figures that a task draws itself: what the policies that its page is about do on one instance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from unseat.core import registry
from unseat.core.errors import UnseatError, UserError
from unseat.core.outcome import Status
from unseat.core.policy import Policy
from unseat.core.task import Task
from unseat.lab.records import Run
from unseat.lab.store import ArtefactStore
from unseat.report.story import Story

# A figure runs its policies again, and a report does not wait for long ones.
_LONGEST_S = 20.0


@dataclass(frozen=True)
class Drawn:
    """The figures of a task.

    Attributes:
        figures: Title and SVG element of each.
        caption: Whose runs they show.
        fault: Why there are none; empty where there are, or where the task has none to draw for these policies.
    """

    figures: Sequence[tuple[str, Any]] = ()
    caption: str = ""
    fault: str = ""


def drawn(story: Story, task: Task, store: ArtefactStore | None, name: str) -> Drawn | None:
    """The task's figures of the incumbent to beat and the headline challenger; None for a task that draws none.

    Args:
        story: The task's results.
        task: The task, on its own data.
        store: Where the policies are; without it they must be plain or shipped contenders.
        name: Unique in the page; prefixes every id.
    """
    results = story.results
    ran = {who: runs for who in (results.incumbent, results.challenger) if who and (runs := _well(story, who))}
    if not ran or getattr(type(task), "figures", Task.figures) is Task.figures:
        return None
    try:
        return _drawn(story, _smallest(ran), task, store, name)
    except UnseatError as error:
        return Drawn(fault=str(error))
    except Exception as error:
        # The task may be anybody's, and the rest of its page stands without its figures.
        return Drawn(fault=f"{type(error).__name__}: {error}"[:300])


def _drawn(story: Story, runs: Mapping[str, Run], task: Task, store: ArtefactStore | None, name: str) -> Drawn:
    from markupsafe import Markup

    from unseat.report import figures

    first = next(iter(runs.values()))
    data, options = first.job.get("data"), first.job.get("options")
    opened = registry.task(first.job["task"], data=data, options=options) if data else task
    policies = {who: _policy(run, opened, store) for who, run in runs.items()}
    instance = opened.instance(first.instance)
    parts = {story.results.incumbent: "the incumbent to beat", story.results.challenger: "the headline challenger"}
    shown = " and ".join(f"{who}, {parts[who]}," for who in runs)
    where = f"on {first.instance} with seed {first.seed}"
    made = figures.theirs(lambda: opened.figures(instance, policies, first.seed), name=name, label=f"{shown} {where}.")
    caption = f"{shown} {where}: of the runs that are judged here, those with the fewest decisions."
    return Drawn([(title, Markup(figure)) for title, figure in made], caption)


def _well(story: Story, contender: str) -> list[Run]:
    """A contender's runs that ended well and whose policy is kept."""
    runs = story.contenders.get(contender, [])
    return [run for run in runs if run.artefact and run.outcome.status is Status.OK]


def _smallest(ran: Mapping[str, Sequence[Run]]) -> dict[str, Run]:
    """A run of each on the same instance and seed: those with the fewest decisions.

    Raises:
        UserError: There is no instance that all have run, or none in a time that a report can wait.
    """
    places: dict[tuple[str, int], dict[str, Run]] = {}
    for who, runs in ran.items():
        for run in runs:
            places.setdefault((run.instance, run.seed), {}).setdefault(who, run)
    shared = {place: runs for place, runs in places.items() if len(runs) == len(ran)}
    if not shared:
        raise UserError(f"no instance that {' and '.join(ran)} have run to its end")
    short = {place: runs for place, runs in shared.items()
             if sum(run.outcome.wall_s for run in runs.values()) <= _LONGEST_S}  # fmt: skip
    if not short:
        raise UserError(f"on no instance do {' and '.join(ran)} run within {_LONGEST_S:g} s together")
    return short[min(short, key=lambda place: (sum(run.outcome.decisions for run in short[place].values()), place))]


def _policy(run: Run, task: Task, store: ArtefactStore | None) -> Policy:
    """The policy that was run, by the name that it has in tables.

    Raises:
        UserError: It is not here any more.
    """
    hashed = str(run.artefact)
    if store is not None:
        # A store keeps what decides once, by whatever name it came first.
        return replace(store.get(hashed), name=run.contender).restore()
    known = task.contenders().get(run.contender)
    made = known.make() if known else None
    if known and known.shipped and not isinstance(made, Policy):
        made = known.shipped()
    if not isinstance(made, Policy) or made.artefact.hash != hashed:
        raise UserError(f"the policy of {run.contender} was fitted for this experiment, and its ledger was not given")
    return made
