"""The application: the built-in commands, and those that tasks bring through the entry points ``unseat.commands``."""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import typer
from typer.core import TyperGroup

from unseat.arena import command as arena
from unseat.cli import compare, data, doctor, evolve, export, record, replay, report, run, tasks
from unseat.core.errors import UserError

GROUP = "unseat.commands"


@cache
def _entries() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}


class Commands(TyperGroup):
    """The built-in commands first, then the plug-ins'; a plug-in is imported when it is called or listed."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Names in the order of `unseat --help`."""
        built_in = super().list_commands(ctx)
        return [*built_in, *sorted({name for name in _entries() if "." not in name} - set(built_in))]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A command by name; one whose code cannot be imported is there too, and says so when it is called."""
        built_in = super().get_command(ctx, cmd_name)
        if built_in is not None or cmd_name not in _entries():
            return built_in
        try:
            plugin = _entries()[cmd_name].load()
        except ImportError as error:
            plugin = _broken(cmd_name, error)
        command: Any = typer.main.get_command(plugin)
        command.name = cmd_name
        for name, entry in _entries().items():
            # Several tasks may bring to one command: `serve.serving` is what `serve` has of another one.
            if name.startswith(f"{cmd_name}."):
                part = name.removeprefix(f"{cmd_name}.")
                try:
                    found = typer.main.get_command(entry.load())
                except ImportError as error:
                    found = typer.main.get_command(_broken(name, error))
                command.add_command(found, part)
        return command


def _broken(name: str, error: ImportError) -> typer.Typer:
    plugin = typer.Typer()

    @plugin.command(help="Cannot be loaded.", context_settings=run.CONTEXT)
    def refuse() -> None:
        raise UserError(f"command {name} cannot be loaded: {error}; see `unseat doctor`") from error

    return plugin


app = typer.Typer(
    cls=Commands,
    help="Put a learned policy in the place of a system's heuristic, and measure whether it is better.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    add_completion=False,
    rich_markup_mode=None,
)


def version(wanted: bool) -> None:
    """Print the version and stop."""
    if wanted:
        from unseat import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def options(
    show: bool = typer.Option(False, "--version", callback=version, is_eager=True, help="Print the version and stop."),
) -> None:
    """Put a learned policy in the place of a system's heuristic, and measure whether it is better."""


app.command("doctor")(doctor.command)
app.command("tasks")(tasks.command)
app.command("run", cls=run.RunCommand, context_settings=run.CONTEXT)(run.command)
app.command("compare", cls=run.RunCommand, context_settings=run.CONTEXT)(compare.command)
app.command("report")(report.command)
app.command("replay")(replay.command)
app.command("export", cls=run.RunCommand, context_settings=run.CONTEXT)(export.command)
app.command("record")(record.command)
app.command("evolve")(evolve.command)
app.add_typer(data.app, name="data")
app.add_typer(arena.app, name="arena")
