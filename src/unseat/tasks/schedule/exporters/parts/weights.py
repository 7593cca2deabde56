"""How weights are written."""

from __future__ import annotations

import base64

import numpy as np
from numpy.typing import NDArray


def unpacked(text: str, *shape: int) -> NDArray[np.float32]:
    """An array of its numbers' 32 bits, lowest byte first, in base64."""
    raw = base64.b64decode(text)
    return np.ndarray(len(raw) // 4, "<f4", raw).astype(np.float32).reshape(shape)
