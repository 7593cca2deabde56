"""The arena's API from outside: what `unseat arena submit` and `kit` use."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests

from unseat.arena.packing import folder_files, kind_of, packed, unpacked
from unseat.core.errors import UserError

_TRIES, _WAIT_S, _LOOK_S = 5, 60.0, 1.0


class Client:
    """One server.

    Args:
        address: Its address.
        token: An API token; what only reads needs none.
    """

    def __init__(self, address: str, token: str | None) -> None:
        self.address, self._session = address.rstrip("/"), requests.Session()
        if token:
            self._session.headers["authorization"] = f"Bearer {token}"

    def track(self, slug: str) -> dict[str, Any]:
        """What the server tells of a track."""
        return dict(self._ask("GET", f"/api/tracks/{quote(slug, safe='')}"))

    def board(self, slug: str) -> dict[str, Any]:
        """A track's board, all of its pages."""
        found = dict(self._ask("GET", f"/api/tracks/{quote(slug, safe='')}/board"))
        for page in range(2, int(found["pages"]) + 1):
            more = self._ask("GET", f"/api/tracks/{quote(slug, safe='')}/board", params={"page": page})
            found["rows"] += more["rows"]
        return found

    def submit(self, slug: str, name: str, what: Path) -> str:
        """Submit a folder or an archive; gives its id.

        Raises:
            UserError: It is refused, here already or by the server.
        """
        if what.is_dir():
            archive = packed(folder_files(what))
        elif what.is_file():
            archive = what.read_bytes()
        else:
            raise UserError(f"{what}: there is no such file or folder")
        kind_of(unpacked(archive))
        made = self._ask("POST", f"/api/tracks/{quote(slug, safe='')}/submissions", params={"name": name}, data=archive,
                         headers={"content-type": "application/zip"})  # fmt: skip
        return str(made["id"])

    def submission(self, number: str) -> dict[str, Any]:
        """A submission as it stands."""
        return dict(self._ask("GET", f"/api/submissions/{quote(number, safe='')}"))

    def wait(self, number: str) -> dict[str, Any]:
        """Wait until a submission is scored or failed."""
        while True:
            found = self.submission(number)
            if found["state"] in ("scored", "failed"):
                return found
            time.sleep(_LOOK_S)

    def _ask(self, method: str, path: str, **more: Any) -> Any:
        for tried in range(_TRIES):
            try:
                answer = self._session.request(method, self.address + path, timeout=_WAIT_S, **more)
            except requests.RequestException as error:
                raise UserError(f"{self.address}: cannot be reached ({type(error).__name__}); "
                                "give the arena's address with --server") from error  # fmt: skip
            # A server whose database is away, or that is asked too much, says so and has changed nothing.
            if answer.status_code != 503 or tried + 1 == _TRIES:
                break
            time.sleep(2.0**tried)
        try:
            content = answer.json()
        except ValueError as error:
            raise UserError(f"{self.address}: this is no arena (status {answer.status_code})") from error
        if answer.status_code >= 400:
            raise UserError(f"{self.address}: {content.get('detail', answer.status_code)}")
        return content
