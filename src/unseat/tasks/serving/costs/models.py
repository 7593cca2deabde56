"""The models and GPUs that the cost tables speak of: sizes from their published configurations and data sheets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Model(NamedTuple):
    """A transformer's sizes.

    Attributes:
        layers, hidden, inter: Blocks, width, and width of the feed-forward part (of one expert).
        heads, kv_heads, head_dim: Of the attention.
        vocabulary: Rows of the output layer.
        parameter_bytes: Of all weights together, in bytes.
        dtype: Name of the dense layers' precision in the measured tables.
        experts, active: Experts of a layer and how many a token uses; 0 where the layer is dense.
        moe_dtype: Name of the experts' precision in the measured tables.
        window: Of every second layer's attention; 0 where all layers see everything.
    """

    layers: int
    hidden: int
    inter: int
    heads: int
    kv_heads: int
    head_dim: int
    vocabulary: int
    parameter_bytes: float
    dtype: str
    experts: int = 0
    active: int = 0
    moe_dtype: str = ""
    window: int = 0

    @property
    def token_bytes(self) -> int:
        """Of the cache that a token takes, at two bytes a number."""
        return 2 * 2 * self.layers * self.kv_heads * self.head_dim


MODELS: Mapping[str, Model] = {
    "llama-3.1-8b": Model(32, 4096, 14336, 32, 8, 128, 128256, 16.1e9, "bfloat16"),
    "llama-3.1-70b": Model(80, 8192, 28672, 64, 8, 128, 128256, 141.1e9, "bfloat16"),
    "llama-3.1-70b-fp8": Model(80, 8192, 28672, 64, 8, 128, 128256, 72.7e9, "fp8"),
    "gpt-oss-120b": Model(36, 2880, 2880, 64, 8, 64, 201088, 63.4e9, "bfloat16", 128, 4, "w4a16_mxfp4", 128),
}


class Gpu(NamedTuple):
    """A GPU: memory in bytes, and bytes a second to the host and to a peer, one direction."""

    memory: float
    host: float
    peer: float


GPUS: Mapping[str, Gpu] = {
    "h100_sxm": Gpu(85.9e9, 64e9, 450e9), "h200_sxm": Gpu(151.4e9, 64e9, 450e9), "a100_sxm": Gpu(85.9e9, 32e9, 300e9),
    "b200_sxm": Gpu(193.3e9, 128e9, 900e9), "l40s": Gpu(48.3e9, 32e9, 32e9),
}  # fmt: skip
