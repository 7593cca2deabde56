"""LearnedIndex against bisection over a sorted list, for every key type and every type of query."""

from __future__ import annotations

import datetime
import math
import subprocess
import sys
import threading
from bisect import bisect_left, bisect_right
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from unseat.core.errors import UserError
from unseat.core.jit import python
from unseat.structures import LearnedIndex, exact
from unseat.structures.codes import KEY_TYPES
from unseat.structures.contents import TextKeys
from unseat.structures.learned_index import Side
from unseat.structures.selection import plain

HARD_INTEGERS = [
    edge + step
    for edge in (0, 2**24, 2**31, 2**32, 2**53, 2**63, 2**64, -(2**31), -(2**53), -(2**63), 2**63 - 1024, 2**64 - 2048)
    for step in (-1, 0, 1)
]
HARD_FLOATS = [
    0.0, -0.0, 0.5, -0.5, 1.5, 5e-324, -5e-324, math.inf, -math.inf, 1e308, -1e308, 3.4028235e38, 3.5e38, -3.5e38,
    1e-46, 2.0**24, 2.0**31 - 0.5, 2.0**32 - 0.5, 2.0**53, 2.0**63, -(2.0**63), 2.0**64, math.nextafter(2.0**63, 0),
    math.nextafter(2.0**64, 0),
]  # fmt: skip
INTEGERS = st.one_of(st.integers(-4, 4), st.sampled_from(HARD_INTEGERS), st.integers(-(2**70), 2**70))
FLOATS = st.one_of(st.sampled_from(HARD_FLOATS), st.floats(allow_nan=False), st.integers(-4, 4).map(float))


def values(dtype: str) -> st.SearchStrategy[Any]:
    """Values that the type holds, hard ones and repeated ones more often than by chance."""
    kind = np.dtype(dtype)
    if kind.kind == "f":
        with np.errstate(over="ignore"):
            return FLOATS.map(lambda value: _quiet(value, kind)).map(lambda value: value.item())
    info = np.iinfo(kind)
    return INTEGERS.filter(lambda value: info.min <= value <= info.max)


def _quiet(value: float, dtype: np.dtype[Any]) -> Any:
    with np.errstate(over="ignore"):
        return dtype.type(value)


def key_lists(dtype: str) -> st.SearchStrategy[list[Any]]:
    """Sorted keys, none to some dozens."""
    return st.lists(values(dtype), max_size=40).map(sorted)


@pytest.mark.parametrize("dtype", KEY_TYPES)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_answers_as_numpy_does(dtype: str, data: st.DataObject) -> None:
    """Goes red if an index of some key type disagrees with `numpy.searchsorted` on queries of that type."""
    keys = np.array(data.draw(key_lists(dtype)), dtype)
    queries = np.array(data.draw(st.lists(values(dtype), max_size=20)) + keys.tolist(), dtype)
    index = LearnedIndex(keys)
    for side in ("left", "right"):
        assert index.search(queries, side).tolist() == np.searchsorted(keys, queries, side).tolist()


@pytest.mark.parametrize("query_type", [*KEY_TYPES, "i2", "f2", "numbers"])
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_other_types_of_queries_compare_exactly(query_type: str, data: st.DataObject) -> None:
    """Goes red if a query of another type is rounded on its way: signed against unsigned, 2**53 + 1 against doubles."""
    keys = data.draw(key_lists(data.draw(st.sampled_from(KEY_TYPES), label="key type")), label="keys")
    dtype = next((name for name in KEY_TYPES if _holds(keys, name)), "f8")
    mixed = st.one_of(INTEGERS, FLOATS, st.fractions())
    drawn = data.draw(st.lists(mixed if query_type == "numbers" else values(query_type), min_size=1, max_size=20))
    queries = drawn if query_type == "numbers" else np.array(drawn, query_type)
    index = LearnedIndex(np.array(keys, dtype))
    assert index.search(queries).tolist() == [bisect_left(keys, query) for query in drawn]
    assert index.search(queries, "right").tolist() == [bisect_right(keys, query) for query in drawn]
    assert index.search(drawn[0]) == bisect_left(keys, drawn[0])


def _holds(keys: list[Any], dtype: str) -> bool:
    kind = np.dtype(dtype)
    if kind.kind == "f":
        return all(math.isinf(key) or _quiet(key, kind) == key for key in keys if isinstance(key, float))
    info = np.iinfo(kind)
    return all(isinstance(key, int) and info.min <= key <= info.max for key in keys)


@pytest.mark.parametrize("dtype", KEY_TYPES)
@pytest.mark.parametrize("query_type", [*KEY_TYPES, "O"])
def test_bounds_are_tight(dtype: str, query_type: str) -> None:
    """Goes red if a bound is not the smallest value of the keys' type at or past a query, on the hardest numbers."""
    hard = [*HARD_INTEGERS, *HARD_FLOATS]
    if query_type == "O":
        drawn: list[Any] = [*hard, 10**400, -(10**400), Fraction(1, 3), Fraction(-(2**70), 3)]
        queries = np.array(drawn, object)
    else:
        queries = _fitting(hard, query_type)
    keys = np.sort(_fitting(hard, dtype))
    exactly = sorted(keys.tolist())
    for strict in (False, True):
        bound, beyond = exact.bounds(queries, keys.dtype, strict)
        ranks = np.searchsorted(keys, bound)
        ranks[np.zeros(len(ranks), bool) if beyond is None else beyond] = len(keys)
        bisect = bisect_right if strict else bisect_left
        assert bound.dtype == keys.dtype
        assert ranks.tolist() == [bisect(exactly, query) for query in queries.tolist()]


def _fitting(numbers: list[Any], dtype: str) -> NDArray[Any]:
    kind = np.dtype(dtype)
    if kind.kind == "f":
        return np.array([_quiet(float(number), kind) for number in numbers])
    info = np.iinfo(kind)
    return np.array([n for n in numbers if isinstance(n, int) and info.min <= n <= info.max], kind)


def test_kernels_of_bounds_equal_their_python() -> None:
    """Goes red if the compiled conversion of queries differs from the plain Python that a person reads."""
    floats = np.array([value for value in HARD_FLOATS if math.isfinite(value)])
    for kernel in (exact._bounds_of_floats,):
        answers = []
        for form in (kernel, python(kernel)):
            out, beyond = np.zeros(len(floats), np.int64), np.zeros(len(floats), np.bool_)
            form(floats, True, -(2.0**63), 2.0**63, np.int64(2**63 - 1), out, beyond)
            answers.append((out.tolist(), beyond.tolist()))
        assert answers[0] == answers[1]


TEXTS = st.text(alphabet="ab\0é\U0001d11e\ud800", max_size=12)


@pytest.mark.parametrize("prefix", ["", "shared-prefix/"])
@settings(max_examples=60, deadline=None)
@given(keys=st.lists(TEXTS, max_size=40), queries=st.lists(TEXTS, min_size=1, max_size=10))
def test_texts_are_ordered_as_python_orders_them(prefix: str, keys: list[str], queries: list[str]) -> None:
    """Goes red if texts compare by their codes alone, or in another order than `str` and `bytes` have."""
    texts = sorted(prefix + key for key in keys)
    asked = [*queries, *(prefix + query for query in queries), *texts]
    index, raw = LearnedIndex(texts), LearnedIndex([_raw(text) for text in texts])
    if texts:
        for bisect, side in ((bisect_left, "left"), (bisect_right, "right")):
            expected = [bisect(texts, query) for query in asked]
            assert index.search(asked, side).tolist() == expected  # type: ignore[arg-type]
            assert raw.search([_raw(query) for query in asked], side).tolist() == expected  # type: ignore[arg-type]
        assert index.keys == texts


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


@pytest.mark.parametrize("dtype", ["U8", "S8", "O", "T"])
def test_arrays_of_texts(dtype: str) -> None:
    """Goes red if NumPy's own types of text are refused or come back as something else."""
    words: list[Any] = ["", "a", "ab", "b", "b"]
    if dtype == "S8":
        words = [word.encode() for word in words]
    array = np.array(words, np.dtypes.StringDType() if dtype == "T" else dtype)
    index = LearnedIndex(array)
    assert index.keys == words
    assert index.search(array).tolist() == [0, 1, 2, 3, 3]
    assert index.search(words[3], "right") == 5
    assert index.search(array[:4].reshape(2, 2)).shape == (2, 2)


@settings(max_examples=60, deadline=None)
@given(
    keys=st.lists(st.integers(-50, 50), max_size=20).map(sorted),
    queries=st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=10),
    units=st.tuples(st.sampled_from(["D", "h", "s", "ms", "3s"]), st.sampled_from(["W", "D", "s", "us", "2s"])),
)
def test_times_compare_across_units(keys: list[int], queries: list[int], units: tuple[str, str]) -> None:
    """Goes red if a time of a finer or coarser unit is rounded to the keys' unit."""
    kept, asked = units
    seconds: dict[str, int | Fraction] = {"W": 604800, "D": 86400, "h": 3600, "s": 1, "3s": 3, "2s": 2}
    seconds |= {"ms": Fraction(1, 1000), "us": Fraction(1, 10**6)}
    exactly = [key * Fraction(seconds[kept]) for key in keys]
    for kind in "mM":
        index = LearnedIndex(np.array(keys, "i8").view(f"{kind}8[{kept}]"))
        times = np.array(queries, "i8").view(f"{kind}8[{asked}]")
        wanted = [query * Fraction(seconds[asked]) for query in queries]
        assert index.search(times).tolist() == [bisect_left(exactly, query) for query in wanted]
        assert index.search(times, "right").tolist() == [bisect_right(exactly, query) for query in wanted]


def test_times_of_python_and_of_the_far_future() -> None:
    """Goes red if Python's dates are refused, or a time too far away for the keys' unit wraps around."""
    index = LearnedIndex(np.arange("2020-01-01", "2020-01-11", dtype="datetime64[D]").astype("datetime64[ns]"))
    assert index.search(datetime.date(2020, 1, 3)) == 2
    assert index.search([datetime.datetime(2020, 1, 3, 1), datetime.datetime(2019, 1, 1)]).tolist() == [3, 0]
    assert index.search(np.array([10**15, -(10**15)], "M8[W]")).tolist() == [10, 0]
    assert index[3] == np.datetime64("2020-01-04")


BAD_KEYS: list[tuple[Any, str]] = [
    ([3, 1], r"keys\[0\] = 3 is greater than keys\[1\] = 1: sort them"),
    (np.array([1.0, 2.0, 0.5]), r"keys\[1\] = 2.0 is greater"),
    (["b", "a"], r"keys\[0\] = 'b' is greater"),
    ([1.0, math.nan], r"keys\[1\] is NaN"),
    ([math.nan], r"keys\[0\] is NaN"),
    (np.array(["NaT"], "M8[s]"), r"keys\[0\]: NaT"),
    ([1, "a"], "int, str"),
    (["a", 1], r"keys\[1\] is of type int"),
    (["a", b"b"], r"keys\[1\] is of type bytes"),
    ([True, False], "bool"),
    ([None], "NoneType"),
    (np.array([1j]), "complex128"),
    (np.zeros((2, 2)), "one-dimensional"),
    (np.array([["a"]]), "one-dimensional"),
    ([[1, 2], [3]], "list"),
    ([2**53 + 1, 0.5], r"keys\[0\] = 9007199254740993 fits no type"),
    ([2**64 + 1], r"keys\[0\]"),
    (np.array([1, 2]).view("M8"), "without a unit"),
    (7, "one-dimensional"),
    ("abc", "keys are one str: give a list"),
]


@pytest.mark.parametrize("keys, message", BAD_KEYS, ids=range(len(BAD_KEYS)))
def test_bad_keys_are_refused(keys: Any, message: str) -> None:
    """Goes red if keys without an order are taken, or the error does not say which of them is wrong."""
    with pytest.raises(UserError, match=message):
        LearnedIndex(keys)


def test_bad_queries_are_refused() -> None:
    """Goes red if a query without a place in the order gets one."""
    for keys, queries, message in (
        ([1, 2], math.nan, "NaN"),
        ([1.0, 2.0], np.array([0.5, math.nan] * 500), "NaN"),
        (np.array([1, 2], "u8"), [1, math.nan], "NaN"),
        ([1, 2], "a", "cannot be compared|not admitted"),
        (["a"], 1, "cannot be compared"),
        (["a"], b"a", "the keys are str"),
        (np.array([1], "M8[s]"), 1, "cannot be compared"),
        (np.array([1], "M8[s]"), np.datetime64(1, "M"), "month"),
        (np.array([1], "M8[s]"), np.datetime64("NaT"), "NaT"),
        ([1, 2], np.array([1j]), "complex128"),
    ):
        with pytest.raises(UserError, match=message):
            LearnedIndex(keys).search(queries)
    with pytest.raises(UserError, match="side"):
        LearnedIndex([1]).search(1, "middle")  # type: ignore[arg-type]
    with pytest.raises(UserError, match="budget"):
        LearnedIndex([1], budget=math.nan)


@pytest.mark.parametrize("keys", [[], [5], [5] * 3000, [0, 2**64 - 1], [-(2**63), 2**63 - 1], [-math.inf, math.inf]])
def test_edges(keys: list[Any]) -> None:
    """Goes red if an index on nothing, on one key, on equal keys or on a type's extremes answers wrongly."""
    index = LearnedIndex(keys)
    for query in (0, 5, 6, -(2**63), 2**63 - 1, 2**64 - 1, 2**64, -(2**70), 0.5, math.inf, -math.inf):
        assert index.search(query) == bisect_left(keys, query)
        assert index.search([query] * 100, "right").tolist() == [bisect_right(keys, query)] * 100
    assert len(index) == len(keys)
    assert index.search(np.empty((0, 3))).shape == (0, 3)


def test_many_queries_of_every_type_pair() -> None:
    """Goes red if queries beyond the first chunk get the answers of other chunks, or views and byte orders matter."""
    random = np.random.default_rng(3)
    keys = np.sort(random.integers(0, 2**64 - 1, 20_000, np.uint64, endpoint=True))
    index = LearnedIndex(keys)
    signed = random.integers(-(2**63), 2**63 - 1, 50_000)
    expected = np.where(signed < 0, 0, np.searchsorted(keys, signed.astype(np.uint64)))
    assert (index.search(signed) == expected).all()
    assert (index.search(signed.astype(">i8")[::3]) == expected[::3]).all()
    wanted = np.searchsorted(keys, keys, "right")
    assert (index.search(keys[::-1], "right") == wanted[::-1]).all()
    doubled = LearnedIndex(np.repeat(keys, 2)[::2].astype(">u8"))
    assert (doubled.search(keys) == np.searchsorted(keys, keys)).all()


def test_from_unsorted_sorts_a_copy() -> None:
    """Goes red if unsorted keys are changed in place, or not sorted."""
    keys = np.array([3, 1, 2])
    index = LearnedIndex.from_unsorted(keys)
    assert index.keys.tolist() == [1, 2, 3]
    assert keys.tolist() == [3, 1, 2]
    assert LearnedIndex.from_unsorted(["b", "a"]).keys == ["a", "b"]
    with pytest.raises(ValueError, match="read-only"):
        index.keys[0] = 7


def test_it_tells_what_it_chose() -> None:
    """Goes red if an index does not say what it searches with and what it costs."""
    index = LearnedIndex(np.arange(0, 30_000, 3))
    name = index._state.choice.locator.name
    assert repr(index) == f"LearnedIndex(10,000 int64 keys, {name}, {index.nbytes:,} bytes)"
    assert "ns a lookup" in index.explain() and name in index.explain()
    assert index.nbytes <= 0.1 * 80_000


@pytest.mark.parametrize("budget", [0, 0.0001, 0.01, 0.5])
def test_a_budget_is_kept(budget: float) -> None:
    """Goes red if an index holds more than it may."""
    for keys in (np.arange(0, 30, 3), np.arange(0, 60_000, 3)):
        index = LearnedIndex(keys, budget=budget)
        assert index.nbytes <= budget * keys.nbytes
        assert (index.search(keys) == np.arange(len(keys))).all()


def test_threads_may_search_while_one_changes() -> None:
    """Goes red if a search sees half of a change: every answer is that of some state between two changes."""
    keys = np.arange(0, 200_000, 2)
    index = LearnedIndex(keys)
    queries = np.arange(0, 200_001, 50)
    plain = np.searchsorted(keys, queries)
    wrong: list[str] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            extra = index.search(queries) - plain
            # One odd key is inserted in front at a time, so that all answers past it are ahead by the same number.
            if len(set(extra[1:].tolist())) != 1:
                wrong.append(str(extra))
                return

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for step in range(300):
        index.insert(1) if step % 3 else index.delete(1, missing="ignore")
    done.set()
    for reader in readers:
        reader.join()
    assert not wrong


def test_importing_the_room_is_light() -> None:
    """Goes red if naming the structures starts a compiler that nobody asked for."""
    code = "import sys, unseat.structures; assert 'numba' not in sys.modules, 'numba'"
    subprocess.run([sys.executable, "-c", code], check=True)


def nested(count: int) -> list[bytes]:
    """Texts that share long beginnings: in several places, nested deep, equal ones, some that differ in zeros only."""
    random = np.random.default_rng(count)
    sites = [b"https://%s.example.org/articles/%s/" % (host, place) for host in (b"a", b"b") for place in (b"x", b"y")]
    pages = [sites[n % 4] + str(n * 7919).encode() for n in range(count)]
    deep = [b"https://a.example.org/" + b"d" * n for n in range(120)]
    zeros = [b"https://b" + b"\0" * n for n in range(40)] + [b"https://c.example.org/same"] * 30
    return sorted([*pages, *deep, *zeros, *(b"https://" + random.bytes(2).hex().encode() for _ in range(count))])


@pytest.mark.parametrize("budget", [None, 0.0, 0.25, 3.0])
def test_texts_that_begin_alike(budget: float | None) -> None:
    """Goes red if keys of one code are told apart wrongly, by further codes or by whole texts."""
    keys = nested(3000)
    index = LearnedIndex(keys, budget=budget)
    base = index._state.base
    assert isinstance(base, TextKeys)
    coded = base if len(base.modelled) else TextKeys.of(base.kind, base.texts)
    asked = [*keys, *(key[:-1] for key in keys), *(key + b"\0" for key in keys), *(key[:9] + b"z" for key in keys)]
    asked += [key[: len(key) // 2] + b"\xff" for key in keys] + [b"", b"https:/", b"https:/0", b"z"]
    sides: list[tuple[Side, Any]] = [("left", bisect_left), ("right", bisect_right)]
    for side, bisect in sides:
        expected = [bisect(keys, query) for query in asked]
        assert index.search(asked, side).tolist() == expected
        for least in (0, 100, -1):
            few = replace(coded, most=least)
            assert few.rank(plain(), few.admit(asked)[0], side == "right").tolist() == expected


def test_codes_of_texts_are_in_the_budget() -> None:
    """Goes red if what finds texts takes more than the budget, in memory or once it was saved and opened."""
    for keys in (nested(4000), sorted(f"{n:06}" for n in range(20_000))):
        for budget in (0, 0.01, 0.2, 0.4, 0.8, 2.0):
            index = LearnedIndex(keys, budget=budget)
            assert index.nbytes <= budget * index._state.base.nbytes
            assert index.search(keys[::7]).tolist() == [bisect_left(keys, key) for key in keys[::7]]


@pytest.mark.parametrize("dtype", KEY_TYPES)
def test_few_queries_at_once(dtype: str) -> None:
    """Goes red if the short way for few queries answers otherwise, loses a shape, lets NaN in or leaves out changes."""
    keys = np.arange(0, 20_000, 2).astype(dtype)
    index = LearnedIndex(keys)
    index._state = replace(index._state, choice=replace(index._state.choice, few=9, few_right=9))
    native = np.dtype(dtype).type
    sides: tuple[Side, Side] = ("left", "right")
    for side in sides:
        for query in (native(0), native(7), native(8), native(19_998), native(19_999)):
            expected = int(np.searchsorted(keys, query, side))
            assert index.search(query, side) == index.search(query.item(), side) == expected
            answers = index.search(np.full((2, 3), query), side)
            assert answers.tolist() == [[expected] * 3] * 2 and answers.dtype == np.int64
        assert index.search(-1, side) == 0 and index.search(2**70, side) == 10_000
        assert isinstance(index.search(native(7), side), int)
    if native(0.5):
        for query in (math.nan, native(math.nan), np.array([1, math.nan], dtype), np.full((2, 2), math.nan, dtype)):
            with pytest.raises(UserError, match="NaN"):
                index.search(query)
    index.insert(native(7))
    assert index.search(np.array([8], dtype)).tolist() == [5] and index.search(8) == 5
