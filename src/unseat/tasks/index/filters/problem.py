"""One set of strings, the non-keys in three parts, and how a filter is judged on them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseat.core.policy import InvalidAnswer, View
from unseat.structures.filters.strings import Strings

QUESTION = "contains"
LEARN_SHARE, CHOOSE_SHARE = 0.4, 0.3
"""Shares of the non-keys to learn from and to choose by; the rest judges."""
CONFIDENCE = 0.99
PASSES = 3

Answer = Callable[[Strings], Any]


@dataclass(frozen=True, eq=False)
class Problem:
    """What a filter is built on and judged by.

    Attributes:
        keys: The set.
        others: Non-keys to learn from.
        unseen: Non-keys to choose by.
        asked: Non-keys to judge by, which no policy is given.
        rate: The rate of false positives that is asked for.
    """

    keys: Strings
    others: Strings
    unseen: Strings
    asked: Strings
    rate: float

    def view(self, deadline: float | None = None) -> View:
        """What a policy is told; copies, so that writing to them changes nothing here."""
        facts = {name: copied(getattr(self, name)) for name in ("keys", "others", "unseen")}
        return View(QUESTION, {**facts, "rate": self.rate}, deadline=deadline)


def divided(keys: Sequence[str], others: Sequence[str], rate: float) -> Problem:
    """Divide non-keys, which are in random order."""
    learn = round(LEARN_SHARE * len(others))
    choose = learn + round(CHOOSE_SHARE * len(others))
    first, second, third = (Strings.of(part) for part in (others[:learn], others[learn:choose], others[choose:]))
    return Problem(Strings.of(keys), first, second, third, rate)


def copied(strings: Strings) -> Strings:
    """The same strings in arrays of their own."""
    return Strings(strings.data.copy(), strings.offsets.copy())


def judge(problem: Problem, answer: Answer, nbytes: int, seed: int) -> tuple[float, dict[str, float]]:
    """Bits a key at the rate asked for, and what else is measured.

    Who aims at a higher rate gains nothing: see `charge`.

    Keys and non-keys come in one batch in random order, so that an answer cannot hang on where in it a string stands.

    Raises:
        InvalidAnswer: A key is denied, the rate lies above the target for certain, or the answers are none.
    """
    keys, asked = len(problem.keys), len(problem.asked)
    order = np.random.default_rng(seed).permutation(keys + asked)
    mixed = Strings(
        np.concatenate([problem.keys.data, problem.asked.data]),
        np.concatenate([problem.keys.offsets, problem.keys.offsets[-1] + problem.asked.offsets[1:]]),
    ).take(order)
    found = np.empty(keys + asked, np.bool_)
    found[order] = _answers(answer, mixed)
    denied = np.flatnonzero(~found[:keys])
    if len(denied):
        first = problem.keys.take(denied[:1])
        raise InvalidAnswer(f"{len(denied)} of {keys:,} keys are denied, the first of them {next(iter(first))!r}")
    wrong = int(found[keys:].sum())
    low, high = interval(wrong, asked)
    if low > problem.rate:
        told = f"{wrong / asked:.2%} (at least {low:.2%})"
        raise InvalidAnswer(f"false positives {told} on {asked:,} strings, where {problem.rate:.2%} are asked for")
    held, added = 8 * nbytes / keys, charge(wrong / asked if asked else 0.0, problem.rate, keys)
    return held + added, {
        "bits": held, "bits.charged": added, "bytes": nbytes,
        "false_positives": wrong / asked, "false_positives.low": low, "false_positives.high": high,
        "present.ns": _timed(answer, problem.keys), "absent.ns": _timed(answer, problem.asked),
    }  # fmt: skip


def charge(measured: float, rate: float, keys: int) -> float:
    """Twice the bits a key of a binary fuse filter that brings a measured rate down to the one asked for.

    Put behind a filter, one with fingerprints of b bits divides its rate by 2^b; so that is what mending costs. Twice,
    because chance leaves a filter that is aimed at the very target below it on every other sample, and a rate below
    earns nothing: charged once, aiming a little higher would cost half of what it saves.
    """
    from unseat.structures.filters.fuse import fuse_shape

    if measured <= rate:
        return 0.0
    return 2 * math.log2(measured / rate) * fuse_shape(keys, 4).places / keys


def interval(count: int, total: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Clopper and Pearson's bounds of a rate, each at that confidence."""
    from scipy.stats import beta

    low = float(beta.ppf(1 - confidence, count, total - count + 1)) if count else 0.0
    high = float(beta.ppf(confidence, count + 1, total - count)) if count < total else 1.0
    return low, high


def _answers(answer: Answer, strings: Strings) -> NDArray[np.bool_]:
    found = answer(strings)
    if not isinstance(found, np.ndarray) or found.dtype != np.bool_ or found.shape != (len(strings),):
        raise InvalidAnswer(f"the answer is {found!r:.60}, not bool[{len(strings)}]")
    return found


def _timed(answer: Answer, strings: Strings) -> float:
    """Median CPU time a string, in nanoseconds."""
    order = copied(strings)
    took = []
    for _ in range(PASSES):
        began = time.thread_time_ns()
        answer(order)
        took.append((time.thread_time_ns() - began) / max(len(order), 1))
    return float(np.median(took))
