"""The forms in which a policy is handed over: one Python file that needs NumPy only, or a picture of a run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from unseat.core.errors import UserError
from unseat.core.task import Exported

if TYPE_CHECKING:
    from unseat.core.policy import Policy
    from unseat.tasks.schedule.suites import Own, Source


def exporters(sources: Mapping[str, Source | Own] | None = None) -> Mapping[str, Exported]:
    """The forms, by name.

    Args:
        sources: The workloads of the task, by name, of which one is drawn; the built-in ones if there are none.
    """

    def write_python(policy: Policy, path: Path) -> None:
        from unseat.tasks.schedule.exporters.python import source

        text = source(policy, path.stem if path.stem.isidentifier() else "scheduler")
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise UserError(f"{path}: cannot be written ({error.strerror or error}); give another path") from error

    def write_gantt(policy: Policy, path: Path) -> None:
        from unseat.tasks.schedule.figures import save_gantt
        from unseat.tasks.schedule.suites import built_in

        known = sources if sources is not None else {one.name: one for one in built_in()}
        save_gantt(drawn(list(known.values())).problem(), policy, path)

    made = [
        Exported("python", "one Python file that needs NumPy only; its head states the interface", write_python),
        Exported("gantt", "a picture of a run, who works for whom and when: .svg, .pdf or .png", write_gantt),
    ]
    return {one.format: one for one in made}


def drawn(sources: list[Source | Own]) -> Source | Own:
    """The workload of the picture: the first batch of the quick test instances, or else the first that there is."""
    for source in sources:
        instance = source.instance()
        if instance.split == "test" and "quick" in instance.suites and instance.facts.get("kind") == "batch":
            return source
    return sources[0]
