"""Windows as a compiled policy gives them: the smallest example of one, and what no index at all amounts to."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseat.core.jit import jit


@jit
def whole(code: Any, size: NDArray[np.int64]) -> tuple[int, int]:
    """Somewhere in the array."""
    return 0, size[0]
