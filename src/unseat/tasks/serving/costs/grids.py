"""Where the cost tables have their points."""

from __future__ import annotations

import numpy as np

TOKENS = np.array([1, 2, 4, 8, 16, 32, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144, 8192,
                   12288, 16384], np.float64)  # fmt: skip
"""Tokens of an iteration, all requests together."""

CONTEXTS = np.array([1, 16, 64, 128, 256, 512, 1024, 1536, 2048, 3072, 4096, 6144, 8192, 12288, 16384], np.float64)
"""Length of a prompt whose attention is computed at once."""

BATCHES = np.array([1, 2, 4, 8, 16, 32, 64, 128, 256, 512], np.float64)
"""Requests that decode together."""

LENGTHS = np.array([64, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072], np.float64)
"""Tokens that each of them has in the cache, in the mean."""
