"""The learned parts of `query`: the sentence model, the machine, the trees, and what cautious ones leave alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unseat.tasks.database.data.templates import templates
from unseat.tasks.database.query import encoder, features, labels
from unseat.tasks.database.query.challengers.fixed import alternative
from unseat.tasks.database.query.challengers.plans import Guarded, Neighbours, Trees, complementary
from unseat.tasks.database.query.challengers.process import NOISE, PRIOR, WIDTH, Process, ProcessLearner
from unseat.tasks.database.query.challengers.steer import SteerLearner
from unseat.tasks.database.query.features import STRESS, stressed
from unseat.tasks.database.query.labels import Labelled, best_fixed, prudent_fixed
from unseat.tasks.database.query.question import observation, view_of
from unseat.tasks.database.query.space import HINTS
from unseat.tasks.database.query.text import conditions, relations

CANDIDATES, EXPLAIN = HINTS.tried, HINTS.explain
VIEW = view_of(HINTS, 1, {})
PLAN = {"Node Type": "Seq Scan", "Relation Name": "a", "Startup Cost": 0.0, "Total Cost": 9.0, "Plan Rows": 3}


def row(text: str, **arms: float) -> Labelled:
    """A training query whose arms take 100 ms but for those that are named ``a1`` and so on."""
    cpu = np.full(CANDIDATES, 100.0)
    for name, value in arms.items():
        cpu[int(name[1:])] = value
    return Labelled(text, {"votes": 10}, "g", [PLAN] * CANDIDATES, np.arange(CANDIDATES), cpu)


def test_the_sentence_model_gives_its_published_vectors() -> None:
    """Red: a layer of the model is wrong; the numbers are those of the model's own documentation."""
    if encoder.found() is None:
        pytest.skip(f"the sentence model is not installed; {encoder.INSTALL}")
    vector = encoder.encoder()("This is an example sentence")
    assert vector[:4].tolist() == pytest.approx([0.06765690, 0.06349596, 0.04871310, 0.07930496], abs=2e-5)
    assert float(vector @ vector) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("reader", ["tfidf", "minilm"])
def test_the_machine_of_numpy_is_the_one_that_was_fitted(reader: Any) -> None:
    """Red: what ships decides otherwise than what scikit-learn has fitted, or nothing of the text is learned."""
    svm = pytest.importorskip("sklearn.svm")
    if reader == "minilm" and encoder.found() is None:
        pytest.skip(f"the sentence model is not installed; {encoder.INSTALL}")
    slow = [row(f"SELECT * FROM votes v WHERE v.id = {number}", a1=30.0) for number in range(3)]
    fine = [row(f"SELECT count(x) FROM users JOIN badges WHERE y < {number}", a1=150.0) for number in range(3)]
    rows = slow + fine
    assert alternative(rows) == 1 == best_fixed(rows)
    policy = SteerLearner("x", reader)._fitted(rows)
    machine = svm.SVC(kernel="rbf")
    vectors = [policy_vector(policy, one.text) for one in rows]
    machine.fit(vectors, [one.cpu_ms[policy.arm] < one.cpu_ms[0] for one in rows])  # type: ignore[attr-defined]
    wanted = machine.decision_function(vectors)
    assert [policy.value(one.text) for one in rows] == pytest.approx(wanted.tolist(), abs=1e-6)  # type: ignore[attr-defined]
    again = policy.artefact.restore()
    assert again.value(rows[0].text) == pytest.approx(wanted[0], abs=1e-6)  # type: ignore[attr-defined]
    session = policy.start(VIEW, 0)
    assert session.decide(observation(HINTS, rows[0].text, {})) in (0, policy.arm)  # type: ignore[attr-defined]


def policy_vector(policy: Any, text: str) -> Any:
    """A text's principal components."""
    from unseat.tasks.database.query.challengers.steer import vector

    read = vector(policy.reader, text, {token: place for place, token in enumerate(policy.tokens)}, policy.idf)
    return policy.axes @ ((read - policy.mean) / policy.scale)


def test_arms_complement_each_other() -> None:
    """Red: Bao chooses among arms that win on the same queries."""
    rows = [row("a", a1=10.0, a2=11.0), row("b", a3=20.0), row("c")]
    assert complementary(rows, 5) == [0, 1, 3]
    assert complementary(rows, 2) == [0, 1]


def leaf(value: float) -> tuple[Any, ...]:
    """Trees that always say the same."""
    none = np.zeros(0, np.int32)
    return none, np.zeros(0), np.zeros((0, 2), np.int32), np.array([value]), np.array([-1], np.int32)


def test_policies_look_at_the_plans_that_they_need_and_keep_their_margin() -> None:
    """Red: a policy pays for plans that it does not use, or a cautious one leaves the default without reason."""
    bao = Trees("x", [0, 2], True, 0.0, *leaf(1.0)).start(VIEW, 0)
    assert bao.decide(observation(HINTS, "q", {})) == EXPLAIN
    assert bao.decide(observation(HINTS, "q", {0: PLAN})) == EXPLAIN + 2
    assert bao.decide(observation(HINTS, "q", {0: PLAN, 2: PLAN})) == 0
    for margin, wanted in ((0.1, 6), (0.5, 0)):
        guard = Guarded("x", 6, margin, *leaf(-0.3)).start(VIEW, 0)
        assert guard.decide(observation(HINTS, "q", {})) == EXPLAIN
        assert guard.decide(observation(HINTS, "q", {0: PLAN})) == wanted
    change = np.zeros((2, CANDIDATES))
    change[:, 4] = -0.3
    for margin, wanted in ((0.2, 4), (0.4, 0)):
        near = Neighbours("x", 2, margin, np.ones(features.WIDTH), np.zeros((2, features.WIDTH)), change)
        assert near.choose({0: PLAN}) == wanted


def join(kind: str, rows: float, cost: float, *below: dict[str, Any]) -> dict[str, Any]:
    """A node with others below it."""
    return {"Node Type": kind, "Startup Cost": 0.0, "Total Cost": cost, "Plan Rows": rows, "Plans": list(below)}


def test_a_plan_under_stress_by_hand() -> None:
    """Red: what a wrong estimate costs is counted at the wrong node, or for the side of a loop that is not repeated."""
    inner = join("Hash Join", 5, 20.0, PLAN, {**PLAN, "Total Cost": 1.0})
    leaf = {**PLAN, "Total Cost": 2.0}
    for outer, inside, driven in ((inner, leaf, 1), (leaf, inner, 0)):
        told = stressed(join("Aggregate", 1, 101.0, join("Nested Loop", 50, 100.0, outer, inside)))
        for place, factor in enumerate(STRESS):
            # Three scans and the hash join (10) are as estimated; the loop (78) is driven by its outer side, the
            # aggregate by both joins.
            assert told[place] == pytest.approx(np.log1p(9 + 1 + 2 + 10 + 78 * factor**driven + 1 * factor**2))
    assert told[-2:] == pytest.approx(np.log1p([1, 50]))


def test_the_process_is_the_textbooks_and_looks_only_where_that_is_cheap() -> None:
    """Red: guesses are not those of the formula, an arm is taken in spite of doubt, many tables are looked at, or a
    schema that it has not learned from is steered (on TPC-H that took 1.5 times as long)."""
    few = [f"SELECT count(*) FROM votes v, posts p WHERE v.PostId = p.Id AND v.id < {n}" for n in range(3)]
    rows = [replace(row(text, a1=40.0 + 30 * n), plans=[{**PLAN, "Total Cost": 9.0 * 10**n}] * CANDIDATES)
            for n, text in enumerate(few)]  # fmt: skip
    policy = ProcessLearner("x", 0.5)._solved(rows, [1], 1)
    assert isinstance(policy, Process)
    z, y = policy.known, np.log([0.4, 0.7, 1.0])
    far = ((z[:, np.newaxis] - z[np.newaxis]) ** 2).mean(axis=2)
    kernel = np.exp(-far / (2 * WIDTH**2))
    guess = kernel @ np.linalg.solve(kernel + NOISE * np.eye(3), y - y.mean()) + y.mean()
    doubt = np.sqrt(PRIOR * (1 + NOISE - np.diag(kernel @ np.linalg.inv(kernel + NOISE * np.eye(3)) @ kernel)))
    wanted = [1 if each + 0.5 * unsure < 0 else 0 for each, unsure in zip(guess, doubt, strict=True)]
    assert [policy.choose(one.text, one.plans[0], one.tables) for one in rows] == wanted and len(set(wanted)) == 2
    session = policy.start(VIEW, 0)
    assert session.decide(observation(HINTS, few[0], {})) == EXPLAIN
    many = "SELECT 1 FROM " + ", ".join(f"votes v{n}" for n in range(9)) + " WHERE v1.PostId = v2.Id"
    assert session.decide(observation(HINTS, many, {})) == 1
    # Of another schema, or a part of one, or joins in other words it has learned nothing, and does not even look.
    others = [text.replace("votes", "orders").replace("posts", "nation") for text in (few[0], many)]
    others += [few[0].replace("votes", "orders"), few[0].replace("v.PostId = p.Id", "v.UserId = p.OwnerUserId"),
               "SELECT 1 FROM votes v JOIN orders o ON v.PostId = o.Id WHERE v.PostId = o.Id"]  # fmt: skip
    for text in others:
        assert session.decide(observation(HINTS, text, {})) == 0


def test_a_text_is_read_as_a_parser_reads_it() -> None:
    """Red: tables, joins or filters of a query are overlooked, so that the process decides about another query."""
    sqlglot = pytest.importorskip("sqlglot")
    from sqlglot import exp

    for template in list(templates().values())[::7]:
        text = template.bind(0, 0)
        tree = sqlglot.parse_one(text, read="postgres")
        assert sorted(relations(text)) == sorted(table.name.lower() for table in tree.find_all(exp.Table))
        compared = list(tree.find(exp.Where).find_all(exp.Predicate))
        joined = [one for one in compared if len(list(one.find_all(exp.Column))) == 2]
        own = conditions(text)
        assert sum(word.startswith("join ") for word in own) == len(joined)
        assert len(own) >= len(compared) and all(word.startswith(("join ", "filter ")) for word in own)


def test_what_was_measured_is_kept_for_the_next_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red: a fit learns from other plans or times than were measured, or a half-written file stops every later one."""
    monkeypatch.setenv("UNSEAT_CACHE", str(tmp_path))
    one = row("SELECT 1", a3=7.0)
    labels._keep("key", replace(one, plans=[{**PLAN, "Plan Rows": n % 3} for n in range(CANDIDATES)]))
    again = labels._kept("key", "h")
    assert again is not None and again.group == "h" and again.text == one.text
    assert again.cpu_ms.tolist() == one.cpu_ms.tolist() and again.twin.tolist() == one.twin.tolist()
    assert [plan["Plan Rows"] for plan in again.plans] == [n % 3 for n in range(CANDIDATES)]
    labels._file("key").write_bytes(labels._file("key").read_bytes()[:20])
    assert labels._kept("key", "h") is None and labels._kept("other", "h") is None


def test_prudence_counts_losses_more() -> None:
    """Red: the arm with the least total is taken although it makes queries much slower."""
    rows = [row("a", a1=10.0, a2=60.0), row("b", a1=140.0, a2=100.0)]
    assert best_fixed(rows) == 1 and prudent_fixed(rows) == 2 and prudent_fixed([]) == 0
