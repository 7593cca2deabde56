"""One folder that opens offline: a page without a request to anywhere."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from unseat.core import registry
from unseat.core.errors import UserError
from unseat.core.learner import Role
from unseat.core.task import Task
from unseat.lab.records import Results
from unseat.lab.store import ArtefactStore
from unseat.report import digits, overview
from unseat.report.anytime import Anytime
from unseat.report.drawn import drawn
from unseat.report.story import Line, Story
from unseat.report.verdict import verdict

# More curves than this are no longer looked at; the table of instances holds them all.
_PANELS = 24
_WINDOW = "window."


def write(
    results: Sequence[Results],
    folder: Path,
    *,
    find: Callable[[str], Task] = registry.task,
    store: ArtefactStore | None = None,
) -> Path:
    """Write the report of experiments, one on each task.

    Args:
        results: What `unseat.evaluate` gave.
        folder: Is made if it is not there; its ``index.html`` is replaced.
        find: Gives the task of an id.
        store: The ledger's store of policies, for figures that a task draws itself; without it only policies that were
            not fitted, and shipped ones, are drawn.

    Returns:
        The page to open.

    Raises:
        UserError: The folder cannot be written.
    """
    import jinja2

    stories = [Story.of(one, find) for one in results]
    axis = overview.Axis.over(stories)
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("unseat.report"), autoescape=True, trim_blocks=True, lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )  # fmt: skip
    environment.globals |= {"d": digits, "Role": Role}
    resources = files("unseat.report") / "templates"
    script = (resources / "sort.js").read_text()
    page = environment.get_template("page.html.j2").render(
        tasks=[_task(story, axis, f"t{index}") | {"drawn": drawn(story, find(story.results.task), store, f"t{index}-d")}
               for index, story in enumerate(stories)], axis=axis, script=script,
        style=(resources / "style.css").read_text(),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )  # fmt: skip
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # The name of a file on disk need not be text; what cannot be encoded is shown by its number.
        (folder / "index.html").write_text(page, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise UserError(f"{folder}: the report cannot be written: {error.strerror}; choose another with -o") from error
    return folder / "index.html"


def _task(story: Story, axis: overview.Axis, name: str) -> dict[str, Any]:
    """What the template says of one task."""
    return {
        "id": name, "story": story, "card": story.card, "objective": story.objective, "results": story.results,
        "verdict": verdict(story), "strip": overview.strip(story, axis), "panels": _panels(story, name),
        "slopes": _slopes(story, name), "anytime": _anytime(story, name),
        "left_out": max(0, len(story.curves) - _PANELS), "level": digits.level(story.card),
        "metrics": _metrics(story), "provenance": _provenance(story),
        "commands": _commands(story), "failed": [run for run in story.runs if run.outcome.status != "ok"],
        "losses": [line for line in story.lines if line.ratio is not None
                   and line.ratio > (0 if story.objective.can_be_zero else 1) + 1e-12][:8],
        "ranks": _ranks(story), "methods": sorted({one.method for one in story.results.comparisons}),
    }  # fmt: skip


def _ranks(story: Story) -> dict[str, str]:
    """Ranks as they are written: a tie has a sign of equality."""
    ranks = [row.rank for row in story.rows]
    return {row.name: f"{'=' if ranks.count(row.rank) > 1 else ''}{row.rank}" for row in story.rows if row.rank}


def _panels(story: Story, name: str) -> list[tuple[str, str, Any]]:
    """A curve for each series: group, series and figure."""
    from markupsafe import Markup

    from unseat.report import figures

    results = story.results
    behind = [row.name for row in story.rows if row.role is Role.INCUMBENT and row.name != results.incumbent]
    panels = []
    for index, (_, lines) in enumerate(list(story.curves.items())[:_PANELS]):
        label = f"{story.objective.name} of {lines[0].series} at {len(lines)} levels. " + "; ".join(
            f"{who} {', '.join(digits.number(getattr(line, part)) for line in lines)}"
            for who, part in ((results.incumbent, "incumbent"), (results.challenger, "challenger"),
                              (results.bound, "bound")) if who
        )  # fmt: skip
        others = [[story.value(other, line.instance) for line in lines] for other in behind]
        figure = figures.curve(lines, others, digits.level(story.card), name=f"{name}-c{index}",
                               label=label)  # fmt: skip
        panels.append((lines[0].group, lines[0].series, Markup(figure)))
    return panels


def _slopes(story: Story, name: str) -> Any:
    from markupsafe import Markup

    from unseat.report import figures

    lines = [line for line in story.lines if line.incumbent is not None]
    if not lines or not (story.results.challenger or story.results.bound):
        return None
    worse = sum(_is_loss(line, story) for line in lines)
    label = (f"{story.objective.name} of {len(lines)} instances from the incumbent over the challenger to the bound; "
             f"{worse} get worse by the challenger. The table of instances holds the values.")  # fmt: skip
    return Markup(figures.slopes(lines, story.objective, name=f"{name}-s", label=label))


def _anytime(story: Story, name: str) -> dict[str, Any] | None:
    """What answers are worth as time goes by, where anyone reported some: the figure, and over how many instances."""
    from markupsafe import Markup

    from unseat.report import figures

    curves = Anytime.of(story)
    if curves is None:
        return None
    label = f"{story.objective.name} against time in the mean over {curves.instances} instances. " + "; ".join(
        f"{getattr(story.results, part)} ends at {digits.number(float(own[-1]))}" for part, own in curves.values.items()
    )
    figure = figures.anytime(curves, story.objective, name=f"{name}-a", label=label)
    return {"figure": Markup(figure), "instances": curves.instances}


def _is_loss(line: Line, story: Story) -> bool:
    return line.ratio is not None and line.ratio > (0 if story.objective.can_be_zero else 1)


def _metrics(story: Story) -> tuple[list[str], dict[str, list[float | None]]]:
    """Means of what the runs measured besides: names of the metrics, and their values by contender."""
    names = sorted({name for run in story.runs for name in run.outcome.metrics if not name.startswith(_WINDOW)})
    table = {}
    for row in story.rows:
        outcomes = [run.outcome.metrics for run in story.contenders[row.name]]
        own = [[metrics[name] for metrics in outcomes if name in metrics] for name in names]
        table[row.name] = [sum(values) / len(values) if values else None for values in own]
    return names, table


def _provenance(story: Story) -> list[tuple[str, list[str]]]:
    """Every fact of the runs' provenance with the values it takes over them."""
    facts: dict[str, dict[str, None]] = {}
    for run in story.runs:
        for name, value in _flat(run.provenance):
            facts.setdefault(name, {})[value] = None
    return [(name, list(values)) for name, values in sorted(facts.items())]


def _flat(content: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    flat = []
    for name, value in content.items():
        if isinstance(value, Mapping):
            flat += _flat(value, f"{prefix}{name}.")
        else:
            flat.append((f"{prefix}{name}", value if isinstance(value, str) else json.dumps(value, default=str)))
    return flat


def _commands(story: Story) -> list[str]:
    """Command lines that make these figures again."""
    results = story.results
    job = story.runs[0].job if story.runs else {}
    task = re.sub(r"-v\d+$", "", results.task)
    data = ["--data", str(job["data"])] if job.get("data") else []
    for name, value in (job.get("options") or {}).items() if data else ():
        data += [
            f"--{name.replace('_', '-')}",
            str(value) if not isinstance(value, list) else ",".join(map(str, value)),
        ]
    commands = [["unseat", "run", task, *data]]
    if results.challenger and results.incumbent:
        commands.append(["unseat", "compare", task, results.challenger, results.incumbent])
    worst = story.lines[0].keys if story.lines else ()
    commands += [["unseat", "replay", key] for key in worst]
    return [shlex.join(command) for command in commands]
