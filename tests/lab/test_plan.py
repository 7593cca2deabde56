"""How instances are divided, and what makes two runs the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.lab.tiny import Best, TinyTask

from unseat.core.errors import UserError
from unseat.core.learner import Role
from unseat.core.outcome import Limits
from unseat.core.task import Instance
from unseat.lab import provenance
from unseat.lab.keys import Keys
from unseat.lab.plan import divide
from unseat.lab.records import FitJob, Job


class Grouped(TinyTask):
    """With as many groups as asked for."""

    def __init__(self, sizes: Sequence[int]) -> None:
        super().__init__()
        self.sizes = sizes

    def instances(self) -> Sequence[Instance]:
        return [Instance(f"g{group}-{number}", f"g{group}", "test", suites=frozenset({"quick"}))
                for group, size in enumerate(self.sizes) for number in range(size)]  # fmt: skip


@settings(deadline=None)
@given(st.lists(st.integers(1, 6), min_size=2, max_size=12), st.integers(2, 8))
def test_folds_judge_every_instance_once_and_never_split_a_group(sizes: list[int], count: int) -> None:
    """Red: a policy is judged on a group that it was fitted or chosen on, or an instance is never judged."""
    task = Grouped(sizes)
    made = divide(task, task, "quick", "test", count)
    assert len(made) == min(count, len(sizes))
    assert sorted(one.id for fold in made for one in fold.judged) == sorted(one.id for one in task.instances())
    for fold in made:
        train, valid, judged = ({one.group for one in part} for part in (fold.train, fold.valid, fold.judged))
        assert not (train & valid or train & judged or valid & judged)
        assert len(train) + len(valid) + len(judged) == len(sizes)
        assert train
        rest = len(train) + len(valid)
        assert len(valid) == (max(1, round(rest / 5)) if rest > 1 else 0)
    loads = [len(fold.judged) for fold in made]
    assert max(loads) - min(loads) <= max(sizes), "folds are alike in size"


def test_folds_do_not_depend_on_the_order_of_instances() -> None:
    """Red: the same experiment divides its groups otherwise on another machine."""
    forward, backward = Grouped([3, 1, 2, 2, 5]), Grouped([3, 1, 2, 2, 5])
    listed = list(reversed(forward.instances()))
    backward.instances = lambda: listed  # type: ignore[method-assign]
    pairs = zip(*(divide(task, task, "quick", "test", 3) for task in (forward, backward)), strict=True)
    for one, other in pairs:
        for part in ("train", "valid", "judged"):
            ids, others = ({instance.id for instance in getattr(fold, part)} for fold in (one, other))
            assert ids == others


def test_a_task_may_refuse_folds_of_its_built_in_data(tmp_path: Path) -> None:
    """Red: instances of unlike groups that share what is learned are divided as if they were independent."""
    task = Grouped([3, 1, 2])
    task.no_folds = "all lists draw from one; use --split test"
    with pytest.raises(UserError) as caught:
        divide(task, task, "quick", "test", 2)
    assert str(caught.value) == "task tiny has no folds of its built-in data: all lists draw from one; use --split test"
    assert divide(task, task, "quick", "test", None)
    task.source = "a person's own, whose groups are independent as far as anybody knows"
    assert len(divide(task, task, "quick", "test", 2)) == 2


def test_a_run_has_another_key_wherever_its_outcome_could_differ() -> None:
    """Red: the ledger gives an outcome of other data, another policy, other limits or another seed."""
    task = TinyTask()
    keys, dog, eel = Keys(task), task.instance("dog-0"), task.instance("eel-0")
    job = Job("tiny", "dog-0", "x", Role.CHALLENGER, "a" * 64, 0, Limits(wall_s=1))
    source = "tests.lab.tiny:Constant"
    key = keys.run(job, dog, source, None, None)
    others = [
        keys.run(job, eel, source, None, None),
        keys.run(replace(job, artefact="b" * 64), dog, source, None, None),
        keys.run(replace(job, limits=Limits(wall_s=2)), dog, source, None, None),
        keys.run(replace(job, seed=1), dog, source, None, None),
        keys.run(replace(job, repeat=1), dog, source, None, None),
        keys.run(job, dog, source, None, "block"),
        keys.run(replace(job, artefact=None), dog, None, None, None),
        keys.run(replace(job, artefact=None, contender="y"), dog, None, None, None),
        keys.run(replace(job, artefact=None), dog, None, "fit", None),
    ]
    assert len({key, *others}) == 1 + len(others)
    assert key == Keys(TinyTask()).run(replace(job, contender="another name"), dog, source, "fit", None)


def test_a_fit_has_another_key_wherever_its_policy_could_differ() -> None:
    """Red: the ledger gives a policy that was fitted on other data or within other limits."""
    task = TinyTask()
    keys, ant, bee, cat = Keys(task), *(task.instance(f"{name}-0") for name in ("ant", "bee", "cat"))
    job = FitJob("tiny", "learned", ("ant-0",), ("cat-0",), 0, Limits(wall_s=1))
    key = keys.fit(job, Best("learned"), [ant], [cat])
    others = [
        keys.fit(job, Best("learned"), [ant, bee], [cat]),
        keys.fit(job, Best("learned"), [ant], [bee]),
        keys.fit(job, Best("learned", "sleeps"), [ant], [cat]),
        keys.fit(replace(job, limits=Limits(wall_s=2)), Best("learned"), [ant], [cat]),
        keys.fit(replace(job, seed=1), Best("learned"), [ant], [cat]),
        keys.fit(replace(job, contender="tuned"), Best("learned"), [ant], [cat]),
    ]
    assert len({key, *others}) == 1 + len(others)


def test_a_fit_hangs_on_the_libraries_that_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Red: the ledger gives a policy that another version of LightGBM or Optuna has fitted."""
    task, versions = TinyTask(), {"numpy": "2.4.1", "numba": "0.68.0", "optuna": "5.0.1", "lightgbm": "4.6.0"}
    job = FitJob("tiny", "learned", ("ant-0",), ("cat-0",), 0, Limits(wall_s=1))
    ant, cat = task.instance("ant-0"), task.instance("cat-0")
    monkeypatch.setattr(provenance, "_version", lambda name: versions.get(name, ""))

    def keys() -> tuple[str, str]:
        own = Keys(task)
        run = Job("tiny", "ant-0", "x", Role.CHALLENGER, None, 0, Limits(wall_s=1))
        return own.fit(job, Best("learned"), [ant], [cat]), own.run(run, ant, None, None, None)

    before = keys()
    versions["lightgbm"] = "4.6.1"
    assert keys() == before
    versions["lightgbm"] = "4.7.0"
    assert keys()[0] != before[0] and keys()[1] == before[1]


def test_sources_are_the_tasks_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red: a change of an engine leaves old outcomes in use, or a change elsewhere throws them away."""
    folder = tmp_path / "some_package" / "some_task"
    (folder / "engine").mkdir(parents=True)
    for name in ("../__init__.py", "__init__.py", "engine/__init__.py", "card.toml", "task.py", "notes.txt"):
        (folder / name).write_text("")
    (folder / "engine" / "loop.py").write_text("from tests.lab.tiny import TinyTask as Task\nclass T(Task): pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert provenance.source_root("some_package.some_task.engine.loop") == folder

    def fresh() -> str:
        provenance._hash_sources.cache_clear()
        return provenance._hash_sources(folder)

    before = fresh()
    (folder / "notes.txt").write_text("a change that no run can see")
    assert fresh() == before
    (folder / "engine" / "__init__.py").write_text("changed = True\n")
    assert fresh() != before
    assert provenance.code_hash("some_package.some_task.engine.loop:T", TinyTask()) == provenance._hash_sources(folder)
    assert provenance.code_hash("tests.lab.tiny:Constant", TinyTask()) == ""
