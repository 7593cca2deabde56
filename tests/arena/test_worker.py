"""Submissions through the real queue and the real sandbox."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests.arena.conftest import POLICY, archive
from tests.arena.test_queue import of
from tests.sandbox.attacks import ATTACKS, FILES, NETWORK, PRIVILEGES, preceding
from tests.sandbox.test_attacks import facts, servers, survivors  # noqa: F401

from unseat.arena import board, kit, local, queue, tables, tracks
from unseat.arena.accounts import User
from unseat.arena.database import Database
from unseat.arena.packing import folder_files, packed
from unseat.arena.tracks import Track
from unseat.arena.worker import Worker
from unseat.core import registry
from unseat.core.errors import UserError
from unseat.lab.statistics import ranks_with_ties
from unseat.sandbox import Defence, bubblewrap

pytestmark = pytest.mark.skipif(bubblewrap.found() is None, reason=f"no bubblewrap here; {bubblewrap.INSTALL}")
# What they take is within the limits of a track, which leaves more than the sandbox's own tests do.
ALLOWED = {Defence.DISK, Defence.FILE_SIZE, Defence.OPEN_FILES, Defence.CPU, Defence.WALL, Defence.OUTPUT}


def drain(database: Database) -> None:
    """Let a worker do all that waits."""
    with Worker(database) as worker:
        while True:
            worker.run(drain=True)
            with database.read() as connection:
                if not queue.depth(connection)["queued"]:
                    return


def scores(database: Database, submission: str) -> list[Any]:
    """A submission's scores."""
    own = tables.scores
    with database.read() as connection:
        return list(connection.execute(sa.select(own).where(own.c.submission == submission).order_by(own.c.number)))


def attacking(sources: list[str], facts: dict[str, Any]) -> bytes:  # noqa: F811
    """A submission that attacks, one after the other, and answers with a one where an attack got through."""
    return archive(
        f"FACTS = {facts!r}\nSOURCES = {sources!r}\n"
        "from unseat.core.policy import Policy as Base, Session\n"
        "def through():\n"
        "    for source in SOURCES:\n"
        "        scope = {}\n"
        "        try:\n"
        "            exec(source, scope)\n"
        "            if scope['attack'](FACTS) is True:\n"
        "                return 1\n"
        "        except BaseException:\n"
        "            pass\n"
        "    return 0\n"
        "class Policy(Base):\n"
        "    name = 'attack'\n"
        "    def start(self, view, seed):\n"
        "        return S()\n"
        "class S(Session):\n"
        "    got = None\n"
        "    def decide(self, seen):\n"
        "        self.got = through() if self.got is None else self.got\n"
        "        return self.got\n"
    )


def test_the_red_team_through_the_real_queue(
    database: Database, make_track: Callable[..., Track], make_user: Callable[..., User], facts: dict[str, Any],  # noqa: F811
    tmp_path: Path,
) -> None:  # fmt: skip
    """Red: a submission reads, writes, reaches or becomes something outside the sandbox, or takes the worker down."""
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / "zero.json").write_text("[0]")
    make_track(rows=0, references=[], private_share=0.0, answer_s=3.0, memory=64 << 20)
    user = make_user()

    def submit(name: str, *sources: str) -> str:
        return queue.submit(database, user.id, "tiny", name, attacking(list(sources), facts))

    # Those that end or fill their process need a submission each; those that find what another left need two.
    together = [one for one in (*FILES, *NETWORK, *PRIVILEGES) if not one.first and not one.seen]
    second = [one for one in ATTACKS if one.first]
    amounts = [one for one in ATTACKS if one.defence in ALLOWED]
    alone = [one for one in ATTACKS if one not in (*together, *second, *amounts)]
    assert len(together) >= 30 and len(alone) >= 15
    quiet = [submit("together", *(one.source for one in together)), submit("first", *map(preceding, second)),
             submit("second", *(one.source for one in second))]  # fmt: skip
    loud = {one: submit(one.name, one.source) for one in alone}
    large = submit("amounts", *(one.source for one in amounts))
    good = queue.submit(database, user.id, "tiny", "good", archive())
    drain(database)
    # What leaves something for the next one may well break itself.
    for made in (quiet[0], quiet[2], good):
        assert [(one.status, one.value) for one in scores(database, made)] == [("ok", 0.0)]
    for one, made in loud.items():
        through = [(got.status, got.value) for got in scores(database, made)] == [("ok", 1.0)]
        # Of those that are seen from outside, what they say of themselves means nothing.
        assert not through or one.seen, one.name
        assert of(database, made).state in ("scored", "failed")
    assert of(database, large).state in ("scored", "failed")
    assert survivors() == [] and (Path(facts["open"]) / "score").read_text() == "1"


@pytest.mark.skipif(not Path("/proc/self/autogroup").exists(), reason="this Linux does not weigh sessions")
def test_a_nice_worker_is_nice_in_all_its_sessions(tmp_path: Path) -> None:
    """Red: what a worker beside a server starts takes as much of the machine as the server does."""
    script = (
        "import os, select, sys\nfrom pathlib import Path\nfrom unseat.lab.worker import Worker\n"
        "from unseat.sandbox import Cage, Job, Sandbox\n"
        "print(os.nice(7))\n"
        "worker = Worker(Path(sys.argv[1]), 1)\n"
        "worker.send({'op': 'none'})\n"
        "select.select([worker], [], [])\n"
        "print(Path(f'/proc/{worker._process.pid}/autogroup').read_text().split()[-1])\n"
        "worker.kill()\n"
        "with Sandbox(Cage()) as box:\n"
        "    ran = box.run(Job('f', 'def f():\\n    return open(\"/proc/self/autogroup\").read().split()[-1]'))\n"
        "    print(ran.value)\n"
    )
    ran = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True)
    own, child, inside = map(int, ran.stdout.split())
    assert own == child == inside >= 7


def test_scores_are_those_of_the_policy(
    database: Database, make_track: Callable[..., Track], make_user: Callable[..., User]
) -> None:
    """Red: a score is not what the policy's answers are worth; several files do not work; reasons are not told."""
    make_track(rows=5, references=["zero", "one", "truth"])
    user = make_user()
    echo = queue.submit(database, user.id, "tiny", "echo", archive())
    parts = {"helper.py": "def pick(seen):\n    return int(seen[0])\n", "data/bits.txt": "01"}
    source = POLICY.replace("return int(seen[0])", "import helper\n        return helper.pick(seen)") + (
        "\nfrom pathlib import Path\nassert (Path('data') / 'bits.txt').read_text() == '01'\n"
    )
    several = queue.submit(database, make_user("Bob").id, "tiny", "several", archive(source, **parts))
    broken = queue.submit(database, user.id, "tiny", "broken", archive(POLICY.replace("int(seen[0])", "1 / 0")))
    syntax = queue.submit(database, user.id, "tiny", "syntax", archive("class Policy(:\n"))
    nothing = queue.submit(database, user.id, "tiny", "nothing", archive("x = 1\n"))
    begin = "def start(self, view, seed):"
    known = f"{begin}\n        if view.facts['length'] != 6: return Good()"
    sly = POLICY.replace("return int(seen[0])", "raise ValueError(str(seen))").replace(begin, known)
    sly += "\nclass Good(Session):\n    def decide(self, seen):\n        return 0\n"
    sly_one = queue.submit(database, user.id, "tiny", "sly", archive(sly))
    drain(database)
    with database.read() as connection:
        track = tracks.by_slug(connection, "tiny")
        data: Any = connection.scalar(sa.select(tables.blobs.c.content).where(tables.blobs.c.hash == track.data))
    import io
    import zipfile

    rows = {name: json.loads(zipfile.ZipFile(io.BytesIO(data)).read(name))
            for name in zipfile.ZipFile(io.BytesIO(data)).namelist()}  # fmt: skip
    expected = [sum(bit != last for bit, last in zip(rows[name], [0, *rows[name]], strict=False)) / len(rows[name])
                for name in sorted(rows)]  # fmt: skip
    got = scores(database, echo)
    assert [one.value for one in got] == expected == [one.value for one in scores(database, several)]
    assert "ZeroDivisionError" in of(database, broken).reason and "public instance" in of(database, broken).reason
    assert of(database, syntax).reason.startswith("policy.py, line 1")
    assert of(database, nothing).state == "failed"
    assert of(database, sly_one).state == "scored" and {one.status for one in scores(database, sly_one)} == {"invalid"}
    _board_is_the_platforms(database, track)


def _board_is_the_platforms(database: Database, track: Track) -> None:
    """Red: the board's ranks, values, comparisons or lead are others than those of the platform's statistics."""
    from unseat.lab.records import Run

    body = board.make(database, track)
    rows = {row["name"]: row for row in body["rows"]}
    assert {"zero", "one", "truth", "echo", "several"} == set(rows)
    own = tables.scores
    with database.read() as connection:
        parts = dict(connection.execute(sa.select(tables.instances.c.number, tables.instances.c.part)).all())
        runs = [
            (one.number, Run.from_record(json.loads(one.run)))
            for row in rows.values()
            for one in connection.execute(sa.select(own).where(own.c.submission == row["id"]))
        ]
    task = registry.task(track.spec.task)
    for part in ("public", "private"):
        judged = [run for number, run in runs if parts[number] == part and run.contender != "truth"]
        ranks = ranks_with_ties(judged, task.objective)
        assert {name: row[part]["rank"] for name, row in rows.items() if name != "truth"} == ranks
        for name, row in rows.items():
            mine = [run.outcome.value for number, run in runs if parts[number] == part and run.contender == name]
            assert row[part]["value"] == pytest.approx(sum(mine) / len(mine))
    assert rows["echo"]["public"]["versus"]["incumbent"] in ("zero", "one")
    assert rows["truth"]["public"]["rank"] is None and body["history"][0]["name"] == "echo"
    assert rows["echo"]["tries"] == 2 and body["beaten"] == []


def test_answers_and_kits(
    database: Database, make_track: Callable[..., Track], make_user: Callable[..., User], tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Red: a solution file is not scored, its bad answers are, or a starter kit's own submission does not work."""
    track = make_track(
        task="tests.arena.tiny:TinyAnswers", folder=None, suite="quick", split="valid", references=["zero"]
    )
    told = tmp_path / "kit" / "track.json"
    assert kit.write(tracks.shown(track.spec), tmp_path / "kit") and '"seed"' not in told.read_text()
    assert local.main(tmp_path / "kit", ["policy"]) == 0
    assert "yours" in capsys.readouterr().out
    with pytest.raises(UserError, match="something in it"):
        kit.write(tracks.shown(track.spec), tmp_path / "kit")
    user = make_user()
    good = {"easy-1": [0, 0, 0, 1], "easy-2": [1, 1, 0, 0], "mixed": [7]}
    answers = queue.submit(database, user.id, "tiny", "answers", packed({"answers.json": json.dumps(good).encode()}))
    bad = queue.submit(database, user.id, "tiny", "bad", packed({"answers.json": b"[1, NaN]"}))
    mine = queue.submit(database, user.id, "tiny", "kit", packed(folder_files(tmp_path / "kit" / "policy")))
    drain(database)
    assert [(one.status, one.value) for one in scores(database, answers)] == [
        ("ok", 0.0),
        ("ok", 0.25),
        ("invalid", 1.0),
    ]
    assert "not JSON" in of(database, bad).reason and of(database, mine).state == "scored"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"task": "index", "folder": None, "suite": "quick"}, "is timed"),
        ({"folder": "/nowhere"}, "no such folder"),
        ({"folder": None, "seed": 3}, "draws no instances"),
        ({"takes": ["answers"]}, "takes no answers"),
        ({"references": ["nobody"]}, "no contender"),
        ({"folder": None, "suite": "huge"}, "nothing in split"),
    ],
)
def test_tracks_that_cannot_be(make_track: Callable[..., Track], changes: dict[str, Any], said: str) -> None:
    """Red: a track is made that can never be scored, or a mistake in one is told without its reason."""
    with pytest.raises(UserError, match=said):
        make_track(**changes)


def test_a_track_of_a_file(tmp_path: Path) -> None:
    """Red: a mistake in a track's file is a traceback, or a line that does not name the file and the place."""
    path = tmp_path / "track.toml"
    dates = "starts = 2024-01-01T00:00:00Z\nends = 2025-01-01T00:00:00Z\n"
    good = f'slug = "x"\ntitle = "X"\ntask = "cache"\nseed = 1\n{dates}'
    path.write_text(good)
    assert tracks.read_spec(path).slug == "x"
    for bad, said in ((good.replace('"x"', '"X Y"'), "slug: small letters"),
                      (good.replace("2025", "2023"), "ends must"),
                      (good + 'folder = "y"\n', "exactly one of"), ("slug = ", "not TOML"),
                      (good.replace("00Z", "00"), "starts"), (good + "colour = 1\n", "colour")):  # fmt: skip
        path.write_text(bad)
        with pytest.raises(UserError, match=f"track.toml: .*{said}|track.toml: {said}"):
            tracks.read_spec(path)
