"""The arena's tables. All of its state is here, uploads and hidden instances too: one transaction keeps or loses all.

Moments are seconds since 1970. A change here needs a migration (`migrations/versions`); a test holds the two equal.
"""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

settings = sa.Table(
    "settings", metadata,
    sa.Column("key", sa.String(40), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)  # fmt: skip

users = sa.Table(
    "users", metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(40), nullable=False),
    sa.Column("name_key", sa.String(80), nullable=False, unique=True),  # folded: nobody can be taken for another
    sa.Column("password", sa.String(200), nullable=False),  # argon2
    sa.Column("role", sa.String(20), nullable=False),
    sa.Column("epoch", sa.Integer, nullable=False),  # raised where every session must end
    sa.Column("created", sa.Double, nullable=False),
)  # fmt: skip

invitations = sa.Table(
    "invitations", metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("hash", sa.String(64), nullable=False, unique=True),
    sa.Column("role", sa.String(20), nullable=False),
    sa.Column("track", sa.ForeignKey("tracks.id"), nullable=True),
    sa.Column("left", sa.Integer, nullable=False),
    sa.Column("expires", sa.Double, nullable=False),
    sa.Column("created", sa.Double, nullable=False),
)  # fmt: skip

tokens = sa.Table(
    "tokens", metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("user", sa.ForeignKey("users.id"), nullable=False, index=True),
    sa.Column("hash", sa.String(64), nullable=False, unique=True),
    sa.Column("label", sa.String(60), nullable=False),
    sa.Column("created", sa.Double, nullable=False),
)  # fmt: skip

blobs = sa.Table(
    "blobs", metadata,
    sa.Column("hash", sa.String(64), primary_key=True),
    sa.Column("content", sa.LargeBinary(1 << 30), nullable=False),
)  # fmt: skip

tracks = sa.Table(
    "tracks", metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("slug", sa.String(40), nullable=False, unique=True),
    sa.Column("spec", sa.Text, nullable=False),  # `unseat.arena.tracks.Spec`, seed and all: never shown as it is
    sa.Column("data", sa.ForeignKey("blobs.hash"), nullable=True),  # hidden instances, packed
    sa.Column("changed", sa.Integer, nullable=False),  # raised with each score, so that a board knows its age
    sa.Column("created", sa.Double, nullable=False),
)  # fmt: skip

members = sa.Table(
    "members", metadata,
    sa.Column("track", sa.ForeignKey("tracks.id"), primary_key=True),
    sa.Column("user", sa.ForeignKey("users.id"), primary_key=True),
)  # fmt: skip

instances = sa.Table(
    "instances", metadata,
    sa.Column("track", sa.ForeignKey("tracks.id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("part", sa.String(10), nullable=False),  # public or private
    sa.Column("weight", sa.Double, nullable=False),
)  # fmt: skip

submissions = sa.Table(
    "submissions", metadata,
    sa.Column("id", sa.String(24), primary_key=True),
    sa.Column("track", sa.ForeignKey("tracks.id"), nullable=False),
    sa.Column("user", sa.ForeignKey("users.id"), nullable=True),  # none: a contender of the task's own
    sa.Column("name", sa.String(80), nullable=False),
    sa.Column("role", sa.String(20), nullable=False),
    sa.Column("kind", sa.String(20), nullable=False),  # policy, program, answers, or contender
    sa.Column("content", sa.ForeignKey("blobs.hash"), nullable=True),
    sa.Column("bytes", sa.Integer, nullable=False),
    sa.Column("created", sa.Double, nullable=False),
    sa.Column("state", sa.String(10), nullable=False),  # queued, running, scored or failed
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("scored", sa.Double, nullable=True),
    sa.Index("ix_submissions_track_user_created", "track", "user", "created"),
    sa.Index("ix_submissions_user", "user"),
)  # fmt: skip

jobs = sa.Table(
    "jobs", metadata,
    sa.Column("submission", sa.ForeignKey("submissions.id"), primary_key=True),
    sa.Column("state", sa.String(10), nullable=False),  # queued, leased or done
    sa.Column("created", sa.Double, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("lease", sa.String(32), nullable=True),  # who holds it: the one secret that may finish it
    sa.Column("until", sa.Double, nullable=False),  # when the lease ends, or from when a queued one may be taken
    sa.Column("worker", sa.String(120), nullable=False),
    sa.Index("ix_jobs_state_until_created", "state", "until", "created"),
)  # fmt: skip

scores = sa.Table(
    "scores", metadata,
    sa.Column("submission", sa.ForeignKey("submissions.id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),  # the instance's, in its track
    sa.Column("seed", sa.Integer, primary_key=True),
    sa.Column("key", sa.String(64), nullable=False),  # replays it
    sa.Column("status", sa.String(10), nullable=False),
    sa.Column("value", sa.Double, nullable=False),
    sa.Column("run", sa.Text, nullable=False),  # the ledger's record
    sa.Column("answer", sa.LargeBinary(1 << 30), nullable=True),  # the answer that counted, packed
    sa.Index("ix_scores_key", "key"),
)  # fmt: skip

boards = sa.Table(
    "boards", metadata,
    sa.Column("track", sa.ForeignKey("tracks.id"), primary_key=True),
    sa.Column("changed", sa.Integer, nullable=False),  # the track's, when this was made
    sa.Column("made", sa.Double, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
)  # fmt: skip

audit = sa.Table(
    "audit", metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", sa.Double, nullable=False),
    sa.Column("who", sa.String(80), nullable=False),
    sa.Column("address", sa.String(60), nullable=False),
    sa.Column("action", sa.String(40), nullable=False),
    sa.Column("subject", sa.String(200), nullable=False),
)  # fmt: skip
