"""``unseat codemod``: learn a rule from a few edits, and apply it elsewhere."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Annotated

import typer

from unseat.core.errors import UserError

app = typer.Typer(help="Learn a rule from a few edits, and apply it elsewhere.", no_args_is_help=True)


@app.callback()
def _several() -> None:
    """Learn a rule from a few edits, and apply it elsewhere."""


@app.command("learn")
def learn(
    before: Annotated[Path, typer.Option(help="a file or folder as it was")],
    after: Annotated[Path, typer.Option(help="the same after the edits; files without edits must stay as they are")],
    output: Annotated[Path, typer.Option("-o", "--output", help="where the rule goes")] = Path("rule.py"),
    seconds: Annotated[float, typer.Option(help="how long to look at most")] = 60.0,
) -> int:
    """Learn a rule from edits by anti-unification; it is a Python file that can be read."""
    import time

    from unseat.tasks.codemod.folders import read
    from unseat.tasks.codemod.pairs import scored
    from unseat.tasks.codemod.policies import terms
    from unseat.tasks.codemod.rules.apply import Rules, as_source
    from unseat.tasks.codemod.rules.rewrite import cautions
    from unseat.tasks.codemod.rules.words import told
    from unseat.tasks.codemod.synthesis.learn import learn as learned

    found = read(before, after)
    if not found.shown:
        raise UserError(f"{before} and {after} hold the same code; a rule needs edits to learn from")
    pairs = [*found.shown, *found.kept]
    until = time.monotonic() + seconds
    rules = learned(terms(found.shown, [pair.before for pair in found.kept]), until=until)
    if not rules:
        raise UserError(
            f"no rule makes two of the edits from {before} to {after} and no other; show more edits of one kind"
        )
    transform = Rules(rules)
    score = scored(pairs, [transform(pair.before) for pair in pairs])
    about = f"Learned by unseat from {len(found.shown)} edited files and {len(found.kept)} that stay."
    try:
        output.write_text(as_source(rules, about), encoding="utf-8")
    except OSError as error:
        raise UserError(f"{output}: cannot be written ({error.strerror or error}); give another path") from error
    for rule in rules:
        typer.echo("\n".join(told(rule)) + "\n")
    cautious = sum(map(cautions, rules))
    typer.echo(f"{output}: {len(rules) - cautious} rules and {cautious} cautions, which make {score.right} of the "
               f"{len(found.shown)} edited files and change {score.wrong} otherwise\n"
               f"next: unseat codemod apply {output} FOLDER")  # fmt: skip
    return 0


@app.command("apply")
def apply(
    rule: Annotated[Path, typer.Argument(help="a file that `learn` wrote, or any with transform(source) or a LibCST "
                                              "Transform")],
    paths: Annotated[list[Path], typer.Argument(help="files and folders to transform")],
    write: Annotated[bool, typer.Option("--write", help="write the files; otherwise only the diff is shown")] = False,
    tests: Annotated[str | None, typer.Option(help="a command that must succeed before and after; what it does not "
                                                   "show to be unchanged is refused")] = None,
    root: Annotated[Path, typer.Option(help="the folder in which the tests run, with all of the paths in it")] = Path(),
    trust: Annotated[bool, typer.Option("--trust", help="without bubblewrap: run the rule with all of your rights")] =
        False,
) -> int:  # fmt: skip
    """Show what a rule changes, and write it; the rule runs in a sandbox."""
    from unseat.core.policy import InvalidAnswer
    from unseat.tasks.codemod.applying import applied, remaining
    from unseat.tasks.codemod.folders import python_files, text_of
    from unseat.tasks.codemod.proving import proven

    files = list(dict.fromkeys(file for path in paths for file in python_files(path)))
    texts = [text_of(file) for file in files]
    source = _source(rule)
    done = applied(source, texts, trust)
    failed = [file for file, new in zip(files, done.files, strict=True) if new is None]
    changed = {file: new for file, old, new in zip(files, texts, done.files, strict=True) if new not in (None, old)}
    for file, old in zip(files, texts, strict=True):
        if file in changed:
            _parses(file, changed[file] or "", rule)
            lines = difflib.unified_diff(
                old.splitlines(True), (changed[file] or "").splitlines(True), str(file), str(file)
            )
            typer.echo("".join(lines), nl=False)
    for file in failed:
        typer.echo(f"{file}: the rule fails on it; it stays as it is", err=True)
    refused: dict[Path, str] = {}
    if tests is not None and changed:
        refused = proven(root, tests, {file: new or "" for file, new in changed.items()})
        for file, why in refused.items():
            typer.echo(f"{file}: refused: {why}", err=True)
    kept = {file: new or "" for file, new in changed.items() if file not in refused}
    if write:
        for file, new in kept.items():
            file.write_text(new, encoding="utf-8")
    same = [(file, old) for file, old, new in zip(files, texts, done.files, strict=True) if new == old]
    try:
        said = remaining(source, [old for _, old in same], trust)
    except InvalidAnswer:
        said = [""] * len(same)  # it takes longer than the change, which is made
    halves = {file: what for (file, _), what in zip(same, said, strict=True) if what}
    for file, what in halves.items():
        typer.echo(f"{file}: left alone: the rules know no change of {what}, and it would be done by half", err=True)
    did = "changed" if write else "would change (--write writes them)"
    more = (f", {len(refused)} refused" if refused else "") + (f", {len(halves)} left alone" if halves else "")
    typer.echo(f"{len(kept)} of {len(files)} files {did}{more}")
    return 1 if refused or failed else 0


def _source(rule: Path) -> str:
    try:
        return rule.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{rule}: cannot be read ({error}); `unseat codemod learn` writes a rule") from error


def _parses(file: Path, text: str, rule: Path) -> None:
    import ast

    try:
        ast.parse(text)
    except (SyntaxError, ValueError) as error:
        raise UserError(f"{file}: what {rule} makes of it is no Python: {error}; nothing was written") from error
