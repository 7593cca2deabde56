"""``unseat serve serving``: the winner at work in front of real servers."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Annotated, Any

import typer

from unseat.core.errors import MissingExtra, UserError

app = typer.Typer()


@app.command("serving")
def serving(
    servers: Annotated[str, typer.Option(help="OpenAI-compatible servers, separated by commas: http://HOST:PORT")],
    policy: Annotated[str, typer.Option(help="a contender of the task serving that needs no fit")] = "paced",
    listen: Annotated[str, typer.Option(help="where clients connect: HOST:PORT")] = "127.0.0.1:8080",
    seats: Annotated[int, typer.Option(help="requests that each server runs at once")] = 256,
    most: Annotated[int, typer.Option(help="requests that wait at most")] = 10_000,
    patience: Annotated[float, typer.Option(help="seconds after which a request goes first")] = 60.0,
    ttft: Annotated[float, typer.Option(help="seconds to the first token that are promised")] = 2.0,
    tpot: Annotated[float, typer.Option(help="seconds a token after it that are promised")] = 0.05,
    token_ms: Annotated[float, typer.Option(help="milliseconds that a server takes for a token of a prompt")] = 0.1,
    forward_priority: Annotated[bool, typer.Option(help="send vLLM's field priority on")] = False,
) -> None:
    """Put a proxy in front of language-model servers that orders and routes requests by a policy."""
    try:
        from unseat.tasks.serving.proxy.server import Proxy
    except ImportError as error:
        raise MissingExtra("the proxy needs an extra: pip install 'unseat[serving]'") from error
    from unseat.tasks.serving.exporters.scheduler import Scheduler

    urls = [one.strip() for one in servers.split(",") if one.strip()]
    if not urls or not all(url.startswith(("http://", "https://")) for url in urls):
        raise UserError(f"--servers {servers}: write addresses such as http://127.0.0.1:8000, separated by commas")
    host, colon, port = listen.rpartition(":")
    if not colon or not port.isdigit() or not 0 <= int(port) < 65536:
        raise UserError(f"--listen {listen}: write HOST:PORT, such as 127.0.0.1:8080")
    if min(seats, most) < 1 or min(patience, ttft, tpot, token_ms) <= 0:
        raise UserError("--seats and --most are at least one, all times above zero")
    # Of the servers only the time of a token is known.
    unknown = {"dense": [], "output": [], "attention": [], "extra_s": 0.0, "hop_s": 0.0}
    plain = {**_plain(policy), **unknown, "ttft_s": ttft, "tpot_s": tpot, "token_s": token_ms / 1000}
    proxy = Proxy(urls, Scheduler(plain), seats, most, patience, forward_priority)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_forever(proxy, host, int(port)))


def _plain(policy: str) -> dict[str, Any]:
    """A contender's numbers."""
    from unseat.core import registry
    from unseat.core.policy import Policy
    from unseat.tasks.serving.exporters import plain

    known = registry.task("serving").contenders()
    if policy not in known:
        raise UserError(f"task serving has no contender {policy!r}; `unseat tasks --json` lists them")
    shipped = known[policy].shipped
    made = shipped() if shipped else known[policy].make()
    if not isinstance(made, Policy):
        raise UserError(f"{policy} has to be fitted first: python -m benchmarks.ship serving")
    return plain(made)


async def _forever(proxy: Any, host: str, port: int) -> None:
    from aiohttp import web

    # Without this a handler goes on although its client has hung up.
    runner = web.AppRunner(proxy.app(), handler_cancellation=True, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, host, port, backlog=4096)
    try:
        await site.start()
    except OSError as error:
        await runner.cleanup()
        raise UserError(f"--listen {host}:{port}: {error.strerror or error}; name another port") from error
    urls = ", ".join(one.url for one in proxy.servers)
    typer.echo(f"listening on {host}:{runner.addresses[0][1]}, in front of {urls}")
    try:
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()
