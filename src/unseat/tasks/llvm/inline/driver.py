"""What `unseat-clang` does: run the user's clang with the policy at the other end of the channel.

It is started for every source of a build, so that neither Gymnasium nor Numba, Pydantic or the task itself is imported.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from pathlib import Path

from unseat.core.errors import UnseatError
from unseat.core.policy import Artefact, Asker, InvalidAnswer
from unseat.tasks.llvm.engine import workplace
from unseat.tasks.llvm.engine.channel import Answer, Channel, Header
from unseat.tasks.llvm.engine.compiler import ASK_INLINER
from unseat.tasks.llvm.engine.process import Failed, Process, ToolError
from unseat.tasks.llvm.engine.toolchain import require
from unseat.tasks.llvm.inline.question import Answering, bare, told

_QUIET = "-Wno-unused-command-line-argument"
"""A command that only links has no use for what the compiler is told."""


def main(policy: Path, driver: str, arguments: Sequence[str]) -> int:
    """Run clang or clang++ in the working folder; every source of the command gets a session of its own.

    Args:
        policy: The folder of the policy's artefact.
        driver: ``clang`` or ``clang++``.
        arguments: Those of the user's command.

    Returns:
        The exit code: clang's, 130 after Ctrl-C, or 1 where the policy fails, with a line on standard error.
    """
    try:
        llvm, chosen = require(), Artefact.load(policy).restore()

        def begin(header: Header) -> Answer:
            return Answering(Asker(chosen.start(told(), 0), bare()), plain=True).begin(header)

        with workplace.folder() as folder, Channel(folder) as channel:
            flags = (*ASK_INLINER, f"-inliner-interactive-channel-base={channel.base}")
            clang = str(llvm.clang) if driver == "clang" else llvm.tool(driver)
            # First, since what follows `--` in the user's words is the name of a file.
            command = [clang, _QUIET, *(word for flag in flags for word in ("-mllvm", flag)), *arguments]
            with Process(command, Path.cwd(), silence_s=math.inf, visible=True) as process:
                channel.serve(process, begin)
    except KeyboardInterrupt:
        return 130
    except Failed as error:
        # Clang has said why.
        return error.code
    except (ToolError, UnseatError, InvalidAnswer) as error:
        sys.stderr.write(f"unseat-{driver}: {error}\n")
        return 1
    return 0
