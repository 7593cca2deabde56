"""A policy's sequence as a script that runs LLVM's own tools."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from unseat.core.errors import UserError
from unseat.core.policy import Policy
from unseat.core.task import Exported
from unseat.tasks.llvm.data.task import printable
from unseat.tasks.llvm.passes.actions import PIPELINES
from unseat.tasks.llvm.passes.policies import Portfolio

_SCRIPT = """#!/bin/sh
# {name}: optimise a module for size, and compile it.
#   {file} MODULE.bc OBJECT.o
# A sequence that opt cannot run is left out. Passes have faults: run your tests on what comes of it.
# MODULE.bc is what `clang -Oz -Xclang -disable-llvm-passes -emit-llvm -c` makes of a source, or `llvm-link` of several.
set -eu
opt=${{OPT:-opt}} clang=${{CLANG:-clang}}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
least=
{tries}cp "$work/best.o" "$2"
"""

_TRY = """if "$opt" -passes={passes} "$1" -o "$work/module.bc" &&
  "$clang" --no-default-config -w -Oz -Xclang -disable-llvm-passes -c "$work/module.bc" -o "$work/module.o"
then
  size=$(size -A "$work/module.o" | awk '$1 ~ /^\\.text/ {{ sum += $2 }} END {{ print sum + 0 }}')
  if [ -z "$least" ] || [ "$size" -lt "$least" ]; then least=$size; mv "$work/module.o" "$work/best.o"; fi
fi
"""


def exporters() -> Mapping[str, Exported]:
    """The forms in which a policy of `passes` is handed over."""
    return {"opt": Exported("opt", "a shell script that runs opt and clang; its head says how", write)}


def write(policy: Policy, path: Path) -> Sequence[Path] | None:
    """Write the script; where the policy tries several sequences, so does the script, and keeps the smallest object.

    Raises:
        UserError: The policy has no fixed sequences, or the file cannot be written.
    """
    if not isinstance(policy, Portfolio):
        raise UserError(f"{policy.name} finds its sequences as it runs; export one that has fixed ones, such as -Oz")
    tries = "".join(_TRY.format(passes=shlex.quote(pipeline(sequence))) for sequence in policy.sequences)
    try:
        path.write_text(_SCRIPT.format(name=printable(policy.name), file=path.name, tries=tries))
        path.chmod(0o755)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror or error}") from error
    return None


def pipeline(sequence: Sequence[str]) -> str:
    """A sequence as ``opt -passes=`` takes it."""
    return ",".join(PIPELINES[name] for name in sequence)
