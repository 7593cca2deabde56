"""Figures that a task draws itself, on the page of results that are made up."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pytest
from tests.report import build
from tests.report.test_report import Reader

from unseat.core.learner import Contender, Role
from unseat.core.outcome import Limits, Outcome, Status
from unseat.core.policy import Form, Policy, Question, Session, View
from unseat.core.task import Instance, Task
from unseat.lab.records import Results, Run
from unseat.lab.store import ArtefactStore
from unseat.report import write

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INCUMBENT, CHALLENGER = "S3-FIFO (tuned)", "relaxed Belady"


@dataclass(frozen=True)
class Always(Policy):
    """Answers one number."""

    name: str
    answer: int

    def start(self, view: View, seed: int) -> Session:
        raise NotImplementedError


class Drawing(Task):
    """Draws a line for each policy."""

    card, objective, forms = build.task().card, build.MISSES, frozenset({Form.DECIDE})
    asked: ClassVar[list[tuple[str, dict[str, int], int, str | None]]] = []

    @property
    def questions(self) -> Mapping[str, Question]:
        return {}

    def instances(self) -> Sequence[Instance]:
        return [Instance(run.instance, run.group, "test") for run in build.win().runs]

    def load(self, instance: Instance) -> Any:
        raise NotImplementedError

    def run(self, problem: Any, policy: Policy, *, seed: int, limits: Limits) -> Outcome:
        raise NotImplementedError

    def contenders(self) -> Mapping[str, Contender]:
        def fit() -> Any:
            return None

        made = {
            INCUMBENT: Contender(INCUMBENT, Role.INCUMBENT, lambda: Always(INCUMBENT, 1)),
            CHALLENGER: Contender(CHALLENGER, Role.CHALLENGER, fit, shipped=lambda: Always(CHALLENGER, 2)),
        }
        return {**build.task().contenders(), **made}

    def open(self, source: str, options: Mapping[str, Any]) -> Task:
        return Drawing()

    def figures(self, instance: Instance, policies: Mapping[str, Policy], seed: int) -> Mapping[str, Figure]:
        from matplotlib.figure import Figure

        answers = {name: one.answer for name, one in policies.items() if isinstance(one, Always) and one.name == name}
        self.asked.append((instance.id, answers, seed, self.source))
        figure = Figure()
        axes = figure.add_subplot()
        for answer in answers.values():
            axes.plot([0, answer], color="#123456")
        axes.set_title(build.HOSTILE + " font-family: none")
        axes.imshow(np.eye(3), interpolation="none")
        return {f"What they do {build.HOSTILE}": figure, "The same again": figure}


class Broken(Drawing):
    """Cannot draw."""

    def figures(self, instance: Instance, policies: Mapping[str, Policy], seed: int) -> Mapping[str, Figure]:
        raise RuntimeError("no <pens>")


@pytest.fixture(autouse=True)
def asked() -> list[tuple[str, dict[str, int], int, str | None]]:
    """What `Drawing` was asked for in this test."""
    Drawing.asked.clear()
    return Drawing.asked


def results(tmp_path: Path, **job: Any) -> tuple[Results, ArtefactStore]:
    """Results whose policies are in a store; the third instance has the fewest decisions."""
    store = ArtefactStore(tmp_path / "artefacts")
    hashes = {INCUMBENT: store.put(Always("another name", 1).artefact), CHALLENGER: store.put(Always("x", 2).artefact)}
    given = build.win()
    third = sorted({run.instance for run in given.runs})[2]

    def kept(run: Run) -> Run:
        outcome = replace(run.outcome, decisions=10 if run.instance == third else 1000)
        return replace(run, outcome=outcome, artefact=hashes.get(run.contender), job={**run.job, **job})

    return replace(given, runs=tuple(map(kept, given.runs))), store


def page(made: Results, folder: Path, task: Task, store: ArtefactStore | None) -> str:
    """The page on these results."""
    return write([made], folder, find=lambda name: task, store=store).read_text(encoding="utf-8")


def changed(made: Results, contender: str, **outcome: Any) -> Results:
    """The results with other outcomes of a contender."""
    runs = [replace(run, outcome=replace(run.outcome, **outcome)) if run.contender == contender else run
            for run in made.runs]  # fmt: skip
    return replace(made, runs=tuple(runs))


def test_a_task_draws_the_two_that_the_page_is_about_on_its_smallest_instance(tmp_path: Path, asked: list[Any]) -> None:
    """Red: a task's figures are missing, show other policies or names, or run the largest instance."""
    made, store = results(tmp_path)
    text = page(made, tmp_path, Drawing(), store)
    third = sorted({run.instance for run in made.runs})[2]
    assert asked == [(third, {INCUMBENT: 1, CHALLENGER: 2}, 0, None)]
    words = " ".join(Reader(text).text)
    assert f"{INCUMBENT}, the incumbent to beat, and {CHALLENGER}, the headline challenger, on {third}" in words
    assert words.index("Each instance") < words.index("What they do") < words.index("What it costs")


def test_a_figure_of_a_task_keeps_the_page_sound(tmp_path: Path) -> None:
    """Red: a task's figure breaks the page, takes an id of another, asks for something, or is white in dark mode."""
    made, store = results(tmp_path)
    text = write([made, made], tmp_path, find=lambda name: Drawing(), store=store).read_text()
    read = Reader(text)
    assert not read.open and not read.unnamed and len(read.ids) == len(set(read.ids))
    images = [target for tag, _, target in read.links if tag == "image"]
    assert len(images) == 4 and all(target.startswith("data:image/png;base64,") for target in images)
    assert "img-src data:" in text and "alert(" not in re.sub(r"&lt;script&gt;alert\(", "", text)
    for shown in re.findall(r"url\(#([^)]*)\)", text):
        assert shown in read.ids
    svg = text[text.index("What they do") :]
    svg = svg[svg.index("<svg") : svg.index("</svg>")]
    assert "#123456" in svg and "var(--muted)" in svg and "var(--ink)" in svg
    assert not re.search(r"(fill|stroke): #(fff|000)", svg)


def test_a_page_with_figures_of_a_task_is_the_same_twice(tmp_path: Path) -> None:
    """Red: a report of the same results differs, so that nobody can compare two of them."""
    made, store = results(tmp_path)
    pages = [page(made, tmp_path / name, Drawing(), store) for name in "ab"]
    assert pages[0] == pages[1]


def test_a_task_that_cannot_draw_keeps_its_page(tmp_path: Path) -> None:
    """Red: an error in a task's figures loses the report, or nobody hears of it."""
    made, store = results(tmp_path)
    words = " ".join(Reader(page(made, tmp_path, Broken(), store)).text)
    assert "The task's own figures are missing: RuntimeError: no <pens>." in words and "What it costs" in words


def test_a_task_that_draws_nothing_has_no_place_for_figures(tmp_path: Path) -> None:
    """Red: a task without figures gets a caption or a complaint."""
    made, store = results(tmp_path)
    text = page(made, tmp_path, build.task(), store)
    assert "figures are missing" not in text and "fewest decisions" not in text


def test_without_a_store_what_ships_is_drawn_and_what_was_fitted_is_not(tmp_path: Path, asked: list[Any]) -> None:
    """Red: a report from Python has no figures, or figures of another policy than the one that was measured."""
    made, _ = results(tmp_path)
    page(made, tmp_path / "a", Drawing(), None)
    assert [answers for _, answers, _, _ in asked] == [{INCUMBENT: 1, CHALLENGER: 2}]
    runs = [replace(run, artefact="f" * 64) if run.contender == CHALLENGER else run for run in made.runs]
    text = page(replace(made, runs=tuple(runs)), tmp_path / "b", Drawing(), None)
    assert f"the policy of {CHALLENGER} was fitted for this experiment" in text and len(asked) == 1


def test_only_runs_that_ended_well_are_drawn_again(tmp_path: Path, asked: list[Any]) -> None:
    """Red: a policy that hangs or crashes is run again for the page, and takes the report with it."""
    made, store = results(tmp_path)
    page(changed(made, CHALLENGER, status=Status.TIMEOUT), tmp_path / "a", Drawing(), store)
    assert [answers for _, answers, _, _ in asked] == [{INCUMBENT: 1}]
    text = page(changed(made, CHALLENGER, wall_s=60.0), tmp_path / "b", Drawing(), store)
    assert "on no instance do" in text and len(asked) == 1


def test_without_an_incumbent_or_a_challenger_the_other_is_drawn(tmp_path: Path, asked: list[Any]) -> None:
    """Red: an experiment of incumbents only has no figures, or an empty one complains."""
    made, store = results(tmp_path)
    page(replace(made, challenger=None), tmp_path / "a", Drawing(), store)
    assert [answers for _, answers, _, _ in asked] == [{INCUMBENT: 1}]
    nothing = Results("cache-v0", (), (), (), (), None, None, None)
    assert "figures are missing" not in page(nothing, tmp_path / "b", Drawing(), store)


def test_a_task_draws_the_data_that_a_person_brought(tmp_path: Path, asked: list[Any]) -> None:
    """Red: figures of a run with --data are of the built-in data."""
    made, store = results(tmp_path, task=f"{Drawing.__module__}:Drawing", data="mine.csv", options={})
    page(made, tmp_path, Drawing(), store)
    assert [source for *_, source in asked] == ["mine.csv"]
