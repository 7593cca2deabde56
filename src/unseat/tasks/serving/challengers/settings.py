"""A handful of settings that no incumbent has together, for random search and as the place where learning begins."""

from __future__ import annotations

from collections.abc import Mapping

from unseat.core.policy import Policy
from unseat.learn.tune import Parameter
from unseat.tasks.serving.engine import play as of
from unseat.tasks.serving.policies import RuleOf

SPACE: Mapping[str, Parameter] = {
    "budget": Parameter(256.0, 8192.0, log=True), "pace": Parameter(0.5, 1.3),
    "slack": Parameter(0.0, 0.5), "ease": Parameter(0.0, 0.8),
    "easy": Parameter(0.02, 1.0, log=True), "late_last": Parameter(0.5, 1.5), "urgent": Parameter(0.0, 12.0),
    "long": Parameter(0.02, 3.0, log=True), "patient": Parameter(0.3, 1.5), "ahead": Parameter(0.4, 3.0, log=True),
    "spare": Parameter(0.0, 1.5), "pressed": Parameter(0.02, 1.0, log=True), "saved": Parameter(0.2, 2.0),
    "decoding": Parameter(0.0, 2.0), "affinity": Parameter(0.0, 2.0),
}  # fmt: skip
"""Tokens of prompts of an iteration at most; the time that it may take, over the time per token, how much of their
lead those that decode may lose in one, and by how much less it is where few tokens wait; from which share of the time
to first token on a request counts as lost and goes last, how much waiting counts beside cost, and an output token of
it; which share of the time to first token the expected wait may be, and how much what goes before counts in it; which
share of the misses that are allowed may be spent on refusing the dearest, from which wait on, and until which share of
them is gone; and what counts in routing beside the wait: those that decode, and what a request costs there."""

BEGIN: Mapping[str, float] = {
    "budget": 500.0, "pace": 0.95, "slack": 0.1, "ease": 0.2, "easy": 0.1, "late_last": 1.0, "urgent": 8.0,
    "long": 0.5,
    "patient": 0.8, "ahead": 1.0, "spare": 0.2, "pressed": 0.3, "saved": 0.9, "decoding": 0.25, "affinity": 0.3,
}  # fmt: skip


def adaptive(parameters: Mapping[str, float]) -> Policy:
    """The cheapest first of those that are not lost, in batches as large as the time per token allows, where it is
    soonest served; what would come too late is refused, and what is dear while the promise has room for that."""
    return RuleOf("adaptive", {**KINDS, **parameters})


KINDS: Mapping[str, float] = {
    "order": of.CHEAPEST, "router": of.SOONEST, "admission": of.ADMIT_BY_COST,
}  # fmt: skip
"""Of the adaptive policy, beside `SPACE`."""

PACED: Mapping[str, float] = {
    "budget": 8192.0, "pace": 1.0, "late_last": 1.0, "patient": 0.6, "affinity": 0.3, "imbalance": 16.0,
}  # fmt: skip


def policy(parameters: Mapping[str, float]) -> Policy:
    """The shortest prompt first of those that are not lost, in batches as large as the time per token allows; what
    would come too late is refused."""
    return RuleOf(
        "settings", {"order": of.SHORTEST_PROMPT, "router": of.PREFIX, "admission": of.ADMIT_IN_TIME, **parameters}
    )
