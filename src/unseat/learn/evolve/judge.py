"""Candidates run in sandboxes and are scored outside: what they do there comes back as actions, done again here."""

from __future__ import annotations

import hashlib
import importlib
import json
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from unseat.core.errors import UserError
from unseat.core.policy import InvalidAnswer
from unseat.learn.evolve.archive import Candidate, Niche, niche
from unseat.sandbox import Cage, Ending, Job, Pool
from unseat.sandbox.program import ProgramError
from unseat.sandbox.programs import Offer, machine_code


@dataclass(frozen=True)
class Verdict:
    """What a stage of instances said of a program."""

    end: str
    values: Mapping[str, float]
    behaviour: str = ""
    niche: Niche = ()
    message: str = ""
    seconds: float = 0.0


class Judge:
    """Runs programs on stages of problems.

    Args:
        offer: What is programmed.
        stages: By name, problems by instance.
        size: Sandboxes side by side.
        trust: Do without bubblewrap.
        cage: Limits of a candidate.
    """

    def __init__(
        self, offer: Offer, stages: Mapping[str, Mapping[str, Any]], size: int, trust: bool = False,
        cage: Cage | None = None,
    ) -> None:  # fmt: skip
        self.offer, self.stages = offer, stages
        # Compiled here too: the scorer needs it, and the sandboxes find it in Numba's cache.
        module, _, function = offer.warm.partition(":")
        getattr(importlib.import_module(module), function)()
        self.pool = Pool(size, cage or Cage(wall_s=120.0, cpu_s=60.0),
                         preload=[offer.warm, offer.entry.partition(":")[0]], trust=trust)  # fmt: skip
        shared = {name: {each: dict(offer.share(problem)) for each, problem in problems.items()}
                  for name, problems in stages.items()}  # fmt: skip
        self.pool.share(shared)

    def submit(self, source: str, stage: str) -> Future[Verdict]:
        """Begin to run a checked program on a stage."""
        code = self.offer.compiled(source)
        arguments = {"code": code.code, "constants": code.constants}
        job = Job(self.offer.entry, None, arguments, {"problems": stage})
        return self.pool.submit(job, then=lambda ending: self._verdict(ending, stage, len(code.code)))

    def refused(self, source: str) -> str:
        """Why a program is outside the safe subset; empty if it is not."""
        try:
            self.offer.compiled(source)
        except ProgramError as error:
            return str(error)
        return ""

    def says(self, source: str) -> bytes:
        """What a checked program says, however it is written."""
        code = self.offer.compiled(source)
        return code.code.tobytes() + code.constants.tobytes()

    def _verdict(self, ending: Ending, stage: str, instructions: int) -> Verdict:
        began = time.perf_counter()
        verdict = self._scored(ending, stage, instructions)
        return replace(verdict, seconds=ending.wall_s + time.perf_counter() - began)

    def _scored(self, ending: Ending, stage: str, instructions: int) -> Verdict:
        problems = self.stages[stage]
        if ending.end != "ok":
            return Verdict(str(ending.end), {}, message=ending.message)
        actions = ending.value
        try:
            if not isinstance(actions, dict) or actions.keys() != problems.keys():
                raise InvalidAnswer("actions must be given for each problem")
            values = {name: self.offer.replay(problem, actions[name]) for name, problem in problems.items()}
        except InvalidAnswer as error:
            return Verdict("invalid", {}, message=str(error))
        kind = niche(actions, self.offer.rows, instructions)
        return Verdict("ok", values, digest(actions), kind)

    def compiled(self, source: str, stage: str) -> str:
        """What a program does on a stage as machine code: the digest of its actions."""
        choose = machine_code(source, tuple(self.offer.arguments))
        assert self.offer.elite is not None
        return digest({name: self.offer.elite(choose, problem) for name, problem in self.stages[stage].items()})

    def close(self) -> None:
        """End the sandboxes."""
        self.pool.close()


def digest(actions: Mapping[str, Any]) -> str:
    """What tells one behaviour from another."""
    parts = b"".join(np.ascontiguousarray(actions[name]).tobytes() for name in sorted(actions))
    return hashlib.sha256(parts).hexdigest()[:16]


class Journal:
    """Every candidate once, one line of JSON each, written as soon as it is known; a search that was killed goes on.

    Args:
        path: The file; None keeps nothing.
        head: What the search is: another one's journal is refused.

    Raises:
        UserError: The file is another search's, or damaged in the middle.
    """

    def __init__(self, path: Path | None, head: Mapping[str, Any]) -> None:
        self.path, self.known = path, dict[int, Candidate]()
        self.head = json.dumps(head, sort_keys=True)
        if path is None:
            return
        text = self.head
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        if lines and lines[0] != text:
            raise UserError(f"{path}, line 1: the journal of another search; name another file, or remove it")
        good = lines[:1]
        for number, line in enumerate(lines[1:], 2):
            try:
                one = Candidate.from_json(json.loads(line))
            except (ValueError, TypeError, KeyError) as error:
                if number < len(lines):
                    raise UserError(f"{path}, line {number}: not a candidate ({error}); remove the file") from error
                break  # killed while it wrote
            self.known[one.number] = one
            good.append(line)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{line}\n" for line in good or [text]), encoding="utf-8")

    def find(self, number: int, source: str) -> Candidate | None:
        """A candidate that was judged before.

        Where the search takes another way than it did (another limit ended a batch elsewhere), what came after is let
        go.
        """
        one = self.known.get(number)
        if one is None or one.source == source:
            return one
        self.known = {at: kept for at, kept in self.known.items() if at < number}
        rows = [json.dumps(kept.to_json()) for kept in self.known.values()]
        if self.path is not None:
            self.path.write_text("".join(f"{row}\n" for row in [self.head, *rows]), encoding="utf-8")
        return None

    def add(self, one: Candidate) -> None:
        """Write a candidate down, if it is new."""
        if self.path is None or one.number in self.known:
            return
        self.known[one.number] = one
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(one.to_json()) + "\n")


def means(
    values: Mapping[str, float], reference: Mapping[str, float], minimise: bool, groups: Mapping[str, str]
) -> float:
    """Mean improvement over a reference, as a share of it: of each group, and then of these, which are independent."""
    sign, gains = 1.0 if minimise else -1.0, dict[str, list[float]]()
    for name, value in values.items():
        gain = sign * (reference[name] - value) / (abs(reference[name]) or 1.0)
        gains.setdefault(groups[name], []).append(gain)
    return float(np.mean([np.mean(each) for each in gains.values()])) if gains else 0.0


def first_of_each_group(groups: Sequence[tuple[str, str]]) -> tuple[list[str], list[str]]:
    """Instances in two stages: one of each group, and the rest; from (instance, group)."""
    seen, first, rest = set[str](), list[str](), list[str]()
    for name, group in groups:
        (rest if group in seen else first).append(name)
        seen.add(group)
    return first, rest
