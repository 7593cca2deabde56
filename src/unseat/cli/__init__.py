"""The command line: one module a command. Nothing heavy is imported before a command runs."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from pathlib import Path

# Failures of the machine or of permissions: a person needs the line, not the traceback.
_PLAIN_OS_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM}
_SIGPIPE = 141  # what a shell reports for a program whose reader went away
_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: Arguments without the program's name; None takes the process's own.

    Returns:
        0 done, 1 a run failed, 2 the request was wrong, 130 interrupted, 141 nobody reads the output.
    """
    try:
        status = _dispatch(sys.argv[1:] if argv is None else list(argv))
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes once more at exit, and would complain once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _SIGPIPE
    return status


def _dispatch(arguments: list[str]) -> int:
    import typer

    from unseat.cli.app import app
    from unseat.core.errors import UserError

    # A task in the current folder can be named by its import path, before it is packaged; nothing there hides a module.
    sys.path.append(str(Path.cwd()))
    try:
        status = app(arguments, prog_name="unseat", standalone_mode=False) or 0
    except UserError as error:
        return _refuse(str(error))
    except typer.Abort:
        status = _INTERRUPTED
    except SystemExit as stop:
        # Typer ends the process where nobody reads its output; everything else it raises.
        if isinstance(stop.__context__, BrokenPipeError):
            raise stop.__context__ from None
        raise
    except OSError as error:
        if error.errno not in _PLAIN_OS_ERRORS:
            raise
        return _refuse(f"{error.filename or 'output'}: {error.strerror}")
    except Exception as error:
        # Typer's usage errors have no public base class that old and new versions share.
        explain = getattr(error, "format_message", None)
        if explain is None:
            raise
        return _refuse(explain().replace("Value error, ", ""))
    if status == _INTERRUPTED:
        typer.echo("unseat: interrupted; what had finished is kept, and the same command goes on from there", err=True)
    return int(status)


def _refuse(message: str) -> int:
    """One line, whatever the message holds."""
    import typer

    typer.echo(f"unseat: {' '.join(message.split())}", err=True)
    return 2
