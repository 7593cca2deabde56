"""From the files of a submission to a policy that the laboratory can run."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from unseat.arena.packing import Refused
from unseat.core.answers import Answers, from_plain
from unseat.core.policy import Form, Policy

if TYPE_CHECKING:
    from unseat.arena.tracks import Spec
    from unseat.core.task import Task

ENTRY = "Policy"
"""What `policy.py` must define: a class, or a function without arguments, that gives the policy."""
_UNPACK = """\
import base64, os, sys
FILES = {files}
HERE = "/tmp/submission"
for name, content in FILES.items():
    path = os.path.join(HERE, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(base64.b85decode(content))
sys.path.insert(0, HERE)
os.chdir(HERE)
from policy import {entry}
"""


def takes(task: Task) -> list[str]:
    """The kinds of submission that a task can score."""
    # A stranger's policy gives answers only: of a space, or whole ones. No object of its own comes out of the sandbox.
    plain = Form.ANSWERS in task.forms or all(one.action is not None for one in task.questions.values())
    found = ["policy"] if Form.DECIDE in task.forms and plain else []
    if Form.PROGRAM in task.forms and task.program() is not None:
        found.append("program")
    if Form.ANSWERS in task.forms:
        found.append("answers")
    return found


def policy_of(kind: str, name: str, files: Mapping[str, bytes], task: Task, spec: Spec) -> Policy:
    """The policy that a submission is; nothing of it has run yet.

    Args:
        kind: What it is, by `kind_of`.
        name: Its name in tables.
        files: Its files.
        task: The track's task.
        spec: The track, for the limits of the sandbox.

    Raises:
        Refused: It cannot be one.
    """
    if kind == "policy":
        from unseat.sandbox import Remote

        limits = {"wall_s": spec.answer_s, "memory": spec.memory, "cpu_s": 2 * spec.wall_s}
        return Remote(name, _source(files), ENTRY, {}, limits)
    if kind == "program":
        from unseat.sandbox.program import ProgramError

        offer = task.program()
        if offer is None:
            raise Refused(f"task {task.card.id} takes no programs")
        try:
            text = _text(files["program.py"], "program.py")
            offer.compiled(text)
        except ProgramError as error:
            raise Refused(f"program.py: {error}") from error
        return offer.policy(name, text)
    return Answers(name, _answers(files["answers.json"]))


def _source(files: Mapping[str, bytes]) -> str:
    """One text: the file itself where it is alone, else one that unpacks them all inside the sandbox."""
    source = _text(files["policy.py"], "policy.py")
    try:
        compile(source, "policy.py", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise Refused(f"policy.py, line {getattr(error, 'lineno', None) or 1}: {str(error)[:200]}") from error
    if len(files) == 1:
        return source
    encoded = {name: base64.b85encode(content).decode() for name, content in sorted(files.items())}
    return _UNPACK.format(files=repr(encoded), entry=ENTRY)


def _answers(content: bytes) -> dict[str, Any]:
    try:
        # Numbers that are none would come back from the scorer; there are none in an answer.
        found = json.loads(content.decode(), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise Refused(f"answers.json: it is not JSON ({str(error)[:80]})") from error
    if not isinstance(found, dict) or not found:
        raise Refused("answers.json: it must be an object: an instance's name to its answer")
    answers: dict[str, Any] = from_plain(found, {}) if "__array__" not in str(content) else {}
    if not answers:
        raise Refused("answers.json: arrays are written as lists")
    return answers


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number")


def _text(content: bytes, name: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise Refused(f"{name}: it is not text in UTF-8 ({error.reason} at byte {error.start})") from error
