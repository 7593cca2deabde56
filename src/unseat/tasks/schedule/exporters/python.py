"""A policy as one self-contained Python file."""

from __future__ import annotations

import base64
import json
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import fields
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from unseat.core.errors import UserError
from unseat.tasks.schedule.exporters.assembly import assembled
from unseat.tasks.schedule.exporters.parts.cluster import Cluster, Job, Stage
from unseat.tasks.schedule.task import ScheduleTask

if TYPE_CHECKING:
    from unseat.core.policy import Artefact, Policy
    from unseat.tasks.schedule.engine.layout import Float32

WIDTH = 120

HEAD = '''\
"""Which stage of which job gets the executors that are free, and how many may its job then hold?

One self-contained file: it needs Python 3.9 or newer and NumPy. `python @FILE@` runs three jobs as a self-test.

    task      @TASK@
    policy    @NAME@: @RULE@
@PAPER@    artefact  sha256 @HASH@
    made by   unseat @VERSION@

Whenever executors are free, ask `Scheduler.assign` until all of them are promised or it answers no stage: the others
then wait. Executors are free in three places: idle in the common pool, idle at a job, or at a stage that has no more
tasks to start; the last two are told by their job as `source`. Executors of one question are of one class of memory.

    from @MODULE@ import Cluster, Job, Scheduler, Stage, granted
    scan, total = Stage(tasks=8, mean_ms=1900.0), Stage(tasks=2, parents=(0,), mean_ms=400.0)
    job, cluster, scheduler = Job([scan, total], ready=[0]), Cluster(classes=(10,)), Scheduler()
    offered, picked = 10, []  # All executors are in the common pool.
    while offered:
        stage, limit = scheduler.assign(cluster, [job], None, offered, picked)
        if stage is None:
            break
        sent = granted(job, stage, None, offered, limit)
        offered, job.held, stage.claimed = offered - sent, job.held + sent, stage.claimed + sent
        picked.append(stage)

@READS@
"""
'''

_MAIN = '\n\nif __name__ == "__main__":\n    demo()\n'


def source(policy: Policy, module: str) -> str:
    """The file.

    Args:
        policy: A rule other than `random`, a scorer or a Decima network.
        module: What the file will be called, without its ending.

    Raises:
        UserError: It is another policy.
    """
    made, rule, paper = _made(policy)
    body, read = assembled(made)
    head = {
        "FILE": f"{module}.py", "MODULE": module, "TASK": ScheduleTask().card.full_id, "RULE": rule,
        "PAPER": f"    defined   {_plain(paper)}\n" if paper else "", "HASH": policy.artefact.hash,
        "VERSION": _version(), "READS": _reads(read), "NAME": _plain(policy.name),
    }  # fmt: skip
    text = HEAD
    for key, value in head.items():
        text = text.replace(f"@{key}@", value)
    return f"{text}\n{_fit(policy.artefact)}{body}{_MAIN}"


def _made(policy: Policy) -> tuple[str, str, str]:
    """Source of `decide`, the call in it in words, and the paper that defines it."""
    from unseat.tasks.schedule.challengers.decima.policy import Decima
    from unseat.tasks.schedule.challengers.rollout import Rollout
    from unseat.tasks.schedule.challengers.scorer import Scorer
    from unseat.tasks.schedule.policies import RULES, RuleOf

    # A class that is derived from one of these may answer otherwise.
    if type(policy) is RuleOf and policy.rule != "random":
        call = _call(policy.rule, policy.values.tolist())
        return _decide(call), call.replace("asked, ", "").replace("asked", ""), RULES[policy.rule].paper
    if type(policy) is Scorer:
        arrays = {name: getattr(policy, name) for name in ("inputs", "bias", "outputs", "prices")}
        made = _decide("scorer(asked, WEIGHTS)", _constant("WEIGHTS", "Weights", arrays))
        return made, f"a network over each candidate, of {policy.outputs.shape[0]} hidden units", ""
    if type(policy) is Decima:
        call = f"decima(asked, NETWORKS, messages={policy.messages!r})"
        rule = "a graph neural network" + ("" if policy.messages else " without messages")
        paper = "Mao et al. (Decima), SIGCOMM 2019"
        return _decide(call, _constant("NETWORKS", "networks", {"theta": policy.theta})), rule, paper
    if isinstance(policy, Rollout):
        raise UserError(f"{policy.name} simulates the cluster, which one file cannot hold; export its fast policy")
    if type(policy) is RuleOf:
        raise UserError(f"{policy.name} draws its answers, so there is nothing to export; export any other contender")
    raise UserError(f"{policy.name} is no rule, scorer or Decima network of this task; --to python writes those only")


def _decide(call: str, weights: str = "") -> str:
    return (
        f"{weights}\n\n\ndef decide(asked: Question) -> tuple[Job, int, int] | None:\n"
        f'    """A job, the place of its stage and a limit, or None to wait."""\n    return {call}\n'
    )


def _call(rule: str, values: Sequence[float]) -> str:
    """The rule with its parameters, as the exported file calls it."""
    from unseat.tasks.schedule.incumbents import fair, ranked, tetris
    from unseat.tasks.schedule.incumbents.shared import NO_CAP

    def cap(place: int) -> str:
        return f"cap={None if values[place] == NO_CAP else values[place]!r}"

    weighted = (
        f"weighted_fair(asked, alpha={values[fair.ALPHA]!r}, conserving={values[fair.CONSERVING] != 0.0}, "
        f"shortest={values[fair.SHORTEST] != 0.0})"
    )
    calls = {
        "FIFO": "fifo(asked)", "SJF": "sjf(asked)", "SJF-CP": "sjf_cp(asked)",
        "Tetris": f"tetris(asked, {cap(tetris.CAP)}, fairness={values[tetris.FAIRNESS]!r}, "
                  f"short={values[tetris.SHORT]!r})",
        "HEFT": f"heft(asked, {cap(ranked.CAP)})",
        "Graphene": f"graphene(asked, {cap(ranked.CAP)}, short={values[ranked.SHORT]!r})",
    }  # fmt: skip
    return calls.get(rule, weighted)


def _constant(name: str, make: str, arrays: Mapping[str, Float32]) -> str:
    """A constant that is made of arrays."""
    lines = [f"{name} = {make}("]
    for key, array in arrays.items():
        text = base64.b64encode(array.astype("<f4").tobytes()).decode("ascii")
        lines.append(f"    {key}=unpacked(")
        lines += [f'        "{line}"' for line in textwrap.wrap(text, WIDTH - 10) or [""]]
        lines[-1] += ","
        lines += [f"        {size}," for size in array.shape] + ["    ),"]
    return "\n".join([*lines, ")"])


def _reads(read: set[str]) -> str:
    """Which fields the decisions read."""
    lines = []
    for kind in (Cluster, Job, Stage):
        own = [part.name for part in fields(kind) if part.name in read]
        lines += [f"of a `{kind.__name__}` {', '.join(own)}"]
    text = f"The classes are the same for every exported policy. This one reads {'; '.join(lines)}."
    return textwrap.fill(text, WIDTH)


def _fit(artefact: Artefact) -> str:
    """The record of the fit as comments, but for the hashes of each instance: its groups are named."""
    if artefact.fit is None:
        return "# Nothing was fitted.\n\n"
    record: Mapping[str, Any] = {key: value for key, value in artefact.fit.items() if key not in ("train", "valid")}
    text = json.dumps(record, sort_keys=True)
    lines = textwrap.wrap(f"Fit record: {text}", WIDTH - 2, break_long_words=False, break_on_hyphens=False)
    return "".join(f"# {line}\n" for line in lines) + "\n"


def _plain(text: str) -> str:
    """One line that can stand in a docstring."""
    return " ".join(text.split()).replace("\\", "/").replace('"', "'")


def _version() -> str:
    try:
        return version("unseat")
    except PackageNotFoundError:
        return "from source"
