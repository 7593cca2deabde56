"""The one place that reaches the network for data: Pooch, address after address, into the cache."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Any

import pooch
import requests
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from unseat.core.errors import UserError
from unseat.data.manifest import FileEntry

_TIMEOUT_S = 30  # without a byte


def download(entry: FileEntry, target: Path) -> Path:
    """Fetch a file from the first of its addresses that serves the right bytes.

    The bytes go to a temporary file beside the target, which takes the target's name once the hash is right.

    Raises:
        UserError: the folder cannot take the file, or no address serves it.
    """
    _check_folder(target.parent)
    pooch.get_logger().setLevel(logging.ERROR)
    failures = []
    for url in entry.urls:
        try:
            with _Bar(entry.name) as progress:
                fetcher = pooch.HTTPDownloader(progressbar=progress, chunk_size=2**16, timeout=_TIMEOUT_S)
                pooch.retrieve(url, ":".join(entry.hash), target.name, str(target.parent), downloader=fetcher)
            return target
        except requests.RequestException as error:
            failures.append(f"{url}: {_reason(error)}")
        except ValueError:
            failures.append(f"{url}: serves other bytes ({entry.hash_name} differs)")
        except OSError as error:
            raise _folder_error(target.parent, error) from error
    raise UserError(
        f"{entry.name} ({size(entry.bytes)}) is not here and could not be fetched: {'; '.join(failures)}. "
        f"Put it into a folder named by UNSEAT_DATA, or fetch again later"
    )


def size(count: int | None) -> str:
    """A file's size in words."""
    return "of unknown size" if count is None else f"{count:,} bytes"


def _check_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".probe-{os.getpid()}"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise _folder_error(folder, error) from error


def _folder_error(folder: Path, error: OSError) -> UserError:
    return UserError(
        f"the cache folder {folder} cannot take a download: {error.strerror or error}; "
        "make room or make it writable, or name another folder in UNSEAT_CACHE"
    )


def _reason(error: requests.RequestException) -> str:
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"HTTP {error.response.status_code}"
    if isinstance(error, requests.Timeout):
        return f"no answer within {_TIMEOUT_S} s"
    return "no connection" if isinstance(error, requests.ConnectionError) else "the transfer broke"


class _Bar:
    """What Pooch asks of a progress bar, drawn by Rich on standard error; silent where that is no terminal."""

    def __init__(self, name: str) -> None:
        self.total = 0
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
        self._progress = Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty())
        self._task = self._progress.add_task(name, total=None)

    def __enter__(self) -> _Bar:
        self._progress.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._progress.stop()

    def update(self, count: int) -> None:
        """More bytes are there."""
        self._progress.update(self._task, advance=count, total=self.total or None)

    def reset(self) -> None:
        """Back to nothing; Pooch then adds the whole."""
        self._progress.update(self._task, completed=0)

    def close(self) -> None:
        """The transfer ended; leaving the context stops drawing."""
