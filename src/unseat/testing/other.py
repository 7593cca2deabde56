"""The other process of `check_other_process`: reads a request on standard input, and prints what it found as JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from unseat.core import registry
from unseat.core.policy import Artefact
from unseat.testing.base import content, decided, run


def main() -> None:
    """Load the task, the problems and the policies, and run them."""
    request = json.loads(sys.stdin.read())
    task = registry.task(request["task"])
    chosen = [task.instance(name) for name in request["instances"]]
    outcomes = {}
    for name, folder in request["folders"].items():
        policy = Artefact.load(Path(folder)).restore()
        outcomes[name] = {one.id: decided(run(task, one, policy)) for one in reversed(chosen)}
    problems = {one.id: content(task.load(one)) for one in chosen}
    found = {"known": [content(list(task.instances()))], "problems": problems, "outcomes": outcomes}
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
