"""A task's own options as flags: its Pydantic model, read from the words that Typer did not know."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, get_args, get_origin

from unseat.core.errors import UserError

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

    from unseat.core.task import Task

_RUN_FLAGS = (
    "--suite", "--contenders", "--split", "--folds", "--seeds", "--budget", "--tokens", "--dollars", "--time-limit",
    "--jobs", "--ray", "--data", "--retrain", "--ledger", "--json", "--help",
)  # fmt: skip


def own_options(task: Task, words: Sequence[str], *, data: str | None) -> dict[str, Any]:
    """Read a task's own flags, and check them against its model.

    Returns:
        The options that were given, as plain JSON.

    Raises:
        UserError: A flag is unknown, has no value or a wrong one, or was given without ``--data``.
    """
    model = task.options
    fields = {} if model is None else {_flag(name): (name, info) for name, info in model.model_fields.items()}
    given: dict[str, Any] = {}
    rest = list(words)
    while rest:
        flag, equals, value = rest.pop(0).partition("=")
        if not flag.startswith("-"):
            raise UserError(f"{flag} is no option of task {task.card.id}; name all tasks before the first option")
        on = flag not in fields and flag.startswith("--no-") and "--" + flag[5:] in fields
        shown = "--" + flag[5:] if on else flag
        if shown not in fields:
            raise UserError(_unknown(task, flag, list(fields)))
        if data is None:
            raise UserError(f"{flag} is for your own data; give --data SOURCE too")
        name, info = fields[shown]
        if info.annotation is bool:
            given[name] = value if equals else str(not on)
            continue
        if not equals:
            if not rest:
                raise UserError(f"{flag} has no value; `unseat run {task.card.id} --help` says what it takes")
            value = rest.pop(0)
        _add(given, name, value, many=_many(info))
    return _checked(model, given) if model is not None else {}


def rows(task: Task) -> list[tuple[str, str]]:
    """A task's own flags and what they mean, for ``unseat run TASK --help``."""
    fields = {} if task.options is None else task.options.model_fields
    return [(_flag(name), f"{info.description or ''}{_default(info)}") for name, info in fields.items()]


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _default(info: FieldInfo) -> str:
    value = None if info.is_required() else info.get_default(call_default_factory=True, validated_data={})
    if value is None:
        return ""
    return f"  [default: {_text(value)}]"


def _many(info: FieldInfo) -> bool:
    """Whether a field takes several values, so that commas separate them."""
    kinds = [info.annotation, *get_args(info.annotation)]
    return any((get_origin(kind) or kind) in (list, tuple, set, frozenset, Sequence) for kind in kinds)


def _add(given: dict[str, Any], name: str, value: str, *, many: bool) -> None:
    if many:
        given.setdefault(name, []).extend(part.strip() for part in value.split(",") if part.strip())
    elif name in given:
        raise UserError(f"{_flag(name)} was given twice; give it once")
    else:
        given[name] = value


def _unknown(task: Task, flag: str, flags: list[str]) -> str:
    near = difflib.get_close_matches(flag, [*flags, *_RUN_FLAGS], 1)
    hint = f"did you mean {near[0]}?" if near else f"`unseat run {task.card.id} --help` lists them"
    return f"there is no option {flag} for task {task.card.id}; {hint}"


def _checked(model: type[BaseModel], given: dict[str, Any]) -> dict[str, Any]:
    from pydantic import ValidationError

    try:
        checked = model.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        where = _flag(str(first["loc"][0])) if first["loc"] else "options"
        text = str(first["msg"]).removeprefix("Value error, ")
        raise UserError(f"{where} {_text(first['input'])}: {text}") from error
    return checked.model_dump(mode="json", exclude_unset=True)


def _text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
