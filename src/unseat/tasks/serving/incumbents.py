"""What serving systems do today, as settings of the compiled loop, with the paper or code that defines it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from unseat.core.policy import Policy, Session, View
from unseat.tasks.serving.engine import layout as at
from unseat.tasks.serving.engine import play as of
from unseat.tasks.serving.question import ROWS, share_of


class Known(NamedTuple):
    """An incumbent.

    Attributes:
        settings: See `policies.SETTINGS`.
        knobs: What of it is tuned, with its range; a third number above zero asks for a logarithmic scale.
        paper: What defines it.
    """

    settings: Mapping[str, float]
    knobs: Mapping[str, tuple[float, float, float]]
    paper: str


_BUDGET = (256.0, 8192.0, 1.0)
_SARATHI = "Agrawal et al. (Sarathi-Serve), OSDI 2024"
_SGLANG = "SGLang's router, cache-aware policy; Zheng et al., NeurIPS 2024"

INCUMBENTS: Mapping[str, Known] = {
    "static-batching": Known({"mode": at.STATIC, "budget": 8192, "router": of.ROUND_ROBIN}, {},
                             "FasterTransformer's request-level batching; Yu et al. (Orca), OSDI 2022, section 2"),
    "continuous": Known({"mode": at.PREFILL_FIRST, "budget": 8192, "router": of.ROUND_ROBIN}, {"budget": _BUDGET},
                        "vLLM's scheduler before chunked prefill; Kwon et al., SOSP 2023"),
    "chunked": Known({"budget": 512, "router": of.ROUND_ROBIN}, {"budget": _BUDGET}, _SARATHI),
    "least-loaded": Known({"budget": 2048}, {"budget": _BUDGET}, "vLLM's router, least requests; " + _SARATHI),
    "prefix-affinity": Known({"budget": 2048, "router": of.PREFIX},
                             {"budget": _BUDGET, "affinity": (0.05, 0.9, 0.0), "imbalance": (2.0, 64.0, 1.0)}, _SGLANG),
    "shortest-prompt": Known({"budget": 2048, "order": of.SHORTEST_PROMPT}, {"budget": _BUDGET},
                             "shortest job first by prompt; Wu et al. (FastServe), arXiv 2305.05920"),
    "prompt-priority": Known({"budget": 2048, "order": of.RESPONSE_RATIO}, {"budget": _BUDGET},
                             "highest response ratio next by prompt; Brinch Hansen, 1971"),
    "shortest-admitted": Known(
        {"budget": 2048, "order": of.SHORTEST_PROMPT, "admission": of.ADMIT_IN_TIME, "router": of.PREFIX},
        {"budget": _BUDGET, "patient": (0.3, 3.0, 1.0), "affinity": (0.05, 0.9, 0.0), "imbalance": (2.0, 64.0, 1.0)},
        "shortest prompt first, refusing what would be late; Mooncake's early rejection, Qin et al., FAST 2025"),
}  # fmt: skip


@dataclass(frozen=True)
class Default(Policy):
    """What answers a question that is left to nobody: in order of coming, to the replica with the fewest requests, the
    last that came is preempted, and everybody is admitted."""

    name: str
    question: str

    def start(self, view: View, seed: int) -> Session:
        """Nothing to prepare."""
        return _Default(self.question, int(view.facts["tokens"]))


class _Default(Session):
    def __init__(self, question: str, most: int) -> None:
        self.question, self.budget = question, share_of(min(2048, most), most) if most > at.LEAST_BUDGET else 1.0

    def decide(self, observation: object) -> object:
        if self.question == "admit":
            return 1
        if self.question == "batch":
            answer = np.zeros(ROWS + 1, np.float32)
            answer[-1] = min(self.budget, 1.0)
            return answer
        assert isinstance(observation, Mapping)
        mask = observation["action_mask"]
        if self.question == "route":
            return int(np.argmin(np.where(mask > 0, observation["replicas"][:, 3], np.inf)))
        return int(np.flatnonzero(mask)[-1])
