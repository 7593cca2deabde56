"""The exported command has the contest's interface, and a solution can be read by operators' names."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.tasks.shard import small

from unseat.core.errors import UserError
from unseat.tasks.shard.data.reader import read_json
from unseat.tasks.shard.exporters import named
from unseat.tasks.shard.policies import Rule, Solver
from unseat.tasks.shard.suites import opened
from unseat.tasks.shard.task import ShardTask

_STOPPED = """
import os, signal, sys
from pathlib import Path
from unseat.tasks.shard.command import Printer
from unseat.tasks.shard.data.reader import read_json
printer = Printer(read_json(Path(sys.argv[1])))
signal.signal(signal.SIGTERM, printer.stop)
for answer in ([0, 0, 2, 0, 0], [0, 0, 2, 1, 0], [0, 0, 1, 1, 0]):
    printer.hear(answer)
os.kill(os.getpid(), signal.SIGTERM)
print("not stopped")
"""


def test_the_command_prints_the_best_answer_as_its_last_line(tmp_path: Path) -> None:
    """Red: `solver FILE TIMEOUT` prints something else than the contest's checker reads, or misses its example."""
    path = small.write(tmp_path / "example.json", small.EXAMPLE)
    command = tmp_path / "solver"
    files = ShardTask().exporters()["contest"].write(Solver("blocks", 0.5), command)
    assert files is not None and all(one.exists() for one in files)
    # It ends as soon as its answer is proven; how busy the machine is must not matter.
    done = subprocess.run([str(command), str(path), "60"], capture_output=True, text=True, check=True)
    chosen = json.loads(done.stdout.splitlines()[-1])
    assert read_json(path).cost(np.array(chosen)) == 445
    wrong = subprocess.run([str(command), str(tmp_path / "no.json"), "3"], capture_output=True, text=True, check=False)
    assert wrong.returncode == 2 and len(wrong.stderr.splitlines()) == 1 and "no.json" in wrong.stderr


def test_sigterm_prints_the_best_so_far(tmp_path: Path) -> None:
    """Red: a solver that is stopped before its time prints nothing, or an answer that passes the limit."""
    path = small.write(tmp_path / "example.json", small.EXAMPLE)
    done = subprocess.run([sys.executable, "-c", _STOPPED, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and json.loads(done.stdout) == [0, 0, 2, 1, 0]


def test_a_solution_names_its_operators(tmp_path: Path) -> None:
    """Red: the names beside an instance are lost, or a list that is too short is taken."""
    path = small.write(tmp_path / "example.json", small.EXAMPLE)
    names = tmp_path / "example.names.json"
    names.write_text(json.dumps(["a", "b", "c", "d", "e"]))
    sources = {one.name: one for one in opened(str(tmp_path))}
    assert list(sources) == ["example"]
    told = named(Rule("least memory", "least memory"), sources)
    rows = told["operators"]
    assert isinstance(rows, list) and [row["operator"] for row in rows] == ["a", "b", "c", "d", "e"]
    assert told["peak_bytes"] == 50
    names.write_text(json.dumps(["a"]))
    with pytest.raises(UserError, match="must be a list of 5 names"):
        named(Rule("least memory", "least memory"), {one.name: one for one in opened(str(path))})


def test_data_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Red: `--data` of a folder without instances, or of nothing, ends in a traceback."""
    with pytest.raises(UserError, match=r"no \.json or \.json\.gz"):
        ShardTask().open(str(tmp_path), {})
    with pytest.raises(UserError, match="no such file or folder"):
        ShardTask().open(str(tmp_path / "nothing"), {})
