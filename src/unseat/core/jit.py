"""One typed door to Numba, so that every kernel is compiled alike and `mypy --strict` sees its Python signature."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np

F = TypeVar("F", bound=Callable[..., Any])


def jit(function: F) -> F:
    """Compile a kernel with Numba, cached on disk, without the GIL; `function.py_func` stays plain Python.

    The machine code is cached beside the source (or in ``NUMBA_CACHE_DIR``). ``error_model="numpy"`` leaves out the
    zero-division branch that Python semantics would put before each division.
    """
    return cast(F, numba.njit(cache=True, nogil=True, error_model="numpy")(function))


def inlined(function: F) -> F:
    """Compile a helper into every kernel that calls it.

    For the parts of a hot loop: a real call passes each array as seven numbers and counts references, which costs more
    than a short helper does (three times the speed for policies built of several).
    """
    return cast(F, numba.njit(cache=True, nogil=True, error_model="numpy", forceinline=True)(function))


@inlined
def variable(constant: int) -> int:
    """A constant as an argument of a kernel: Numba compiles a kernel anew for each literal that it is called with."""
    return int(np.int64(constant))


def python(kernel: F) -> F:
    """The plain Python form of a kernel, for tests that hold the two equal and for tracing."""
    return cast(F, getattr(kernel, "py_func", kernel))
