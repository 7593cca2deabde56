"""A page on a program search: the program that won, what differs from its start, and how it came about."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unseat.core.task import Task
    from unseat.lab.records import Comparison
    from unseat.learn.evolve import Candidate, Evolve


def write(path: Path, task: Task, learner: Evolve, comparisons: Sequence[Comparison], spent: Mapping[str, Any]) -> Path:
    """Write the page; it opens offline and holds no script.

    Args:
        path: The file.
        task: What was decided.
        learner: The search, done.
        comparisons: What was found against others, on test.
        spent: Runs, tokens and dollars.

    Returns:
        The file.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    found = learner.found
    chosen = found.chosen or found.candidates[0]
    environment = Environment(loader=PackageLoader("unseat.report"), autoescape=True, undefined=StrictUndefined,
                              trim_blocks=True, lstrip_blocks=True)  # fmt: skip
    style = (Path(__file__).parent / "templates" / "style.css").read_text(encoding="utf-8")
    text = environment.get_template("lineage.html.j2").render(
        task=task.card, style=style, chosen=chosen, found=found, comparisons=comparisons, spent=spent,
        proposer=learner.config(), difference=difference(learner.offer.start, chosen.source),
        line=lineage(chosen, found.candidates), ends=Counter(one.end for one in found.candidates).most_common(),
    )  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def difference(start: str, found: str) -> str:
    """What differs, as a unified diff."""
    lines = difflib.unified_diff(start.splitlines(), found.splitlines(), "the start", "the winner", lineterm="")
    return "\n".join(lines)


def lineage(chosen: Candidate, candidates: Sequence[Candidate]) -> list[Candidate]:
    """The winner and all that it came from, newest first."""
    by_number = {one.number: one for one in candidates}
    line, todo = {chosen.number: chosen}, [chosen]
    while todo:
        for number in todo.pop().parents:
            if number in by_number and number not in line:
                line[number] = by_number[number]
                todo.append(by_number[number])
    return sorted(line.values(), key=lambda one: -one.number)
