"""What the README and the guides tell a person to type works as written."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from unseat.sandbox import bubblewrap
from unseat.tasks.database.engine import binaries
from unseat.tasks.llvm.engine.toolchain import find

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
# These set up the project, fetch from the network or take minutes; continuous integration runs `make` itself.
ELSEWHERE = re.compile(
    r"make |\.ci/run|.*--suite full|unseat data fetch|python benchmarks/|unseat doctor --warm|git |cd "
)


def commands(page: Path) -> list[str]:
    """What stands behind `$` in the page's console blocks."""
    blocks = re.findall(r"^```console\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    lines = [line.removeprefix("$ ") for block in blocks for line in block.splitlines() if line.startswith("$ ")]
    return [line for line in lines if not ELSEWHERE.match(line)]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """One ledger for all pages, as a person who reads them has: what ran for one page is there for the next."""
    ledger = tmp_path_factory.mktemp("ledger") / "ledger.db"
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "UNSEAT_LEDGER": str(ledger)}
    first = ["unseat", "run", "examples.tiny_task.task:SpinThenBlock", "--contenders", "block,glibc"]
    subprocess.run(first, cwd=ROOT, env=environment, capture_output=True, check=True)
    return environment


@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)], ids=lambda page: page.name)
def test_commands_of_a_page_work(page: Path, tmp_path: Path, environment: dict[str, str]) -> None:
    """Goes red if a person who types what a page says, one line after the other, gets an error."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / "Makefile").write_text("all imports docs:\n\tcat read_me read_me > /dev/null\n")
    (tmp_path / "read_me").write_bytes(bytes(4 << 20))
    make_sources(tmp_path / "path/to/src")
    make_trace(tmp_path / "my_trace.csv")
    make_event_log(tmp_path / "spark-events")
    make_access_log(tmp_path / "access.jsonl")
    make_edits(tmp_path / "edits")
    if page.name in ("inline.md", "regalloc.md", "passes.md") and find() is None:
        pytest.skip("no LLVM is installed here")
    if page.name in ("evolve.md", "codemod.md") and bubblewrap.found() is None:
        pytest.skip("no bubblewrap is installed here")
    if page.name == "query.md" and (binaries.find() is None or binaries.driver() is None):
        pytest.skip("no PostgreSQL is installed here")
    for line in commands(page):
        done = subprocess.run(
            line, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == 0, f"{page.name}: {line}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"


def make_trace(path: Path) -> None:
    """A short trace with a column of keys and one of sizes."""
    rows = (f"{step * step % 977},{1 + step % 64}" for step in range(20_000))
    path.write_text("\n".join(["key,size", *rows]) + "\n")


def make_sources(folder: Path) -> None:
    """A source with something to inline, and a header beside it."""
    (folder / "include").mkdir(parents=True)
    (folder / "include" / "twice.h").write_text("static inline int twice(int x) { return x + x; }\n")
    (folder / "part.c").write_text('#include "twice.h"\nint part(int x) { return twice(x) * twice(x + 1); }\n')


def make_access_log(path: Path) -> None:
    """What a language model's server writes of a few dozen requests."""
    rows = ({"created": 1_700_000_000 + step // 2, "usage": {"prompt_tokens": 50 + 97 * step % 900,
             "completion_tokens": 1 + step % 40}} for step in range(60))  # fmt: skip
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def make_edits(folder: Path) -> None:
    """Two edits of one kind, and a project with a test that runs what they are about."""
    for name, line in {"before": "{0} == None", "after": "{0} is None"}.items():
        (folder / name).mkdir(parents=True)
        for number, what in enumerate(("x", "x.y[1]")):
            (folder / name / f"f{number}.py").write_text(f"def f(x):\n    return {line.format(what)}\n")
    (folder / "project").mkdir()
    (folder / "project" / "part.py").write_text("def g(a):\n    return a.b == None\n")
    (folder / "project" / "check.py").write_text("import part\npart.b = 1\nassert not part.g(part)\n")


def make_event_log(folder: Path) -> None:
    """What Spark writes of one job of two stages on two executors."""
    stages = [{"Stage ID": number, "Stage Attempt ID": 0, "Stage Name": f"stage {number}", "Number of Tasks": 4,
               "Parent IDs": [0] if number else [], "RDD Info": []} for number in range(2)]  # fmt: skip
    events: list[dict[str, object]] = [
        {"Event": "SparkListenerApplicationStart", "App Name": "report", "Timestamp": 0},
        {"Event": "SparkListenerJobStart", "Job ID": 0, "Submission Time": 10, "Stage Infos": stages, "Properties": {}},
    ]
    for number in range(2):
        for task in range(4):
            began = 20 + 2000 * number + 500 * (task // 2)
            events.append({
                "Event": "SparkListenerTaskEnd", "Stage ID": number, "Stage Attempt ID": 0, "Task Type": "ResultTask",
                "Task End Reason": {"Reason": "Success"},
                "Task Info": {
                    "Task ID": 4 * number + task, "Index": task, "Attempt": 0, "Launch Time": began,
                    "Executor ID": str(task % 2), "Host": "localhost", "Locality": "ANY", "Speculative": False,
                    "Getting Result Time": 0, "Finish Time": began + 400, "Failed": False, "Killed": False,
                },
            })  # fmt: skip
        events.append({"Event": "SparkListenerStageCompleted", "Stage Info": stages[number]})
    events.append({"Event": "SparkListenerJobEnd", "Job ID": 0, "Completion Time": 4000,
                   "Job Result": {"Result": "JobSucceeded"}})  # fmt: skip
    folder.mkdir()
    (folder / "app-1").write_text("".join(json.dumps(event) + "\n" for event in events))


def test_every_page_is_in_the_navigation() -> None:
    """Goes red if a page was written that nobody can find."""
    named = (ROOT / "mkdocs.yml").read_text()
    missing = [page.name for page in (ROOT / "docs").glob("*.md") if page.name not in named]
    assert not missing
