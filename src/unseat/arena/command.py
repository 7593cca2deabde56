"""``unseat arena``: a competition and an event's site. Nothing heavy is imported before a command runs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from unseat.core.errors import MissingExtra, UserError

app = typer.Typer(help="A competition with hidden instances, and the site of an event.", no_args_is_help=True,
                  rich_markup_mode=None)  # fmt: skip

WHERE = typer.Argument(metavar="ARENA", help="The arena: a folder, made where there is none, or a database's URL.")
SERVER = typer.Option("--server", metavar="URL", help="The arena's address; by default $UNSEAT_ARENA.")
TOKEN = typer.Option("--token", metavar="TOKEN", help="Your API token; by default $UNSEAT_ARENA_TOKEN.")
LOCAL = "http://127.0.0.1:8700"


def installed() -> None:
    """Check that the extra is there.

    Raises:
        MissingExtra: It is not.
    """
    try:
        import alembic
        import argon2
        import fastapi
        import icalendar
        import itsdangerous
        import markdown_it
        import prometheus_client
        import python_multipart
        import uvicorn
        import yaml
    except ImportError as error:
        raise MissingExtra(f"the arena needs {error.name}: pip install 'unseat[arena]'") from error
    del alembic, argon2, fastapi, icalendar, itsdangerous, markdown_it
    del prometheus_client, python_multipart, uvicorn, yaml


@app.command("serve")
def serve(
    where: Annotated[str, WHERE] = "arena",
    host: Annotated[str, typer.Option("--host", help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Where to listen; 0 takes a free one.")] = 8700,
    title: Annotated[str, typer.Option("--title", help="Its name.")] = "Arena",
    https: Annotated[bool, typer.Option("--https", help="It is reached over HTTPS: cookies go nowhere else.")] = False,
    proxy: Annotated[str | None, typer.Option("--behind", metavar="ADDRESS",
                                              help="Believe what a proxy at this address says of clients.")] = None,
    workers: Annotated[int, typer.Option("--workers", min=0, help="Workers to run beside it.")] = 0,
) -> int:  # fmt: skip
    """Serve the arena's pages and API."""
    installed()
    from unseat.arena.running import serve as run

    return run(where, host, port, title, https, proxy, workers)


@app.command("worker")
def worker(
    where: Annotated[str, WHERE] = "arena",
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Instances of a submission to run at once.")] = 1,
    ray: Annotated[str | None, typer.Option("--ray", metavar="ADDRESS", help="Run them on a Ray cluster.")] = None,
    folder: Annotated[Path | None, typer.Option("--folder", metavar="DIR", help=(
        "Where it lays out hidden instances; on a cluster of several machines one that all of them see."))] = None,
    drain: Annotated[bool, typer.Option("--drain", help="End when nothing waits.")] = False,
    lease: Annotated[float, typer.Option("--lease", min=1, help="Seconds a job is held without a sign of life.")] = 60,
) -> int:  # fmt: skip
    """Score what was submitted, behind the sandbox; any number of these may run, on any machine."""
    installed()
    from unseat.arena.database import Database
    from unseat.arena.worker import Worker, work
    from unseat.sandbox import bubblewrap

    bubblewrap.required()
    done = work(Worker(Database(where), folder=folder, jobs=jobs, ray=ray, lease_s=lease), drain=drain)
    typer.echo(f"{done} submission{'' if done == 1 else 's'} scored")
    return 0


@app.command("track")
def track(
    spec: Annotated[Path, typer.Argument(metavar="FILE", help="What the track is, as TOML.")],
    where: Annotated[str, typer.Option("--arena", metavar="ARENA", help="The arena.")] = "arena",
) -> int:
    """Make a track from a TOML file."""
    installed()
    from unseat.arena import tracks
    from unseat.arena.database import Database

    made = tracks.create(Database(where), tracks.read_spec(spec))
    typer.echo(f"track {made.spec.slug} made; its {len(made.spec.references or [])} references wait for a worker")
    return 0


@app.command("invite")
def invite(
    where: Annotated[str, WHERE] = "arena",
    role: Annotated[str, typer.Option("--role", help="participant or organiser")] = "participant",
    track: Annotated[str | None, typer.Option("--track", help="For an invited track, and a new account too.")] = None,
    uses: Annotated[int, typer.Option("--uses", min=1, max=1000, help="How often it may be used.")] = 1,
) -> int:
    """Make an invitation, and print it."""
    installed()
    from unseat.arena import accounts, tracks
    from unseat.arena.database import Database, moment

    if role not in accounts.ROLES:
        raise UserError(f"--role {role}: there are {' and '.join(accounts.ROLES)}")
    with Database(where).write() as connection:
        number = tracks.by_slug(connection, track).id if track else None
        word = accounts.invite(connection, role, moment(connection), track=number, uses=uses)
    typer.echo(f"/sign-up?invitation={word}")
    return 0


@app.command("open")
def open_(
    where: Annotated[str, WHERE] = "arena",
    closed: Annotated[bool, typer.Option("--closed", help="By invitation only, which is how an arena begins.")] = False,
) -> int:
    """Let everybody make an account."""
    installed()
    from unseat.arena.database import Database
    from unseat.arena.running import set_sign_up

    set_sign_up(Database(where), not closed)
    typer.echo("accounts by invitation only" if closed else "everybody may make an account")
    return 0


@app.command("kit")
def kit(
    track: Annotated[str, typer.Argument(metavar="TRACK", help="Name of the track.")],
    server: Annotated[str | None, SERVER] = None,
    where: Annotated[str | None, typer.Option("--arena", metavar="ARENA", help="An arena here, instead.")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="DIR", help="The folder to write.")] = None,
) -> int:
    """Write a folder with a submission that works, a scorer on public instances and a README."""
    from unseat.arena import kit as kits

    folder = output or Path(track)
    for name in kits.write(_told(track, server, where), folder):
        typer.echo(str(folder / name))
    return 0


@app.command("try")
def try_(
    submission: Annotated[Path, typer.Argument(metavar="FOLDER", help="The submission.")],
    track: Annotated[str, typer.Option("--track", metavar="TRACK", help="Name of the track.")],
    server: Annotated[str | None, SERVER] = None,
    where: Annotated[str | None, typer.Option("--arena", metavar="ARENA", help="An arena here, instead.")] = None,
) -> int:
    """Score a submission here, on public instances, as the arena would."""
    from unseat.arena import local
    from unseat.arena.tracks import Spec, checked

    told = {name: value for name, value in _told(track, server, where).items() if name in Spec.model_fields}
    spec = checked({**told, **({} if told.get("suite") else {"seed": 0})}, track)
    typer.echo(local.report(submission, spec), nl=False)
    return 0


@app.command("submit")
def submit(
    submission: Annotated[Path, typer.Argument(metavar="FOLDER_OR_ZIP", help="What to submit.")],
    track: Annotated[str, typer.Option("--track", metavar="TRACK", help="Name of the track.")],
    server: Annotated[str | None, SERVER] = None,
    token: Annotated[str | None, TOKEN] = None,
    name: Annotated[str | None, typer.Option("--name", help="Its name on the board; by default the folder's.")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the score, and print it.")] = False,
) -> int:
    """Submit to a track."""
    from unseat.arena.client import Client

    client = Client(server or os.environ.get("UNSEAT_ARENA") or LOCAL, token or os.environ.get("UNSEAT_ARENA_TOKEN"))
    number = client.submit(track, name or submission.stem, submission)
    typer.echo(f"submitted as {number}")
    if not wait:
        return 0
    found = client.wait(number)
    typer.echo(f"{found['state']}{': ' + found['reason'] if found['reason'] else ''}")
    for one in found["each"]:
        typer.echo(f"  instance {one['number'] + 1}  {one['status']}  {one['value']:.6g}  {one['key'][:16]}")
    return 0 if found["state"] == "scored" and all(one["status"] == "ok" for one in found["each"]) else 1


@app.command("backup")
def backup(
    where: Annotated[str, WHERE] = "arena",
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="The file to write.")] = Path(
        "arena-backup.zip"
    ),
) -> int:
    """Write all of an arena to one file, while it goes on; the file holds its secrets."""
    installed()
    from unseat.arena.backup import backup as run
    from unseat.arena.database import Database

    typer.echo(f"{run(Database(where), output)} rows written to {output}")
    return 0


@app.command("restore")
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A backup.")],
    where: Annotated[str, WHERE] = "arena",
) -> int:
    """Fill a new arena from a backup: SQLite or PostgreSQL, whichever it came from."""
    installed()
    from unseat.arena.backup import restore as run
    from unseat.arena.database import Database

    typer.echo(f"{run(Database(where), file)} rows restored")
    return 0


@app.command("publish")
def publish(
    track: Annotated[str, typer.Argument(metavar="TRACK", help="A track that has ended.")],
    where: Annotated[str, typer.Option("--arena", metavar="ARENA", help="The arena.")] = "arena",
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="The file to write.")] = None,
) -> int:
    """Write a track's hidden instances, submissions and runs to an archive that `unseat replay` reads."""
    installed()
    from unseat.arena.database import Database
    from unseat.arena.publish import publish as run

    path = output or Path(f"{track}.zip")
    typer.echo(f"{run(Database(where), track, path)} runs written to {path}")
    return 0


@app.command("site")
def site(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The event: site.yaml, and a folder a year.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="The folder to write.")] = Path("site"),
    check: Annotated[bool, typer.Option("--check", help="Write nothing: list contradictions and dead links.")] = False,
) -> int:
    """Write an event's static site, from Markdown and YAML."""
    installed()
    from unseat.arena import event as sites

    if not folder.is_dir():
        raise UserError(f"{folder}: there is no such folder")
    event = sites.read(folder)
    if not check:
        made = sites.render(event, output)
        typer.echo(f"{len(made)} files written to {output}; open {output / 'index.html'}")
        return 0
    found = sites.check(event)
    for line in found:
        typer.echo(line)
    typer.echo(f"{len(found)} thing{'' if len(found) == 1 else 's'} to look at" if found else "nothing is wrong")
    return 1 if found else 0


def _told(track: str, server: str | None, where: str | None) -> dict[str, Any]:
    """What a server, or an arena on this machine, tells of a track."""
    if where is None:
        from unseat.arena.client import Client

        return Client(server or os.environ.get("UNSEAT_ARENA") or LOCAL, None).track(track)
    installed()
    from unseat.arena import tracks
    from unseat.arena.database import Database

    with Database(where).read() as connection:
        return tracks.shown(tracks.by_slug(connection, track).spec)
