"""Policies as data: saved, hashed, restored, and refused where damaged."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps
from numpy.typing import NDArray

from unseat import Artefact, Form, Policy, Session, UserError, View
from unseat.core.errors import ContractError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
ARRAYS = nps.arrays(
    st.sampled_from(["f4", "f8", "i4", "i8", "u1", "u8", "bool"]), nps.array_shapes(min_dims=0, max_dims=3, min_side=0)
)
NAMES = st.text("abcdefghijk_", min_size=1, max_size=8)
ARTEFACTS = st.builds(
    Artefact, form=st.sampled_from(Form), name=st.text(), source=st.just("a:B"),
    config=st.dictionaries(st.text(), JSON, max_size=4), arrays=st.dictionaries(NAMES, ARRAYS, max_size=3),
    fit=st.none() | st.dictionaries(st.text(), JSON, max_size=2),
)  # fmt: skip


@dataclass(frozen=True)
class Weighted(Policy):
    """A policy with an array, a number and a text."""

    name: str
    weights: NDArray[np.float32]
    scale: float = 1.0
    label: str = "x"

    def start(self, view: View, seed: int) -> Session:
        return Session()


@settings(deadline=None)
@given(ARTEFACTS)
def test_artefact_survives_its_folder(artefact: Artefact) -> None:
    """Red: a policy that is shipped or kept in the content store comes back as another one."""
    with tempfile.TemporaryDirectory() as scratch:
        artefact.save(Path(scratch) / "deep" / "folder")
        again = Artefact.load(Path(scratch) / "deep" / "folder")
    assert again.hash == artefact.hash
    assert (again.form, again.name, again.source) == (artefact.form, artefact.name, artefact.source)
    assert (again.config, again.fit) == (artefact.config, artefact.fit)
    assert set(again.arrays) == set(artefact.arrays)
    for name, array in artefact.arrays.items():
        assert again.arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(again.arrays[name], array)


@given(ARTEFACTS, st.randoms(use_true_random=False))
def test_hash_hangs_on_content_only(artefact: Artefact, random: Any) -> None:
    """Red: equal policies get unlike keys by the order of their parts, their name or the record of their fit."""

    def shuffled(mapping: Any) -> dict[str, Any]:
        items = list(mapping.items())
        random.shuffle(items)
        return dict(items)

    other = replace(artefact, name="other", fit={"a": 1}, config=shuffled(artefact.config),
                    arrays={key: np.asfortranarray(one) for key, one in shuffled(artefact.arrays).items()})  # fmt: skip
    assert other.hash == artefact.hash


WEIGHTS = np.arange(4, dtype=np.float32)
BASE = Artefact(Form.DECIDE, "a", "m:C", {"k": 1}, {"w": WEIGHTS})


@pytest.mark.parametrize(
    "other",
    [
        replace(BASE, form=Form.KERNEL), replace(BASE, source="m:D"), replace(BASE, config={"k": 2}),
        replace(BASE, config={"k": 1.5}), replace(BASE, arrays={}), replace(BASE, arrays={"v": WEIGHTS}),
        replace(BASE, arrays={"w": WEIGHTS + 1}), replace(BASE, arrays={"w": WEIGHTS.astype(np.float64)}),
        replace(BASE, arrays={"w": WEIGHTS.reshape(2, 2)}), replace(BASE, arrays={"w": WEIGHTS.view(np.int32)}),
    ],
)  # fmt: skip
def test_hash_sees_all_that_decides(other: Artefact) -> None:
    """Red: two unlike policies have one key, and the outcome of one is shown for the other."""
    assert other.hash != BASE.hash


def test_hash_is_what_it_always_was() -> None:
    """Red: the hash of an artefact changed, so no ledger finds its runs again; a change needs a migration."""
    assert BASE.hash == "7f73417e7d9a36a45490db0d4cdf248a5cd88852e96b573d03fe7f500b257e0c"


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-2])


def _rewrite(**changes: Any) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))

    return write


@pytest.mark.parametrize(
    ("file", "damage", "message"),
    [
        ("manifest.json", Path.unlink, "not a readable artefact"),
        ("manifest.json", _cut, "not a readable artefact"),
        ("manifest.json", lambda path: path.write_text("[]"), "not a readable artefact"),
        ("manifest.json", lambda path: path.write_bytes(b"\xff\xfe"), "not a readable artefact"),
        ("manifest.json", lambda path: path.write_text("{}"), "not a readable artefact"),
        ("manifest.json", _rewrite(form="pickle"), "not a readable artefact"),
        ("manifest.json", _rewrite(config={"k": 2}), "do not fit its hash"),
        ("manifest.json", _rewrite(source="m:D"), "do not fit its hash"),
        ("manifest.json", _rewrite(hash="0" * 64), "do not fit its hash"),
        ("manifest.json", _rewrite(config=None), "not a readable artefact"),
        ("manifest.json", _rewrite(config=[1]), "not a readable artefact"),
        ("manifest.json", _rewrite(source=5), "not a readable artefact"),
        ("manifest.json", _rewrite(name={}), "not a readable artefact"),
        ("manifest.json", _rewrite(fit="mine"), "not a readable artefact"),
        ("manifest.json", lambda path: path.write_text("[" * 10**6), "not a readable artefact"),
        ("arrays.safetensors", Path.unlink, "not a readable artefact"),
        ("arrays.safetensors", _cut, "not a readable artefact"),
        ("arrays.safetensors", lambda path: path.write_bytes(b""), "not a readable artefact"),
    ],
)
def test_damaged_artefact_is_one_clear_line(
    tmp_path: Path, file: str, damage: Callable[[Path], Any], message: str
) -> None:
    """Red: a damaged policy runs all the same, or ends in a traceback."""
    BASE.save(tmp_path)
    damage(tmp_path / file)
    with pytest.raises(UserError, match=message) as raised:
        Artefact.load(tmp_path)
    assert str(tmp_path) in str(raised.value) and "make it again" in str(raised.value)


def test_flipped_bits_in_arrays_are_seen(tmp_path: Path) -> None:
    """Red: weights that changed on the disk decide."""
    BASE.save(tmp_path)
    path = tmp_path / "arrays.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match="do not fit its hash"):
        Artefact.load(tmp_path)


def test_policy_is_restored_by_its_fields() -> None:
    """Red: a policy comes back from its artefact without one of its fields."""
    policy = Weighted("w", np.ones(3, np.float32), scale=2.0, label="y")
    again = policy.artefact.restore()
    assert isinstance(again, Weighted)
    assert (again.name, again.scale, again.label) == ("w", 2.0, "y")
    np.testing.assert_array_equal(again.weights, policy.weights)
    assert again.artefact.hash == policy.artefact.hash
    assert policy.artefact.nbytes >= 12


def test_renamed_policy_decides_the_same() -> None:
    """Red: renaming a policy makes it another one to the ledger."""
    policy = Weighted("w", np.ones(3, np.float32))
    assert policy.renamed("v").name == "v"
    assert policy.renamed("v").artefact.hash == policy.artefact.hash


@pytest.mark.parametrize("source", ["no.such.module:C", "json:NoSuchName", "json:JSONDecoder", "json", "", ":"])
def test_source_that_is_no_policy_is_refused(source: str) -> None:
    """Red: an artefact can make unseat call anything that can be imported, or ends in a traceback."""
    with pytest.raises(UserError, match="a"):
        replace(BASE, source=source).restore()


@pytest.mark.parametrize("config", [{}, {"unheard_of": 2}, {"name": "again"}])
def test_artefact_of_another_version_of_its_code_is_one_clear_line(config: dict[str, Any]) -> None:
    """Red: a policy whose code has got other fields since ends in a traceback."""
    with pytest.raises(UserError, match=r"policy w: .*Weighted cannot be made of this artefact .*another version"):
        replace(Weighted("w", np.ones(3, np.float32)).artefact, config=config, arrays={}).restore()


def test_policy_without_fields_must_say_how_it_is_saved() -> None:
    """Red: a policy that cannot be saved gives an empty artefact, which restores as another policy."""

    class Plain(Policy):
        name = "plain"

        def start(self, view: View, seed: int) -> Session:
            return Session()

    with pytest.raises(ContractError, match="must define `artefact`"):
        _ = Plain().artefact


def test_fields_that_are_no_json_are_refused(tmp_path: Path) -> None:
    """Red: what cannot be written as JSON is dropped or pickled."""

    @dataclass(frozen=True)
    class Odd(Policy):
        name: str
        thing: object

        def start(self, view: View, seed: int) -> Session:
            return Session()

    with pytest.raises((TypeError, ContractError)):
        Odd("odd", object()).artefact.save(tmp_path)


def test_hash_is_equal_in_every_process() -> None:
    """Red: a key hangs on the process that made it, so nothing is ever found in the ledger."""
    code = "from tests.core.test_artefact import BASE; print(BASE.hash)"
    path = f"{Path(__file__).parents[2] / 'src'}:{Path(__file__).parents[2]}"
    done = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": path, "PYTHONHASHSEED": "3"},
                          capture_output=True, text=True, check=True)  # fmt: skip
    assert done.stdout.strip() == BASE.hash
