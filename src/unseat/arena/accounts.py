"""Accounts: names, passwords, invitations, API tokens. Sessions and forms are the server's (`server/security.py`)."""

from __future__ import annotations

import hashlib
import secrets
import threading
import unicodedata
from dataclasses import dataclass

import sqlalchemy as sa

from unseat.arena import tables
from unseat.arena.database import insert_once
from unseat.core.errors import UserError

PARTICIPANT, ORGANISER = "participant", "organiser"
ROLES = (PARTICIPANT, ORGANISER)
LEAST_PASSWORD, MOST_PASSWORD, MOST_NAME = 10, 200, 40
INVITED_S = 14 * 86_400.0
TOKEN = "unseat_"
MOST_TOKENS = 20
_AT_ONCE = threading.BoundedSemaphore(4)
"""Each look at a password takes 64 MiB: many at once must not take the machine."""


@dataclass(frozen=True)
class User:
    """Somebody with an account."""

    id: int
    name: str
    role: str
    epoch: int

    @property
    def organiser(self) -> bool:
        """Whether they run the arena."""
        return self.role == ORGANISER


def checked_name(name: str) -> tuple[str, str]:
    """A name as it is shown, and as it is compared.

    Raises:
        UserError: It cannot be one.
    """
    shown = " ".join(unicodedata.normalize("NFKC", name).split())
    if not 0 < len(shown) <= MOST_NAME or any(unicodedata.category(one)[0] == "C" for one in shown):
        raise UserError(f"a name has 1 to {MOST_NAME} characters, all of them visible")
    key = shown.casefold().replace(" ", "")
    return shown, key[: 2 * MOST_NAME]


def create(connection: sa.Connection, name: str, password: str, role: str, now: float) -> User:
    """Make an account.

    Raises:
        UserError: The name or password cannot be taken, or there is an account of that name.
    """
    shown, key = checked_name(name)
    row = {"name": shown, "name_key": key, "password": hashed(password), "role": role, "epoch": 0, "created": now}
    if not insert_once(connection, tables.users, row):
        raise UserError("there is an account of that name already; choose another name")
    found = by_name(connection, name)
    assert found is not None
    return found[0]


def hashed(password: str) -> str:
    """A password as argon2 keeps it.

    Raises:
        UserError: It is too short or too long.
    """
    from argon2 import PasswordHasher

    if not LEAST_PASSWORD <= len(password) <= MOST_PASSWORD:
        raise UserError(f"a password has {LEAST_PASSWORD} to {MOST_PASSWORD} characters")
    with _AT_ONCE:
        return PasswordHasher().hash(password)


def by_name(connection: sa.Connection, name: str) -> tuple[User, str] | None:
    """An account and its password's hash; None where there is none of that name."""
    try:
        _, key = checked_name(name)
    except UserError:
        return None
    row = connection.execute(sa.select(tables.users).where(tables.users.c.name_key == key)).first()
    return None if row is None else (User(row.id, row.name, row.role, row.epoch), row.password)


def by_id(connection: sa.Connection, number: int) -> User | None:
    """An account; None where there is none."""
    row = connection.execute(sa.select(tables.users).where(tables.users.c.id == number)).first()
    return None if row is None else User(row.id, row.name, row.role, row.epoch)


def signed_in(found: tuple[User, str] | None, password: str) -> User | None:
    """Who signs in so; None where name or password is wrong. It takes equally long where there is no such name."""
    from argon2 import PasswordHasher
    from argon2.exceptions import InvalidHashError, VerificationError

    given = password if len(password) <= MOST_PASSWORD else ""
    try:
        with _AT_ONCE:
            PasswordHasher().verify(found[1] if found else _nobody(), given)
    except (VerificationError, InvalidHashError):
        return None
    return found[0] if found else None


def set_password(connection: sa.Connection, user: int, password: str) -> None:
    """Change a password; every session of the account ends."""
    kept = hashed(password)
    connection.execute(sa.update(tables.users).where(tables.users.c.id == user).values(
        password=kept, epoch=tables.users.c.epoch + 1))  # fmt: skip


def end_sessions(connection: sa.Connection, user: int) -> None:
    """Sign an account out everywhere."""
    connection.execute(sa.update(tables.users).where(tables.users.c.id == user).values(epoch=tables.users.c.epoch + 1))


def invite(connection: sa.Connection, role: str, now: float, *, track: int | None = None, uses: int = 1) -> str:
    """Make an invitation; the word that is returned is kept nowhere."""
    word = secrets.token_urlsafe(24)
    connection.execute(sa.insert(tables.invitations), {
        "hash": digest(word), "role": role, "track": track, "left": uses, "expires": now + INVITED_S,
        "created": now})  # fmt: skip
    return word


def use_invitation(connection: sa.Connection, word: str, now: float) -> tuple[str, int | None]:
    """Use an invitation up by one; gives the role it is for, and the track if it is for one.

    Raises:
        UserError: It is not one, or it is used up or too old.
    """
    own = tables.invitations
    row = connection.execute(sa.select(own).where(own.c.hash == digest(word)).with_for_update()).first()
    if row is None or row.left < 1 or row.expires < now:
        raise UserError("this invitation is not valid, or not any more; ask the organisers for another")
    connection.execute(sa.update(own).where(own.c.id == row.id).values(left=own.c.left - 1))
    return row.role, row.track


def join(connection: sa.Connection, track: int, user: int) -> None:
    """Let a participant into an invited track."""
    insert_once(connection, tables.members, {"track": track, "user": user})


def make_token(connection: sa.Connection, user: int, label: str, now: float) -> str:
    """Make an API token; it is kept as a hash only, and shown this once.

    Raises:
        UserError: There are too many, or the label is too long.
    """
    own = tables.tokens
    if not 0 < len(label) <= 60 or not label.isprintable():
        raise UserError("give the token a label of 1 to 60 characters")
    if (connection.scalar(sa.select(sa.func.count()).where(own.c.user == user)) or 0) >= MOST_TOKENS:
        raise UserError(f"an account has at most {MOST_TOKENS} tokens; revoke one first")
    word = TOKEN + secrets.token_urlsafe(32)
    connection.execute(sa.insert(own), {"user": user, "hash": digest(word), "label": label, "created": now})
    return word


def by_token(connection: sa.Connection, word: str) -> User | None:
    """Whose token it is; None where it is nobody's."""
    if not word.startswith(TOKEN) or len(word) > 100:
        return None
    asked = (sa.select(tables.users).join(tables.tokens, tables.tokens.c.user == tables.users.c.id)
             .where(tables.tokens.c.hash == digest(word)))  # fmt: skip
    row = connection.execute(asked).first()
    return None if row is None else User(row.id, row.name, row.role, row.epoch)


def digest(word: str) -> str:
    """What is kept of a random word: it has 190 bits and more, so a plain hash cannot be turned around."""
    return hashlib.sha256(word.encode()).hexdigest()


_kept: list[str] = []


def _nobody() -> str:
    """A hash that no password has."""
    if not _kept:
        _kept.append(hashed(secrets.token_urlsafe(32)))
    return _kept[0]
