"""Compiling what is compiled on first use."""

from __future__ import annotations

import numpy as np

from unseat.core.outcome import Limits


def warm() -> None:
    """Run every loop on a tiny workload, and the bound."""
    from unseat.tasks.schedule import generators
    from unseat.tasks.schedule.bounds import Relaxation
    from unseat.tasks.schedule.challengers import network
    from unseat.tasks.schedule.challengers.decima.policy import untrained
    from unseat.tasks.schedule.challengers.rollout import ahead
    from unseat.tasks.schedule.challengers.scorer import scorer
    from unseat.tasks.schedule.engine.memory import Machines
    from unseat.tasks.schedule.policies import RuleOf
    from unseat.tasks.schedule.problem import Problem

    graphs = (generators.generate(0, 2.0),)
    problem = Problem(generators.batch(graphs, 2, 0), Machines((3,)))
    cluster = problem.cluster
    RuleOf("FIFO", "FIFO").play(cluster.begin(0), cluster)
    theta = network.begin(2, 0)
    base = scorer("scorer", theta, 2)
    base.play(cluster.begin(0), cluster)
    ahead("rollout", base, simulations=3, horizon_s=1.0).play(cluster.begin(0), cluster)
    untrained("Decima", 0).play(cluster.begin(0), cluster)
    Relaxation().solve(problem, seed=0, limits=Limits())
    assert np.isfinite(problem.worst_s)
