"""Suites, a person's own keys, recording and exporting, as the command line asks for them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from unseat.core.errors import UserError
from unseat.core.outcome import Limits
from unseat.structures import LearnedIndex
from unseat.structures.strings import admit_texts, shared_prefix, text_codes
from unseat.tasks.index import IndexTask, embedded, generators, suites
from unseat.tasks.index.contenders import contenders
from unseat.tasks.index.policies import Built, Library, Whole
from unseat.tasks.index.structures import STRUCTURES


def test_every_set_has_a_split_and_a_group() -> None:
    """Red: a generator or a recorded set is in no suite, or by default in the wrong split."""
    groups = {*generators.names(), *(entry.group for entry in embedded.entries().values())}
    assert set(suites.SPLITS) == groups
    names = {source.name.rpartition("-")[0] for source in suites.built_in()} | {s.name for s in suites.built_in()}
    assert {*generators.names(), *embedded.names()} <= names
    quick = {
        instance.group for source in suites.built_in() for instance in source.instances() if "quick" in instance.suites
    }
    assert quick == groups


def test_the_counts_of_the_suites_are_those_of_the_sets() -> None:
    """Red: budgets are of another set's bytes."""
    for source in suites.built_in():
        if source.count <= 1_000_000:
            assert len(source.keys().keys) == source.count
            assert source.keys().keys.itemsize == source.width


def test_strings_are_judged_by_their_codes() -> None:
    """Red: strings are compared by other bytes than those that tell them apart."""
    words = np.array([b"prefix-b", b"prefix-a", b"prefix-abcdefghi"])
    keys, was_sorted = suites.prepared(words, "words")
    texts = admit_texts(np.sort(words), "bytes", "words")
    assert was_sorted
    assert keys.tolist() == text_codes(texts, shared_prefix(texts)).tolist()
    assert keys[0] == int.from_bytes(b"a\0\0\0\0\0\0\0")


def test_own_keys_are_sorted_and_said_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Red: unsorted keys are searched as if they were sorted, or sorted in silence, or the file is changed."""
    keys = np.array([5, 3, 9, 3], np.int64)
    np.save(tmp_path / "k.npy", keys)
    task = IndexTask().open(str(tmp_path / "k.npy"), {})
    assert "not sorted" in caplog.text
    assert str(tmp_path / "k.npy") in caplog.text
    (instance,) = task.instances()
    assert instance.split == "test"
    problem = task.load(instance)
    assert problem.keys.tolist() == [3, 3, 5, 9]
    assert problem.budget == 4096
    assert np.load(tmp_path / "k.npy").tolist() == keys.tolist()
    outcome = task.run(problem, Built("a", "interleaved"), seed=0, limits=Limits())
    assert outcome.metrics["keys"] == 4


def test_options_reach_the_instances(tmp_path: Path) -> None:
    """Red: budgets, lookups or the number of keys that were asked for are not those that are measured."""
    np.save(tmp_path / "k.npy", np.arange(100_000))
    options = {"memory": "1%,5%", "lookups": 77, "keys": 50_001}
    task = IndexTask().open(str(tmp_path / "k.npy"), options)
    assert [instance.level for instance in task.instances()] == [0.01, 0.05]
    problem = task.load(task.instances()[1])
    assert (len(problem.keys), problem.lookups, problem.budget) == (50_001, 77, 20_000)
    assert problem.keys[[0, -1]].tolist() == [0, 99_999]
    other = IndexTask().open(str(tmp_path / "k.npy"), {**options, "keys": 50_000})
    assert task.content(task.instances()[0]) != other.content(other.instances()[0])


@pytest.mark.parametrize(
    ("keys", "options", "message"),
    [
        (np.array([1.0, np.nan]), {}, r"k\.npy: keys\[1\] is NaN"),
        (np.array(["2020-01-01", "NaT"], "M8[s]"), {}, "NaT"),
        (np.array([1j]), {}, "complex128"),
        (np.array([1]), {"memory": "1"}, "--memory"),
        (np.array([1]), {"lookups": 0}, "--lookups"),
    ],
)
def test_what_is_no_key_is_refused(tmp_path: Path, keys: np.ndarray, options: dict[str, object], message: str) -> None:
    """Red: NaN is sorted somewhere and never found, or a wrong option ends in a traceback."""
    np.save(tmp_path / "k.npy", keys)
    with pytest.raises(UserError, match=message):
        IndexTask().open(str(tmp_path / "k.npy"), options)


def test_a_published_set_is_named_without_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red: SOSD's sets can be fetched and not be used."""
    monkeypatch.setenv("UNSEAT_DATA", str(tmp_path))
    (tmp_path / "fb_200M_uint64.zst").write_bytes(b"not it")
    with pytest.raises(UserError, match="MD5 differs"):
        IndexTask().open("fb_200M_uint64", {})


def test_recording_says_what_to_do_next(tmp_path: Path) -> None:
    """Red: what was recorded cannot be given to --data as the sentence says."""
    task = IndexTask()
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "a").write_bytes(b"abc")
    said = task.record(None, tmp_path / "files", tmp_path / "files.csv")
    assert said.endswith(f"unseat run index --data {tmp_path / 'files.csv'} --column size")
    assert task.open(str(tmp_path / "files.csv"), {"column": "size"}).instances()
    (tmp_path / "log").write_text("7\n8\n")
    assert "2 numbers" in task.record(None, tmp_path / "log", tmp_path / "log.csv")
    said = task.record([sys.executable, "-c", "print(4)"], None, tmp_path / "c.csv")
    assert said.endswith(f"unseat run index --data {tmp_path / 'c.csv'}")


@pytest.mark.parametrize("policy", [Library("LearnedIndex"), Built("RMI", "rmi"), Built("tree", "static-btree")])
def test_an_index_is_handed_over(tmp_path: Path, policy: Library | Built) -> None:
    """Red: what was measured cannot be used, or answers otherwise there."""
    keys = np.array([b"b", b"a", b"c", b"b"] * 500)
    (tmp_path / "k.txt").write_bytes(b"\n".join(keys.tolist()))
    formats = IndexTask().open(str(tmp_path / "k.txt"), {"kind": "strings"}).exporters()
    formats["file"].write(policy, tmp_path / "k.index")
    index = LearnedIndex.load(tmp_path / "k.index")
    assert index.search([b"b", b"bb"]).tolist() == [500, 1500]
    some = IndexTask().open(str(tmp_path / "k.txt"), {"kind": "strings", "keys": 3}).exporters()
    some["file"].write(policy, tmp_path / "some.index")
    assert list(LearnedIndex.load(tmp_path / "some.index").keys) == [b"a", b"b", b"c"]
    formats["cpp"].write(policy, tmp_path / "k.hpp")
    assert "namespace unseat_index {" in (tmp_path / "k.hpp").read_text()
    if compiler := shutil.which("g++"):
        (tmp_path / "main.cpp").write_text('#include "k.hpp"\nint main() { return unseat_index::size != 2000; }\n')
        subprocess.run([compiler, "-std=c++17", "main.cpp", "-o", "main"], cwd=tmp_path, check=True)
        subprocess.run([tmp_path / "main"], check=True)


def test_what_cannot_be_handed_over_says_why(tmp_path: Path) -> None:
    """Red: an export without keys, or of what is no structure, ends in a traceback."""
    with pytest.raises(UserError, match="--data"):
        IndexTask().exporters()["cpp"].write(Built("RMI", "rmi"), tmp_path / "x.hpp")
    np.save(tmp_path / "k.npy", np.arange(5000))
    formats = IndexTask().open(str(tmp_path / "k.npy"), {}).exporters()
    with pytest.raises(UserError, match="no structure"):
        formats["file"].write(Whole("no index"), tmp_path / "x")
    with pytest.raises(UserError, match="as C"):
        formats["cpp"].write(Built("e", "eytzinger"), tmp_path / "x.hpp")
    with pytest.raises(UserError, match="cannot be written"):
        formats["file"].write(Built("RMI", "rmi"), tmp_path / "no" / "x")
    with pytest.raises(UserError, match=r"x\.hpp: cannot be written: No such file"):
        formats["cpp"].write(Built("RMI", "rmi"), tmp_path / "no" / "x.hpp")
    keys = (tmp_path / "k.npy").read_bytes()
    for form in ("cpp", "file"):
        with pytest.raises(UserError, match="another name"):
            formats[form].write(Built("RMI", "rmi"), tmp_path / "k.npy")
    assert (tmp_path / "k.npy").read_bytes() == keys


@pytest.mark.parametrize("key", [key for key, one in STRUCTURES.items() if one.parameters])
def test_every_setting_of_a_tuner_can_be_built(key: str) -> None:
    """Red: a tuner searches where nothing can be built, and its best is a failure."""
    task, one = IndexTask(), STRUCTURES[key]
    instance = next(each for each in task.instances() if each.id == "line-offsets@1%")
    for name, part in one.parameters.items():
        for value in (part.low, part.default, part.high):
            policy = Built(one.title, key, {name: value + 0.2})
            assert task.run(task.load(instance), policy, seed=0, limits=Limits()).value > 0


def test_shipped_policies_are_those_of_the_tuners() -> None:
    """Red: a tuned contender is fitted in every quick run, or a shipped one has no contender."""
    from unseat.core.learner import Learner
    from unseat.tasks.index.contenders import SHIPPED

    learners = {name for name, one in contenders().items() if isinstance(one.make(), Learner)}
    assert {folder.name for folder in (SHIPPED / "index").iterdir()} == learners
