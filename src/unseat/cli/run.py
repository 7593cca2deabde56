"""``unseat run``: measure the contenders of one task or several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from unseat.cli import common
from unseat.core.errors import UserError

if TYPE_CHECKING:
    from unseat.core.task import Task
    from unseat.lab.records import Results

# A task's own options are flags of this command, so what Typer does not know is kept for `own_options`.
CONTEXT = {"allow_extra_args": True, "ignore_unknown_options": True}
_ARGUMENTS = "unseat.arguments"


class RunCommand(TyperCommand):
    """Lists, in ``unseat run TASK --help``, the flags of that task's own too."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Keep the arguments for `format_help`, which runs before they are parsed."""
        ctx.meta[_ARGUMENTS] = list(args)
        return super().parse_args(ctx, args)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help, and the named tasks' options below it."""
        super().format_help(ctx, formatter)
        from unseat.core import registry

        for name in ctx.meta.get(_ARGUMENTS, []):
            if name in registry.names() or ":" in name:
                from unseat.cli.options import rows

                with formatter.section(f"Options of {name}, with --data"):
                    formatter.write_dl(rows(registry.task(name)))


def command(
    tasks: Annotated[list[str], typer.Argument(metavar="TASK...", help="Ids of tasks, or `all`.")],
    suite: Annotated[common.Suite, common.SUITE] = common.Suite.QUICK,
    contenders: Annotated[
        str | None, typer.Option("--contenders", metavar="A,B", help="Only these, the baselines and the bounds.")
    ] = None,
    split: Annotated[common.Split, typer.Option("--split", help="Which instances are judged.")] = common.Split.TEST,
    folds: Annotated[
        int | None, typer.Option("--folds", min=2, help="Hold out the groups in so many folds, instead of a split.")
    ] = None,
    seeds: Annotated[int, common.SEEDS] = 1,
    budget: Annotated[str | None, common.BUDGET] = None,
    tokens: Annotated[int | None, common.TOKENS] = None,
    dollars: Annotated[float | None, common.DOLLARS] = None,
    time_limit: Annotated[str | None, common.TIME_LIMIT] = None,
    jobs: Annotated[int, common.JOBS] = 1,
    ray: Annotated[str | None, typer.Option("--ray", metavar="ADDRESS", help="A Ray cluster, or `local`.")] = None,
    data: Annotated[str | None, common.DATA] = None,
    retrain: Annotated[bool, typer.Option("--retrain", help="Fit anew instead of using shipped policies.")] = False,
    ledger: Annotated[str | None, common.LEDGER] = None,
    as_json: Annotated[bool, common.JSON] = False,
) -> int:
    """Measure the contenders of tasks, and say who won by how much.

    With --data, a task's own options are flags too: `unseat run TASK --help` lists them. What the ledger holds already
    is not run again.
    """
    own = own_arguments(tasks)
    wanted: dict[str, Any] = {
        "suite": str(suite), "contenders": common.names(contenders, "--contenders"), "split": str(split),
        "folds": folds, "seeds": seeds, "budget": common.seconds(budget, "--budget"), "tokens": tokens,
        "dollars": dollars, "time_limit": common.seconds(time_limit, "--time-limit"), "jobs": jobs, "ray": ray,
        "data": data, "retrain": retrain, "ledger": ledger,
    }  # fmt: skip
    with common.only_json(as_json):
        results = measure(tasks, own, wanted)
    if as_json:
        common.print_json(document(results))
    else:
        show(results, brought=data is not None)
    return int(any(result.failed or result.violations for result in results))


def own_arguments(words: list[str]) -> list[str]:
    """Cut from the named tasks what follows the first unknown flag.

    Raises:
        UserError: A flag comes before every task.
    """
    for at, word in enumerate(words):
        if word.startswith("-"):
            own = words[at:]
            del words[at:]
            if not words:
                raise UserError(f"name the task before its own option {own[0]}, as in: unseat run TASK {own[0]} ...")
            return own
    return []


def measure(tasks: Sequence[str], own: Sequence[str], wanted: dict[str, Any]) -> list[Results]:
    """Evaluate the tasks one after the other; a wrong name or flag is refused before the first run."""
    from unseat.cli.options import own_options
    from unseat.core import registry

    known = able() if list(tasks) == ["all"] else {name: registry.task(name) for name in tasks}
    options = {name: own_options(task, own, data=wanted["data"]) for name, task in known.items()}
    from unseat.lab.evaluate import evaluate

    with common.progress() as report:
        results = []
        for name in known:

            def step(stage: str, done: int, total: int, name: str = name) -> None:
                report(f"{name.rpartition(':')[2]}: {stage}", done, total)

            results.append(evaluate(name, options=options[name], progress=step, **wanted))
    return results


def able() -> dict[str, Task]:
    """Every registered task that can run here; the others are named on standard error."""
    from unseat.core import registry

    found = {}
    for name in registry.names():
        task = registry.task(name)
        missing = [need for need in task.needs() if need.found is None and not need.optional]
        if missing:
            typer.echo(f"{name} is skipped: {missing[0].name} is missing; install: {missing[0].install}", err=True)
        else:
            found[name] = task
    return found


def show(results: Sequence[Results], *, brought: bool) -> None:
    """Print a table for each task."""
    from rich.console import Console

    from unseat.report import terminal

    console = Console()
    for result in results:
        terminal(result, console, brought, find={result.task: common.task_of(result)}.__getitem__)


def document(results: Sequence[Results]) -> dict[str, Any]:
    """What ``--json`` prints."""
    return {
        "runs": [run.to_json() for result in results for run in result.runs],
        "comparisons": [each.to_json() for result in results for each in result.comparisons],
        "hindsight": [each.to_json() for result in results for each in result.hindsight],
    }
