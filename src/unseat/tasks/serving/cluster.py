"""What serves the requests: GPUs, a model, how it is divided, and what is promised."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from unseat.core.errors import UserError
from unseat.tasks.serving.costs.models import GPUS, MODELS
from unseat.tasks.serving.costs.tables import blocks, calibration, vector
from unseat.tasks.serving.engine import layout as at
from unseat.tasks.serving.engine.layout import Float64, Int64


@dataclass(frozen=True)
class Serving:
    """A cluster and its objectives.

    Attributes:
        gpu, model: See `costs.models`.
        tp: GPUs that share each layer.
        pp: Stages that share the layers; each replica then runs as many batches at once.
        replicas: How many there are, all together.
        prefillers: Of these only for prompts; the others then get requests with their cache. 0: each does both.
        ttft_s, tpot_s: What is promised: time to first token, and time per token after it.
        seats: Requests of a batch at most.
        tokens: Tokens of an iteration at most.
        block: Tokens of a block of the cache.
        chunk: Tokens that a prefix hash stands for; 0 without prefix caching.
        swaps: Whether a preempted request's cache is copied to the host, or computed again.
        drafts, accept, draft_cost: Speculative decoding: tokens drafted a step, the share that is accepted, and the
            cost of one as a share of the iteration.
        patience_s: After that the engine serves a request first, whatever the policy says.
        memory: Blocks of each replica, where it is not what the GPU has room for.
    """

    gpu: str = "h100_sxm"
    model: str = "llama-3.1-8b"
    tp: int = 1
    pp: int = 1
    replicas: int = 4
    prefillers: int = 0
    ttft_s: float = 2.0
    tpot_s: float = 0.05
    seats: int = 256
    tokens: int = 8192
    block: int = 16
    chunk: int = 0
    swaps: bool = False
    drafts: int = 0
    accept: float = 0.7
    draft_cost: float = 0.05
    patience_s: float = 60.0
    memory: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.prefillers < self.replicas:
            raise UserError(f"{self.prefillers} of {self.replicas} replicas for prompts: some must be left for tokens")
        if self.chunk % self.block:
            raise UserError(f"a prefix hash of {self.chunk} tokens is no whole number of blocks of {self.block}")
        if min(self.tp, self.pp, self.replicas, self.seats, self.block) < 1 or min(self.ttft_s, self.tpot_s) <= 0:
            raise UserError("sizes are at least one, and objectives above zero")

    @property
    def lanes(self) -> int:
        """Batches that run at once: a pipeline of several stages has one for each."""
        return self.replicas * self.pp

    @property
    def blocks(self) -> int:
        """Blocks that a lane has."""
        return self.memory or blocks(self.gpu, self.model, self.tp * self.pp, self.block) // self.pp

    @property
    def cost(self) -> Float64:
        """The cost vector of `engine.costs`."""
        return vector(self.gpu, self.model, self.tp)

    def floats(self) -> Float64:
        """The engine's globals in seconds."""
        known, f = calibration(self.gpu, self.model, self.tp), np.zeros(at.FLOATS)
        size = MODELS[self.model].token_bytes
        f[at.PATIENCE], f[at.TTFT], f[at.TPOT] = self.patience_s, self.ttft_s, self.tpot_s
        f[at.TOKEN_SWAP] = size / (GPUS[self.gpu].host * self.tp * self.pp)
        f[at.TOKEN_MOVE], f[at.MOVE] = size / (min(GPUS[self.gpu].peer, 50e9) * self.tp), 0.002
        f[at.ACCEPT], f[at.DRAFT_COST] = self.accept, self.draft_cost
        f[at.SCALE], f[at.OVERHEAD], f[at.ENTRY] = known.scale, known.overhead_s, known.entry_s
        # A hop hands over the hidden state of a batch, tens of microseconds.
        f[at.HOP], f[at.WATERMARK] = 5e-5 * (self.pp - 1), 0.01
        f[at.TOKEN_S] = _token_s(self) * known.scale + known.extra_s + known.overhead_s / 2048
        f[at.EXTRA] = known.extra_s
        return f

    def integers(self, requests: int, seed: int) -> Int64:
        """The engine's other globals."""
        g = np.zeros(at.GLOBALS, np.int64)
        g[at.REPLICAS], g[at.PREFILLERS], g[at.REQUESTS] = self.lanes, self.prefillers * self.pp, requests
        g[at.BLOCK], g[at.BLOCKS], g[at.SEATS], g[at.MOST_TOKENS] = self.block, self.blocks, self.seats, self.tokens
        g[at.CHUNK], g[at.SWAPS], g[at.DRAFTS], g[at.SEED] = self.chunk, self.swaps, self.drafts, seed & 0xFFFFFFFF
        g[at.ALLOWED], g[at.DRAW], g[at.MODE], g[at.BUDGET] = requests, (seed & 0xFFFFFF) + 1, at.MIXED, self.tokens
        return g

    def facts(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


@lru_cache(maxsize=64)
def _token_s(serving: Serving) -> float:
    """Seconds of a token of a prompt in a full iteration."""
    from unseat.tasks.serving.engine import costs

    return float(costs.linear(serving.cost, 2048.0) / 2048.0)
