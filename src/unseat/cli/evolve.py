"""``unseat evolve``: search for a policy's source, by genetic programming or by a language model."""

from __future__ import annotations

import contextlib
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unseat.cli import common
from unseat.core.errors import UserError

if TYPE_CHECKING:
    from unseat.core.policy import Policy
    from unseat.core.task import Task
    from unseat.lab.records import Comparison
    from unseat.lab.study import LocalStudy
    from unseat.learn.evolve import Evolve, Proposer, Search
    from unseat.sandbox.programs import Offer


class By(StrEnum):
    """Who writes the programs."""

    GRAMMAR = "grammar"
    RANDOM = "random"
    MODEL = "model"


def command(
    task: Annotated[str, typer.Argument(help="Id of a task that offers a program, such as cache.")],
    by: Annotated[
        By | None, typer.Option("--by", help="Who writes: by default the grammar, or the model if named.")
    ] = None,
    model: Annotated[str | None, typer.Option("--model", help="A model's name at the address, or a GGUF file.")] = None,
    address: Annotated[
        str | None, typer.Option("--address", metavar="URL", help="OpenAI-compatible base URL; or $OPENAI_BASE_URL.")
    ] = None,
    price: Annotated[
        str | None, typer.Option("--price", metavar="READ,WRITTEN", help="Dollars for a million tokens of each.")
    ] = None,
    replay: Annotated[Path | None, typer.Option("--replay", metavar="FILE", help="Answer from a transcript.")] = None,
    budget: Annotated[str | None, common.BUDGET] = None,
    candidates: Annotated[int | None, typer.Option("--candidates", min=1, help="Most programs to try.")] = None,
    tokens: Annotated[int | None, common.TOKENS] = None,
    dollars: Annotated[float | None, common.DOLLARS] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the search.")] = 0,
    jobs: Annotated[int | None, typer.Option("--jobs", min=1, help="Sandboxes side by side; as many as cores.")] = None,
    suite: Annotated[common.Suite, common.SUITE] = common.Suite.QUICK,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="Journal, transcript, policy and page go here.")
    ] = Path("evolved"),
    trust: Annotated[
        bool, typer.Option("--trust", help="Without bubblewrap: run what is written with all of your rights.")
    ] = False,
    as_json: Annotated[bool, common.JSON] = False,
) -> int:
    """Search for a program that decides better than the incumbent it starts from, and judge it once on test.

    Candidates run in a sandbox and are scored outside of it. A search that is killed goes on where it was when the same
    command is given again. With --model, the model's programs are tried; without, genetic programming needs none.
    """
    from unseat.core import registry
    from unseat.learn.evolve import Evolve
    from unseat.sandbox import bubblewrap

    if not trust:
        bubblewrap.required()
    found = registry.task(task)
    offer = found.program()
    if offer is None:
        raise UserError(f"task {found.card.id} offers no program; `unseat evolve cache` does")
    by = by or (By.MODEL if model or replay else By.GRAMMAR)
    if not (budget or candidates or tokens or dollars):
        budget = "60s"
    proposer = _proposer(by, model, address, price, replay, output)
    with common.only_json(as_json), _view(proposer) as watch:
        learner = Evolve("evolved", offer, proposer, minimise=found.objective.minimise, candidates=candidates,
                         workers=jobs, journal=output / "journal.jsonl", trust=trust, watch=watch)  # fmt: skip
        policy, study = _search(found, learner, suite, common.seconds(budget, "--budget"), tokens, dollars, seed)
        if not learner.found.candidates:
            raise UserError("the budget ended before one candidate was scored; give more with --budget or --candidates")
        comparisons = _judged(found, offer, policy, suite)
        page = _written(found, learner, policy, study, comparisons, output)
    if as_json:
        common.print_json(_document(learner, policy, study, comparisons))
    else:
        _say(learner, policy, study, comparisons, page)
    return 0


def _proposer(
    by: By, model: str | None, address: str | None, price: str | None, replay: Path | None, output: Path
) -> Proposer:
    from unseat.learn.evolve import GrammarProposer, RandomProposer

    if by is not By.MODEL:
        if model or replay:
            raise UserError(f"--by {by} needs no model; leave out --model and --replay")
        return GrammarProposer() if by is By.GRAMMAR else RandomProposer()
    from unseat.learn.evolve.model import ModelProposer
    from unseat.llm import opened
    from unseat.llm.model import Price

    cost = Price()
    if price is not None:
        try:
            read, written = map(float, price.split(","))
            cost = Price(read, written)
        except ValueError:
            raise UserError(f"--price {price}: give two numbers, as in --price 0.15,0.60") from None
    return ModelProposer(
        opened(model, address=address, transcript=output / "transcript.jsonl", replay=replay, price=cost)
    )


def _search(
    task: Task, learner: Evolve, suite: str, wall_s: float | None, tokens: int | None, dollars: float | None, seed: int
) -> tuple[Policy, LocalStudy]:
    from unseat.core.outcome import Limits
    from unseat.lab.study import LocalStudy

    chosen = [one for one in task.instances() if str(suite) in one.suites]
    train, valid = ([one for one in chosen if one.split == split] for split in ("train", "valid"))
    study = LocalStudy(task, train, valid, Limits(wall_s=wall_s, tokens=tokens, dollars=dollars), seed)
    return learner.fit(study), study


def _judged(task: Task, offer: Offer, policy: Policy, suite: str) -> list[Comparison]:
    """What was found, once, on the test instances: against its start and against the task's tuned incumbents."""
    from unseat.core.learner import Role
    from unseat.lab.versus import against, measured

    rivals = {name: one.shipped() for name, one in task.contenders().items()
              if one.role is Role.INCUMBENT and one.shipped is not None}  # fmt: skip
    test = [one for one in task.instances() if str(suite) in one.suites and one.split == "test"]
    policies = {"evolved": policy, "the start": offer.policy("the start", offer.start), **rivals}
    return against(task, measured(task, policies, test), "evolved") if test else []


def _written(
    task: Task, learner: Evolve, policy: Policy, study: LocalStudy, comparisons: list[Comparison], output: Path
) -> Path:
    from unseat.report.lineage import write

    fit = {"learner": "evolve", "config": dict(learner.config()), "seed": study.seed, **study.spent()}
    replace(policy.artefact, fit=fit).save(output / "policy")
    return write(output / "index.html", task, learner, comparisons, study.spent())


def _document(
    learner: Evolve, policy: Policy, study: LocalStudy, comparisons: list[Comparison]
) -> dict[str, Any]:  # fmt: skip
    found = learner.found
    return {
        "source": getattr(policy, "source", ""), "candidates": len(found.candidates), "valid": found.valid,
        "ends": Counter(one.end for one in found.candidates), "stopped": found.stopped, "busy": found.busy,
        **study.spent(), "comparisons": [each.to_json() for each in comparisons],
    }  # fmt: skip


def _say(learner: Evolve, policy: Policy, study: LocalStudy, comparisons: list[Comparison], page: Path) -> None:
    found, spent = learner.found, study.spent()
    ends = ", ".join(f"{count} {end}" for end, count in Counter(one.end for one in found.candidates).most_common())
    bill = f", {spent['tokens']} tokens, ${spent['dollars']:.4f}" if spent["tokens"] else ""
    typer.echo(f"{len(found.candidates)} programs ({ends}), {spent['runs']} runs{bill}, {found.seconds:.0f} s")
    if found.stopped:
        typer.echo(f"stopped: {found.stopped}; the same command goes on from here")
    typer.echo(f"\n{getattr(policy, 'source', '')}")
    for each in comparisons:
        at = each.difference
        between = "" if at.low is None else f" [{at.low:+.4f}, {at.high:+.4f}]"
        typer.echo(f"on test, {each.a} - {each.b}: {at.point:+.4f}{between}, worse on {each.regressions} of "
                   f"{each.instances}")  # fmt: skip
    typer.echo(f"\n{page}: how it came about, and what differs from the start")


@contextlib.contextmanager
def _view(proposer: Proposer) -> Iterator[Callable[[Search], None]]:
    """A live view on standard error: best score, cost so far, diversity; nothing unless that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda search: None
        return
    from rich.console import Console
    from rich.live import Live

    with Live(console=Console(stderr=True), transient=True) as live:
        yield lambda search: live.update(_line(search, proposer))


def _line(search: Search, proposer: Proposer) -> str:
    found = search.found
    best = max((island.best.score or 0.0 for island in search.all if island.elites), default=0.0)
    kinds = len({niche for island in search.all for niche in island.elites})
    purse = getattr(proposer, "purse", None)
    bill = f", {purse.tokens} tokens, ${purse.dollars:.4f}" if purse else ""
    return (f"{len(found.candidates)} programs in {found.seconds:.0f} s{bill}: the best saves {100 * best:.2f}% in "
            f"training; {kinds} kinds are kept; sandboxes busy {100 * found.busy:.0f}%")  # fmt: skip
