"""Replicas in plain Python, written from what the incumbents' papers say and not from the engine: lists and sorting.

Memory is without end and nobody is preempted. A cache of prompts is a set of hashes. Only the times of kernels are the
package's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from unseat.tasks.serving.engine import costs
from unseat.tasks.serving.engine import layout as at
from unseat.tasks.serving.problem import Problem


@dataclass
class One:
    """A request."""

    number: int
    came_s: float
    prompt: int
    output: int
    hashes: list[int]
    done: int = 0
    tokens: int = 0
    first_s: float = -1.0
    end_s: float = -1.0

    @property
    def decodes(self) -> bool:
        return self.done == self.prompt


@dataclass
class Machine:
    """A replica."""

    now: float = 0.0
    ends: float | None = None
    waits: list[One] = field(default_factory=list)
    runs: list[One] = field(default_factory=list)
    part: dict[int, int] = field(default_factory=dict)
    cache: set[int] = field(default_factory=set)


class Plain:
    """A cluster with an incumbent.

    Args:
        problem: The requests and the cluster.
        known: `mode` (static, prompts, mixed), `budget`, `order` (came, prompt, ratio), `router` (turn, least, prefix),
            `refuses`, and the knobs.
    """

    def __init__(self, problem: Problem, known: dict[str, Any], rate: float) -> None:
        self.k, self.serving, s = known, problem.serving, problem.begin(0, rate)
        self.f, self.cost = s.f, s.cost
        self.machines = [Machine() for _ in range(self.serving.replicas)]
        hashes = problem.requests.hashes.tolist()
        self.all = [One(i, float(s.when[i, at.ARRIVAL]), int(row[0]), int(row[1]), hashes[row[2] : row[3]])
                    for i, row in enumerate(s.fixed.tolist())]  # fmt: skip

    def run(self) -> list[One]:
        """All requests, with their times; what was refused has none."""
        for one in self.all:
            for machine in self.machines:
                self.until(machine, one.came_s)
            machine = self.machines[self.route(one)]
            if self.k.get("refuses") and not self.in_time(machine, one):
                continue
            if not machine.runs and not machine.waits and machine.ends is None:
                machine.now = max(machine.now, one.came_s)
            machine.waits.append(one)
        for machine in self.machines:
            self.until(machine, float("inf"))
        return self.all

    def hits(self, machine: Machine, one: One) -> int:
        """Tokens of a prompt that are cached; one is always computed."""
        found = 0
        if self.serving.chunk:
            for chunk in one.hashes[: (one.prompt - 1) // self.serving.chunk]:
                if chunk not in machine.cache:
                    break
                found += self.serving.chunk
        return found

    def route(self, one: One) -> int:
        loads = [len(machine.runs) + len(machine.waits) for machine in self.machines]
        if self.k["router"] == "turn":
            return one.number % len(loads)
        least = loads.index(min(loads))
        if self.k["router"] == "least":
            return least
        hits = [self.hits(machine, one) for machine in self.machines]
        best = min(range(len(loads)), key=lambda place: (-hits[place], loads[place], place))
        uneven = max(loads) - min(loads) > self.k["imbalance"] and max(loads) > 1.5 * min(loads)
        return least if uneven or hits[best] / one.prompt < self.k["affinity"] else best

    def in_time(self, machine: Machine, one: One) -> bool:
        ahead = sum(other.prompt - other.done for other in machine.runs)
        ahead += sum(other.prompt for other in machine.waits if other.prompt <= one.prompt)
        return bool((ahead + one.prompt) * self.f[at.TOKEN_S] <= self.k["patient"] * self.serving.ttft_s)

    def until(self, machine: Machine, moment: float) -> None:
        """Run a replica up to a moment."""
        while True:
            if machine.ends is not None:
                if machine.ends > moment:
                    return
                self.finish(machine)
            if not (machine.runs or machine.waits) or machine.now >= moment:
                return
            self.compose(machine)

    def following(self, machine: Machine) -> One:
        """Who is next: who has waited for too long, else by the order."""
        waited = {one.number: machine.now - one.came_s for one in machine.waits}
        aged = [one for one in machine.waits if waited[one.number] > self.serving.patience_s]
        if aged:
            return min(aged, key=lambda one: one.came_s)
        if self.k["order"] == "came":
            return max(machine.waits, key=lambda one: waited[one.number])
        if self.k["order"] == "prompt":
            return min(machine.waits, key=lambda one: one.prompt)
        return max(machine.waits, key=lambda one: waited[one.number] / one.prompt)

    def compose(self, machine: Machine) -> None:
        mode, budget = self.k["mode"], self.k["budget"]
        decoding = [one for one in machine.runs if one.decodes]
        filling = [one for one in machine.runs if not one.decodes]
        left = budget - len(decoding) if mode == "mixed" else budget
        if filling or not decoding:
            left = max(left, at.LEAST_BUDGET)
        machine.part = {}
        whole = mode != "mixed"

        def give(one: One) -> int:
            todo = one.prompt - one.done
            machine.part[one.number] = todo if whole else min(todo, left)
            return machine.part[one.number]

        for one in filling:
            if left > 0:
                left -= give(one)
        may_join = mode != "static" or not machine.runs
        while may_join and left > 0 and machine.waits and len(machine.runs) < self.serving.seats:
            one = self.following(machine)
            if whole and machine.part and one.prompt > left:
                break
            machine.waits.remove(one)
            machine.runs.append(one)
            one.done = self.hits(machine, one)
            left -= give(one)
        if not (whole and machine.part):
            machine.part |= {one.number: 0 for one in decoding}
        machine.ends = machine.now + self.seconds(machine)

    def seconds(self, machine: Machine) -> float:
        prompt, batch, context, heads, attention = 0, 0, 0, 0, 0.0
        for one in machine.runs:
            part = machine.part.get(one.number)
            if part is None:
                continue
            if one.decodes:
                batch, heads, context = batch + 1, heads + 1, context + one.prompt + one.tokens
            else:
                attention += costs.chunk(self.cost, float(one.done), float(part))
                prompt, heads = prompt + part, heads + (one.done + part == one.prompt)
        total = costs.linear(self.cost, float(prompt + batch)) + costs.sampled(self.cost, float(max(heads, 1)))
        total += attention + costs.decode(self.cost, float(batch), float(context))
        f = self.f
        return float(f[at.SCALE] * total + f[at.EXTRA] * prompt + f[at.OVERHEAD])

    def finish(self, machine: Machine) -> None:
        assert machine.ends is not None
        machine.now, machine.ends = machine.ends, None
        told = machine.now + float(self.f[at.ENTRY])
        for one in list(machine.runs):
            if one.number not in machine.part:
                continue
            if one.decodes:
                one.tokens += 1
            else:
                one.done += machine.part[one.number]
                if self.serving.chunk:
                    machine.cache |= set(one.hashes[: one.done // self.serving.chunk])
                if one.decodes:
                    one.first_s, one.tokens = told, 1
            if one.tokens == one.output:
                one.end_s = told
                machine.runs.remove(one)
