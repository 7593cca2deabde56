"""The proxy in front of servers of our own, over real sockets: order, streams, hang-ups and refusals."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

pytest.importorskip("aiohttp", reason="the extra serving is not installed")
from aiohttp import ClientSession, web

from unseat.tasks.serving.exporters import plain
from unseat.tasks.serving.exporters.scheduler import Request, Scheduler
from unseat.tasks.serving.incumbents import INCUMBENTS
from unseat.tasks.serving.policies import RuleOf
from unseat.tasks.serving.proxy.server import Proxy, Waiting, tokens_in


class Stub:
    """A server that streams so many pieces, each when it is let; it notes what came and what was broken off."""

    def __init__(self) -> None:
        self.came: list[dict[str, Any]] = []
        self.broken, self.pieces = 0, 3
        self.gate = asyncio.Event()
        self.here = asyncio.Condition()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        async with self.here:
            self.came.append(await request.json())
            self.here.notify_all()
        back = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await back.prepare(request)
        try:
            await back.write(b"data: first\n\n")
            await self.gate.wait()
            for place in range(self.pieces):
                await back.write(b"data: %d\n\n" % place)
            await back.write(b"data: [DONE]\n\n")
        except (asyncio.CancelledError, ConnectionError):
            async with self.here:
                self.broken += 1
                self.here.notify_all()
            raise
        return back

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds of this server."""
        async with self.here:
            await asyncio.wait_for(self.here.wait_for(holds), 20)


Play = Callable[[ClientSession, str, list[Stub], Proxy], Awaitable[None]]


def played(play: Play, policy: str = "shortest-prompt", servers: int = 1, **settings: Any) -> None:
    """Run a test's play against servers and a proxy in front of them."""

    async def run() -> None:
        async with AsyncExitStack() as stack:
            stubs = [Stub() for _ in range(servers)]
            urls = []
            for stub in stubs:
                app = web.Application()
                app.router.add_post("/v1/completions", stub.handle)
                urls.append(await start(stack, app))
            known = RuleOf(policy, INCUMBENTS[policy].settings)
            proxy = Proxy(urls, Scheduler(plain(known)), **settings)
            url = await start(stack, proxy.app())
            client = await stack.enter_async_context(ClientSession())
            await play(client, url, stubs, proxy)
            for stub in stubs:
                stub.gate.set()

    asyncio.run(asyncio.wait_for(run(), 60))


async def start(stack: AsyncExitStack, app: web.Application) -> str:
    """Serve an application on a port of its own."""
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    return f"http://127.0.0.1:{runner.addresses[0][1]}"


async def ask(client: ClientSession, url: str, words: int, name: str) -> tuple[int, bytes]:
    """A request of so many words, to its end."""
    body = {"prompt": "word " * words, "user": name, "stream": True}
    async with client.post(f"{url}/v1/completions", json=body) as answer:
        return answer.status, await answer.read()


def test_streams_pass_unchanged_and_piece_by_piece() -> None:
    """Red: an answer is held back until it is whole, or comes out changed."""

    async def play(client: ClientSession, url: str, stubs: list[Stub], proxy: Proxy) -> None:
        body = {"prompt": "word", "stream": True}
        async with client.post(f"{url}/v1/completions", json=body) as answer:
            assert await answer.content.readuntil(b"\n\n") == b"data: first\n\n"  # the server still waits at its gate
            assert answer.headers["Content-Type"] == "text/event-stream"
            stubs[0].gate.set()
            assert await answer.read() == b"data: 0\n\ndata: 1\n\ndata: 2\n\ndata: [DONE]\n\n"
        assert stubs[0].came == [body]

    played(play)


def test_who_waits_goes_by_priority() -> None:
    """Red: requests that wait for a seat are served in another order than the policy's."""

    async def play(client: ClientSession, url: str, stubs: list[Stub], proxy: Proxy) -> None:
        stub = stubs[0]
        first = asyncio.create_task(ask(client, url, 10, "first"))
        await stub.until(lambda: len(stub.came) == 1)
        others = []
        for place, (name, words) in enumerate([("long", 3000), ("short", 20), ("middle", 300)], 1):
            others.append(asyncio.create_task(ask(client, url, words, name)))
            await waiting(proxy, place)
        stub.gate.set()
        await asyncio.gather(first, *others)
        assert [one["user"] for one in stub.came] == ["first", "short", "middle", "long"]

    played(play, seats=1)


def test_who_has_waited_too_long_goes_first() -> None:
    """Red: a long prompt waits for ever behind shorter ones."""

    async def play(client: ClientSession, url: str, stubs: list[Stub], proxy: Proxy) -> None:
        stub = stubs[0]
        first = asyncio.create_task(ask(client, url, 10, "first"))
        await stub.until(lambda: len(stub.came) == 1)
        others = []
        for place, (name, words) in enumerate([("long", 3000), ("short", 20)], 1):
            others.append(asyncio.create_task(ask(client, url, words, name)))
            await waiting(proxy, place)
        stub.gate.set()
        await asyncio.gather(first, *others)
        assert [one["user"] for one in stub.came] == ["first", "long", "short"]

    played(play, seats=1, patience_s=-1.0)


def test_hanging_up_ends_the_request_and_frees_its_seat() -> None:
    """Red: a server goes on with an answer that nobody reads, or a seat is lost for ever."""

    async def play(client: ClientSession, url: str, stubs: list[Stub], proxy: Proxy) -> None:
        stub = stubs[0]
        gone = asyncio.create_task(ask(client, url, 10, "gone"))
        await stub.until(lambda: len(stub.came) == 1)
        waits = asyncio.create_task(ask(client, url, 10, "waits"))
        await waiting(proxy, 1)
        stays = asyncio.create_task(ask(client, url, 10, "stays"))
        await waiting(proxy, 2)
        waits.cancel()  # while it waits at the proxy
        await waiting(proxy, 1)
        gone.cancel()  # while its answer comes
        await stub.until(lambda: stub.broken == 1)
        await stub.until(lambda: len(stub.came) == 2)
        stub.gate.set()
        assert (await stays)[0] == 200
        assert [one["user"] for one in stub.came] == ["gone", "stays"]
        await waiting(proxy, 0)

    played(play, seats=1)


def test_a_seat_is_not_given_to_who_hangs_up_in_the_same_moment() -> None:
    """Red: where one hangs up while another's answer ends, the seat is lost for ever, or the answer is."""

    async def play(client: ClientSession, url: str, stubs: list[Stub], proxy: Proxy) -> None:
        server = proxy.servers[0]

        async def waits() -> None:
            await proxy._seat(server, Request(0.0, 10))

        await waits()
        gone, stays = (asyncio.create_task(waits()) for _ in range(2))
        await waiting(proxy, 2)
        gone.cancel()  # it has not run again when the seat comes free
        server.taken -= 1
        proxy._next(server)
        await asyncio.gather(gone, stays, return_exceptions=True)
        assert (server.taken, server.waiting) == (1, [])

    played(play, seats=1)


def test_admission_counts_what_goes_before() -> None:
    """Red: a short prompt is refused for long ones that it would pass, which is not what was measured."""

    async def play(client: ClientSession, url: str, stubs: list[Stub], proxy: Proxy) -> None:
        first = asyncio.create_task(ask(client, url, 10, "first"))
        await stubs[0].until(lambda: len(stubs[0].came) == 1)
        server = proxy.servers[0]
        server.waiting = [Waiting(Request(0.0, 8000), asyncio.get_running_loop().create_future()) for _ in range(20)]
        assert server.ahead(Request(0.0, 50), True) < 50
        assert server.ahead(Request(0.0, 50), False) >= 160_000 <= server.ahead(Request(0.0, 9000), True)
        assert proxy.scheduler.shortest_first
        waits = asyncio.create_task(ask(client, url, 50, "short"))
        await waiting(proxy, 21)
        server.waiting[:20] = []
        stubs[0].gate.set()
        assert [status for status, _ in await asyncio.gather(first, waits)] == [200, 200]

    played(play, "shortest-admitted", seats=1)


def test_tokens_of_an_answer() -> None:
    """Red: lengths are learned from the pieces that the network made, or of answers that failed."""
    streamed = b'data: {"choices": []}\n\ndata: {"choices": []}\n\ndata: [DONE]\n\n'
    assert tokens_in(streamed, True) == 2
    assert tokens_in(b'{"usage": {"prompt_tokens": 3, "completion_tokens": 1000}}', False) == 1000
    assert tokens_in(b'{"error": {"message": "no"}}', False) == 0
    assert tokens_in(b'{"choices": [{"text": "data: {"}], "usage": {"completion_tokens": 7}}', False) == 7


def test_too_many_are_refused() -> None:
    """Red: the queue grows without end instead of telling clients to come back."""

    async def play(client: ClientSession, url: str, stubs: list[Stub], proxy: Proxy) -> None:
        stub = stubs[0]
        tasks = [asyncio.create_task(ask(client, url, 10, "first"))]
        await stub.until(lambda: len(stub.came) == 1)
        tasks.append(asyncio.create_task(ask(client, url, 10, "second")))
        await waiting(proxy, 1)
        status, body = await ask(client, url, 10, "third")
        assert status == 429
        assert json.loads(body)["error"]["type"] == "rate_limit_error"
        stub.gate.set()
        assert [status for status, _ in await asyncio.gather(*tasks)] == [200, 200]

    played(play, seats=1, most=1)


def test_a_common_beginning_goes_to_the_same_server() -> None:
    """Red: routing by prefix does not find the server that has computed it."""

    async def play(client: ClientSession, url: str, stubs: list[Stub], proxy: Proxy) -> None:
        for stub in stubs:
            stub.gate.set()
        for word in ("apple", "berry", "cherry"):
            for _ in range(4):
                body = {"prompt": f"{word} " * 2000}
                async with client.post(f"{url}/v1/completions", json=body) as answer:
                    await answer.read()
        for word in ("apple", "berry", "cherry"):
            counts = [sum(one["prompt"].startswith(word) for one in stub.came) for stub in stubs]
            assert sorted(counts) == [0, 0, 4], counts

    played(play, "prefix-affinity", servers=3)


def test_a_server_that_is_gone_is_an_answer() -> None:
    """Red: a server that cannot be reached, or nonsense from a client, ends the proxy or hangs the client."""

    async def play(client: ClientSession, url: str, stubs: list[Stub], proxy: Proxy) -> None:
        async with client.post(f"{url}/v1/completions", data=b"{nonsense") as answer:
            assert answer.status == 400
        proxy.servers[0].url = "http://127.0.0.1:9"
        status, body = await ask(client, url, 10, "first")
        assert status == 502
        assert "127.0.0.1:9" in json.loads(body)["error"]["message"]
        assert proxy.servers[0].taken == 0

    played(play)


@pytest.mark.parametrize(("answers", "status"), [(1, 200), (0, 502)])
def test_a_server_that_closes_a_kept_connection_is_asked_again(answers: int, status: int) -> None:
    """Red: what a server closes without saying so, as llama.cpp's does after each answer, is a failed request."""

    async def closes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for served in range(answers + 1):
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(int(length.split(b":")[1]))
            if served < answers:
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwell")
        writer.close()

    async def play(client: ClientSession, url: str, stubs: list[Stub], proxy: Proxy) -> None:
        server = await asyncio.start_server(closes, "127.0.0.1", 0)
        async with server:
            proxy.servers[0].url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            for _ in range(4):
                assert (await ask(client, url, 10, "one"))[0] == status
                async with client.post(f"{url}/other", data=b"{}") as answer:
                    assert answer.status == status, "what is not scheduled too, and it is never sent twice"
        assert proxy.servers[0].taken == 0

    played(play)


async def waiting(proxy: Proxy, count: int) -> None:
    """Go on until so many requests wait at the proxy."""
    while len(proxy.servers[0].waiting) != count:
        await asyncio.sleep(0)
