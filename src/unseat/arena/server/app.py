"""The application: what all pages share, and what happens when something goes wrong."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException

from unseat.arena import accounts, markup, queue
from unseat.arena.accounts import User
from unseat.arena.database import Database, moment
from unseat.arena.packing import Refused
from unseat.arena.queue import TooMany
from unseat.arena.server import figures
from unseat.arena.server.metrics import Metrics
from unseat.arena.server.security import COOKIE, Guard, Limiter, Session, Sessions, TooLarge
from unseat.arena.tracks import utc
from unseat.core.errors import UserError
from unseat.report import digits

STATIC = Path(__file__).parent / "static"
AWAY = "The arena's database cannot take this now. Nothing was changed; please try again in a minute."
_FORMS = ("sign-in.html.j2", "sign-up.html.j2")
_LOG = logging.getLogger("unseat.arena")


class Denied(Exception):
    """Somebody may not do this: sign in first, or another role is needed."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


@dataclass
class Asking:
    """Who sends a request, and from where."""

    session: Session | None
    user: User | None
    address: str

    @cached_property
    def organiser(self) -> bool:
        """Whether they run the arena."""
        return self.user is not None and self.user.organiser


class Arena:
    """What the routes share.

    Args:
        database: The arena's.
        secure: Whether it is reached over HTTPS, so that cookies go nowhere else.
        title: Its name.
    """

    def __init__(self, database: Database, *, secure: bool = False, title: str = "Arena") -> None:
        self.database, self.title, self.secure = database, title, secure
        self.sessions = Sessions(database.setting("secret"), secure)
        self.limiter, self.metrics = Limiter(), Metrics()
        self.static = {path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:12] for path in STATIC.iterdir()}
        self.templates = Environment(loader=PackageLoader("unseat.arena.server"), autoescape=True,
                                     undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)  # fmt: skip
        self.templates.filters |= {
            "number": digits.number, "seconds": digits.seconds, "nanoseconds": digits.nanoseconds,
            "count": digits.count, "markdown": markup.html, "moment": lambda at: f"{utc(at):%Y-%m-%d %H:%M} UTC",
            "day": lambda at: f"{utc(at):%Y-%m-%d}",
            "iso": lambda at: utc(at).isoformat(timespec="seconds"), "figure": figures.interval,
        }  # fmt: skip
        self.templates.globals |= {"site": title, "static": self.static, "organiser": False}

    def asking(self, request: Request) -> Asking:
        """Who is asking, by their cookie. A token counts for the API only."""
        session = self.sessions.read(request.cookies.get(COOKIE))
        user = None
        if session is not None and session.user is not None:
            with self.database.read() as connection:
                user = accounts.by_id(connection, session.user)
            if user is None or user.epoch != session.epoch:
                session = user = None
        return Asking(session, user, request.client.host if request.client else "")

    def page(self, request: Request, template: str, asking: Asking, *, status: int = 200, **content: Any) -> Response:
        """A page; a visitor without a session gets one where there is a form to send."""
        session, response = asking.session, HTMLResponse(status_code=status)
        if session is None and template in _FORMS:
            # Before the page is made, since its forms carry the session's token.
            session = self.sessions.begin(response, None)
        token = self.sessions.form_token(session) if session else ""
        shown = self.templates.get_template(template).render(asking=asking, token=token, **content)
        response.body = shown.encode()
        response.headers["content-length"] = str(len(response.body))
        return response

    def limited(self, asking: Asking, action: str, times: int, seconds: float, *more: str) -> None:
        """Count something that may be done only so often, for the address and for whatever else is given.

        Raises:
            Denied: It was done too often.
        """
        for who in (asking.address, *more):
            if not self.limiter.allows(action, who, times=times, seconds=seconds):
                raise Denied(429, "That was too often; please wait a while and try again.")

    def form(self, asking: Asking, request: Request, token: str) -> None:
        """Check that a form was sent from one of our own pages.

        Raises:
            Denied: It was not.
        """
        site = request.headers.get("sec-fetch-site", "same-origin")
        if site not in ("same-origin", "none") or not self.sessions.is_form_token(asking.session, token):
            raise Denied(403, "This form is too old, or came from elsewhere. Go back, load the page again and repeat.")

    def noted(self, asking: Asking, action: str, subject: str, who: str | None = None) -> None:
        """Write a line of the audit log."""
        name = who if who is not None else str(asking.user.id) if asking.user else "-"
        with self.database.write() as connection:
            queue.record(connection, moment(connection), name, asking.address, action, subject)


def create_app(database: Database, *, secure: bool = False, title: str = "Arena") -> FastAPI:
    """The server as an ASGI application.

    Args:
        database: The arena's.
        secure: Whether it is reached over HTTPS.
        title: Its name.
    """
    from unseat.arena.server import api, health, organise, pages

    arena = Arena(database, secure=secure, title=title)
    app = FastAPI(title=title, version="1", docs_url=None, redoc_url=None, openapi_url="/api/openapi.json")
    app.state.arena = arena
    for part in (health, api, pages, organise):
        app.include_router(part.router(arena))
    app.add_middleware(Guard, secure=secure, count=arena.metrics.request)
    _handlers(app, arena)
    return app


def _handlers(app: FastAPI, arena: Arena) -> None:
    def told(request: Request, status: int, message: str, headers: dict[str, str] | None = None) -> Response:
        if request.url.path.startswith("/api/"):
            return JSONResponse({"detail": message}, status, headers)
        try:
            response = arena.page(request, "message.html.j2", arena.asking(request), status=status, message=message)
        except DBAPIError:
            return PlainTextResponse(f"{AWAY}\n", 503, {"retry-after": "60"})
        response.headers.update(headers or {})
        return response

    @app.exception_handler(Denied)
    def denied(request: Request, error: Denied) -> Response:
        return told(request, error.status, error.message, {"retry-after": "60"} if error.status == 429 else None)

    @app.exception_handler(UserError)
    def refused(request: Request, error: UserError) -> Response:
        status = 429 if isinstance(error, TooMany) else 422 if isinstance(error, Refused) else 400
        return told(request, status, str(error))

    @app.exception_handler(HTTPException)
    def plain(request: Request, error: HTTPException) -> Response:
        words = {404: "There is no such page.", 405: "That cannot be done here."}
        return told(request, error.status_code, words.get(error.status_code, str(error.detail)),
                    dict(error.headers or {}))  # fmt: skip

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        return told(request, 422, f"{first['loc'][-1]}: {first['msg']}")

    @app.exception_handler(DBAPIError)
    def away(request: Request, error: DBAPIError) -> Response:
        _LOG.error("database: %s", str(error.orig).splitlines()[:1])
        return told(request, 503, AWAY, {"retry-after": "60"})

    @app.exception_handler(TooLarge)
    def large(request: Request, error: TooLarge) -> Response:
        return told(request, 413, "That is more than is taken.")


def exists(connection: sa.Connection) -> bool:
    """Whether the database answers."""
    return connection.scalar(sa.select(sa.literal(1))) == 1
