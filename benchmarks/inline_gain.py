"""What learned and searched inlining gains on programs that nobody learned from, beside tuned thresholds.

    python -m benchmarks.inline_gain [--of projects|corpus] [--whole] [--names A,B] [--contenders A,B] [--jobs 2]
                                     [--long N] [--keep FILE]

The shipped policies, which were fitted on the corpus's training programs, build the real projects (`UNSEAT_DATA` or
`unseat data fetch inline`) or the corpus's test programs, module by module or put together (`--whole`); every program
is run. Beside them a cost threshold that is chosen, for each program, on all others of the table. Printed are bytes of
`.text` of the linked programs against LLVM's, in total, the geometric mean over modules with its 95% interval
(hierarchical bootstrap over programs), how much better than the chosen threshold, and the worst module. `--long N`
adds a search with N compilations a module, which says how much is there, and the share of that which each one saves.
That takes hours; what `--keep FILE` has got from a run before, of the same code and compiler, is not built again.

Exit status 1 where no contender reaches the goals: at least 1.2% in total and on the geometric mean (2% with
`--whole`), better than the chosen threshold with the interval above zero (by 0.5% with `--whole`), no module larger
by more than 1% or 12 bytes, and with `--long` at least 60% of what the long search saves.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import numpy as np
from benchmarks.kept import Kept

import unseat
from unseat.core.learner import Learner
from unseat.core.outcome import Limits, Outcome, Status
from unseat.core.policy import Policy
from unseat.lab.attempt import attempt
from unseat.tasks.llvm.data.projects import listed
from unseat.tasks.llvm.inline.policies import CostThreshold
from unseat.tasks.llvm.inline.searched import SearchRule

DEFAULT, CHOSEN = "LLVM default", "threshold of the others"
THRESHOLDS = (5, -4, -8, -12, -16, -19, -24)
LONGEST_S = 3600.0
LONGEST = "{} compilations"
MOST_OF = 0.6

Sizes = Mapping[str, float]
"""Bytes by what they are of: ``program``, or a module."""


def built(instance: str, policy: Policy) -> Outcome:
    """Build one program."""
    task = unseat.task("inline")
    return attempt(task, task.instance(instance), policy, seed=0, limits=Limits(wall_s=LONGEST_S))


def policies(names: Sequence[str], long: int) -> dict[str, Policy]:
    """The contenders that are asked for, as they ship, the thresholds, and the long search."""
    found: dict[str, Policy] = {}
    for name, contender in unseat.task("inline").contenders().items():
        if names and name not in (DEFAULT, *names):
            continue
        made = contender.shipped() if contender.shipped else contender.make()
        if isinstance(made, Learner):
            print(f"{name}: does not ship, left out", file=sys.stderr)
        elif isinstance(made, Policy):
            found[name] = made
    for threshold in THRESHOLDS:
        found[f"cost < {threshold}"] = CostThreshold(f"cost < {threshold}", threshold)
    if long:
        found[LONGEST.format(long)] = SearchRule(LONGEST.format(long), long)
    return found


def measured(
    instances: Sequence[str], found: Mapping[str, Policy], jobs: int, kept: Path | None
) -> dict[str, dict[str, Sizes]]:
    """Sizes by contender and instance."""
    store = Kept(kept, unseat.task("inline"))
    known: dict[tuple[str, str], Sizes] = {}
    left = []
    for pair in ((name, instance) for instance in instances for name in found):
        sizes = store.get(found[pair[0]], pair[1])
        if sizes is None:
            left.append(pair)
        else:
            known[pair] = sizes
    with ProcessPoolExecutor(jobs) as pool:
        running = {pool.submit(_one, found, pair): pair for pair in left}
        for done in as_completed(running):
            (name, instance), outcome = running[done], done.result()
            if outcome.message:
                print(f"{instance}: {name}: {outcome.status}: {outcome.message}", file=sys.stderr)
            parts = {key[9:]: size for key, size in outcome.metrics.items() if key.startswith("bytes of ")}
            known[name, instance] = {"program": outcome.value, **parts}
            if outcome.status is Status.OK:
                store.add(found[name], instance, known[name, instance])
    return {name: {instance: known[name, instance] for instance in instances} for name in found}


def _one(found: Mapping[str, Policy], pair: tuple[str, str]) -> Outcome:
    return built(pair[1], found[pair[0]])


def choose(sizes: dict[str, dict[str, Sizes]]) -> None:
    """Add the threshold that is best on the other programs, and drop the single ones."""
    thresholds = [f"cost < {threshold}" for threshold in THRESHOLDS]
    ratio = {name: {each: math.log(one["program"] / sizes[DEFAULT][each]["program"])
                    for each, one in sizes[name].items()} for name in thresholds}  # fmt: skip
    chosen: dict[str, Sizes] = {}
    for instance in sizes[DEFAULT]:
        best = min(thresholds, key=lambda name: sum(v for each, v in ratio[name].items() if each != instance))
        chosen[instance] = sizes[best][instance]
    sizes[CHOSEN] = chosen
    for name in thresholds:
        del sizes[name]


def logs(one: Mapping[str, Sizes], other: Mapping[str, Sizes]) -> list[np.ndarray]:
    """By program, the logarithms of the modules' ratios; modules without code are left out."""
    return [
        np.array([math.log(part / other[each][name]) for name, part in sizes.items()
                  if name != "program" and part and other[each].get(name)])
        for each, sizes in one.items()
    ]  # fmt: skip


def interval(by_program: Sequence[np.ndarray], rounds: int = 2000) -> tuple[float, float, float]:
    """Mean over all modules, and its 95% interval over programs and modules, as shares that are saved."""
    rng = np.random.default_rng(0)
    means = []
    for _ in range(rounds):
        drawn = [by_program[place] for place in rng.integers(len(by_program), size=len(by_program))]
        means.append(np.concatenate([one[rng.integers(len(one), size=len(one))] for one in drawn if len(one)]).mean())
    low, high = np.quantile(means, [0.025, 0.975])
    return tuple(-math.expm1(value) for value in (np.concatenate(list(by_program)).mean(), high, low))  # type: ignore[return-value]


def table(sizes: Mapping[str, Mapping[str, Sizes]], whole: bool, longest: str) -> bool:
    """Print the table; whether a contender reaches the goals."""
    base = sizes[DEFAULT]
    there = sum(one["program"] - sizes[longest][each]["program"] for each, one in base.items()) if longest else 0.0
    wanted, margin = (0.02, 0.005) if whole else (0.012, 0.0)
    before, reached = sum(one["program"] for one in base.values()), False
    for name, found in sizes.items():
        total = 1 - sum(one["program"] for one in found.values()) / before
        mean, low, high = interval(logs(found, base))
        over = interval(logs(found, sizes[CHOSEN]))
        worst = max((part - base[each][what], part / base[each][what] - 1, f"{each} {what}")
                    for each, one in found.items() for what, part in one.items() if base[each].get(what))  # fmt: skip
        grown = any(part - base[each][what] > max(12.0, 0.01 * base[each][what])
                    for each, one in found.items() for what, part in one.items() if what in base[each])  # fmt: skip
        share = total * before / there if there > 0 else math.nan
        of_long = f", {share:.0%} of what {longest} saves" if longest else ""
        print(f"{name:24} total {total:+.2%}{of_long}, modules {mean:+.2%} [{low:+.2%}, {high:+.2%}], over the chosen"
              f" threshold {over[0]:+.2%} [{over[1]:+.2%}, {over[2]:+.2%}], worst {worst[0]:+.0f} B ({worst[1]:+.1%},"
              f" {worst[2]})")  # fmt: skip
        ships = name not in (longest, CHOSEN) and not share < MOST_OF
        reached |= ships and min(total, mean) >= wanted and over[0] >= margin and over[1] > 0 and not grown
    for each, one in base.items():
        saved = ", ".join(f"{name} {1 - found[each]['program'] / one['program']:+.2%}" for name, found in sizes.items()
                          if name != DEFAULT)  # fmt: skip
        print(f"  {each} ({one['program']:.0f} B): {saved}")
    return reached


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--of", default="projects", choices=("projects", "corpus"))
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("--names", default="", help="only these programs")
    parser.add_argument("--contenders", default="", help="only these beside LLVM's default and the thresholds")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--long", type=int, default=0, help="compilations a module of a long search")
    parser.add_argument("--keep", type=Path, help="a file for sizes as they are measured")
    arguments = parser.parse_args()
    names, wanted = ([part for part in text.split(",") if part] for text in (arguments.names, arguments.contenders))
    of_project = {"projects": True, "corpus": False}[arguments.of]
    instances = [one.id for one in unseat.task("inline").instances()
                 if one.split == "test" and one.facts["whole"] == arguments.whole
                 and (one.group in listed()) == of_project and (not names or one.group in names)]  # fmt: skip
    sizes = measured(instances, policies(wanted, arguments.long), arguments.jobs, arguments.keep)
    choose(sizes)
    reached = table(sizes, arguments.whole, LONGEST.format(arguments.long) if arguments.long else "")
    print("goals reached" if reached else "MISSED: no contender reaches the goals")
    return int(not reached)


if __name__ == "__main__":
    sys.exit(main())
