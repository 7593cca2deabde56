"""A real server on this machine's processor: what calibrates the simulator, and the proxy in front of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any

import numpy as np
import pytest

from unseat.core.errors import MissingExtra
from unseat.tasks.serving import real

pytest.importorskip("aiohttp", reason="the extra serving is not installed")
from aiohttp import ClientSession, TCPConnector
from tests.tasks.serving.test_proxy import start, waiting

from unseat.tasks.serving.exporters import plain
from unseat.tasks.serving.exporters.scheduler import Scheduler
from unseat.tasks.serving.incumbents import INCUMBENTS
from unseat.tasks.serving.policies import RuleOf
from unseat.tasks.serving.proxy.server import Proxy


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A llama.cpp server with the small model."""
    try:
        path = real.model()
    except MissingExtra as error:
        pytest.skip(str(error))
    with real.server(path) as address:
        yield address


def test_calibration_finds_the_server_that_was_simulated() -> None:
    """Red: a fit to what a server of known costs would have shown predicts another server."""
    numbers = [0.006, 0.004, 0.003, 2e-6]
    requests = real.trace(40, 1.5, 3)
    asked = [real.Served(float(at_s), 0.0, 0.0, int(prompt), int(output))
             for at_s, prompt, output in zip(requests.at_s, requests.prompt, requests.output, strict=True)]  # fmt: skip
    seen = []
    for one, (ttft, tpot) in zip(asked, real.simulated(asked, numbers), strict=True):
        first = one.at_s + ttft
        seen.append(one._replace(first_s=first, end_s=first + tpot * (one.output - 1)))
    found = real.calibrated(seen[:20])
    off = np.abs(real.simulated(seen, found) / real.measured(seen) - 1)[20:]
    assert np.median(off, axis=0).max() < 0.05


def test_a_trace_is_played_whole(url: str) -> None:
    """Red: answers of the real server are lost, or their tokens are counted wrongly."""
    requests = real.trace(6, 50.0, 0)
    seen = real.play(url, requests)
    assert [one.output for one in seen] == requests.output.tolist()
    assert all(one.at_s <= one.first_s <= one.end_s for one in seen)


def test_the_proxy_passes_on_what_the_server_says(url: str) -> None:
    """Red: a real server's streams come out of the proxy changed or mixed up, or one who hung up keeps a seat."""

    async def said(client: ClientSession, where: str, prompt: str) -> str:
        body = {"prompt": prompt, "max_tokens": 12, "temperature": 0.0, "stream": True, "cache_prompt": False}
        async with client.post(f"{where}/v1/completions", json=body) as answer:
            assert answer.status == 200
            lines = (await answer.read()).decode().splitlines()
        pieces = [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: {")]
        return "".join(piece["choices"][0]["text"] for piece in pieces)

    async def run() -> None:
        async with AsyncExitStack() as stack:
            policy = RuleOf("shortest-prompt", INCUMBENTS["shortest-prompt"].settings)
            proxy = Proxy([url], Scheduler(plain(policy)), seats=1)
            front = await start(stack, proxy.app())
            client = await stack.enter_async_context(ClientSession())
            prompts = ["Count to ten: one, two,", "The capital of France is", "def add(a, b):", "Monday, Tuesday,"]
            # The server closes each connection after its answer without saying so; the proxy has to bear that.
            alone = await stack.enter_async_context(ClientSession(connector=TCPConnector(force_close=True)))
            direct = [await said(alone, url, prompt) for prompt in prompts]
            assert all(direct)
            assert await asyncio.gather(*(said(client, front, prompt) for prompt in prompts)) == direct
            body: dict[str, Any] = {"prompt": "Once", "max_tokens": 900, "ignore_eos": True, "stream": True}
            answer = await client.post(f"{front}/v1/completions", json=body)
            await answer.content.readuntil(b"\n\n")
            answer.close()  # long before its end
            assert await said(client, front, prompts[0]) == direct[0], "its seat is free again"
            await waiting(proxy, 0)

    asyncio.run(asyncio.wait_for(run(), 120))
