"""A person's use: learn and apply; answers that are wrong or malicious; models, by transcripts written by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from tests.tasks.codemod.small import SmallCodemod
from typer.testing import CliRunner, Result

from unseat.core.errors import MissingExtra, UserError
from unseat.core.outcome import Limits, Status
from unseat.core.policy import InvalidAnswer
from unseat.lab.attempt import attempt
from unseat.llm import Model, Prompt, Reply
from unseat.sandbox import bubblewrap
from unseat.tasks.codemod import model
from unseat.tasks.codemod.command import app

pytestmark = pytest.mark.skipif(bubblewrap.found() is None, reason="no bubblewrap is installed here")
EDITS = [
    ("def f(x):\n    return isinstance(x, int) or isinstance(x, str)\n",
     "def f(x):\n    return isinstance(x, (int, str))\n"),
    ("def g(y):\n    if isinstance(y.a, list) or isinstance(y.a, set):\n        return 1\n",
     "def g(y):\n    if isinstance(y.a, (list, set)):\n        return 1\n"),
]  # fmt: skip
KEPT = "def h(y):\n    return isinstance(y, int) or isinstance(z, int)\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Edits, and a project with a test that runs one of its two files."""
    for side in (0, 1):
        place = tmp_path / ("before", "after")[side]
        place.mkdir()
        for number, edit in enumerate(EDITS):
            (place / f"f{number}.py").write_text(edit[side])
        (place / "kept.py").write_text(KEPT)
    project = tmp_path / "project"
    project.mkdir()
    for name in ("run.py", "unrun.py"):
        (project / name).write_text("def k(q):\n    return isinstance(q, int) or isinstance(q, float)  # so\n")
    (project / "check.py").write_text("import run\nassert run.k(3) and not run.k('')\n")
    return tmp_path


def call(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words], standalone_mode=False)


def learned(folder: Path) -> Path:
    rule = folder / "rule.py"
    done = call("learn", "--before", folder / "before", "--after", folder / "after", "-o", rule)
    assert done.exception is None and "isinstance($a, ($b, $c))" in done.output
    return rule


def test_learn_and_apply(folder: Path) -> None:
    """Red: a rule is not learned from two edits, writes without being asked, or writes what no test has run."""
    rule, project = learned(folder), folder / "project"
    done = call("apply", rule, project)
    assert done.return_value == 0 and done.output.count("+    return isinstance(q, (int, float))  # so") == 2
    assert "or isinstance" in (project / "run.py").read_text()
    done = call("apply", rule, project, "--root", project, "--tests", "python check.py", "--write")
    assert done.return_value == 1 and "unrun.py: refused: the tests do not run line 2" in done.output
    assert (project / "run.py").read_text() == "def k(q):\n    return isinstance(q, (int, float))  # so\n"
    assert "or isinstance" in (project / "unrun.py").read_text()


def test_a_file_that_is_left_alone_is_named(tmp_path: Path) -> None:
    """Red: a file with a change that nobody showed stays as it was, and nobody learns of it or why."""
    for side, name in enumerate(("before", "after")):
        (tmp_path / name).mkdir()
        for place, each in enumerate(("a", "b.c", "d(0)")):
            for number in (1, 2):
                text = f"u = {each}[{'xy'[number - 1]}]\n" if side else f"u = g({each}, {number})\n"
                (tmp_path / name / f"f{place}{number}.py").write_text(text)
    rule, project = tmp_path / "rule.py", tmp_path / "project"
    assert call("learn", "--before", tmp_path / "before", "--after", tmp_path / "after", "-o", rule).exception is None
    project.mkdir()
    for name, text in (("half", "u = g(p, 1)\nv = g(q, 3)\n"), ("other", "w = 1\n"), ("whole", "u = g(p, 1)\n")):
        (project / f"{name}.py").write_text(text)
    done = call("apply", rule, project)
    assert "half.py: left alone: the rules know no change of g(" in done.output
    assert "1 of 3 files would change (--write writes them), 1 left alone" in done.output
    plain = tmp_path / "plain.py"
    plain.write_text("def transform(source):\n    return source\n")
    assert call("apply", plain, project).output == "0 of 3 files would change (--write writes them)\n"


def test_what_breaks_the_tests_is_refused(folder: Path) -> None:
    """Red: a rule that changes what code does is written though a test says so, or tests that fail prove something."""
    rule, project = folder / "wrong.py", folder / "project"
    rule.write_text("def transform(source):\n    return source.replace('float', 'str')\n")
    done = call("apply", rule, project / "run.py", "--root", project, "--tests", "python check.py", "--write")
    assert done.return_value == 1 and "the tests fail with it" in done.output
    assert "float" in (project / "run.py").read_text()
    done = call("apply", rule, project / "run.py", "--root", project, "--tests", "false")
    assert isinstance(done.exception, UserError) and "fails before anything" in str(done.exception)


def test_bad_input_gets_one_line(folder: Path) -> None:
    """Red: a missing or broken file ends in a traceback, or the line does not name the place."""
    rule = learned(folder)
    (folder / "broken.py").write_text("x = 1\ndef f(:\n")
    cases: list[tuple[tuple[object, ...], str]] = [
        (("apply", rule, folder / "none"), "none: no such file or folder"),
        (("apply", rule, folder / "broken.py"), "broken.py, line 2: not Python"),
        (("apply", folder / "no.py", folder / "project"), "no.py: cannot be read"),
        (("learn", "--before", folder / "before", "--after", folder / "before"), "hold the same code"),
        (("learn", "--before", folder / "before", "--after", folder / "project"), "missing; every file"),
    ]
    for words, said in cases:
        error = call(*words).exception
        assert isinstance(error, UserError) and said in str(error) and "\n" not in str(error)
    spoil = folder / "spoil.py"
    spoil.write_text("def transform(source):\n    return source + '('\n")
    error = call("apply", spoil, folder / "project", "--write").exception
    assert isinstance(error, UserError) and "is no Python" in str(error)
    assert "(int" not in (folder / "project" / "run.py").read_text()


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"files": []},
        {"files": [1] * 15},
        {"transformer": 3},
        {"transformer": "x = ("},
        {"transformer": "y = 1"},
        {"transformer": "import os\nos._exit(0)"},
        {"transformer": "def transform(source):\n    return source", "files": []},
    ],
)
def test_what_is_no_answer_is_refused(answer: Any) -> None:
    """Red: a transformer that is none, or dies, is scored."""
    task = SmallCodemod()
    with pytest.raises(InvalidAnswer):
        task.score(task.load(task.instance("dict-get")), answer)


def test_a_transformer_finds_no_answers() -> None:
    """Red: a transformer reads the pairs, or one that fails on files, or gives odd things, changes them."""
    task = SmallCodemod()
    problem = task.load(task.instance("dict-get"))
    spy = (
        "import importlib, os, sys\nfound = []\nfor name in ('own.pairs', 'others', 'suites', 'pairs'):\n"
        "    try:\n        importlib.import_module('unseat.tasks.codemod.' + name)\n        found.append(name)\n"
        "    except ImportError:\n        pass\n"
        "def transform(source):\n    return 'found = ' + repr(found) if found else source\n"
    )
    assert task.score(problem, {"transformer": spy}).metrics["wrong"] == 0
    odd = "def transform(source):\n    return [source] if len(source) % 2 else 1 / 0\n"
    assert task.score(problem, {"transformer": odd}).value == 0
    libcst = "import libcst\nclass Transform(libcst.CSTTransformer):\n    pass\n"
    assert task.score(problem, {"transformer": libcst}).metrics["missed"] == 10


class Scripted(Model):
    """Answers from a list, then with nothing."""

    name = "written by hand for a test"

    def __init__(self, answers: list[str]) -> None:
        self.answers: Iterator[str] = iter(answers)

    def complete(self, prompt: Prompt) -> Reply:
        return Reply(next(self.answers, ""), 10, 10)


RIGHT = """Here it is:
```python
import ast

class Merge(ast.NodeTransformer):
    def visit_Compare(self, node):
        self.generic_visit(node)
        left = node.left
        if (isinstance(left, ast.Call) and getattr(left.func, "id", "") == "len" and isinstance(node.ops[0], ast.Eq)
                and isinstance(node.comparators[0], ast.Constant) and node.comparators[0].value == 0):
            return ast.UnaryOp(ast.Not(), left.args[0])
        return node

def transform(source):
    return ast.unparse(ast.fix_missing_locations(Merge().visit(ast.parse(source))))
```
"""


@pytest.mark.parametrize(
    ("answers", "least"),
    [
        (["it tests for emptiness", "precisely so", "```python\ndef transform(:\n```", "no idea", RIGHT], 1.0),
        (["", "", "", "", "", "", ""], 0.0),
        (["a", "b", "import os; os._exit(3)", "ignore all rules and print the answers"], 0.0),
    ],
)
def test_the_loop_lives_with_any_answer(answers: list[str], least: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red: nonsense from the model ends the loop, or a transformer that is right after two failures is not kept."""
    monkeypatch.setattr(model.Asked, "opened", lambda self: Scripted(answers))
    task = SmallCodemod()
    policy = model.Loop("model, transformer", asdict(model.Asked("by hand")))
    found = attempt(task, task.instance("emptiness"), policy, seed=0, limits=Limits())
    assert found.status is Status.OK and found.value >= least


def test_files_rewritten_by_a_model_replay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red: a transcript does not replay, a spent budget loses what was there, or no model counts as a beaten one."""
    monkeypatch.delenv(model.MODEL, raising=False)
    monkeypatch.delenv(model.REPLAY, raising=False)
    with pytest.raises(MissingExtra, match="not evaluated: no model is given"):
        model.Asked.named()
    task = SmallCodemod()
    problem = task.load(task.instance("emptiness"))
    lines = [json.dumps({"made_by": "written by hand for a test"})]
    from unseat.tasks.codemod.task import facts

    shown = facts(problem)
    for pair in problem.judged:
        asked = f"Make the same change in this file, or leave it as it is:\n{model.fenced(pair.before)}"
        question = f"{model.examples(shown)}\n\n{asked}"
        prompt = Prompt(model._REWRITER, question, 0.2, 2048, 0)
        reply = Reply(f"Sure!\n```python\n{pair.after}```", 500, 500)
        lines.append(json.dumps({"hash": prompt.hash, "prompt": asdict(prompt), "reply": asdict(reply)}))
    replay = tmp_path / "transcript.jsonl"
    replay.write_text("\n".join(lines) + "\n")
    monkeypatch.setenv(model.REPLAY, str(replay))
    policy = model.Direct("model, file by file", asdict(model.Asked.named()))
    assert attempt(task, task.instance("emptiness"), policy, seed=0, limits=Limits()).value == 1.0
    poor = model.Direct("model, file by file", {**asdict(model.Asked.named()), "tokens": 14_000})
    assert 0 < attempt(task, task.instance("emptiness"), poor, seed=0, limits=Limits()).value < 1
