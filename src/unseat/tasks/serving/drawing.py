"""Traces of requests drawn from a seed."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np

from unseat.core.drawing import of_each
from unseat.tasks.serving.data.traces import CHUNK
from unseat.tasks.serving.generators import CHUNK as SHORT
from unseat.tasks.serving.generators import KINDS, generate

QUERIES = 300
"""Requests of a trace."""


def draw(rng: np.random.Generator, folder: Path) -> None:
    """Requests of `serving`, as Mooncake writes them."""
    for name, kind, seed in of_each(rng, list(KINDS), 3):
        made, lines = generate(kind, QUERIES, seed), []
        for place, (first, last) in enumerate(pairwise(made.first.tolist())):
            # The last short chunk of a long one stands for it: with it all before it are the same.
            hashes = made.hashes[first:last].tolist()[CHUNK // SHORT - 1 :: CHUNK // SHORT]
            lines.append(json.dumps({
                "timestamp": round(1000 * float(made.at_s[place])), "input_length": int(made.prompt[place]),
                "output_length": int(made.output[place]), "hash_ids": hashes}))  # fmt: skip
        (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n")
