"""Find the best decisions for every module of the corpus, and keep them in the package.

    python -m benchmarks.record_inline_best [--compilations 300] [--jobs 2] [--splits test,valid,train]

All sequences of decisions are compiled where a module has at most `ALL` of them; elsewhere the search goes on for so
many compilations, a hundred in each order: the learned one, then random ones. What is in the file already and had as
many is left alone, so that it continues.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Any

from rich.progress import track

import unseat
from unseat.tasks.llvm.data.projects import listed
from unseat.tasks.llvm.inline.best_known import FILE, digest
from unseat.tasks.llvm.inline.exhaustive import optimum
from unseat.tasks.llvm.inline.search import Search
from unseat.tasks.llvm.inline.searched import SearchRule

ALL = 8
SEARCH = 100
"""Compilations after which a search begins anew, in another order."""


def found(bitcode: bytes, compilations: int) -> dict[str, Any]:
    """The best decisions of a module; see `best_known.FILE`."""
    whole = optimum(bitcode, ALL)
    if whole:
        return {"decisions": text(whole[1]), "bytes": whole[0], "optimal": True}
    guided = unseat.task("inline").contenders()["guided-search-16"].shipped
    assert guided is not None
    policy = guided()
    assert isinstance(policy, SearchRule)
    searches = max(1, compilations // SEARCH)
    ranks = [policy.rank(0), *(SearchRule("random", 0).rank(seed) for seed in range(1, searches))]
    best = min((Search(bitcode, rank, compilations // searches).best() for rank in ranks), key=lambda one: one.nbytes)
    return {"decisions": text(best.actions.tolist()), "bytes": best.nbytes, "compilations": compilations}


def text(decisions: Any) -> str:
    """Zeros and ones."""
    return "".join(str(int(each)) for each in decisions)


def modules(splits: list[str]) -> Iterator[bytes]:
    """Every module of the corpus, one by one and put together."""
    task = unseat.task("inline")
    for split in splits:
        for instance in task.instances():
            if instance.split == split and instance.group not in listed():
                yield from (module.bitcode for module in task.load(instance).modules)


def main() -> int:
    """Search and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--compilations", type=int, default=300)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--splits", default="test,valid,train")
    arguments = parser.parse_args()
    known: dict[str, dict[str, Any]] = json.loads(FILE.read_text()) if FILE.exists() else {}
    wanted = {digest(one): one for one in modules(arguments.splits.split(","))}
    enough = {key for key, one in known.items() if one.get("compilations", math.inf) >= arguments.compilations}
    left = {key: one for key, one in wanted.items() if key not in enough}
    with ProcessPoolExecutor(arguments.jobs) as pool:
        futures = {pool.submit(found, one, arguments.compilations): key for key, one in left.items()}
        for future in track(as_completed(futures), "searching", len(futures)):
            key, one = futures[future], future.result()
            best = min((one, known.get(key, one)), key=lambda each: each["bytes"])
            known[key] = {**one, "decisions": best["decisions"], "bytes": best["bytes"]}
            FILE.write_text(json.dumps(dict(sorted(known.items())), indent=0) + "\n")
    print(f"{len(known)} modules, {sum('optimal' in one for one in known.values())} of them optimal: {FILE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
