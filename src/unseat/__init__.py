"""unseat: put learned policies in the place of a system's heuristics, and measure honestly whether they are better.

The public names are loaded when first used, so that importing the package costs next to nothing.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    from unseat.core.answers import Answers, solve
    from unseat.core.card import Card, Paper
    from unseat.core.errors import LimitReached, UnseatError, UserError
    from unseat.core.learner import Bounder, Contender, Kind, Learner, Role, Study
    from unseat.core.outcome import Limits, Outcome, Status
    from unseat.core.policy import Artefact, Form, InvalidAnswer, Policy, Question, Session, Signature, View
    from unseat.core.registry import names as tasks
    from unseat.core.registry import task
    from unseat.core.task import Exported, Instance, Need, Objective, Task
    from unseat.lab.evaluate import compare, evaluate

__version__ = "0.1.0"

_HOME = {
    "core.answers": ("Answers", "solve"),
    "core.card": ("Card", "Paper"),
    "core.errors": ("LimitReached", "UnseatError", "UserError"),
    "core.learner": ("Bounder", "Contender", "Kind", "Learner", "Role", "Study"),
    "core.outcome": ("Limits", "Outcome", "Status"),
    "core.policy": ("Artefact", "Form", "InvalidAnswer", "Policy", "Question", "Session", "Signature", "View"),
    "core.registry": ("names", "task"),
    "core.task": ("Exported", "Instance", "Need", "Objective", "Task"),
    "lab.evaluate": ("compare", "evaluate"),
}
_WHERE = {name: room for room, names in _HOME.items() for name in names} | {"tasks": "core.registry"}

__all__ = [
    "Answers", "Artefact", "Bounder", "Card", "Contender", "Exported", "Form", "Instance", "InvalidAnswer", "Kind",
    "Learner", "LimitReached", "Limits", "Need", "Objective", "Outcome", "Paper", "Policy", "Question", "Role",
    "Session", "Signature", "Status", "Study", "Task", "UnseatError", "UserError", "View", "compare", "evaluate",
    "solve", "task", "tasks",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name == "tasks":
        return importlib.import_module("unseat.core.registry").names
    if name not in _WHERE:
        raise AttributeError(f"module 'unseat' has no attribute {name!r}")
    return getattr(importlib.import_module(f"unseat.{_WHERE[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])


class _WithGymnasium:
    """Registers the tasks with Gymnasium once it has been imported, whoever imports it.

    Gymnasium has had no plug-ins since 1.0, and to import it here would make unseat slow to start. So would
    `importlib.abc`, whose classes of finders and loaders are therefore only followed.
    """

    def find_spec(self, name: str, path: Any, target: Any = None) -> ModuleSpec | None:
        """The one of Gymnasium's own loader, with this one around it; asked once."""
        if name != "gymnasium":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            self._loader, spec.loader = spec.loader, self  # type: ignore[assignment]
        return spec

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """As Gymnasium's loader does it."""
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Run Gymnasium's code under its own loader, then register."""
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        importlib.import_module("unseat.core.env")


if "gymnasium" in sys.modules:
    importlib.import_module("unseat.core.env")
else:
    sys.meta_path.insert(0, _WithGymnasium())
