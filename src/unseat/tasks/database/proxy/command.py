"""``unseat serve query``: the winner at work in front of a real server."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Annotated

import typer

from unseat.core.errors import UserError

app = typer.Typer(help="The winner at work beside a real system.", no_args_is_help=True)


@app.callback()
def _several() -> None:
    """The winner at work beside a real system."""


@app.command("query")
def query(
    server: Annotated[str, typer.Option(help="the server behind the proxy: postgresql://USER@HOST:PORT/DATABASE")],
    policy: Annotated[str, typer.Option(help="a contender of the task query that ships")] = "process",
    listen: Annotated[str, typer.Option(help="where clients connect: HOST:PORT")] = "127.0.0.1:6432",
) -> None:
    """Put a proxy in front of a PostgreSQL server that runs each query under the hint set that a policy chooses."""
    from unseat.core import registry
    from unseat.core.policy import Policy
    from unseat.tasks.database.engine.connection import Connection
    from unseat.tasks.database.proxy.decisions import Decisions

    known = registry.task("query").contenders()
    if policy not in known:
        raise UserError(f"task query has no contender {policy!r}; `unseat run query --help` lists them")
    made = known[policy].shipped() if known[policy].shipped else known[policy].make()  # type: ignore[misc]
    if not isinstance(made, Policy):
        raise UserError(f"{policy} has to be fitted first: python -m benchmarks.ship query")
    connection = Connection(server)
    decisions = Decisions(made, server, dict(connection.tables()))
    if connection.query("SELECT current_setting('is_superuser') = 'on'")[0][0]:
        # PostgreSQL runs immutable functions of a statement while it plans it.
        typer.echo("--server: a superuser; clients' statements are planned with its rights, so that functions which "
                   "they name may run with them: give a role that may only SELECT", err=True)  # fmt: skip
    connection.close()
    with contextlib.suppress(KeyboardInterrupt), asyncio.Runner(loop_factory=_loop()) as runner:
        runner.run(_forever(decisions, address(server), place(listen)))
    decisions.close()


def _loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's event loop where it is installed, which takes half the time; else Python's."""
    try:
        import uvloop
    except ImportError:
        return None
    made: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return made


async def _forever(decisions: object, where: str | tuple[str, int], listen: tuple[str, int]) -> None:
    from unseat.tasks.database.proxy.server import serve

    try:
        listening = await serve(decisions, where, listen)  # type: ignore[arg-type]
    except OSError as error:
        raise UserError(f"--listen {listen[0]}:{listen[1]}: {error.strerror or error}; name another port") from error
    typer.echo(f"listening on {listen[0]}:{listen[1]}, in front of {where}")
    async with listening:
        await listening.serve_forever()


def address(dsn: str) -> str | tuple[str, int]:
    """Where the server of a dsn listens: a socket's path, or host and port.

    Raises:
        UserError: It is no dsn.
    """
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    try:
        told = conninfo_to_dict(dsn)
    except psycopg.Error as error:
        raise UserError(f"--server: {' '.join(str(error).split())}; write postgresql://USER@HOST/DATABASE") from error
    host, port = str(told.get("host") or "127.0.0.1"), int(told.get("port") or 5432)
    return f"{host}/.s.PGSQL.{port}" if host.startswith("/") else (host, port)


def place(text: str) -> tuple[str, int]:
    """Parse ``HOST:PORT``.

    Raises:
        UserError: It is none.
    """
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit() or not 0 <= int(port) < 65536:
        raise UserError(f"--listen {text}: write HOST:PORT, such as 127.0.0.1:6432")
    return host, int(port)
