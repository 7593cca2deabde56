"""The page and the terminal's tables, on results that are made up."""

from __future__ import annotations

import io
import math
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from rich.console import Console
from tests.report import build

from unseat.core.errors import UserError
from unseat.core.learner import Role
from unseat.core.outcome import Status
from unseat.core.task import Objective
from unseat.lab.records import Interval, Results
from unseat.report import digits, terminal, write
from unseat.report.anytime import Anytime
from unseat.report.overview import Axis, strip
from unseat.report.story import Story
from unseat.report.verdict import verdict

CASES = [build.win, build.loss, build.tie, build.baseline_wins, build.no_bound, build.no_challenger, build.beaten_bound,
         build.one_group, build.hostile, build.many, build.solving]  # fmt: skip
_VOID = {"meta", "br", "line", "circle"}


class Reader(HTMLParser):
    """Reads a page, and holds it against a few rules of HTML."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[tuple[str, str, str]] = []
        self.text: list[str] = []
        self.tags: list[str] = []
        self.unnamed: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        self.ids += [given["id"]] if "id" in given else []
        self.links += [
            (tag, name, given[name]) for name in ("src", "href", "srcset", "action", "data") if name in given
        ]
        assert not any(name.startswith("on") for name in given), f"<{tag}> carries a handler"
        if tag == "svg" and not given.get("aria-label"):
            self.unnamed.append(tag)
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in ("script", "style"):
            self.text.append(data)


def page(tmp_path: Path, *results: Results, objective: Objective = build.MISSES) -> str:
    """The page on these results."""
    return write(results, tmp_path / "report", find=build.find(objective)).read_text(encoding="utf-8")


def sentences(results: Results, objective: Objective = build.MISSES) -> list[str]:
    """What the verdict says."""
    return [one.text for one in verdict(Story.of(results, build.find(objective)))]


@pytest.mark.parametrize("case", CASES)
def test_the_page_is_sound_html_and_asks_for_nothing(case: Callable[[], Results], tmp_path: Path) -> None:
    """Red: the page does not open offline, is broken HTML, has ids twice, or a figure without words for it."""
    results = case()
    text = page(tmp_path, *([results] * (2 if case is build.one_group else 1)))
    read = Reader(text)
    assert not read.open and not read.unnamed
    assert len(read.ids) == len(set(read.ids))
    for tag, name, target in read.links:
        assert target.startswith("#") or (tag, name) == ("a", "href"), f"<{tag} {name}={target!r}> makes a request"
        if target.startswith("#"):
            assert target[1:] in read.ids
    assert not {"link", "img", "iframe", "object", "image"} & set(read.tags)
    assert "default-src 'none'" in text and not re.search(r"url\((?!#)|@import", text)
    for shown in re.findall(r"url\(#([^)]*)\)", text):
        assert shown in read.ids


def test_names_cannot_break_out_of_the_page(tmp_path: Path) -> None:
    """Red: a contender's or an instance's name runs as a script in the reader's browser, or breaks a figure."""
    text = page(tmp_path, build.hostile())
    assert text.count("<script") == 1 and "alert(" not in re.sub(r"&lt;script&gt;alert\(", "", text)
    read = Reader(text)
    assert any(build.HOSTILE in data for data in read.text)


def test_a_name_that_is_no_text_is_shown_by_its_number(tmp_path: Path) -> None:
    """Red: a trace whose file name is no UTF-8 has no report."""
    name = b"latin-\xe9.csv".decode("utf-8", "surrogateescape")
    assert "latin-\\udce9.csv" in page(tmp_path, build.results([], incumbent=None, challenger=None, bound=None,
                                                             skipped={name: "of no use"}))  # fmt: skip


def test_a_win_is_said_with_its_interval() -> None:
    """Red: the page does not say what won and by how much."""
    [said] = sentences(build.win())
    assert re.fullmatch(
        r"relaxed Belady beats S3-FIFO \(tuned\): its mean miss ratio is [\d.]+% lower \[[\d.]+%,\s[\d.]+%\]\. "
        r"It closes \d+% \[\d+%,\s\d+%\] of the gap to Belady\.", said)  # fmt: skip
    low, high = map(float, re.findall(r"[\d.]+(?=%[\],])", said)[:2])
    assert low < float(re.findall(r"[\d.]+(?=% lower)", said)[0]) < high


def test_a_win_of_a_maximised_objective_is_higher() -> None:
    """Red: a policy that is faster is said to be slower, or its interval is upside down."""
    results = build.faster()
    [said] = sentences(results, build.SPEED)
    found = re.search(r"mean speed is ([\d.]+)% higher \[([\d.]+)%,\s([\d.]+)%\]", said)
    assert found
    point, low, high = map(float, found.groups())
    assert low < point < high
    comparison = results.comparisons[0]
    assert comparison.ratio and point == pytest.approx(100 * (1 / comparison.ratio.point - 1), abs=0.06)


BETTER = {"S3-FIFO (tuned)": 0.0, "ARC": -0.05}


def test_on_own_data_the_best_incumbent_is_said_in_the_same_sentence() -> None:
    """Red: a challenger is praised against an incumbent that other data chose, and there is a better one here."""
    offsets = build.contenders(BETTER, {"relaxed Belady": -0.1}, bound=-0.25)
    said = verdict(Story.of(build.own_data(offsets), build.find()))[0]
    figure = r"[\d.]+% lower \[[\d.]+%,\s[\d.]+%\]"
    assert re.fullmatch(
        rf"relaxed Belady beats S3-FIFO \(tuned\): its mean miss ratio is {figure}, and {figure} than that of ARC, in "
        r"hindsight the best incumbent here\. It closes .* of the gap to Belady\.", said.text), said.text  # fmt: skip
    first, second = map(float, re.findall(r"([\d.]+)% lower", said.text))
    assert first > second and said.tone == "win"
    # On built-in data, in folds of one's own data, or where the chosen one is the best, there is nothing to add.
    for other in (build.results(build.runs(offsets)), build.own_data(offsets, fold=0),
                  build.own_data(build.contenders(challengers={"relaxed Belady": -0.1}, bound=-0.25))):  # fmt: skip
        assert "hindsight" not in " ".join(sentences(other))


def test_what_the_best_incumbent_of_own_data_beats_is_no_win() -> None:
    """Red: a challenger that loses to an incumbent that is there is shown as a winner."""
    offsets = build.contenders(BETTER, {"relaxed Belady": -0.02})
    said = verdict(Story.of(build.own_data(offsets), build.find()))[0]
    assert re.search(r"% lower \[.*\], but [\d.]+% higher \[.*\] than that of ARC, in hindsight", said.text), said.text
    assert said.tone == "tie"


def test_few_own_instances_and_no_challenger_name_the_best_incumbent_too() -> None:
    """Red: as above, with a file or two, or without a challenger."""
    offsets = build.contenders(BETTER, {"relaxed Belady": -0.1}, bound=-0.25)
    said = sentences(build.own_data(offsets, groups=2))[0]
    assert re.match(
        r"The mean miss ratio of relaxed Belady is [\d.]+% lower than that of S3-FIFO \(tuned\), and [\d.]+% "
        r"lower than that of ARC, in hindsight the best incumbent here, over 2 groups: too few",
        said,
    ), said
    said = sentences(build.own_data(build.contenders(BETTER, {})))[0]
    assert re.search(
        r"S3-FIFO \(tuned\) is the incumbent to beat, .*; in hindsight ARC does best here, with 0\.\d+\. ", said
    )


def test_a_loss_is_said_first() -> None:
    """Red: the page hides that the incumbent is still the best."""
    said = sentences(build.loss())[0]
    assert said.startswith("No challenger beats S3-FIFO (tuned). relaxed Belady does worse")
    assert (
        "% higher [" in said and "widens the gap" in said and re.search(r"1\.\d+× \[1\.\d+,\s1\.\d+\] the cost", said)
    )


def test_a_tie_is_no_win() -> None:
    """Red: noise is sold as progress."""
    said = sentences(build.tie())[0]
    assert said.startswith("No challenger beats") and "cannot be told from" in said


def test_a_challenger_that_was_not_chosen_is_named_all_the_same() -> None:
    """Red: the page says that nobody beats the incumbent, and another challenger's interval says otherwise."""
    offsets = build.contenders(challengers={"relaxed Belady": 0.04, "lucky": -0.04})
    said = sentences(build.results(build.runs(offsets, groups=12)))
    assert said[0].startswith("relaxed Belady does worse than S3-FIFO (tuned)")
    assert said[1].startswith("lucky beats S3-FIFO (tuned) here (after Holm over all challengers) but was not chosen")


def test_a_baseline_that_wins_is_said_first() -> None:
    """Red: a random policy does best and the page talks of something else."""
    said = sentences(build.baseline_wins())
    assert said[0].startswith("random, a baseline that learns nothing, does best of all")
    assert "relaxed Belady beats" in said[1]


def test_a_beaten_bound_is_said_before_all(tmp_path: Path) -> None:
    """Red: figures stand on a bound that a policy has beaten, and the page does not say so."""
    results = build.beaten_bound()
    assert re.match(r"Error: relaxed Belady beats the bound Belady on \S+", sentences(results)[0])
    assert '<tr class="error">' in page(tmp_path, results)


def test_without_a_bound_nothing_is_said_of_a_gap(tmp_path: Path) -> None:
    """Red: a gap to nothing is printed."""
    said = " ".join(sentences(build.no_bound()))
    assert "gap" not in said and "No bound is proven" in said
    page(tmp_path, build.no_bound())


def test_what_is_only_the_best_known_is_called_that(tmp_path: Path) -> None:
    """Red: the best known result is shown as if it could not be beaten."""
    offsets = build.contenders(challengers={"relaxed Belady": -0.02}) | {"popularity": (Role.BOUND, -0.03)}
    results = build.results(build.runs(offsets))
    text = " ".join(Reader(page(tmp_path, results)).text)
    assert re.search(r"popularity\s+best known", text) and re.search(r"Belady\s+optimal", text)
    file = io.StringIO()
    terminal(results, Console(file=file, width=80), find=build.find())
    assert "popularity (best known)" in file.getvalue() and "Belady (optimal)" in file.getvalue()


def test_without_a_challenger_the_incumbent_is_named() -> None:
    """Red: a run of incumbents only has no verdict."""
    said = sentences(build.no_challenger())[0]
    assert said.startswith("No challenger was measured. S3-FIFO (tuned) is the incumbent") and "% less in cost" in said


def test_a_line_has_a_gap_where_the_comparison_has_one() -> None:
    """Red: the table of instances shows gaps that the headroom rule has left out of the figure above it."""
    made = []
    for index, best in enumerate((0.5, 0.402)):
        for name, role, value in (("lru", Role.INCUMBENT, 0.6), ("arc", Role.INCUMBENT, best),
                                  ("net", Role.CHALLENGER, 0.5), ("opt", Role.BOUND, 0.4)):  # fmt: skip
            made.append(build.run(name, role, f"i{index}", f"g{index}", f"s{index}", None, value))
    shown = build.results(made, incumbent="lru", challenger="net", bound="opt", fits=())
    lines = {line.instance: line.gap for line in Story.of(shown, build.find()).lines}
    assert lines == {"i0": pytest.approx(0.5), "i1": None}
    assert shown.comparisons[0].per_group == {"g0": pytest.approx(0.5)}


def test_one_group_claims_nothing_beyond_itself(tmp_path: Path) -> None:
    """Red: a verdict on one trace reads like one on all."""
    said = sentences(build.one_group())
    assert "1 group: too few for an interval" in said[0] and "beats" not in said[0] and "[" not in said[0]
    assert said[1] == "Failed runs count with their failure value: mixture of experts 1 of 3."
    text = page(tmp_path, build.one_group())
    assert "IndexError" in text and "&lt;b&gt;in decide" in text and "needs the extra torch" in text


def test_an_interval_over_time_claims_nothing_beyond_itself() -> None:
    """Red: a verdict on one trace, whose interval is over its own time, reads like one on all."""
    said = sentences(build.one_record())[0]
    assert said.startswith("relaxed Belady beats") and "[" in said
    assert said.endswith("The interval is over time, within 1 group, and speaks for these instances alone.")
    assert "over time" not in sentences(build.results(build.runs(build.contenders())))[0]


def test_nothing_at_all_is_reported_too(tmp_path: Path) -> None:
    """Red: an experiment that measured nothing, or incumbents without any of them, ends in a traceback."""
    empty = Results("cache-v0", (), (), (), (), None, None, None)
    assert "No incumbent was measured" in page(tmp_path, empty)
    assert "Nothing was measured" in page(tmp_path)
    terminal(empty, Console(file=io.StringIO(), width=80), find=build.find())


def test_values_around_zero_are_compared_by_difference(tmp_path: Path) -> None:
    """Red: an objective that can be zero gets a ratio on the page, or none of its figures."""
    signed = Objective("loss", "ms", lambda problem, limits: 1.0, can_be_zero=True)
    results = build.results(build.runs(build.contenders()), objective=signed)
    said = sentences(results, signed)[0]
    assert re.search(r"mean loss is 0\.\d+ ms lower \[0\.\d+,\s0\.\d+\]", said)
    text = page(tmp_path, results, objective=signed)
    assert "Cost ratio" not in text and "Difference" in text


def test_all_marks_lie_on_the_axis() -> None:
    """Red: the incumbent, a challenger's interval or a bound leaves the first screen."""
    stories = [Story.of(case(), build.find()) for case in (build.win, build.loss, build.one_group, build.no_bound)]
    axis = Axis.over(stories)
    for story in stories:
        row = strip(story, axis)
        assert row is not None and row.challenger is not None
        marks = [row.incumbent.place, row.challenger.place]
        marks += [place for place in (row.challenger.low, row.challenger.high) if place is not None]
        marks += [row.bound.place] if row.bound else []
        assert all(0 <= place <= 100 for place in marks)
        assert (row.bound is None) == (story.results.bound is None)
    first = strip(stories[0], axis)
    assert (
        first
        and first.bound
        and first.challenger
        and first.bound.place < first.challenger.place < first.incumbent.place
    )
    assert Axis(-2.0, 2.0, log=True).ticks and Axis(0.7, 1.1, log=False).ticks


def test_answers_are_shown_as_time_goes_by(tmp_path: Path) -> None:
    """Red: the anytime curve is missing, stands where nobody reported, or ends elsewhere than the table."""
    assert "Miss ratio against time" in page(tmp_path, build.solving())
    assert "Miss ratio against time" not in page(tmp_path, build.win())
    story = Story.of(build.solving(), build.find())
    curves = Anytime.of(story)
    assert curves is not None and curves.instances == story.instances
    for part in ("incumbent", "challenger"):
        assert curves.values[part][-1] == pytest.approx(row_mean(story, getattr(story.results, part)))
    assert curves.bound == pytest.approx(row_mean(story, story.results.bound))


def row_mean(story: Story, name: str | None) -> float:
    """A contender's mean in the table."""
    row = story.row(name)
    assert row is not None
    return row.mean


def test_a_curve_holds_what_would_have_counted_at_each_moment() -> None:
    """Red: the best answer counts instead of the last, a curve begins before all have answered, or a run that failed is
    worth what it had reported."""
    plan = {"one": ((1.0, 0.4), (3.0, 0.2), (5.0, 0.3)), "two": ((2.0, 0.5),), "three": ((1.0, 0.1),)}
    made = []
    for name, progress in plan.items():
        run = build.run("relaxed Belady", Role.CHALLENGER, name, name, name, None, progress[-1][1],
                        weight=2.0 if name == "two" else 1.0)  # fmt: skip
        made.append(replace(run, outcome=replace(run.outcome, progress=progress)))
    made[2] = replace(made[2], outcome=replace(made[2].outcome, status=Status.CRASHED, value=1.0))
    results = Results("cache-v0", tuple(made), (), (), (), None, "relaxed Belady", None)
    curves = Anytime.of(Story.of(results, build.find()))
    assert curves is not None and curves.bound is None
    assert curves.seconds.tolist() == [1.0, 2.0, 3.0, 5.0]
    own = curves.values["challenger"]
    assert math.isnan(own[0])
    assert own[1:] == pytest.approx([(0.4 + 2 * 0.5 + 1) / 4, (0.2 + 2 * 0.5 + 1) / 4, (0.3 + 2 * 0.5 + 1) / 4])


def test_commands_can_be_pasted(tmp_path: Path) -> None:
    """Red: the page tells how to make a figure again in a way that a shell reads otherwise."""
    text = page(tmp_path, build.win())
    assert "unseat compare cache &#39;relaxed Belady&#39; &#39;S3-FIFO (tuned)&#39;" in text
    assert re.search(r"unseat replay [0-9a-f]{64}", text)


def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    """Red: a wrong -o ends in a traceback."""
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        write([build.win()], tmp_path / "file", find=build.find())


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("case", [*CASES, build.faster])
def test_the_terminal_names_everybody(case: Callable[[], Results], width: int) -> None:
    """Red: at 80 columns a contender's name ends in dots, or a line is longer than the window."""
    file, results = io.StringIO(), case()
    objective = build.SPEED if case is build.faster else build.MISSES
    terminal(results, Console(file=file, width=width), case is build.one_group, find=build.find(objective))
    lines = file.getvalue().splitlines()
    assert max(map(len, lines)) <= width and "…" not in file.getvalue()
    first = "".join(re.split(r"\s{2,}", line.strip())[0] for line in lines).replace(" ", "")
    for name in {run.contender for run in results.runs}:
        assert name.replace(" ", "") in first
    if case is build.one_group:
        header = next(line for line in lines if "contender" in line)
        assert re.search(r"0\.1%\s+1%\s+10%", header)


def test_the_terminal_prints_brackets_in_names() -> None:
    """Red: a name such as "[bold]" is taken for markup and vanishes."""
    made = build.runs(build.contenders(challengers={"[bold]net[/bold]": -0.02}))
    file = io.StringIO()
    terminal(build.results(made, challenger="[bold]net[/bold]"), Console(file=file, width=100), find=build.find())
    assert file.getvalue().count("[bold]net[/bold]") == 2


@pytest.mark.parametrize(("figure", "text"), [
    (Interval(0.96123, 0.9574, 0.96551), "0.961× [0.957, 0.966]"),
    (Interval(1.2345, 1.2345, 1.2345), "1.23× [1.23, 1.23]"),
    (Interval(12345.6, 12000.0, 12700.0), "12\u202f346× [12\u202f000, 12\u202f700]"),
    (Interval(0.5), "0.500×"), (None, digits.NONE),
])  # fmt: skip
def test_digits_follow_the_interval(figure: Interval | None, text: str) -> None:
    """Red: a figure pretends to more digits than its interval allows."""
    assert digits.interval(figure, 1.0, "×").replace("\u00a0", " ") == text


@pytest.mark.parametrize(("value", "text"), [
    (0.0, "0"), (-0.0001234, "−0.000123"), (1234567.0, "1\u202f234\u202f567"), (1e9, "1.00e+09"), (float("nan"), "–"),
    (-1e-9, "−1.00e−09"), (None, "–"), (99.96, "100.0"),
])  # fmt: skip
def test_numbers_for_people(value: float | None, text: str) -> None:
    """Red: a number is printed in a form that nobody reads, or minus zero."""
    assert digits.number(value) == text


def test_units_of_time() -> None:
    """Red: a duration is printed in the wrong unit."""
    given = [digits.seconds(value) for value in (4e-7, 2.5e-5, 0.05, 3.0, 300.0, 9000.0, 0.0)]
    assert given == ["400 ns", "25.0 µs", "50.0 ms", "3.00 s", "5.00 min", "2.50 h", "0"]
    assert digits.nanoseconds(1500) == "1.50 µs" and digits.seconds(None) == digits.NONE


def test_figures_are_loaded_only_for_a_page() -> None:
    """Red: every `unseat run` waits for Matplotlib before it prints a table."""
    code = "import sys, unseat.report; sys.exit(bool({'matplotlib', 'jinja2'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_page_is_the_same_twice(tmp_path: Path) -> None:
    """Red: a report of the same results differs, so that nobody can compare two of them."""
    assert page(tmp_path / "a", build.one_group()) == page(tmp_path / "b", build.one_group())
