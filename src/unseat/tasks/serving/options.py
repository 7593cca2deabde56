"""What a person may say about a cluster of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from unseat.core.errors import UserError
from unseat.tasks.serving.cluster import Serving


class Options(BaseModel):
    """Options of `unseat run serving --data REQUESTS`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    gpu: str = Field("h100_sxm", description="GPU: a100_sxm, h100_sxm, h200_sxm, b200_sxm, l40s")
    model: str = Field("llama-3.1-8b", description="model: llama-3.1-8b, llama-3.1-70b, llama-3.1-70b-fp8")
    tp: int = Field(1, ge=1, le=8, description="GPUs that share each layer")
    pp: int = Field(1, ge=1, le=8, description="stages that share the layers")
    replicas: int = Field(2, ge=1, le=64, description="replicas, all together")
    prefillers: int = Field(0, ge=0, le=63, description="of these, only for prompts")
    ttft: float = Field(2.0, gt=0, le=3600, description="seconds to the first token that are promised")
    tpot: float = Field(0.05, gt=0, le=60, description="seconds a token after it that are promised")
    seats: int = Field(256, ge=1, le=512, description="requests of a batch")
    swap: bool = Field(False, description="copy a preempted request's cache to the host, not compute it again")
    drafts: int = Field(0, ge=0, le=8, description="tokens that speculative decoding drafts a step")
    accept: float = Field(0.7, ge=0, le=1, description="share of drafts that is accepted")
    patience: float = Field(60.0, gt=0, le=86_400, description="seconds after which a request goes first")


def parsed(options: Mapping[str, Any], chunk: int) -> Serving:
    """The cluster that the options name, with prefix hashes of so many tokens.

    Raises:
        UserError: One of them is wrong, or the tables know nothing of that GPU and model.
    """
    from unseat.tasks.serving.costs.models import GPUS, MODELS
    from unseat.tasks.serving.costs.tables import blocks, calibration

    try:
        chosen = Options(**options)
    except ValidationError as error:
        first = error.errors()[0]
        raise UserError(f"--{first['loc'][0]}: {first['msg']}") from error
    if chosen.gpu not in GPUS or chosen.model not in MODELS:
        raise UserError(
            f"--gpu {chosen.gpu} --model {chosen.model}: there are {', '.join(GPUS)} and {', '.join(MODELS)}"
        )
    calibration(chosen.gpu, chosen.model, chosen.tp)
    block = 16 if chunk % 16 == 0 else chunk
    blocks(chosen.gpu, chosen.model, chosen.tp * chosen.pp, block)
    return Serving(chosen.gpu, chosen.model, chosen.tp, chosen.pp, chosen.replicas, chosen.prefillers, chosen.ttft,
                   chosen.tpot, chosen.seats, chunk=chunk, block=block, swaps=chosen.swap, drafts=chosen.drafts,
                   accept=chosen.accept, patience_s=chosen.patience)  # fmt: skip
