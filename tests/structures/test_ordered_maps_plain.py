"""Every kernel of the ordered maps as plain Python."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np

from unseat.structures.bplustree import BPlusTree
from unseat.structures.gapped import GappedIndex
from unseat.structures.operations import DELETE, INSERT, OrderedMap


def story() -> str:
    """Batches that expand, split, shrink and rebuild, and all that comes of them."""
    rng = np.random.default_rng(5)
    keys = np.unique(np.concatenate([rng.integers(0, 2**63, 300), np.arange(300) ** 3, 2 ** np.arange(63)]))
    keys = keys.astype(np.int64)
    told: list[object] = []
    maps: list[OrderedMap] = [
        GappedIndex.build(keys[::4], keys[::4], leaf_keys=24),
        BPlusTree.build(keys[::4], keys[::4], inner_keys=16, leaf_keys=32),
    ]
    for made in maps:
        for most in (INSERT, DELETE):
            ops = rng.integers(0, 6, 1200).astype(np.uint8)
            ops[rng.random(1200) < 0.6] = most
            results, done = made.apply(ops, rng.choice(keys, 1200), rng.integers(0, 40, 1200))
            told += [results.tolist(), done.tolist()]
        told += [made.items()[0].tolist(), made.items()[1].tolist(), made.nbytes]
    return repr(told)


def test_compiled_and_plain_kernels_agree() -> None:
    """Red: a kernel means one thing to Numba and another to Python."""
    code = "from tests.structures.test_ordered_maps_plain import story; import sys; sys.stdout.write(story())"
    plain = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], env={**os.environ, "NUMBA_DISABLE_JIT": "1"}, text=True,
        capture_output=True, check=True,
    ).stdout  # fmt: skip
    assert plain == story()
