"""A policy as an artefact that a system runs: one C file, or its arrays for Python.

`to_c` translates the policy's own kernel, the Python that the engine compiles, so the exported file and the engine are
one algorithm; a test drives both over traces and holds their miss counts equal. The kernels keep to a subset of Python
(numbers, arrays, loops, calls of other kernels), and what lies outside it is refused with its file and line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from unseat.core.errors import UserError

if TYPE_CHECKING:
    from unseat.core.policy import Policy
    from unseat.core.task import Exported
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


@dataclass(frozen=True)
class Translation:
    """What `to_c` needs to know of a policy: its kernel, its state, and the kernel passed as last argument, if any."""

    run: Callable[..., Any]
    plan: Plan
    choose: Callable[..., Any] | None = None


def exporters(sized: bool) -> Mapping[str, Exported]:
    """The forms in which a policy of `cache` or `cache-sized` is handed over."""
    from unseat.core.task import Exported

    def write_c(policy: Policy, path: Path) -> None:
        policy_to_c(policy, path, sized=sized)

    def write_arrays(policy: Policy, path: Path) -> None:
        policy.artefact.save(path)

    return {
        "c": Exported("c", "one self-contained C99 file; its head states the interface", write_c),
        "arrays": Exported("arrays", "a folder for Python: manifest.json and arrays.safetensors", write_arrays),
    }


def policy_to_c(policy: Policy, path: Path, *, sized: bool) -> None:
    """Write a contender's policy as one C file.

    Incumbents and compiled scorers are translated as they are. A fused challenger says what there is to translate by a
    method ``translation(sized) -> Translation``. A learner that retrains itself as it runs is exported with what it
    knows when it is exported, and stays so.

    Raises:
        UserError: the policy runs in Python, or its kernel leaves the exported subset.
    """
    from unseat.core.policy import Form, View
    from unseat.tasks.cache.incumbents import FUSED
    from unseat.tasks.cache.policies import Classical

    if isinstance(policy, Classical):
        fused_to_c(FUSED[policy.algorithm], path, policy.parameters)
        return
    translation: Translation | None = None
    if hasattr(policy, "translation"):
        translation = policy.translation(sized)
    elif policy.form is Form.KERNEL:
        from unseat.tasks.cache.engine import sampled

        kernel = policy.start(View("evict"), 0).kernel
        if kernel is not None:
            translation = Translation(
                sampled.serve_kernel, (Make(sampled.init, (0, sized, sampled.ALL)), tuple(kernel[1])), kernel[0]
            )
    if translation is None and policy.form is Form.FUSED:
        raise UserError(
            f"{policy.name} goes on choosing or learning as it runs, which one C file cannot hold; export an incumbent "
            "or a scorer to C, or use `--to arrays` for Python"
        )
    if translation is None:
        raise UserError(f"{policy.name} decides in Python and has no C form; `--to arrays` saves it for Python")
    to_c(path, policy.name, translation.run, translation.plan, sized=sized, choose=translation.choose)


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
        parts = Tuple(tuple(item for item, _ in items))
        return parts, f"(({c_name(parts)}){{{', '.join(code for _, code in items)}}})"
    kind = type_of(plan)
    element = plan.dtype.name
    values = ", ".join(constant(value).code for value in plan.ravel())
    rows, columns = (*plan.shape, 1)[:2]
    return kind, f"copy_{element}(memory, ({C_ELEMENTS[element]}[]){{{values or 0}}}, {rows}, {columns})"


def _elements() -> list[str]:
    from unseat.tasks.cache.exporters.types import C_ELEMENTS

    return list(C_ELEMENTS)


def _version() -> str:
    try:
        return version("unseat")
    except PackageNotFoundError:
        return "from source"
