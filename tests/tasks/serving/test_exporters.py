"""What is handed over decides as what was measured."""

from __future__ import annotations

import runpy
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unseat.core.errors import UserError
from unseat.tasks.serving import generators
from unseat.tasks.serving.cluster import Serving
from unseat.tasks.serving.engine import layout as at
from unseat.tasks.serving.engine import play as of
from unseat.tasks.serving.engine.cluster import advance, answer_admit, answer_batch, answer_preempt, answer_route
from unseat.tasks.serving.engine.features import F, decoding_s
from unseat.tasks.serving.engine.lengths import N_KNOWN
from unseat.tasks.serving.engine.replica import following as next_of
from unseat.tasks.serving.engine.worth import lead_s
from unseat.tasks.serving.exporters import exporters, source
from unseat.tasks.serving.exporters.scheduler import Replica, Request, Scheduler
from unseat.tasks.serving.incumbents import Default
from unseat.tasks.serving.policies import RuleOf
from unseat.tasks.serving.problem import Problem

SERVING = Serving(replicas=3, seats=16, chunk=generators.CHUNK, ttft_s=0.4, memory=3000)
ADAPTED = {"pace": 0.9, "slack": 0.3, "ease": 0.3, "easy": 0.2, "late_last": 1.0, "urgent": 1.0, "long": 0.5,
           "patient": 0.8, "ahead": 1.2, "spare": 1.0, "pressed": 0.05, "saved": 0.9, "decoding": 0.3,
           "affinity": 0.3}  # fmt: skip


def policies() -> list[RuleOf]:
    """One of each order, router and admission; learned ones have any weights."""
    rng = np.random.default_rng(0)
    weights, lengths = rng.normal(0, 0.5, of.WEIGHTS), rng.normal(0.4, 0.2, N_KNOWN)
    return [
        RuleOf("a", {"order": of.FCFS, "router": of.LEAST_LOADED}),
        RuleOf("b", {"order": of.SHORTEST_PROMPT, "router": of.PREFIX, "late_last": 1.0,
                     "admission": of.ADMIT_IN_TIME}),
        RuleOf("c", {"order": of.RESPONSE_RATIO, "router": of.PREFIX, "affinity": 0.05, "imbalance": 2.0}),
        RuleOf("d", {"order": of.SHORTEST_LEFT, "long": 1.0, "pace": 0.8}, lengths=lengths),
        RuleOf("e", {"order": of.LEARNED_ORDER, "router": of.LEARNED_ROUTER, "pace": 1.0, "budget": 8192,
                     "admission": of.LEARNED_ADMISSION, **ADAPTED}, weights, lengths),
        RuleOf("f", {"order": of.CHEAPEST, "router": of.SOONEST, "budget": 4096, "admission": of.ADMIT_BY_COST,
                     **ADAPTED}, lengths=lengths),
    ]  # fmt: skip


def told(s: Any, r: int, i: int) -> tuple[Request, Replica]:
    """A request at a replica, as an exported scheduler is told of it."""
    from unseat.tasks.serving.engine.blocks import available, matched

    first, last = s.fixed[i, at.HASH_FROM], s.fixed[i, at.HASH_TO]
    cached = 0 if s.q[i, at.SWAPPED] else int(matched(s, r, i) * s.g[at.CHUNK])
    request = Request(float(s.when[i, at.ARRIVAL]), int(max(s.q[i, at.TARGET], s.fixed[i, at.PROMPT])),
                      s.hashes[first:last].tolist(), int(s.q[i, at.GENERATED]), cached,
                      float(s.when[i, at.GUESS]))  # fmt: skip
    waits, begun, other = [], [], int(s.rep[r, at.FIRST_WAIT])
    while other != at.NONE:
        waits.append((float(s.when[other, at.KEY]), float(s.when[other, at.OWN_S])))
        other = int(s.q[other, at.AFTER])
    for place in range(int(s.rep[r, at.N_RUN])):
        other = int(s.run[r, place, 0])
        if s.q[other, at.DONE] < s.q[other, at.TARGET]:
            begun.append((int(s.q[other, at.DONE]), int(s.q[other, at.TARGET] - s.q[other, at.DONE])))
    replica = Replica(int(s.rep[r, at.QUEUED]), int(s.rep[r, at.N_RUN]), int(s.rep[r, at.N_WAIT]),
                      int(s.rep[r, at.FILLING]), 1 - float(available(s, r)) / float(s.g[at.BLOCKS]), decoding_s(s, r),
                      int(s.g[at.SEATS]), cached, waits, begun, lead_s(s, r))  # fmt: skip
    return request, replica


STRICT = [(policy, 0.05) for policy in policies()[-2:]]
"""Who refuses, where little may be missed."""


@pytest.mark.parametrize(("policy", "may_miss"), [*((policy, 0.1) for policy in policies()), *STRICT],
                         ids=lambda one: one.name if isinstance(one, RuleOf) else str(one))  # fmt: skip
def test_the_exported_file_decides_as_the_kernel(policy: RuleOf, may_miss: float, tmp_path: Path) -> None:
    """Red: the Python file orders, routes, admits or sizes batches otherwise than the compiled policy did."""
    path = tmp_path / "scheduler.py"
    path.write_text(source(policy, SERVING))
    exported = runpy.run_path(str(path))["Scheduler"]()
    exported.policy["may_miss"] = may_miss
    p, w, x = policy.vector, policy.weights if policy.weights.size else np.zeros(of.WEIGHTS), np.zeros(F)
    requests = generators.generate("chat", 120, 1)
    s = Problem(requests, SERVING).begin(0, 4.0 / may_miss, attainment=1 - may_miss)
    known, seen, refused, asked = np.zeros(N_KNOWN), 0, 0, -1
    while (asked := advance(s)) != at.OVER:
        if asked == at.ROUTE:
            of.expect(s, policy.lengths, known)
            i, right = int(s.g[at.ASKED]), of.route(s, p, w)
            pairs = [told(s, r, i) for r in range(SERVING.replicas)]
            assert exported.route(pairs[0][0], [replica for _, replica in pairs]) == right
            answer_route(s, right)
        elif asked == at.ADMIT:
            of.expect(s, policy.lengths, known)
            # The file is told of misses, as a server would.
            i, exported.missed = int(s.g[at.ASKED]), int(s.g[at.MISSED])
            request, replica = told(s, int(s.g[at.TAKEN]), i)
            taken = of.accepts(s, p, w, x)
            if policy.name in "ef":
                assert exported.admits(request, replica, 0) == taken
                refused += not taken
            answer_admit(s, taken if policy.name in "ef" else True)
        elif asked == at.PREEMPT:
            answer_preempt(s, -1)
        else:
            r = int(s.g[at.ASKED])
            of.order(s, p, w, x)
            i, now = int(s.rep[r, at.FIRST_WAIT]), float(s.clock[r, at.NOW])
            following = told(s, r, int(next_of(s, r)))[0] if s.rep[r, at.N_WAIT] else None
            while i != at.NONE:
                if not s.q[i, at.SWAPPED] and s.q[i, at.GENERATED] == 0:
                    request, replica = told(s, r, i)
                    if policy.name in "ef":
                        # The cost is that of the moment when it came.
                        exported.cost = lambda _, i=i: (float(s.when[i, at.KEY]), float(s.when[i, at.OWN_S]))
                    assert exported.priority(request, replica, now) == pytest.approx(-s.when[i, at.SCORE], abs=1e-6)
                    seen += 1
                i = int(s.q[i, at.AFTER])
            exported.__dict__.pop("cost", None)
            size = of.budget(s, r, p, w, x)
            assert abs(exported.budget(told(s, r, int(s.run[r, 0, 0]))[1], following) - size) <= 1
            answer_batch(s, at.MIXED, size)
    assert seen > 100
    assert refused > 0 or policy.name != "f"


def test_expected_lengths_are_the_engine_s() -> None:
    """Red: the file's prediction of lengths, learned as answers end, is not the engine's."""
    from unseat.tasks.serving.challengers.lengths import predicted
    from unseat.tasks.serving.exporters import plain

    policy = policies()[3]
    exported, requests = Scheduler(plain(policy)), generators.generate("chat", 80, 2)
    right = predicted(requests, policy.lengths, lag=1)
    for i in range(80):
        hashes = requests.hashes[requests.first[i] : requests.first[i + 1]].tolist()
        one = Request(0.0, int(requests.prompt[i]), hashes)
        assert exported.expected(one) == pytest.approx(right[i], rel=1e-6, abs=1e-6)
        exported.ended(one, int(requests.output[i]))


def test_the_file_needs_nothing(tmp_path: Path) -> None:
    """Red: the exported file imports what a server does not have, or its writer does not say what it cannot export."""
    path = tmp_path / "scheduler.py"
    write = exporters()["python"].write
    write(policies()[4], path)
    done = subprocess.run([sys.executable, "-I", "-S", str(path)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    with pytest.raises(UserError, match="only the built-in"):
        write(Default("default", "batch"), path)
    with pytest.raises(UserError, match="cannot be written"):
        write(policies()[0], tmp_path / "none" / "x.py")


def test_admission_in_time() -> None:
    """Red: the file's admission does not refuse what would be late."""
    from unseat.tasks.serving.exporters import plain

    scheduler = Scheduler(plain(policies()[1], replace(SERVING, ttft_s=1.0)))
    tokens = round(1.0 / scheduler.token_s)
    assert scheduler.admits(Request(0.0, tokens // 2), Replica(), tokens // 3)
    assert not scheduler.admits(Request(0.0, tokens // 2), Replica(), tokens)
