"""The measured cost tables, and how far they may be trusted."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from unseat.core.errors import UserError
from unseat.tasks.serving.costs.grids import BATCHES, CONTEXTS, LENGTHS, TOKENS
from unseat.tasks.serving.costs.models import GPUS, MODELS
from unseat.tasks.serving.engine.layout import Float64

HOME = Path(__file__).parent


class Calibration(NamedTuple):
    """What is between the kernels' times and a server's, fitted to measured end-to-end rows of the same GPU and model.

    Attributes:
        scale: By which the kernels' time is multiplied.
        overhead_s: Of each iteration.
        extra_s: Of each token of a prompt, for kernels that were not measured (norms, activations, rotations).
        entry_s: Of each request, before its first token.
        error: Median absolute error of time to first token and of time per token on rows that were not used, the
            greater of the two; None where nothing was measured end to end.
    """

    scale: float
    overhead_s: float
    extra_s: float
    entry_s: float
    error: float | None


TRUSTED = 0.25
"""Configurations whose error is greater are refused: the simulator does not know them."""


@lru_cache(maxsize=1)
def tables() -> dict[str, Any]:
    """All tables as they ship."""
    from safetensors.numpy import load_file

    return load_file(HOME / "tables.safetensors")


@lru_cache(maxsize=1)
def calibrations() -> dict[str, Any]:
    """GPU and model to `Calibration`, as `benchmarks.serving_fidelity --write` left it."""
    found: dict[str, Any] = json.loads((HOME / "calibration.json").read_text(encoding="utf-8"))
    return found


def calibration(gpu: str, model: str, tp: int) -> Calibration:
    """What is known of a configuration.

    Raises:
        UserError: There are no kernels of it, or the simulator was found to be wrong of it.
    """
    if f"{gpu}/{model}/{tp}/linear" not in tables():
        known = sorted({key.rsplit("/", 1)[0] for key in tables()})
        raise UserError(f"no measured kernels of {gpu}/{model}/{tp}; there are {', '.join(known)}")
    fits = calibrations()
    one = Calibration(**fits.get(f"{gpu}/{model}", {**fits["default"], "error": None}))
    if one.error is not None and one.error > TRUSTED:
        raise UserError(f"{gpu}/{model}: the simulator is off by {one.error:.0%} on measured rows, so it does not "
                        f"speak of it; at most {TRUSTED:.0%} is trusted")  # fmt: skip
    return one


def vector(gpu: str, model: str, tp: int) -> Float64:
    """The vector that `engine.costs` reads, in seconds."""
    part = {name: tables()[f"{gpu}/{model}/{tp}/{name}"].astype(np.float64) / 1000 for name in
            ("linear", "reduce", "head", "context", "decode")}  # fmt: skip
    return np.concatenate([TOKENS, part["linear"] + part["reduce"], part["head"], CONTEXTS, part["context"], BATCHES,
                           LENGTHS, part["decode"].ravel()])  # fmt: skip


def blocks(gpu: str, model: str, gpus: int, block: int, share: float = 0.9) -> int:
    """Blocks of the cache that fit beside the weights.

    Raises:
        UserError: The weights alone do not fit.
    """
    room = share * GPUS[gpu].memory * gpus - MODELS[model].parameter_bytes - 3.8e9 * gpus
    count = int(room // (MODELS[model].token_bytes * block))
    if count < 64:
        raise UserError(f"{model} does not fit into {gpus} GPUs {gpu}: take more of them")
    return count
