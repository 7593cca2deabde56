"""What goes to standard output and to standard error, and with which exit code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from unseat.cli import main

ROOT = Path(__file__).parents[2]
TINY = "examples.tiny_task.task:SpinThenBlock"
FEW = ["--contenders", "block,glibc"]
HERE = Path(__file__).parent


def call(*words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own, in the repository's root."""
    return subprocess.run(
        [sys.executable, "-c", "import sys; from unseat.cli import main; sys.exit(main())", *words],
        cwd=ROOT, capture_output=True, text=True, check=False, **options,
    )  # fmt: skip


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any]]:
    """A ledger, and what the run that filled it printed."""
    ledger = str(tmp_path_factory.mktemp("ledger") / "ledger.db")
    done = call("run", TINY, "--json", "--contenders", "block,glibc,tuned", "--budget", "2s", "--ledger", ledger)
    assert done.returncode == 0, done.stderr
    return ledger, json.loads(done.stdout)


def test_run_json_is_one_document(measured: tuple[str, dict[str, Any]]) -> None:
    """Goes red if a program that reads `unseat run --json` finds something else there, or misses a field."""
    document = measured[1]
    assert set(document) == {"runs", "comparisons", "hindsight"}
    fields = {"task", "contender", "role", "instance", "group", "split", "seed", "status", "value", "decisions",
              "decide_ns", "wall_s", "metrics", "key"}  # fmt: skip
    assert all(fields <= set(run) for run in document["runs"])
    assert {run["contender"] for run in document["runs"]} >= {"block", "glibc", "tuned", "spin", "coin"}
    [tuned] = [each for each in document["comparisons"] if each["a"] == "tuned"]
    assert set(tuned["ratio"]) == {"point", "low", "high"}
    assert set(tuned["regressions"]) == {"count", "worst"}


def test_compare_json_is_one_comparison(measured: tuple[str, dict[str, Any]]) -> None:
    """Goes red if `unseat compare --json` prints anything but one comparison, or runs again what is in the ledger."""
    done = call("compare", TINY, "block", "glibc", "--json", "--ledger", measured[0])
    found = json.loads(done.stdout)
    assert (found["a"], found["b"]) == ("block", "glibc")
    assert {"ratio", "gap_closed", "p_better", "regressions", "instances", "groups", "seeds"} <= set(found)


def test_replay_gives_the_recorded_outcome(measured: tuple[str, dict[str, Any]]) -> None:
    """Goes red if a run cannot be found by the first characters of its key, or an exact task replays unequal."""
    run = next(each for each in measured[1]["runs"] if each["contender"] == "coin")
    done = call("replay", run["key"][:16], "--json", "--ledger", measured[0])
    assert done.returncode == 0, done.stderr
    replayed = json.loads(done.stdout)
    assert replayed["equal"] is True
    assert replayed["again"]["value"] == run["value"]


def test_second_run_is_from_the_ledger(measured: tuple[str, dict[str, Any]]) -> None:
    """Goes red if a run that the ledger holds is done again: its key, value and times would not all be the same."""
    words = ["--contenders", "block,glibc,tuned", "--budget", "2s", "--ledger", measured[0]]
    again = json.loads(call("run", TINY, "--json", *words).stdout)
    assert sorted(again["runs"], key=str) == sorted(measured[1]["runs"], key=str)


def test_tables_and_report(measured: tuple[str, dict[str, Any]], tmp_path: Path) -> None:
    """Goes red if a person sees no table after a run, or `unseat report` writes no page on it."""
    shown = call("run", TINY, *FEW, "--ledger", measured[0])
    assert shown.returncode == 0, shown.stderr
    assert "glibc" in shown.stdout
    written = call("report", "-o", str(tmp_path / "page"), "--ledger", measured[0])
    assert written.returncode == 0, written.stderr
    assert "glibc" in (tmp_path / "page" / "index.html").read_text()


def test_no_progress_bar_off_a_terminal(measured: tuple[str, dict[str, Any]]) -> None:
    """Goes red if a log file fills with progress bars."""
    assert call("run", TINY, *FEW, "--ledger", measured[0]).stderr == ""


def test_what_a_library_prints_is_kept_off_standard_output() -> None:
    """Goes red if a print in a policy, or by C code, breaks the one document of --json."""
    script = (
        "import os\nfrom unseat.cli import common\nwith common.only_json(True):\n"
        "    print('from Python'); os.write(1, b'from C\\n')\ncommon.print_json({'a': float('nan')})\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == {"a": None}
    assert done.stderr.split("\n")[:2] == ["from Python", "from C"]


def test_a_failed_run_is_exit_code_1(tmp_path: Path) -> None:
    """Goes red if a script cannot see from the exit code that a policy crashed, or if its other runs are lost."""
    done = call("run", "tests.cli.odd_tasks:Crashing", *FEW, "--json", "--ledger", str(tmp_path / "ledger.db"))
    assert done.returncode == 1, done.stderr
    status = {run["contender"]: run["status"] for run in json.loads(done.stdout)["runs"]}
    assert status["block"] == "crashed"
    assert status["glibc"] == "ok"


def test_interrupt_says_what_is_kept(tmp_path: Path) -> None:
    """Goes red if Ctrl-C shows a traceback, gives another exit code than 130, or loses what had finished."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    ledger = str(tmp_path / "ledger.db")
    process = subprocess.Popen(
        [sys.executable, "-c", "import sys; from unseat.cli import main; sys.exit(main())",
         "run", "tests.cli.odd_tasks:Waiting", *FEW, "--ledger", ledger],
        cwd=ROOT, stderr=subprocess.PIPE, text=True, env={**os.environ, "UNSEAT_TEST_PIPE": str(pipe)},
    )  # fmt: skip
    with pipe.open() as reached:  # opens once the waiting run is at work
        assert reached.read(1) == "x"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate()
    assert process.returncode == 130, err
    assert err.startswith("unseat: interrupted")
    assert len(err.splitlines()) == 1, err


def test_closed_pipe_is_quiet() -> None:
    """Goes red if `unseat tasks --json | head -1` ends with a traceback."""
    process = subprocess.Popen(
        [sys.executable, "-c", "import sys; from unseat.cli import main; sys.exit(main())", "tasks", "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout and process.stderr
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait() == 141


def test_tasks_lists_what_can_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    """Goes red if a script cannot find the names of instances, contenders and formats of a task."""
    assert main(["tasks", "--json"]) == 0
    listed = {task["task"]: task for task in json.loads(capsys.readouterr().out)}
    assert {"cache", "cache-sized"} <= set(listed)
    assert {"LRU", "SIEVE", "Belady"} <= {each["name"] for each in listed["cache"]["contenders"]}
    assert main(["tasks"]) == 0
    assert "cache-v0" in capsys.readouterr().out


def test_doctor_says_ready(capsys: pytest.CaptureFixture[str]) -> None:
    """Goes red if the core tasks cannot run in the environment that the tests run in, or doctor does not say so."""
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "cache-v0: ready" in out
    assert "numba" in out


def test_doctor_names_a_ledger_that_cannot_be_used(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Goes red if doctor is content with a ledger that no run could be written to."""
    (tmp_path / "file").write_text("this is no database, and long enough to be read as one" * 10)
    monkeypatch.setenv("UNSEAT_LEDGER", str(tmp_path / "file"))
    assert main(["doctor"]) == 1
    assert "not a ledger" in capsys.readouterr().out


def test_data_is_listed_and_verified(capsys: pytest.CaptureFixture[str]) -> None:
    """Goes red if the data that ship with the package are damaged, or their state is not shown."""
    assert main(["data", "list", "cache", "--json"]) == 0
    states = json.loads(capsys.readouterr().out)
    assert any(state["where"] == "embedded" for state in states)
    assert main(["data", "verify"]) == 0


def test_help_lists_a_tasks_own_options(capsys: pytest.CaptureFixture[str]) -> None:
    """Goes red if `unseat run cache --help` does not say how to give a capacity."""
    assert main(["run", "cache", "--help"]) == 0
    out = capsys.readouterr().out
    assert "--capacity" in out
    assert "--contenders" in out


def test_help_imports_nothing_heavy() -> None:
    """Goes red if `unseat --help` waits for a library that only a command needs."""
    script = "import sys\nfrom unseat.cli import main\nmain(['--help'])\nprint(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    heavy = {
        "numpy",
        "numba",
        "sqlalchemy",
        "pydantic",
        "gymnasium",
        "lightgbm",
        "matplotlib",
        "optuna",
        "rich.console",
    }
    assert heavy.isdisjoint(done.stderr.split())
    assert "run " in done.stdout


@pytest.mark.parametrize(("text", "wanted"), [("60s", 60), ("500ms", 0.5), ("2m", 120), ("1.5h", 5400), ("7", 7)])
def test_durations(text: str, wanted: float) -> None:
    """Goes red if a budget is taken for another length of time than was written."""
    from unseat.cli.common import seconds

    assert seconds(text, "--budget") == wanted
