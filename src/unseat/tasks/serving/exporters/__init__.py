"""The form in which a policy is handed over: one Python file that needs nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unseat.core.errors import UserError
from unseat.core.task import Exported
from unseat.tasks.serving.cluster import Serving
from unseat.tasks.serving.engine import layout as at

if TYPE_CHECKING:
    from unseat.core.policy import Policy


def exporters() -> Mapping[str, Exported]:
    """The forms, by name."""

    def write_python(policy: Policy, path: Path) -> None:
        try:
            path.write_text(source(policy), encoding="utf-8")
        except OSError as error:
            raise UserError(f"{path}: cannot be written ({error.strerror or error}); give another path") from error

    text = (
        "one Python file that needs nothing else: vLLM's priorities, routing, admission; its head states the interface"
    )
    return {"python": Exported("python", text, write_python)}


def plain(policy: Policy, serving: Serving | None = None) -> dict[str, Any]:
    """A built-in policy as `scheduler.POLICY`, for a cluster.

    Raises:
        UserError: It is none of the compiled loop's policies.
    """
    from unseat.tasks.serving.policies import DEFAULTS, RuleOf

    if not isinstance(policy, RuleOf):
        raise UserError(f"{policy.name} is Python already; only the built-in policies are exported")
    serving = serving or Serving()
    f = serving.floats()
    return {
        "name": policy.name, "settings": {key: float(value) for key, value in {**DEFAULTS, **policy.settings}.items()},
        "weights": [float(one) for one in policy.weights], "lengths": [float(one) for one in policy.lengths],
        "token_s": float(f[at.TOKEN_S]), "ttft_s": serving.ttft_s, "tpot_s": serving.tpot_s, "may_miss": 0.1,
        "extra_s": float(f[at.EXTRA]), "hop_s": float(f[at.HOP]), **_tables(serving, float(f[at.SCALE])),
    }  # fmt: skip


def _tables(serving: Serving, scale: float) -> dict[str, list[tuple[float, float]]]:
    """Seconds of an iteration's dense layers, of its output layer, and of whole prompts' attention, as points."""
    from unseat.tasks.serving.engine import costs

    def points(grid: int, values: int, count: int) -> list[tuple[float, float]]:
        x, y = serving.cost[grid : grid + count], scale * serving.cost[values : values + count]
        return [(float(a), float(b)) for a, b in zip(x, y, strict=True)]

    return {"dense": points(costs.X_TOKENS, costs.LINEAR, costs.N_TOKENS),
            "output": points(costs.X_TOKENS, costs.SAMPLED, costs.N_TOKENS),
            "attention": points(costs.X_CONTEXTS, costs.CONTEXT, costs.N_CONTEXTS)}  # fmt: skip


def source(policy: Policy, serving: Serving | None = None) -> str:
    """The file: `scheduler.py` with this policy's numbers in the place of the default ones."""
    text = Path(__file__).with_name("scheduler.py").read_text(encoding="utf-8")
    begin, end = text.index("POLICY: dict"), text.index("FCFS, SHORTEST")
    numbers = json.dumps(plain(policy, serving), indent=1)
    return f"{text[:begin]}POLICY: dict[str, Any] = {numbers}\n\n{text[end:]}"
