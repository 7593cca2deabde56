"""A reverse proxy for OpenAI-compatible servers that says who goes next, and where to.

Each server runs so many requests at once; who comes beyond that waits here, in the order of the policy's priorities,
but whoever has waited for longer than the patience goes first, in order of coming. Answers are passed on as they come:
a client that reads slowly holds up its own stream and nothing else (the next piece is read when the last is written),
one that hangs up ends its request at the server. When too many wait, or the policy refuses, the answer is 429.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientOSError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    ServerDisconnectedError,
    TCPConnector,
    web,
)

from unseat.tasks.serving.exporters.scheduler import Replica, Request, Scheduler

ENDPOINTS = ("/v1/chat/completions", "/v1/completions")
"""What is scheduled; everything else goes to the first server."""

HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "host", "content-length",
                 "proxy-authorization", "proxy-authenticate", "expect"})  # fmt: skip
"""Headers that are between two neighbours only, and those that the client library sets."""

CHARACTERS = 4
"""Of a token, about; the server alone knows better."""

CHUNK = 512
REMEMBERED = 200_000
"""Chunks that a server is believed to have in its cache."""


@dataclass
class Waiting:
    """A request that waits for a seat."""

    request: Request
    seat: asyncio.Future[None]
    cost: tuple[float, float] = (0.0, 0.0)


@dataclass
class Server:
    """One server behind the proxy.

    Attributes:
        url: Its address, without a path.
        seats: Requests that it runs at once.
        taken: Seats that were given away.
    """

    url: str
    seats: int
    taken: int = 0
    running: dict[int, Request] = field(default_factory=dict)
    begun: set[int] = field(default_factory=set)
    waiting: list[Waiting] = field(default_factory=list)
    seen: dict[Any, None] = field(default_factory=dict)

    def cached(self, request: Request) -> int:
        """Tokens of a prompt that were sent to this server before."""
        found = 0
        for one in request.hashes:
            if one not in self.seen:
                break
            found += 1
        return min(found * CHUNK, request.prompt - 1)

    def ahead(self, request: Request, shortest_first: bool) -> int:
        """Tokens of prompts that go before a request: those that are begun, and that wait and are no longer, or all."""
        waiting = [one.request.prompt for one in self.waiting]
        before = [one for one in waiting if not shortest_first or one <= request.prompt]
        return sum(one.prompt for one in self.filling()) + sum(before)

    def filling(self) -> list[Request]:
        """Those that run, and of whose answer nothing has come."""
        return [one for key, one in self.running.items() if key not in self.begun]

    def told(self, request: Request) -> Replica:
        """What the policy is told."""
        filling = self.filling()
        queued = sum(one.prompt for one in filling) + sum(one.request.prompt for one in self.waiting)
        return Replica(queued, len(self.running), len(self.waiting), len(filling), len(self.running) / self.seats,
                       0.0, self.seats, self.cached(request), [one.cost for one in self.waiting],
                       [(0, one.prompt) for one in filling])  # fmt: skip

    def remember(self, request: Request) -> None:
        """It has been sent a prompt."""
        for one in request.hashes:
            self.seen.pop(one, None)
            self.seen[one] = None
        while len(self.seen) > REMEMBERED:
            self.seen.pop(next(iter(self.seen)))


class Proxy:
    """The proxy.

    Args:
        urls: Addresses of the servers.
        scheduler: The policy.
        seats: Requests that each server runs at once.
        most: Requests that wait at most, all servers together.
        patience_s: After that a request goes first.
        forward: Whether to send the priority on, as vLLM's `priority`.
    """

    def __init__(
        self, urls: Sequence[str], scheduler: Scheduler, seats: int = 256, most: int = 10_000,
        patience_s: float = 60.0, forward: bool = False,
    ) -> None:  # fmt: skip
        self.servers = [Server(url.rstrip("/"), seats) for url in urls]
        self.scheduler, self.most, self.patience_s, self.forward = scheduler, most, patience_s, forward
        self._client: ClientSession | None = None
        self._fresh: ClientSession | None = None
        self._count = 0

    def app(self) -> web.Application:
        """The application, for aiohttp's runner."""
        app = web.Application(client_max_size=64 << 20)
        app.router.add_route("*", "/{path:.*}", self.handle)
        app.cleanup_ctx.append(self._connected)
        return app

    async def _connected(self, app: web.Application) -> Any:
        def session(connector: TCPConnector) -> ClientSession:
            timeout = ClientTimeout(total=None, connect=10)
            return ClientSession(connector=connector, timeout=timeout, auto_decompress=False)

        async with (
            session(TCPConnector(limit=0, keepalive_timeout=30)) as self._client,
            session(TCPConnector(limit=0, force_close=True)) as self._fresh,
        ):
            yield

    async def handle(self, came: web.Request) -> web.StreamResponse:
        """Schedule a request, or pass it on."""
        body = await came.read()
        if came.method != "POST" or came.path not in ENDPOINTS:
            return await self._pass(came, body, self.servers[0])
        try:
            told = json.loads(body)
        except (ValueError, RecursionError):
            told = None
        if not isinstance(told, dict):
            return _refusal(400, "the body is no JSON object")
        request = asked(told, time.monotonic())
        request.expected = self.scheduler.expected(request)
        place = self.scheduler.route(request, [server.told(request) for server in self.servers])
        server = self.servers[place]
        request.cached = server.cached(request)
        replica = server.told(request)
        if sum(len(one.waiting) for one in self.servers) >= self.most:
            return _refusal(429, "too many requests wait")
        if not self.scheduler.admits(request, replica, server.ahead(request, self.scheduler.shortest_first)):
            return _refusal(429, "the request would be late")
        if self.forward:
            told["priority"] = round(1000 * self.scheduler.priority(request, replica, request.arrived_s))
            body = json.dumps(told).encode()
        await self._seat(server, request)
        return await self._serve(came, body, server, request)

    async def _serve(self, came: web.Request, body: bytes, server: Server, request: Request) -> web.StreamResponse:
        """Run a request that has a seat, and give the seat to the next."""
        self._count += 1
        key, tokens, whole, first_s, last_s = self._count, 0, False, 0.0, 0.0
        server.running[key] = request
        server.remember(request)

        def piece(data: bytes, streamed: bool) -> None:
            nonlocal tokens, first_s, last_s
            last_s, tokens = time.monotonic(), tokens + tokens_in(data, streamed)
            first_s = first_s or last_s
            server.begun.add(key)

        try:
            answer = await self._pass(came, body, server, piece)
            whole = answer.status == 200
            return answer
        finally:
            del server.running[key]
            server.begun.discard(key)
            server.taken -= 1
            # What failed, or was broken off, says nothing of how long answers are.
            if whole and tokens:
                self.scheduler.ended(request, tokens)
                late = first_s - request.arrived_s > self.scheduler.ttft_s
                slow = (last_s - first_s) > (tokens - 1) * self.scheduler.tpot_s
                self.scheduler.missed += late or slow
            self._next(server)

    async def _seat(self, server: Server, request: Request) -> None:
        """Wait for a seat; who hangs up while waiting leaves the queue."""
        if server.taken < server.seats and not server.waiting:
            server.taken += 1
            return
        one = Waiting(request, asyncio.get_running_loop().create_future(), self.scheduler.cost(request))
        server.waiting.append(one)
        try:
            await one.seat
        except asyncio.CancelledError:
            if one in server.waiting:
                server.waiting.remove(one)
            elif one.seat.done() and not one.seat.cancelled():
                server.taken -= 1
                self._next(server)
            raise

    def _next(self, server: Server) -> None:
        """Give a free seat to whoever is next."""
        # One who hung up in this turn of the loop is still listed, and takes no seat.
        server.waiting = [one for one in server.waiting if not one.seat.done()]
        if not server.waiting or server.taken >= server.seats:
            return
        now = time.monotonic()
        aged = [one for one in server.waiting if now - one.request.arrived_s > self.patience_s]
        if aged:
            chosen = min(aged, key=lambda one: one.request.arrived_s)
        else:
            replica = server.told(server.waiting[0].request)
            chosen = min(server.waiting, key=lambda one: self.scheduler.priority(one.request, replica, now))
        server.waiting.remove(chosen)
        server.taken += 1
        chosen.seat.set_result(None)

    async def _sent(
        self, method: str, url: str, body: bytes, headers: Mapping[str, str], alone: bool
    ) -> ClientResponse:  # fmt: skip
        """Send a request; `alone` is for what must not be sent twice, which gets a connection of its own."""
        assert self._client is not None and self._fresh is not None
        if not alone:
            try:
                return await self._client.request(method, url, data=body or None, headers=headers)
            except ClientConnectorError:
                raise
            except (ServerDisconnectedError, ClientOSError):
                # Some servers close a connection after an answer without saying so, llama.cpp's among them. Nothing of
                # this answer has come, and to complete a prompt twice changes nothing there.
                pass
        return await self._fresh.request(method, url, data=body or None, headers=headers)

    async def _pass(
        self, came: web.Request, body: bytes, server: Server, piece: Callable[[bytes, bool], None] | None = None
    ) -> web.StreamResponse:
        """Send a request on, and its answer back as it comes; `piece` is told of each part of a scheduled one."""
        headers = {name: value for name, value in came.headers.items() if name.lower() not in HOP}
        try:
            async with await self._sent(came.method, server.url + came.path_qs, body, headers, piece is None) as answer:
                kept = {name: value for name, value in answer.headers.items() if name.lower() not in HOP}
                back = web.StreamResponse(status=answer.status, headers=kept)
                if "Content-Length" in answer.headers:
                    back.content_length = int(answer.headers["Content-Length"])
                await back.prepare(came)
                async for data in answer.content.iter_any():
                    if piece:
                        piece(data, answer.content_type == "text/event-stream")
                    await back.write(data)
                await back.write_eof()
                return back
        except (ClientError, TimeoutError, OSError) as error:
            if came.transport is None or came.transport.is_closing():
                raise
            with suppress(NameError, UnboundLocalError):
                if back.prepared:
                    # The answer has begun: only a broken connection says that it is not whole.
                    came.transport.abort()
                    return back
            return _refusal(502, f"{server.url}: {type(error).__name__}: {error}")


def tokens_in(data: bytes, streamed: bool) -> int:
    """Tokens of a piece of an answer: its events, or what it says it has used where it comes as a whole."""
    if streamed:
        return data.count(b"data: {")
    used = re.search(rb'"completion_tokens"\s*:\s*(\d+)', data)
    return int(used[1]) if used else 0


def asked(told: Mapping[str, Any], now_s: float) -> Request:
    """An API request as the policy knows it: about how many tokens, and how it begins."""
    prompt = told.get("messages", told.get("prompt", ""))
    text = prompt if isinstance(prompt, str) else json.dumps(prompt, sort_keys=True)
    digest, hashes, step = hashlib.blake2b(digest_size=8), [], CHARACTERS * CHUNK
    for place in range(len(text) // step):
        digest.update(text[place * step : (place + 1) * step].encode())
        hashes.append(digest.digest())
    return Request(now_s, max(1, len(text) // CHARACTERS), hashes)


def _refusal(status: int, message: str) -> web.Response:
    """An answer of the shape of OpenAI's errors."""
    kind = "rate_limit_error" if status == 429 else "server_error" if status >= 500 else "invalid_request_error"
    headers = {"Retry-After": "1"} if status == 429 else {}
    return web.json_response(
        {"error": {"message": message, "type": kind, "code": status}}, status=status, headers=headers
    )
