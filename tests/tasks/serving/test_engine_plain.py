"""The compiled engine and the same source in plain Python give the same runs, to the bit."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
from tests.tasks.serving.small_task import SMALL

from unseat.tasks.serving import generators
from unseat.tasks.serving.cluster import Serving
from unseat.tasks.serving.engine import layout as at
from unseat.tasks.serving.engine import play as of
from unseat.tasks.serving.engine.lengths import N_KNOWN
from unseat.tasks.serving.policies import RuleOf
from unseat.tasks.serving.problem import Problem


def runs() -> list[list[str]]:
    """What short runs of unlike policies and clusters end with, as exact numbers."""
    rng = np.random.default_rng(0)
    weights, lengths = rng.normal(0, 0.5, of.WEIGHTS), rng.normal(0.3, 0.2, N_KNOWN)
    clusters = [
        SMALL,
        Serving(replicas=3, prefillers=1, seats=6, chunk=64, memory=170, swaps=True, ttft_s=0.3, tpot_s=0.02),
        Serving(replicas=1, pp=2, tp=2, seats=6, drafts=2, memory=170, patience_s=1.0),
    ]
    policies = [
        RuleOf("static", {"mode": at.STATIC}),
        RuleOf("first", {"mode": at.PREFILL_FIRST, "router": of.PREFIX, "victim": 1.0}),
        RuleOf("learned", {"order": of.LEARNED_ORDER, "router": of.LEARNED_ROUTER, "pace": 1.0,
                           "admission": of.LEARNED_ADMISSION}, weights, lengths),
        RuleOf("random", {"order": of.RANDOM_ORDER, "router": of.RANDOM_ROUTER}),
    ]  # fmt: skip
    found = []
    for place, serving in enumerate(clusters):
        requests = generators.generate("chat", 24, place)
        problem = Problem(requests._replace(output=np.minimum(requests.output, 150)), serving)
        for policy in policies:
            s = problem.begin(7, 20.0)
            policy.play(s)
            assert s.g[at.FAULT] == 0
            counts = [
                int(s.g[name]) for name in (at.MISSED, at.ITERATIONS, at.PREEMPTIONS, at.HIT_TOKENS, at.DECISIONS)
            ]
            found.append([float(s.when[:, at.END][s.q[:, at.STATE] == at.ENDED].sum()).hex(), *map(str, counts)])
    return found


def test_compiled_and_plain_are_equal() -> None:
    """Red: the compiled engine does something that its source does not say, such as wrapping round or reordering."""
    code = "import json, tests.tasks.serving.test_engine_plain as t; print(json.dumps(t.runs()))"
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    compiled = runs()
    assert json.loads(done.stdout) == compiled
    assert any(int(row[3]) for row in compiled), "nobody was preempted"
    assert any(int(row[4]) for row in compiled), "no prompt was cached"
