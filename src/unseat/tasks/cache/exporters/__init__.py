"""A policy as an artefact that a system runs: one C file, or arrays for Python.

`to_c` translates the policy's own kernel, the Python that the engine compiles, so the exported file and the engine are
one algorithm; a test drives both over traces and holds their miss counts equal. The kernels keep to a subset of Python
(numbers, arrays, loops, calls of other kernels), and what lies outside it is refused with its file and line.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from unseat.core.errors import UserError

if TYPE_CHECKING:
    from unseat.tasks.cache.exporters.functions import Program
    from unseat.tasks.cache.exporters.types import Type
    from unseat.tasks.cache.incumbents import Fused

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Make:
    """State that a function makes: ``init(max_objects, capacity, *arguments)``, plain Python of the exported subset."""

    init: Callable[..., Any]
    arguments: tuple[float, ...] = ()


Plan = Make | Array | tuple["Plan", ...]
"""How the state of a kernel comes about: made for a capacity, given as an array (what was learned), or a tuple."""


def fused_to_c(fused: Fused, path: Path, parameters: Mapping[str, float] | None = None) -> None:
    """Write an incumbent as one C file.

    Args:
        fused: the policy.
        path: the file to write.
        parameters: tuned values; those not given are the published ones.

    Raises:
        UserError: a parameter that the policy does not have.
    """
    chosen = dict(parameters or {})
    unknown = sorted(chosen.keys() - fused.parameters.keys())
    if unknown:
        raise UserError(f"{fused.name} has no parameter {unknown[0]}; it has {', '.join(fused.parameters) or 'none'}")
    values = []
    for name, parameter in list(signature(fused.init).parameters.items())[2:]:
        value = chosen.get(name, parameter.default)
        values.append(round(value) if isinstance(parameter.default, int) else float(value))
    title = f"{fused.name}: a cache replacement policy ({fused.paper})"
    to_c(path, title, fused.run, Make(fused.init, tuple(values)), sized=fused.sized)


def to_c(
    path: Path,
    title: str,
    run: Callable[..., Any],
    plan: Plan,
    *,
    sized: bool,
    choose: Callable[..., Any] | None = None,
) -> None:
    """Write a kernel and its state as one C file with the interface that the file's head states.

    Args:
        path: the file to write.
        title: one line that says what the policy is.
        run: a kernel of the incumbents' signature; with one more argument, another kernel, if ``choose`` is given.
        plan: how its state comes about.
        sized: whether capacities are bytes.
        choose: a kernel that ``run`` takes as its last argument.

    Raises:
        UserError: the kernel leaves the exported subset; the message names file and line.
    """
    from unseat.tasks.cache.exporters import source
    from unseat.tasks.cache.exporters.functions import Program
    from unseat.tasks.cache.exporters.types import INT, Callee, Requests, c_name, declarations
    from unseat.tasks.cache.exporters.types import Array as ArrayType

    program = Program()
    state, code = _planned(program, plan)
    longs = ArrayType("int64", 1)
    arguments: list[Type] = [Requests(), longs, INT, INT, INT, state, longs]
    name, _ = program.function(run, arguments + ([] if choose is None else [Callee(choose)]))
    maker = (
        f"static {c_name(state)} unseat_state(struct unseat_memory *memory, int64_t max_objects, int64_t capacity) {{\n"
        f"    (void)max_objects;\n    (void)capacity;\n    return {code};\n}}\n"
    )
    every = [ArrayType(element, 1) for element in _elements()]
    head = source.INTERFACE.replace("@TITLE@", title.replace("*/", "* /")).replace("@VERSION@", _version())
    head = head.replace("@UNIT@", "bytes" if sized else "objects")
    head = head.replace("@SIZES@", "" if sized else "; this policy ignores sizes")
    tail = source.CACHE.replace("@STATE@", c_name(state)).replace("@RUN@", name)
    parts = [head, declarations([*every, *program.kinds, state]), source.helpers(), *program.bodies, maker, tail]
    path.write_text("\n".join(parts), encoding="utf-8")


def _planned(program: Program, plan: Plan) -> tuple[Type, str]:
    """The type of a planned state and the C expression that makes it."""
    from unseat.tasks.cache.exporters.expressions import Value, constant
    from unseat.tasks.cache.exporters.types import C_ELEMENTS, INT, Tuple, c_name, type_of

    if isinstance(plan, Make):
        given = [Value("max_objects", INT), Value("capacity", INT), *map(constant, plan.arguments)]
        made = program.call(plan.init, given)
        return made.type, made.code
    if isinstance(plan, tuple):
        items = [_planned(program, item) for item in plan]
        kind = Tuple(tuple(item for item, _ in items))
        return kind, f"(({c_name(kind)}){{{', '.join(code for _, code in items)}}})"
    kind_of = type_of(plan)
    if plan.ndim != 1:
        raise UserError(f"learned arrays are exported flat; this one has shape {plan.shape}")
    element = plan.dtype.name
    values = ", ".join(constant(value).code for value in plan)
    return kind_of, f"copy_{element}(memory, ({C_ELEMENTS[element]}[]){{{values}}}, {plan.size})"


def _elements() -> list[str]:
    from unseat.tasks.cache.exporters.types import C_ELEMENTS

    return list(C_ELEMENTS)


def _version() -> str:
    try:
        return version("unseat")
    except PackageNotFoundError:
        return "from source"


def to_arrays(path: Path, arrays: Mapping[str, Array], manifest: Mapping[str, Any]) -> None:
    """Write a policy's arrays for Python: a safetensors file whose metadata is the manifest as JSON; no pickle.

    Args:
        path: the file to write.
        arrays: by name.
        manifest: what the arrays are and how to use them; must be JSON.
    """
    from safetensors.numpy import save_file

    held = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    save_file(held, path, metadata={"manifest": json.dumps(manifest, sort_keys=True)})


def from_arrays(path: Path) -> tuple[dict[str, Array], dict[str, Any]]:
    """Read what `to_arrays` wrote.

    Raises:
        UserError: the file is no such file.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no mapping
            manifest = json.loads((file.metadata() or {})["manifest"])
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise UserError(f"{path}: not an exported policy ({error}); export it again") from error
    return arrays, manifest
