"""What learns, learns from the past only, and learns something."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr
from tests.tasks.serving.small_task import SMALL

from unseat.tasks.serving import generators
from unseat.tasks.serving.challengers import evolution, lengths
from unseat.tasks.serving.challengers import settings as tuned
from unseat.tasks.serving.engine import layout as at
from unseat.tasks.serving.engine import lengths as of
from unseat.tasks.serving.engine import play, replica, worth
from unseat.tasks.serving.engine.cluster import advance, answer_admit, answer_batch, answer_preempt, answer_route
from unseat.tasks.serving.engine.features import F
from unseat.tasks.serving.policies import RuleOf
from unseat.tasks.serving.problem import Problem


def test_lengths_are_predicted_from_what_has_ended() -> None:
    """Red: a prediction hangs on answers that have not ended when the request comes."""
    requests = generators.generate("chat", 200, 0)
    weights = np.full(of.N_KNOWN, 0.3)
    before = lengths.predicted(requests, weights, lag=20)
    other = requests._replace(output=np.where(np.arange(200) >= 100, 3000, requests.output))
    after = lengths.predicted(other, weights, lag=20)
    assert (before[:120] == after[:120]).all()
    assert (before[121:] != after[121:]).any()


def test_lengths_are_predicted() -> None:
    """Red: the fit finds nothing where templates say how long answers are."""
    train = [generators.generate("chat", 1500, seed) for seed in range(3)]
    test = generators.generate("chat", 1500, 9)
    weights = lengths.fit(train)
    rank = spearmanr(lengths.predicted(test, weights), test.output).statistic
    assert rank > 0.3
    assert (
        abs(spearmanr(lengths.predicted(test, weights), np.random.default_rng(0).permutation(test.output)).statistic)
        < 0.1
    )


EVERY = ("order", "pace", "admission", "router")


def test_evolution_begins_as_the_policy_without_learning() -> None:
    """Red: weights of zero change something, or settings do not come back from the search's scale, so that learning
    begins below what needs none."""
    problem = Problem(generators.generate("code", 60, 1), SMALL)
    space = evolution.Coordinates(EVERY, evolution.begin(0))
    theta = space.vector()
    assert space.settings(theta) == pytest.approx({key: tuned.BEGIN[key] for key in space.names}, rel=1e-4, abs=1e-4)
    begun = evolution.only("a", EVERY, tuned.BEGIN, space.weights(theta), np.zeros(0))
    plain = tuned.adaptive(tuned.BEGIN)
    assert isinstance(plain, RuleOf)
    values = [evolution.missed(one, problem, 60.0, 0) for one in (begun, plain)]
    assert values[0] == values[1]
    bare = evolution.Coordinates(EVERY, np.zeros(0))
    few = evolution.only("c", EVERY, bare.settings(bare.vector()), bare.weights(bare.vector()), np.zeros(0))
    assert len(bare.vector()) == len(bare.names)
    assert evolution.missed(few, problem, 60.0, 0) == pytest.approx(values[0], abs=0.02)
    moved = evolution.only("b", EVERY, space.settings(theta + 1.0), space.weights(theta + 1.0), np.zeros(0))
    assert evolution.missed(moved, problem, 60.0, 0) != values[0]


def test_a_batch_takes_the_time_that_was_allowed() -> None:
    """Red: the adaptive policy reckons an iteration otherwise than the engine runs it, so that those that decode are
    late."""
    problem = Problem(generators.generate("document", 40, 1), SMALL)
    s, x = problem.begin(0, 20.0), np.zeros(F)
    policy = tuned.adaptive({**tuned.BEGIN, "ease": 0.0, "slack": 0.0, "budget": 8192.0})
    assert isinstance(policy, RuleOf)
    p, w, near = policy.vector, np.zeros(play.WEIGHTS), []
    while (asked := advance(s)) != at.OVER:
        if asked == at.BATCH:
            r = int(s.g[at.ASKED])
            play.order(s, p, w, x)
            size = play.budget(s, r, p, w, x)
            decode = int(s.rep[r, at.N_RUN] - s.rep[r, at.FILLING])
            answer_batch(s, at.MIXED, size)
            busy = float(s.clock[r, at.BUSY_S])
            replica.compose(s, r)
            filled = int(s.run[r, : s.rep[r, at.N_RUN], 1].sum()) - decode
            # Where there is nobody else, or no memory, batches are smaller.
            if decode and filled == size - decode > at.LEAST_BUDGET:
                near.append((float(s.clock[r, at.BUSY_S]) - busy) / (p[play.PACE] * SMALL.tpot_s))
        elif asked == at.ROUTE:
            answer_route(s, 0)
        elif asked == at.ADMIT:
            answer_admit(s, True)
        else:
            answer_preempt(s, -1)
    assert len(near) > 10
    assert max(near) < 1.05
    assert np.median(near) > 0.9


def test_what_is_dear_is_a_share_of_what_comes() -> None:
    """Red: the cost from which a request may be refused follows nothing, so that all are refused, or none."""
    s = Problem(generators.generate("chat", 4, 0), SMALL).begin(0, 1.0)
    rng, over = np.random.default_rng(0), []
    for count, value in enumerate(rng.lognormal(0.0, 1.0, 4000).tolist()):
        s.g[at.NEXT] = count
        over.append(np.log2(value) > s.f[at.DEAR])
        worth.note_cost(s, value, 0.1)
    assert 0.05 < np.mean(over[500:]) < 0.2


def test_the_less_may_be_missed_the_less_is_refused_for_waiting() -> None:
    """Red: what was learned for a tenth of misses refuses as much where a hundredth is allowed, and those refusals
    alone break the promise."""
    s = Problem(generators.generate("chat", 4, 0), SMALL).begin(0, 1.0)
    for patient in (0.5, 0.8, 2.0):
        found = []
        for may_miss in (0.0, 0.01, 0.1, 0.3):
            s.f[at.MAY_MISS] = may_miss
            found.append(play.patience(s, patient))
        nearer = [1.0, 0.9 + 0.1 * patient, patient, patient]
        assert found == pytest.approx(nearer if patient < 1 else [patient] * 4)
