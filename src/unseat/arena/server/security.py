"""What keeps the server whole: headers, sessions, form tokens, limits on how often and how much."""

from __future__ import annotations

import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from threading import Lock
from typing import Any

from itsdangerous import BadData, URLSafeTimedSerializer

from unseat.arena.accounts import User

COOKIE = "unseat-session"
SESSION_S = 14 * 86_400
MOST_BODY = (4 << 20) + (64 << 10)
"""Bytes of a request: the largest archive, and a form around it."""
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": CONTENT_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]
_App = Callable[[MutableMapping[str, Any], _Receive, _Send], Awaitable[None]]


@dataclass(frozen=True)
class Session:
    """Who is asking, as their signed cookie says.

    Attributes:
        user: Id of the account; None for somebody who has not signed in.
        epoch: The account's when they signed in: a session of an older one has ended.
        nonce: Random; what tokens of forms hang on. A new one at each sign-in, so that nobody can plant theirs.
    """

    user: int | None
    epoch: int
    nonce: str


class Sessions:
    """Signs and reads cookies.

    Args:
        secret: The arena's.
        secure: Whether cookies go over HTTPS only.
    """

    def __init__(self, secret: str, secure: bool) -> None:
        self.secure, self._secret = secure, secret.encode()
        self._signer = URLSafeTimedSerializer(secret, salt="session")

    def read(self, cookie: str | None) -> Session | None:
        """The session of a cookie; None where it is none of ours, or too old."""
        if not cookie or len(cookie) > 1000:
            return None
        try:
            user, epoch, nonce = self._signer.loads(cookie, max_age=SESSION_S)
        except (BadData, ValueError, TypeError):
            return None
        return Session(user, epoch, nonce)

    def begin(self, response: Any, user: User | None) -> Session:
        """Begin a session, whatever there was before."""
        session = Session(user.id if user else None, user.epoch if user else 0, secrets.token_urlsafe(16))
        response.set_cookie(COOKIE, self._signer.dumps([session.user, session.epoch, session.nonce]),
                            max_age=SESSION_S, httponly=True, samesite="lax", secure=self.secure, path="/")  # fmt: skip
        return session

    @staticmethod
    def end(response: Any) -> None:
        """Take the cookie away."""
        response.delete_cookie(COOKIE, path="/")

    def form_token(self, session: Session) -> str:
        """What a form of this session must carry."""
        return hmac.digest(self._secret, b"form " + session.nonce.encode(), "sha256").hex()

    def is_form_token(self, session: Session | None, token: str) -> bool:
        """Whether a form is of this session."""
        return session is not None and hmac.compare_digest(self.form_token(session).encode(), token.encode())


class Limiter:
    """So many times in so many seconds, for each who asks; in this process only.

    Args:
        clock: Seconds; a test turns it.
    """

    most = 50_000

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, Lock()
        self._left: OrderedDict[tuple[str, ...], tuple[float, float]] = OrderedDict()

    def allows(self, *who: str, times: int, seconds: float) -> bool:
        """Whether they may once more; it counts."""
        now = self._clock()
        with self._lock:
            left, at = self._left.pop(who, (float(times), now))
            left = min(float(times), left + (now - at) * times / seconds)
            self._left[who] = (left - 1 if left >= 1 else left, now)
            while len(self._left) > self.most:
                self._left.popitem(last=False)
        return left >= 1


class Guard:
    """Around the application: security headers on every answer, no request larger than is taken, and a count of all.

    Args:
        app: The application.
        secure: Whether it is reached over HTTPS.
        count: Is told route, method, status and seconds of each request.
    """

    def __init__(
        self, app: _App, secure: bool = False, count: Callable[[str, str, int, float], None] = lambda *_: None
    ) -> None:
        self.app, self._count = app, count
        headers = {**HEADERS, **({"strict-transport-security": "max-age=31536000"} if secure else {})}
        self._headers = [(name.encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: MutableMapping[str, Any], receive: _Receive, send: _Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        read = 0

        async def limited() -> _Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > MOST_BODY:
                raise TooLarge
            return message

        begun, clock = False, time.perf_counter()

        async def guarded(message: _Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                route = getattr(scope.get("route"), "path", "none")
                self._count(route, scope["method"], message["status"], time.perf_counter() - clock)
                names = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(one for one in self._headers if one[0] not in names)]
                if b"cache-control" not in names:
                    message["headers"].append((b"cache-control", b"no-store"))
            await send(message)

        said = dict(scope["headers"]).get(b"content-length", b"0")
        if not said.isdigit() or int(said) > MOST_BODY:
            await _too_large(guarded)
            return
        try:
            await self.app(scope, limited, guarded)
        except TooLarge:
            if not begun:
                await _too_large(guarded)


class TooLarge(Exception):
    """A request is larger than it said, or than is taken."""


async def _too_large(send: _Send) -> None:
    body = f"A request has at most {MOST_BODY} bytes.\n".encode()
    head = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode()),
            (b"connection", b"close")]  # fmt: skip
    await send({"type": "http.response.start", "status": 413, "headers": head})
    await send({"type": "http.response.body", "body": body})
