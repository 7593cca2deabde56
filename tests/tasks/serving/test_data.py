"""Traces, logs and options: what is read is what is there, and what is wrong is named."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from unseat.core.errors import UserError
from unseat.tasks.serving import generators
from unseat.tasks.serving.cluster import Serving
from unseat.tasks.serving.costs import tables
from unseat.tasks.serving.data.traces import CHUNK, published, read
from unseat.tasks.serving.options import parsed
from unseat.tasks.serving.recorder import record
from unseat.tasks.serving.suites import built_in
from unseat.tasks.serving.task import ServingTask

GOOD = {"timestamp": 0, "input_length": 1100, "output_length": 5, "hash_ids": [7, 9, 11]}


def lines(path: Path, *rows: object) -> Path:
    """A file of JSON lines."""
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


def test_mooncake_lines(tmp_path: Path) -> None:
    """Red: times are not seconds, hashes of partial chunks are kept, or order is not that of time."""
    later = {**GOOD, "timestamp": 1500, "hash_ids": [7, 10, 12], "input_length": 2 * CHUNK}
    requests, chunk = read(lines(tmp_path / "a.jsonl", later, GOOD))
    assert requests.at_s.tolist() == [0.0, 1.5]
    assert requests.prompt.tolist() == [1100, 2 * CHUNK]
    assert chunk == CHUNK
    assert [requests.hashes[a:b].tolist() for a, b in zip(requests.first, requests.first[1:], strict=False)] == [
        [0, 1],
        [0, 2],
    ]


def test_azure_lines(tmp_path: Path) -> None:
    """Red: dates with seven digits of a second, or plain seconds, are misread."""
    path = tmp_path / "a.csv"
    path.write_text(
        "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.5000000,374,44\n2023-11-16 18:15:48,1,2\n"
    )
    requests, chunk = read(path)
    assert (requests.at_s[1] - requests.at_s[0], chunk) == (1.5, 0)
    path.write_text("TIMESTAMP,ContextTokens,GeneratedTokens\n1.5,374,44\n3,1,2\n")
    assert read(path)[0].at_s.tolist() == [1.5, 3.0]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({**GOOD, "input_length": 0}, "2: input_length is 0"),
        ({**GOOD, "output_length": -3}, "2: output_length is -3"),
        ({**GOOD, "input_length": 1.5}, "2: input_length is 1.5"),
        ({**GOOD, "input_length": None}, "2: input_length is None"),
        ({**GOOD, "input_length": True}, "2: input_length is True"),
        ({**GOOD, "input_length": 1e300}, "2: input_length is 1e+300"),
        ({**GOOD, "timestamp": "noon"}, "2: timestamp is 'noon'"),
        ({**GOOD, "timestamp": float("nan")}, "2: timestamp is nan"),
        ({**GOOD, "hash_ids": 5}, "2: hash_ids is 5"),
        ({"a": 1}, "2: a request is an object"),
        ("{", "2: not JSON"),
        ([], "2: a request is an object"),
    ],
)
def test_wrong_lines_are_named(row: object, said: str, tmp_path: Path) -> None:
    """Red: a malformed line is read as something, or the message does not name file and line."""
    path = lines(tmp_path / "a.jsonl", GOOD, row)
    with pytest.raises(UserError) as caught:
        read(path)
    assert f"{path}:{said}" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_without_a_rate(tmp_path: Path) -> None:
    """Red: a file that gives no rate to scale ends in a division by zero."""
    with pytest.raises(UserError, match="1 requests"):
        read(lines(tmp_path / "a.jsonl", GOOD))
    with pytest.raises(UserError, match="same moment"):
        read(lines(tmp_path / "a.jsonl", GOOD, GOOD))
    with pytest.raises(UserError, match="cannot be read"):
        read(tmp_path / "none.jsonl")
    with pytest.raises(UserError, match="no column TIMESTAMP"):
        (tmp_path / "a.csv").write_text("a,b\n1,2\n")
        read(tmp_path / "a.csv")


def test_recording_access_logs(tmp_path: Path) -> None:
    """Red: a log of one of the known shapes is not read, its prompts leak, or common beginnings are not seen."""
    text = "x" * (4 * CHUNK) + "secret"
    log = lines(
        tmp_path / "log.jsonl",
        {"created": 1_700_000_000, "usage": {"prompt_tokens": 700, "completion_tokens": 5}, "prompt": text},
        {"timestamp": "2023-11-14T22:13:21+00:00",
         "response": {"usage": {"prompt_tokens": 800, "completion_tokens": 6}}, "request": {"prompt": text + "more"}},
        {"arrival_time": 1_700_000_003_000, "num_prompt_tokens": 9, "num_generation_tokens": 1},
        "INFO: started", {"created": 1},
    )  # fmt: skip
    output = tmp_path / "trace.jsonl"
    assert "3 requests of 3 s; 2 lines" in record((), log, output)
    assert "secret" not in output.read_text()
    requests, chunk = read(output)
    assert requests.at_s.tolist() == [0.0, 1.0, 3.0]
    assert requests.prompt.tolist() == [700, 800, 9]
    assert (chunk, requests.hashes.tolist()) == (CHUNK, [0, 0])
    # The task runs on what it has recorded.
    task = ServingTask().open(str(output), {})
    assert len(task.load(task.instances()[0]).requests.at_s) == 3


def test_recording_a_command(tmp_path: Path) -> None:
    """Red: a program's standard output is not recorded, or its failure is taken for a log."""
    line = json.dumps({"created": 1, "usage": {"prompt_tokens": 7, "completion_tokens": 5}})
    script = f"print({line!r}); print({line.replace('1,', '2,', 1)!r})"
    assert "2 requests" in record([sys.executable, "-c", script], None, tmp_path / "a.jsonl")
    with pytest.raises(UserError, match="exit code 3"):
        record([sys.executable, "-c", "raise SystemExit(3)"], None, tmp_path / "a.jsonl")
    with pytest.raises(UserError, match="cannot be run"):
        record([str(tmp_path / "none")], None, tmp_path / "a.jsonl")


def test_options() -> None:
    """Red: a wrong option is not named, or a cluster is simulated that nothing is known of."""
    assert parsed({"replicas": 3}, 0).replicas == 3
    wrong: list[tuple[dict[str, object], str]] = [
        ({"tp": 3}, "no measured kernels of h100_sxm/llama-3.1-8b/3"),
        ({"gpu": "tpu"}, "--gpu tpu"),
        ({"replicas": 0}, "--replicas"),
        ({"prefillers": 2}, "2 of 2 replicas for prompts"),
        ({"gpu": "l40s", "model": "llama-3.1-70b-fp8"}, "no measured kernels"),
    ]
    for options, said in wrong:
        with pytest.raises(UserError, match=said):
            parsed(options, 0)


def test_what_the_simulator_is_wrong_of_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Red: a configuration is simulated although the simulator was found to be far off on its measured rows."""
    known = tables.calibrations()
    assert all(one["error"] is not None for name, one in known.items() if name != "default")
    off = {**known["h100_sxm/llama-3.1-70b-fp8"], "error": 0.4}
    monkeypatch.setattr(tables, "calibrations", lambda: {**known, "h100_sxm/llama-3.1-70b-fp8": off})
    with pytest.raises(UserError, match="off by 40% on measured rows, so it does not speak of it"):
        parsed({"model": "llama-3.1-70b-fp8", "tp": 2}, 0)


def test_costs_grow() -> None:
    """Red: a table was extracted with rows mixed up, so that more work takes less time."""
    from unseat.tasks.serving.engine import costs

    for key in sorted({key.rsplit("/", 1)[0] for key in tables.tables()}):
        gpu, model, tp = key.split("/")
        cost = tables.vector(gpu, model, int(tp))
        assert cost.size == costs.SIZE
        assert (cost > 0).all()
        assert costs.linear(cost, 4096) > 1.5 * costs.linear(cost, 1024)
        assert costs.whole(cost, 16384) > 2 * costs.whole(cost, 4096)
        assert costs.whole(cost, 32768) == pytest.approx(4 * costs.whole(cost, 16384))
        assert costs.decode(cost, 256, 256 * 4096) > 2 * costs.decode(cost, 64, 64 * 1024)
        parts = costs.chunk(cost, 0, 4096) + costs.chunk(cost, 4096, 4096)
        assert parts == pytest.approx(costs.whole(cost, 8192), rel=1e-6)


def test_published_traces_are_split_by_time() -> None:
    """Red: a request of a trace is in two splits or in none, or learning sees what comes later."""
    pytest.importorskip("unseat.data")
    for kind in ("azure-2023-code", "mooncake-synthetic"):
        try:
            whole = published(kind)
        except UserError as error:
            pytest.skip(str(error))
        parts = {source.split: source.requests() for source in built_in() if source.kind == kind}
        sizes = {split: len(part.at_s) for split, part in parts.items()}
        middle = len(whole.at_s) - sizes["test"] - sizes["valid"]
        assert whole.prompt[middle - sizes["train"] : middle].tolist() == parts["train"].prompt.tolist()
        assert whole.prompt[middle : middle + sizes["valid"]].tolist() == parts["valid"].prompt.tolist()
        assert whole.prompt[middle + sizes["valid"] :].tolist() == parts["test"].prompt.tolist()


def test_generated_requests() -> None:
    """Red: the generator gives no bursts, no common beginnings, or other requests for the same seed."""
    one, again = (generators.generate("chat", 400, 5) for _ in range(2))
    assert one.at_s.tolist() == again.at_s.tolist()
    assert one.rate == pytest.approx(1.0)
    counts, _ = __import__("numpy").histogram(one.at_s, bins=40)
    assert counts.var() > 1.5 * counts.mean()
    assert len(set(one.hashes.tolist())) < 0.7 * len(one.hashes)
    assert (one.output >= 1).all()
    with pytest.raises(UserError, match="no whole number of blocks"):
        Serving(chunk=100)
