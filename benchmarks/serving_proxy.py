"""What the proxy of `unseat serve serving` costs.

    python -m benchmarks.serving_proxy

Stub servers on loopback, in a process of their own, stream five tokens a second. First one client after the other asks
through the proxy and directly, in turns: prints the difference of the medians to the first byte (goal: under 1 ms).
Then 2,000 clients at once read streams through the proxy for ten seconds each (goal: none dropped, no token lost).
Clients are in this process, the proxy in a third one.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import sys
import time
from multiprocessing.connection import Connection

import numpy as np
from aiohttp import ClientSession, TCPConnector, web

from unseat.tasks.serving.exporters import plain
from unseat.tasks.serving.exporters.scheduler import Scheduler
from unseat.tasks.serving.proxy.server import Proxy
from unseat.tasks.serving.task import ServingTask

STREAMS, SECONDS, EACH_S, GOAL_MS = 2_000, 10, 5, 1.0
TOKEN = b'data: {"choices":[{"delta":{"content":"word"}}]}\n\n'


async def stream(request: web.Request) -> web.StreamResponse:
    """Answer with so many tokens, five a second, or at once."""
    told = await request.json()
    back = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await back.prepare(request)
    for _ in range(told["max_tokens"]):
        await back.write(TOKEN)
        if told.get("slow"):
            await asyncio.sleep(1 / EACH_S)
    return back


async def _served(app: web.Application, pipe: Connection) -> None:
    runner = web.AppRunner(app, handler_cancellation=True, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=4096)
    await site.start()
    pipe.send(f"http://127.0.0.1:{runner.addresses[0][1]}")
    await asyncio.get_running_loop().run_in_executor(None, pipe.recv)
    await runner.cleanup()


def stub(pipe: Connection) -> None:
    """A process of one stub server."""
    app = web.Application()
    app.router.add_post("/v1/chat/completions", stream)
    asyncio.run(_served(app, pipe))


def proxy(pipe: Connection, urls: list[str]) -> None:
    """A process of the proxy."""
    made = ServingTask().contenders()["paced"].make()
    asyncio.run(_served(Proxy(urls, Scheduler(plain(made)), seats=STREAMS).app(), pipe))  # type: ignore[arg-type]


async def first_byte_ms(client: ClientSession, url: str) -> float:
    """Milliseconds to the first byte of an answer."""
    body = {"messages": [{"role": "user", "content": "word " * 400}], "max_tokens": 1, "stream": True}
    began = time.perf_counter()
    async with client.post(f"{url}/v1/chat/completions", json=body) as answer:
        await answer.content.readany()
        spent = time.perf_counter() - began
        await answer.read()
    return 1000 * spent


async def latency(direct: str, through: str) -> tuple[float, float]:
    """Medians to the first byte, directly and through the proxy, in turns."""
    async with ClientSession() as client:
        found = [[await first_byte_ms(client, url) for url in (direct, through)] for _ in range(600)]
    medians = np.median(np.array(found[100:]), axis=0)
    return float(medians[0]), float(medians[1])


async def one_stream(client: ClientSession, url: str) -> int:
    """Tokens that came of a slow stream."""
    body = {"messages": [{"role": "user", "content": "word"}], "max_tokens": SECONDS * EACH_S, "slow": True}
    async with client.post(f"{url}/v1/chat/completions", json=body) as answer:
        if answer.status != 200:
            return 0
        return int((await answer.read()).count(b"\n\n"))


async def many(url: str) -> list[int]:
    """All streams at once."""
    async with ClientSession(connector=TCPConnector(limit=0)) as client:
        tasks = [asyncio.create_task(one_stream(client, url)) for _ in range(STREAMS)]
        found = await asyncio.gather(*tasks, return_exceptions=True)
    return [0 if isinstance(one, BaseException) else one for one in found]


def main() -> None:
    """Print both figures beside their goals."""
    context = multiprocessing.get_context("spawn")
    pipes, processes = [], []
    urls: list[str] = []
    for target in (stub, proxy):
        here, there = context.Pipe()
        process = context.Process(target=target, args=(there,) if target is stub else (there, list(urls)))
        process.start()
        urls.append(here.recv())
        pipes.append(here)
        processes.append(process)
    try:
        direct, through = asyncio.run(latency(*urls))
        added = through - direct
        print(f"first byte: {direct:.2f} ms directly, {through:.2f} ms through the proxy: adds {added:.2f} ms, "
              f"goal under {GOAL_MS:.0f} ms")  # fmt: skip
        began = time.perf_counter()
        counts = asyncio.run(many(urls[1]))
        spent = time.perf_counter() - began
    finally:
        for pipe in pipes:
            pipe.send(None)
        for process in processes:
            process.join(10)
    wanted = SECONDS * EACH_S
    whole = sum(count == wanted for count in counts)
    print(f"{STREAMS} streams of {EACH_S} tokens/s: {whole} whole, {sum(counts):,} of {STREAMS * wanted:,} tokens, "
          f"{spent:.1f} s for {SECONDS} s; goal: none dropped")  # fmt: skip
    sys.exit(0 if added < GOAL_MS and whole == STREAMS else 1)


if __name__ == "__main__":
    main()
