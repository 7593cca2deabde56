"""Compile before any clock runs."""

from __future__ import annotations

import contextlib
from functools import lru_cache

import numpy as np

from unseat.core.outcome import Limits
from unseat.core.policy import Form, InvalidAnswer, Policy

TYPES = ("u8", "i8", "f8")
"""Key types of the suites; others are compiled when they are first met."""
COUNT = 2000


@lru_cache(maxsize=1)
def warm() -> None:
    """Run every contender that needs no fit on a small set of each type.

    But for those whose kernel the engine calls: these are compiled in every process anew (`engine.by_window`), and so
    only where they run.
    """
    from unseat.core.learner import Bounder
    from unseat.tasks.index import engine
    from unseat.tasks.index.contenders import contenders
    from unseat.tasks.index.problem import KeySet, Problem

    made = [one.shipped() if one.shipped else one.make() for one in contenders().values()]
    for kind in TYPES:
        keys = (np.arange(COUNT) ** 2).astype(kind)
        problem = Problem(KeySet(keys), keys.nbytes, COUNT)
        for doer in made:
            with contextlib.suppress(InvalidAnswer):
                if isinstance(doer, Bounder):
                    doer.solve(problem, seed=0, limits=Limits())
                elif isinstance(doer, Policy) and doer.form is not Form.KERNEL:
                    session = doer.start(problem.view(), 0)
                    engine.answerer(problem, session, doer.form)(keys[:64], np.empty(64, np.int64))
