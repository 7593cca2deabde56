"""The exported C++ header against the index that it was exported from."""

from __future__ import annotations

import math
import shutil
import subprocess
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from unseat.core.errors import UserError
from unseat.structures import (
    LearnedIndex,
    cpp_header,
    pgm,
    radix_spline,
    radix_table,
    rmi,
    search,
    selection,
    static_btree,
)
from unseat.structures.contents import TextKeys, admit_keys
from unseat.structures.locator import Build
from unseat.structures.selection import Choice
from unseat.structures.strings import Texts

COMPILER = shutil.which("g++")
FLAGS = ["-std=c++17", "-O1", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror"]
BUILDS: dict[str, Build] = {
    "plain": search.interleaved,
    "btree": static_btree.build,
    "radix": radix_table.build,
    "counts": rmi.build,
    "logarithmic": partial(rmi.build, logarithmic=True, bits=6),
    "spline": partial(rmi.build, leaf="spline"),
    "pgm": pgm.build,
    "radix_spline": radix_spline.build,
    "log_radix_spline": partial(radix_spline.build, logarithmic=True),
    "regression": partial(rmi.build, leaf="regression", logarithmic=True),
}
KEY_TYPES = ("u8", "i8", "f8", "u4", "i4", "f4", "text")

PROGRAM = r"""
#include <cstdio>
#include <fstream>
#include <iterator>
#include <vector>
{includes}

template <class T> std::vector<T> items(const std::string& path) {{
  std::ifstream file(path, std::ios::binary);
  std::vector<char> raw((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  std::vector<T> out(raw.size() / sizeof(T));
  if (!raw.empty()) std::memcpy(out.data(), raw.data(), raw.size());
  return out;
}}

struct texts {{
  std::vector<char> data;
  std::vector<std::string_view> views;
  explicit texts(const std::string& path) : data(items<char>(path + ".data")) {{
    const auto ends = items<std::int64_t>(path + ".ends");
    for (std::size_t i = 0; i + 1 < ends.size(); ++i) {{
      const auto start = static_cast<std::size_t>(ends[i]), end = static_cast<std::size_t>(ends[i + 1]);
      views.emplace_back(data.data() + start, end - start);
    }}
  }}
}};

template <class Index, class Key>
int check(const char* name, const Index& index, const std::vector<Key>& queries, const std::string& folder) {{
  const auto lower = items<std::int64_t>(folder + name + ".lower");
  const auto upper = items<std::int64_t>(folder + name + ".upper");
  // A text's place may lie past that of its code, which others share.
  constexpr bool open = std::is_same_v<Key, std::string_view>;
  std::vector<std::size_t> together(queries.size());
  index.lower_bounds(queries.data(), queries.size(), together.data());
  int wrong = 0;
  for (std::size_t i = 0; i < queries.size(); ++i) {{
    const auto low = static_cast<std::size_t>(lower[i]), high = static_cast<std::size_t>(upper[i]);
    const auto window = index.around(queries[i]);
    wrong += index.lower_bound(queries[i]) != low || together[i] != low || index.upper_bound(queries[i]) != high;
    wrong += {window};
  }}
  if (wrong != 0) std::printf("%s: %d wrong\n", name, wrong);
  return wrong;
}}

int main(int, char** arguments) {{
  const std::string folder = arguments[1];
  int wrong = 0;
{checks}
  return wrong != 0;
}}
"""


@dataclass
class Program:
    """Headers that are compiled and checked in one go: a compiler's start costs more than a header."""

    folder: Path
    includes: list[str] = field(default_factory=list)
    checks: list[str] = field(default_factory=list)

    def add(self, name: str, build: Build, keys: Any, queries: Any) -> None:
        """Export one index, with its answers by NumPy or by Python."""
        contents = admit_keys(keys)
        choice = Choice(build(contents.modelled, None)) if len(contents) else selection.choose(contents.modelled, 0.1)
        written = cpp_header.export(contents, choice, self.folder / f"{name}.hpp", name)
        asked, _ = contents.admit(queries)
        self._write(f"{name}.keys", contents.queries())
        self._write(f"{name}.queries", asked)
        for side in ("lower", "upper"):
            contents.rank(choice, asked, side == "upper").tofile(self.folder / f"{name}.{side}")
        self.includes.append(f'#include "{name}.hpp"')
        model = f', folder + "{written[1].name}"' if len(written) > 1 else ""
        kind = "texts" if isinstance(contents, TextKeys) else f"std::vector<{name}::key_type>"
        read = "texts({0})" if isinstance(contents, TextKeys) else f"items<{name}::key_type>({{0}})"
        views = ".views" if isinstance(contents, TextKeys) else ""
        keys_, asked_ = (read.format(f'folder + "{name}.{what}"') for what in ("keys", "queries"))
        self.checks.append(
            f"  {{\n    const {kind} keys = {keys_}, queries = {asked_};\n"
            f"    const {name}::index index(keys{views}.data(){model});\n"
            f'    wrong += check("{name}", index, queries{views}, folder);\n  }}'
        )

    def _write(self, name: str, values: NDArray[Any] | Texts) -> None:
        if isinstance(values, Texts):
            values.data.tofile(self.folder / f"{name}.data")
            values.ends.tofile(self.folder / f"{name}.ends")
        else:
            values.tofile(self.folder / name)

    def run(self, windows: bool = True) -> str:
        """Compile it; what it says about wrong answers."""
        window = (
            "low < window.first || (!open && low > window.second)"
            if windows
            else "0 * static_cast<int>(window.first + open)"
        )
        text = PROGRAM.format(includes="\n".join(self.includes), checks="\n".join(self.checks), window=window)
        (self.folder / "main.cpp").write_text(text)
        assert COMPILER
        command = [COMPILER, *FLAGS, "main.cpp", "-o", "main"]
        built = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
        assert built.returncode == 0, built.stderr[:4000]
        return self.again()

    def again(self) -> str:
        """What the compiled program says about the files as they are now."""
        done = subprocess.run([self.folder / "main", f"{self.folder}/"], capture_output=True, text=True, check=False)
        return f"{done.stdout}{done.stderr}" + (f"exit {done.returncode}" if done.returncode not in (0, 1) else "")


def hard_keys(dtype: str) -> NDArray[Any] | list[str]:
    """Sorted keys with runs of equal ones, clusters, and the type's extremes."""
    random = np.random.default_rng(5)
    if dtype == "text":
        words = ["".join(random.choice(list("abé\0"), random.integers(0, 12))) for _ in range(600)]
        return sorted("http://" + word for word in words)
    kind = np.dtype(dtype)
    if kind.kind == "f":
        spread = np.concatenate([random.lognormal(0, 9, 1500), -random.lognormal(0, 9, 500), [0.0, -0.0] * 20])
        return np.sort(np.append(spread, [np.inf, -np.inf])).astype(kind)
    info = np.iinfo(kind)
    cluster = random.integers(1000, 3000, 1500).astype(kind)
    spread = random.integers(info.min, info.max, 1500, dtype=kind, endpoint=True)
    return np.sort(np.concatenate([cluster, spread, np.array([info.min, info.max] * 40, kind)]))


def hard_queries(keys: Any) -> Any:
    """The keys, what lies beside them, and the ends."""
    if isinstance(keys, list):
        return [*keys, *(key + "\0" for key in keys), *(key[:-1] for key in keys), "", "http", "http:/~", "z", "a"]
    if keys.dtype.kind == "f":
        ends = np.array([np.inf, -np.inf, 0.0, -0.0, np.finfo(keys.dtype).max, np.finfo(keys.dtype).tiny], keys.dtype)
        with np.errstate(all="ignore"):
            beside = [np.nextafter(keys, keys.dtype.type(to)) for to in (-math.inf, math.inf)]
        return np.concatenate([keys, *beside, ends])
    one = keys.dtype.type(1)
    with np.errstate(over="ignore"):
        return np.concatenate([keys, keys + one, keys - one])


needs_compiler = pytest.mark.skipif(COMPILER is None, reason="no g++ on PATH: the exported header is not compiled")


@needs_compiler
def test_header_answers_as_the_index(tmp_path: Path) -> None:
    """Goes red if C++ and Python differ for some structure and key type, or a model's window misses the answer."""
    program = Program(tmp_path)
    for dtype in KEY_TYPES:
        keys = hard_keys(dtype)
        for name, build in BUILDS.items():
            if dtype in ("u8", "f8", "text") or name in ("btree", "counts", "radix"):
                program.add(f"{name}_{dtype}", build, keys, hard_queries(keys))
    assert program.run() == ""


@needs_compiler
def test_edges_and_large_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Goes red if an index on next to nothing does not compile, or a model in its own file is not read."""
    program = Program(tmp_path)
    for name, keys in {"none": [], "one": [5], "same": [5] * 500, "two": [-(2**63), 2**63 - 1]}.items():
        for each in ("plain", "btree", "counts"):
            program.add(f"{name}_{each}", BUILDS[each], np.array(keys, "i8"), np.array([-(2**63), 4, 5, 6, 2**63 - 1]))
    program.add("no_text", BUILDS["plain"], np.array([], "U1"), [])
    monkeypatch.setattr(cpp_header, "EMBEDDED", 0)
    for name, build in BUILDS.items():
        if name != "plain":
            some = hard_keys("u8")
            program.add(f"{name}_beside", build, some, hard_queries(some))
    assert program.run() == ""
    damaged = bytearray((tmp_path / "btree_beside.hpp.model").read_bytes())
    damaged[len(damaged) // 2] ^= 1
    (tmp_path / "btree_beside.hpp.model").write_bytes(damaged)
    assert "damaged" in program.again()
    (tmp_path / "btree_beside.hpp.model").unlink()
    assert "cannot be read" in program.again()


@needs_compiler
def test_answers_do_not_rest_on_the_model(tmp_path: Path) -> None:
    """Goes red if a model that is wrong for the keys at hand makes an answer wrong or reads beyond the array."""
    program = Program(tmp_path)
    keys = np.sort(np.random.default_rng(1).integers(0, 2**64 - 1, 3000, np.uint64))
    for name, build in BUILDS.items():
        program.add(name, build, keys, keys)
        # Half of them where the model saw next to none and says 0, half where it says the end.
        close = np.arange(1500, dtype=np.uint64) * np.uint64(7)
        other = np.concatenate([close, np.uint64(2**64 - 1) - close[::-1]])
        other.tofile(tmp_path / f"{name}.keys")
        queries = np.concatenate([other, keys[:500]])
        queries.tofile(tmp_path / f"{name}.queries")
        np.searchsorted(other, queries).tofile(tmp_path / f"{name}.lower")
        np.searchsorted(other, queries, "right").tofile(tmp_path / f"{name}.upper")
    assert program.run(windows=False) == ""


def test_export_by_the_index(tmp_path: Path) -> None:
    """Goes red if what is pending is left out of a header."""
    index = LearnedIndex(np.arange(0, 100, 2))
    index.insert(7)
    written = index.export(tmp_path / "index.hpp", name="evens")
    assert written == [tmp_path / "index.hpp"]
    text = written[0].read_text()
    assert "namespace evens" in text and "size = 51;" in text and "@" not in text


@pytest.mark.parametrize(
    "name", ["two words", "class", "int", "std", "index", "_Upper", "a__b", "", "ä", "9", "co_await"]
)
def test_names_that_do_not_compile_are_refused(name: str, tmp_path: Path) -> None:
    """Goes red if a header is written that no compiler takes, or an error leaves a file."""
    with pytest.raises(UserError, match="C\\+\\+ namespace"):
        LearnedIndex([1]).export(tmp_path / "index.hpp", name=name)
    assert not list(tmp_path.iterdir())


def test_an_export_writes_over_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Goes red if an export destroys keys that lie beside it, a file that is mapped, or its own header."""
    monkeypatch.setattr(cpp_header, "EMBEDDED", 0)
    LearnedIndex(np.arange(10_000)).save(tmp_path / "m.bin")
    before = (tmp_path / "m.bin").read_bytes()
    index = LearnedIndex.load(tmp_path / "m.bin")
    written = index.export(tmp_path / "m.hpp")
    assert written == [tmp_path / "m.hpp", tmp_path / "m.hpp.model"]
    assert index.export(tmp_path / "m.hpp") == written
    for taken in ("m.bin", "note.hpp"):
        (tmp_path / "note.hpp.model").write_text("mine")
        with pytest.raises(UserError, match="no such export is there"):
            index.export(tmp_path / taken)
    with pytest.raises(UserError, match="folder"):
        index.export(tmp_path)
    assert (tmp_path / "m.bin").read_bytes() == before and index.search(5000) == 5000
    assert (tmp_path / "note.hpp.model").read_text() == "mine"
    assert {each.name for each in tmp_path.iterdir()} == {"m.bin", "m.hpp", "m.hpp.model", "note.hpp.model"}


def test_every_kernel_can_be_exported() -> None:
    """Goes red if a structure that an index can choose has no C++ form."""
    keys = np.arange(20_000, dtype=np.uint64) ** np.uint64(2)
    for _, locator in selection._candidates(keys, selection._builds(len(keys)), keys.nbytes):
        kernel = selection.name_of(locator)
        assert cpp_header._template(cpp_header.template_of(kernel))
        assert selection.kernel(kernel) is locator.run
        assert selection.fingerprint(kernel)
