"""The policies that caches use today, one file each, all in the same order: docstring, `init`, `run`.

Every kernel has one signature::

    run(ids: int32[n], sizes: int64[n_objects], start, stop, capacity, state, counts: int64[4 or more]) -> None

It serves requests ``[start, stop)`` and *adds* to ``counts`` the requests, misses, missed bytes and evictions; a longer
``counts`` also receives the evicted objects (`unseat.tasks.cache.engine.evictions.note`). All that a kernel remembers
is in ``state``, the tuple of arrays that ``init(n_objects, capacity, **parameters)`` made, so serving ``[0, k)`` and
then ``[k, n)`` is the same as serving ``[0, n)``: warm-up and judged part are two calls, and a streaming cache is one
call per request. Kernels for equal sizes do not read ``sizes``; their capacity counts objects and a missed object
counts one byte. Kernels for sizes have a capacity in bytes and never admit an object larger than that. ``capacity`` is
at least 1.

Kernels keep to the subset of Python that `unseat.tasks.cache.exporters` translates to C.

Importing this module imports no Numba; asking an entry for ``init`` or ``run`` does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from types import MappingProxyType, ModuleType
from typing import Any, NamedTuple

State = tuple[Any, ...]


class Parameter(NamedTuple):
    """A number that a tuner may choose: ``log`` asks for a logarithmic scale; whole if the default is an int."""

    default: float
    low: float
    high: float
    log: bool = False


@dataclass(frozen=True)
class Fused:
    """A policy and the cache in one compiled loop.

    Attributes:
        name: the policy's usual name.
        module: the file with `init` and `run`.
        paper: what defines it.
        sized: whether objects have sizes; the capacity is then in bytes.
        parameters: what may be tuned, with the published defaults.
    """

    name: str
    module: str
    paper: str
    sized: bool = False
    parameters: Mapping[str, Parameter] = field(default_factory=dict)

    def rounded(self, parameters: Mapping[str, float]) -> dict[str, float]:
        """The values with those of whole parameters rounded, since tuners draw real numbers."""
        whole = {name for name, parameter in self.parameters.items() if isinstance(parameter.default, int)}
        return {name: round(value) if name in whole else value for name, value in parameters.items()}

    def _load(self) -> ModuleType:
        return import_module(self.module)

    @property
    def init(self) -> Callable[..., State]:
        """``init(n_objects, capacity, **parameters) -> state``."""
        function: Callable[..., State] = self._load().init
        return function

    @property
    def run(self) -> Callable[..., None]:
        """The kernel."""
        function: Callable[..., None] = self._load().run
        return function


def _entry(name: str, file: str, paper: str, *, sized: bool = False, **parameters: Parameter) -> tuple[str, Fused]:
    return name, Fused(name, f"{__name__}.{file}", paper, sized, MappingProxyType(parameters))


FUSED: Mapping[str, Fused] = MappingProxyType(
    dict(
        [
            _entry("fifo", "fifo", "Belady, IBM Systems Journal 5(2), 1966"),
            _entry("lru", "lru", "Mattson et al., IBM Systems Journal 9(2), 1970"),
            _entry("clock", "clock", "Corbató, 1968; Smith, ACM TODS 3(3), 1978", bits=Parameter(1, 1, 4)),
            _entry("sieve", "sieve", "Zhang et al., NSDI 2024"),
            _entry(
                "s3fifo",
                "s3fifo",
                "Yang et al., SOSP 2023",
                small=Parameter(0.1, 0.01, 0.5, log=True),
                ghost=Parameter(0.9, 0.1, 4.0, log=True),
                threshold=Parameter(2, 1, 3),
            ),
            _entry("lfu", "lfu", "Shah, Mitra and Matani, 2010"),
            _entry("arc", "arc", "Megiddo and Modha, FAST 2003"),
            _entry("lirs", "lirs", "Jiang and Zhang, SIGMETRICS 2002", queue=Parameter(0.01, 0.005, 0.3, log=True)),
            _entry(
                "wtinylfu",
                "wtinylfu",
                "Einziger, Friedman and Manes, ACM TOS 13(4), 2017; Einziger et al., Middleware 2018",
                window=Parameter(0.01, 0.005, 0.8, log=True),
                step=Parameter(0.0625, 0.005, 0.25, log=True),
                sample=Parameter(10.0, 1.0, 30.0, log=True),
            ),
            _entry("random", "random_eviction", "Steele, Lea and Flood, OOPSLA 2014 (the generator)"),
            _entry("fifo-sized", "fifo_sized", "Belady, IBM Systems Journal 5(2), 1966", sized=True),
            _entry("lru-sized", "lru_sized", "Mattson et al., IBM Systems Journal 9(2), 1970", sized=True),
            _entry("sieve-sized", "sieve_sized", "Zhang et al., NSDI 2024", sized=True),
            _entry(
                "s3fifo-sized",
                "s3fifo_sized",
                "Yang et al., SOSP 2023",
                sized=True,
                small=Parameter(0.1, 0.01, 0.5, log=True),
                ghost=Parameter(0.9, 0.1, 4.0, log=True),
                threshold=Parameter(2, 1, 3),
            ),
            _entry("gdsf", "gdsf", "Cherkasova, HPL-98-69R1, 1998", sized=True, cost=Parameter(0.0, 0.0, 1.2)),
            _entry("random-sized", "random_sized", "Steele, Lea and Flood, OOPSLA 2014 (the generator)", sized=True),
        ]
    )
)
"""The compiled incumbents by name."""
