"""A policy as a compiler: a clang that asks it during an ordinary build."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from unseat.core.errors import UserError
from unseat.core.policy import Policy
from unseat.core.task import Exported
from unseat.tasks.llvm.data.task import printable
from unseat.tasks.llvm.inline.searched import SearchRule

DRIVERS = {"unseat-clang": "clang", "unseat-clang++": "clang++"}
"""The programs that are written, and what they stand for."""

_SCRIPT = """#!/bin/sh
'''exec' {python} "$0" "$@"
' '''
# {driver} that asks the policy {name} which calls to inline: make CC="$PWD/unseat-clang" CXX="$PWD/unseat-clang++"
import sys
from pathlib import Path

from unseat.tasks.llvm.inline.driver import main

sys.exit(main(Path(__file__).resolve().parent / "policy", "{driver}", sys.argv[1:]))
"""


def exporters() -> Mapping[str, Exported]:
    """The forms in which a policy of `inline` is handed over."""
    text = "unseat-clang and unseat-clang++, which ask the policy; build with make CC=.../unseat-clang"
    return {"channel": Exported("channel", text, write)}


def write(policy: Policy, path: Path) -> Sequence[Path]:
    """Write the policy and the two programs into a folder.

    Raises:
        UserError: The policy compiles modules itself, or the folder cannot be written.
    """
    if isinstance(policy, SearchRule):
        raise UserError(f"{policy.name} compiles a module several times before it answers; export one that does not")
    try:
        policy.artefact.save(path / "policy")
        for program, driver in DRIVERS.items():
            (path / program).write_text(
                _SCRIPT.format(python=shlex.quote(sys.executable), driver=driver, name=printable(policy.name))
            )
            (path / program).chmod(0o755)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror or error}") from error
    return [path / program for program in DRIVERS]
