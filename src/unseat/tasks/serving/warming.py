"""Compiling what is compiled on first use."""

from __future__ import annotations

from unseat.core.outcome import Limits


def warm() -> None:
    """Run every loop on a few requests, and the bound."""
    from unseat.tasks.serving import generators
    from unseat.tasks.serving.bounds import OnTime
    from unseat.tasks.serving.cluster import Serving
    from unseat.tasks.serving.policies import RuleOf
    from unseat.tasks.serving.problem import Problem

    problem = Problem(generators.generate("chat", 4, 0), Serving(replicas=2, chunk=generators.CHUNK))
    RuleOf("warm", {}).start(problem.view("batch"), 0).play(problem.begin(0, 1.0))  # type: ignore[attr-defined]
    OnTime().solve(problem, seed=0, limits=Limits())
