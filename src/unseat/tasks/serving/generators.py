"""Requests as services get them: bursts, long tails, prompts that begin alike, and answers that hang on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from unseat.tasks.serving.engine.layout import Float64
from unseat.tasks.serving.problem import Requests

CHUNK = 64
"""Tokens of a prefix hash of generated requests."""


class Kind(NamedTuple):
    """A kind of service.

    Attributes:
        prompt, prompt_spread: Median of what the user adds to the prompt, in tokens, and deviation of its logarithm.
        output, output_spread: The same of the answer; half of the logarithm's variance is the template's.
        templates: System prompts, of unlike popularity (Zipf), each with a length and a usual length of answer.
        template: Median length of a template, in tokens.
        turns: Mean number of turns of a conversation; each prompt holds the ones before.
        burst: Coefficient of variation of the rate, which changes every half minute.
    """

    prompt: float
    prompt_spread: float
    output: float
    output_spread: float
    templates: int
    template: float
    turns: float
    burst: float


KINDS: Mapping[str, Kind] = {
    "chat": Kind(120, 1.0, 180, 0.9, 12, 300, 3.0, 0.5),
    "code": Kind(1400, 0.9, 24, 1.1, 6, 400, 1.0, 0.8),
    "document": Kind(5000, 0.8, 160, 0.8, 8, 200, 1.3, 0.6),
    "mixed": Kind(500, 1.6, 120, 1.2, 16, 400, 1.6, 0.7),
}
"""Medians and tails are about those of Azure's conversations and code (2023) and of Mooncake's conversations."""

LONGEST = 30_000


def generate(kind: str, count: int, seed: int) -> Requests:
    """So many requests, one a second in the mean."""
    rng, of = np.random.default_rng([seed, *kind.encode()]), KINDS[kind]
    lengths = np.round(of.template * rng.lognormal(0, 0.6, of.templates)).astype(int)
    usual = of.output * rng.lognormal(0, of.output_spread / np.sqrt(2), of.templates)
    popular = 1 / np.arange(1, of.templates + 1)
    at_s = times(count, of.burst, rng)
    prompt, output = np.zeros(count, np.int64), np.zeros(count, np.int64)
    chains: list[list[int]] = []
    talks: list[tuple[int, int, list[int]]] = []
    hashes = 0
    numbers: dict[int, list[int]] = {template: [] for template in range(of.templates)}
    for i in range(count):
        goes_on = talks and rng.random() < 1 - 1 / of.turns
        if goes_on:
            place = int(rng.integers(max(0, len(talks) - 40), len(talks)))
            template, before, chain = talks.pop(place)
        else:
            template = int(rng.choice(of.templates, p=popular / popular.sum()))
            before, chain = int(lengths[template]), numbers[template]
            while len(chain) < before // CHUNK:
                chain.append(hashes)
                hashes += 1
        own = max(1, round(of.prompt * rng.lognormal(0, of.prompt_spread)))
        prompt[i] = min(before + own, LONGEST)
        chain = list(chain[: prompt[i] // CHUNK])
        while len(chain) < prompt[i] // CHUNK:
            chain.append(hashes)
            hashes += 1
        answer = usual[template] * (own / of.prompt) ** 0.15 * rng.lognormal(0, of.output_spread / np.sqrt(2))
        output[i] = min(max(1, round(answer)), 4000)
        chains.append(chain)
        if prompt[i] + output[i] < LONGEST:
            talks.append((template, int(prompt[i] + output[i]), chain))
    first = np.concatenate([[0], np.cumsum([len(chain) for chain in chains])]).astype(np.int64)
    flat = np.array([one for chain in chains for one in chain], np.int64)
    return Requests(at_s, prompt, output, first, flat)


def times(count: int, burst: float, rng: np.random.Generator) -> Float64:
    """float64 [count], when requests come: a Poisson process whose rate is drawn anew every half minute (gamma)."""
    found: list[Float64] = []
    begin, left = 0.0, count
    while left > 0:
        rate = rng.gamma(1 / burst**2, burst**2) + 0.02
        some = np.sort(rng.uniform(begin, begin + 30.0, rng.poisson(30.0 * rate)))[:left]
        found.append(some)
        begin, left = begin + 30.0, left - some.size
    at_s = np.concatenate(found)
    return np.asarray((at_s - at_s[0]) * ((count - 1) / max(at_s[-1] - at_s[0], 1e-9)))
