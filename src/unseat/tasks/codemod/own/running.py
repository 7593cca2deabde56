"""What small programs do: each function is called with values of its parameters' kinds."""

from __future__ import annotations

import contextlib
import copy
import io
from collections.abc import Sequence
from typing import Any

from unseat.tasks.codemod.own.draw import Function

_VALUES: dict[str, list[Any]] = {
    "int": [0, 1, 5, -3, 17, 60, 700],
    "ints": [[], [3], [4, 9, 2, 7], [0, 0, 60], [25, -1, 5, 12, 3, 88]],
    "str": ["", "a", "name", "Some Text", "12"],
    "strs": [[], ["a"], ["b", "cd", "a"]],
    "dict": [{}, {"a": 3}, {"name": 5, "b": 0, "12": 7}],
}
CALLS = 12


def behaviour(text: str, functions: Sequence[Function]) -> list[str]:
    """What each function of a module gives, prints and raises for some arguments, and what becomes of these.

    The module is this project's own; nothing else is ever run here.
    """
    scope: dict[str, Any] = {"__name__": "drawn"}
    exec(compile(text, "<drawn>", "exec"), scope)
    found = []
    for one in functions:
        for call in range(CALLS):
            arguments = [
                copy.deepcopy(_VALUES[kind][(call * (3 + at) + at) % len(_VALUES[kind])])
                for at, (_, kind) in enumerate(one.parameters)
            ]
            said = io.StringIO()
            with contextlib.redirect_stdout(said):
                try:
                    given = repr(scope[one.name](*arguments))
                except Exception as error:
                    given = type(error).__name__
            found.append(f"{one.name}: {given} {said.getvalue()!r} {arguments!r}")
    return found
