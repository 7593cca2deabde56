"""What runs in the sandbox: a transformer that nobody has read, on files whose answers are elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

# A learned transformer asks for it, and there it can only be had if it is here already.
import unseat.tasks.codemod.rules.apply  # noqa: F401


def transformed(transformer: str, files: Sequence[str]) -> list[str | None]:
    """Files as a transformer leaves them; None where it fails.

    Args:
        transformer: A module that defines `transform(source) -> source`, or `Transform`, a LibCST transformer.
        files: Texts of modules.
    """
    # Decorators and dataclasses look their module up.
    import sys
    import types

    module = types.ModuleType("transformer")
    sys.modules["transformer"] = module
    exec(compile(transformer, "<transformer>", "exec"), module.__dict__)
    function = _function(module.__dict__)
    made: list[str | None] = []
    for text in files:
        try:
            new = function(text)
            made.append(new if type(new) is str else None)
        except Exception:
            made.append(None)
    return made


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
