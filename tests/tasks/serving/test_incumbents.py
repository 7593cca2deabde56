"""Incumbents against a second implementation, in plain Python."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.tasks.serving.plain_cluster import Plain

from unseat.tasks.serving import generators
from unseat.tasks.serving.cluster import Serving
from unseat.tasks.serving.engine import layout as at
from unseat.tasks.serving.incumbents import INCUMBENTS
from unseat.tasks.serving.policies import RuleOf
from unseat.tasks.serving.problem import Problem

KNOWN: dict[str, dict[str, Any]] = {
    "static-batching": {"mode": "static", "budget": 8192, "order": "came", "router": "turn"},
    "continuous": {"mode": "prompts", "budget": 8192, "order": "came", "router": "turn"},
    "chunked": {"mode": "mixed", "budget": 512, "order": "came", "router": "turn"},
    "least-loaded": {"mode": "mixed", "budget": 2048, "order": "came", "router": "least"},
    "prefix-affinity": {"mode": "mixed", "budget": 2048, "order": "came", "router": "prefix", "affinity": 0.3,
                        "imbalance": 16.0},
    "shortest-prompt": {"mode": "mixed", "budget": 2048, "order": "prompt", "router": "least"},
    "prompt-priority": {"mode": "mixed", "budget": 2048, "order": "ratio", "router": "least"},
    "shortest-admitted": {"mode": "mixed", "budget": 2048, "order": "prompt", "router": "prefix", "affinity": 0.3,
                          "imbalance": 16.0, "refuses": True, "patient": 1.0},
}  # fmt: skip

SERVING = Serving(replicas=3, seats=24, chunk=generators.CHUNK, memory=60_000, ttft_s=0.4, patience_s=4.0)


@pytest.mark.parametrize("name", INCUMBENTS)
def test_incumbent_is_what_its_paper_says(name: str) -> None:
    """Red: the compiled incumbent batches, orders, routes or refuses otherwise than the plain one."""
    requests = generators.generate("chat", 160, 5)
    problem = Problem(requests._replace(output=np.minimum(requests.output, 200)), SERVING)
    s = problem.begin(0, 60.0)
    RuleOf(name, INCUMBENTS[name].settings).play(s)
    plain = Plain(problem, KNOWN[name], 60.0).run()
    ended = s.q[:, at.STATE] == at.ENDED
    assert ended.tolist() == [one.end_s >= 0 for one in plain]
    for column, values in ((at.FIRST, [one.first_s for one in plain]), (at.END, [one.end_s for one in plain])):
        np.testing.assert_allclose(s.when[ended, column], np.array(values)[ended], rtol=1e-9)
    assert name != "shortest-admitted" or 0 < (~ended).sum() < 100
