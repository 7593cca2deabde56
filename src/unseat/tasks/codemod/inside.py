"""What runs in the sandbox: a transformer that nobody has read, on files whose answers are elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

# A learned transformer asks for it, and there it can only be had if it is here already.
from unseat.tasks.codemod.rules.apply import Rules


def transformed(transformer: str, files: Sequence[str]) -> list[str | None]:
    """Files as a transformer leaves them; None where it fails.

    Args:
        transformer: A module that defines `transform(source) -> source`, or `Transform`, a LibCST transformer.
        files: Texts of modules.
    """
    function = _function(_scope(transformer))
    made: list[str | None] = []
    for text in files:
        try:
            new = function(text)
            made.append(new if type(new) is str else None)
        except Exception:
            made.append(None)
    return made


def remaining(transformer: str, files: Sequence[str]) -> list[str]:
    """What keeps learned rules from changing each file; empty where nothing does, or it is another transformer.

    Args:
        transformer: As in `transformed`.
        files: Texts of modules that it left as they were.
    """
    rules = _scope(transformer).get("transform")
    if not isinstance(rules, Rules):
        return [""] * len(files)
    return [rules.remains(text) for text in files]


def _scope(transformer: str) -> dict[str, Any]:
    # Decorators and dataclasses look their module up.
    import sys
    import types

    module = types.ModuleType("transformer")
    sys.modules["transformer"] = module
    exec(compile(transformer, "<transformer>", "exec"), module.__dict__)
    return module.__dict__


def _function(scope: dict[str, Any]) -> Callable[[str], Any]:
    if callable(scope.get("transform")):
        found: Callable[[str], Any] = scope["transform"]
        return found
    make = scope.get("Transform")
    if make is None:
        raise NameError("it defines neither transform(source) nor Transform")
    import libcst

    def apply(text: str) -> str:
        return libcst.parse_module(text).visit(make()).code

    return apply
