"""``unseat compare``: one contender against another on the same instances and seeds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from unseat.cli import common

if TYPE_CHECKING:
    from unseat.lab.records import Comparison, Interval


def command(
    ctx: typer.Context,
    task: Annotated[str, typer.Argument(help="Id of a task.")],
    a: Annotated[str, typer.Argument(metavar="A", help="A contender.")],
    b: Annotated[str, typer.Argument(metavar="B", help="The contender that it is held against.")],
    suite: Annotated[common.Suite, common.SUITE] = common.Suite.QUICK,
    seeds: Annotated[int, common.SEEDS] = 1,
    budget: Annotated[str | None, common.BUDGET] = None,
    tokens: Annotated[int | None, common.TOKENS] = None,
    dollars: Annotated[float | None, common.DOLLARS] = None,
    time_limit: Annotated[str | None, common.TIME_LIMIT] = None,
    jobs: Annotated[int, common.JOBS] = 1,
    data: Annotated[str | None, common.DATA] = None,
    ledger: Annotated[str | None, common.LEDGER] = None,
    as_json: Annotated[bool, common.JSON] = False,
) -> int:
    """Hold contender A against B on the same instances and seeds.

    What is not in the ledger yet is run first.
    """
    fit_s, run_s = common.seconds(budget, "--budget"), common.seconds(time_limit, "--time-limit")
    from unseat.cli.options import own_options
    from unseat.core import registry

    options = own_options(registry.task(task), ctx.args, data=data)
    from unseat.lab.evaluate import compare

    with common.only_json(as_json), common.progress() as progress:
        found = compare(
            task, a, b, suite=str(suite), seeds=seeds, budget=fit_s, tokens=tokens, dollars=dollars, time_limit=run_s,
            jobs=jobs, data=data, options=options, ledger=ledger, progress=progress,
        )  # fmt: skip
    if as_json:
        common.print_json(found.to_json())
    else:
        _print(found)
    return 0


def _print(found: Comparison) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, show_header=False)
    rows = {
        "ratio of costs (under 1: A is better)": _figure(found.ratio),
        "difference of costs (under 0: A is better)": _figure(found.difference),
        "share of the gap to the bound that A closes": _figure(found.gap_closed),
        "the same, median over instances": _figure(found.gap_median),
        "probability that A is better": f"{found.p_better:.3f}",
        "instances on which A is worse": f"{found.regressions} of {found.instances}, the worst {found.worst:.3g}",
        "groups, seeds": f"{found.groups}, {found.seeds}",
    }
    for name, text in rows.items():
        table.add_row(name, text)
    console = Console()
    console.print(f"{found.task}: {found.a} (A) against {found.b} (B)", highlight=False)
    console.print(table)
    console.print(found.method, style="dim")


def _figure(interval: Interval | None) -> str:
    if interval is None:
        return "-"
    if interval.low is None or interval.high is None:
        return f"{interval.point:.4f}"
    return f"{interval.point:.4f} [{interval.low:.4f}, {interval.high:.4f}]"
