"""Decisions by fingerprint, made beside the traffic: the first sight of a template runs as it came."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType

from unseat.core.errors import UnseatError
from unseat.core.policy import Asker, InvalidAnswer, Policy
from unseat.tasks.database.engine.connection import Connection, StatementError
from unseat.tasks.database.query.arms import DEFAULT, EXPLAIN
from unseat.tasks.database.query.question import Plan, observation, question, view_of
from unseat.tasks.database.query.space import HINTS
from unseat.tasks.database.query.text import fingerprint

MOST = 20_000
"""Fingerprints that are remembered; beyond that everything new runs as it came."""


class Decisions:
    """What a policy decided, by fingerprint.

    Args:
        policy: Who decides.
        dsn: The server, for the plans that the policy asks to see; statements are explained and never run.
        tables: Rows by table, as the planner thinks.
    """

    def __init__(self, policy: Policy, dsn: str, tables: Mapping[str, int] = MappingProxyType({})) -> None:
        self._policy, self._dsn = policy, dsn
        self._known: dict[str, int] = {}
        self._asker = Asker(policy.start(view_of(HINTS, 1, tables), 0), question(HINTS))
        self._connection: Connection | None = None
        # One after the other: a session is not made for several threads.
        self._thread = ThreadPoolExecutor(1, "decisions")

    def arm(self, sql: bytes) -> int:
        """The hint set of a statement; the default for what is no query, or is seen for the first time."""
        head = sql[:64].lstrip().upper()
        if not head.startswith((b"SELECT", b"WITH", b"(")):
            return DEFAULT
        text = sql.decode(errors="replace")
        key = fingerprint(text)
        known = self._known.get(key)
        if known is None:
            if len(self._known) < MOST:
                self._known[key] = DEFAULT
                self._thread.submit(self._decide, key, text)
            return DEFAULT
        return known

    def wait(self) -> None:
        """Until everything that was seen is decided."""
        self._thread.submit(lambda: None).result()

    def close(self) -> None:
        """Stop deciding."""
        self._thread.shutdown(cancel_futures=True)
        if self._connection is not None:
            self._connection.close()

    def _decide(self, key: str, text: str) -> None:
        plans: dict[int, Plan] = {}
        try:
            while (answer := int(self._asker(observation(HINTS, text, plans)))) >= EXPLAIN:
                if answer - EXPLAIN in plans:
                    return
                plans[answer - EXPLAIN] = self._plan(text, answer - EXPLAIN)
            self._known[key] = answer
        except (InvalidAnswer, StatementError, UnseatError) as error:
            # Whatever cannot be planned by itself (parameters, temporary tables) keeps the default.
            logging.getLogger("unseat").info("default for %.80r: %s", text, error)

    def _plan(self, text: str, arm: int) -> Plan:
        if self._connection is None or not self._connection.alive:
            self._connection = Connection(self._dsn)
        return self._connection.explain(*HINTS.make(text, arm), 5000)[0]
