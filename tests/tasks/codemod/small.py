"""The task on few transforms."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from unseat.core.learner import Contender
from unseat.tasks.codemod.contenders import contenders
from unseat.tasks.codemod.suites import built_in
from unseat.tasks.codemod.task import CodemodTask

NAMES: dict[str, Literal["train", "valid", "test"]] = {"emptiness": "train", "algebra": "valid", "dict-get": "test"}


class SmallCodemod(CodemodTask):
    """Three transforms whose rules are found at once."""

    def __init__(self) -> None:
        by_name = {source.name: source for source in built_in()}
        super().__init__([replace(by_name[name], split=split, suites=frozenset({"quick", "full"}))
                          for name, split in NAMES.items()])  # fmt: skip

    def contenders(self) -> dict[str, Contender]:
        return {name: replace(one, shipped=None) for name, one in contenders(5.0).items()}
