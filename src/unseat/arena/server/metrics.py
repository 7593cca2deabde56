"""Counts for Prometheus: requests as they come, the queue when it is asked for."""

from __future__ import annotations

import sqlalchemy as sa
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from unseat.arena import queue, tables
from unseat.arena.database import Database

_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)


class Metrics:
    """One server process's counts."""

    def __init__(self) -> None:
        self._registry = mine = CollectorRegistry()
        self._requests = Counter("unseat_arena_requests", "Requests.", ["route", "method", "status"], registry=mine)
        self._seconds = Histogram("unseat_arena_request_seconds", "Seconds of a request.", ["route"], registry=mine,
                                  buckets=_BUCKETS)  # fmt: skip
        self._jobs = Gauge("unseat_arena_jobs", "Jobs, waiting or at work.", ["state"], registry=mine)
        self._oldest = Gauge("unseat_arena_oldest_job_seconds", "How long the oldest job has waited.", registry=mine)
        self._submissions = Gauge("unseat_arena_submissions", "Submissions.", ["state"], registry=mine)

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count a request; the route is a pattern, so that nobody can make new lines at will."""
        shown = method if method in ("GET", "HEAD", "POST") else "other"
        self._requests.labels(route, shown, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def text(self, database: Database) -> bytes:
        """All counts, as Prometheus reads them."""
        with database.read() as connection:
            depth = queue.depth(connection)
            asked = sa.select(tables.submissions.c.state, sa.func.count()).group_by(tables.submissions.c.state)
            for state, count in connection.execute(asked):
                self._submissions.labels(state).set(count)
        for state in ("queued", "leased"):
            self._jobs.labels(state).set(depth[state])
        self._oldest.set(depth["oldest_s"])
        return generate_latest(self._registry)
