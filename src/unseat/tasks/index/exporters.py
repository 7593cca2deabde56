"""Handing an index over: built on a person's keys, as a C++ header or as a file that `LearnedIndex.load` opens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unseat.core.errors import UserError
from unseat.core.policy import InvalidAnswer, Policy
from unseat.core.task import Exported
from unseat.tasks.index.policies import Built, Library
from unseat.tasks.index.problem import KeySet, Problem

if TYPE_CHECKING:
    from unseat.structures.pending import State
    from unseat.tasks.index.suites import Source


def exporters(own: Sequence[Source] | None) -> Mapping[str, Exported]:
    """The forms, by name; `own` are the keys of `--data`, which the index is built on."""

    def write_header(policy: Policy, path: Path) -> Sequence[Path]:
        from unseat.structures.cpp_header import export

        state, _ = _state(policy, own)
        try:
            return export(state.base, state.choice, path, "unseat_index")
        except OSError as error:
            raise UserError(f"{path}: cannot be written: {error.strerror or error}") from error

    def write_file(policy: Policy, path: Path) -> None:
        from unseat.structures.saved import MAGIC, write

        try:
            if path.exists() and not _begins(path, MAGIC):
                raise UserError(f"{path}: a file that is no saved index is there: write to another name, or remove it")
            write(path, *_state(policy, own))
        except OSError as error:
            raise UserError(f"{path}: cannot be written: {error.strerror or error}") from error

    made = [
        Exported("cpp", "a C++17 header that answers alike, built on the keys of --data", write_header),
        Exported("file", "a file for unseat.structures.LearnedIndex.load, keys included", write_file),
    ]
    return {one.format: one for one in made}


def _begins(path: Path, start: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(start)) == start


def _state(policy: Policy, own: Sequence[Source] | None) -> tuple[State, float]:
    """An index by a policy on a person's keys, in the largest of the budgets asked for; the budget as a share.

    Raises:
        UserError: There are no keys, or the policy builds nothing on them that can be handed over.
    """
    from unseat.structures.contents import admit_keys
    from unseat.structures.locator import Locator
    from unseat.structures.pending import State
    from unseat.structures.selection import Choice, choose

    keys: Any = own[0].original if own else None
    if own is None or keys is None:
        raise UserError("an index is built on keys: give yours with --data")
    budget = max(own[0].budgets, key=lambda each: each.share)
    contents = admit_keys(keys, sort=True)
    if isinstance(policy, Library):
        return State.of(contents, choose(contents.modelled, budget.share)), budget.share
    if not isinstance(policy, Built):
        raise UserError(
            f"{policy.name} is no structure that can be exported; take one of the incumbents or challengers"
        )
    kept = KeySet(contents.modelled)
    problem = Problem(kept, budget.of(contents.modelled.nbytes), 1)
    try:
        session = policy.start(problem.view(), 0)
    except InvalidAnswer as error:
        raise UserError(f"{policy.name}: {error}; ask for more with --memory") from error
    assert session.kernel is not None
    run, arrays = session.kernel
    return State.of(contents, Choice(Locator(policy.structure, run, arrays), reason="exported")), budget.share
