"""Finding and fetching files, against a server on this machine that serves what real ones do when they fail."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from unseat.core.errors import UserError
from unseat.data import Manifest, fetch, load_manifest, locate, status, verify

CONTENT = bytes(range(256)) * 400


class Handler(BaseHTTPRequestHandler):
    """/good serves the file, /other other bytes, /short breaks off half-way, everything else is 404."""

    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.path not in ("/good", "/other", "/short"):
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        body = CONTENT[::-1] if self.path == "/other" else CONTENT
        self.wfile.write(body[: len(body) // 2] if self.path == "/short" else body)

    def log_message(self, format: str, *args: object) -> None:
        """Tests are silent."""


@pytest.fixture
def server() -> Iterator[tuple[str, list[str]]]:
    asked: list[str] = []
    handler = type("Bound", (Handler,), {"asked": asked})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}", asked
        running.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNSEAT_DATA", f"{tmp_path / 'one'}{os.pathsep}{tmp_path / 'two'}")
    monkeypatch.setenv("UNSEAT_CACHE", str(tmp_path / "cache"))


def manifest(tmp_path: Path, *places: str, embedded: bool = False) -> Manifest:
    place = 'embedded = "shipped.bin"' if embedded else f"urls = {[*places]!r}"
    path = tmp_path / "data.toml"
    path.write_text(
        f'version = 1\ntask = "demo"\n[[files]]\nname = "a.bin"\nsha256 = "{hashlib.sha256(CONTENT).hexdigest()}"\n'
        f'bytes = {len(CONTENT)}\n{place}\nlicence = "CC0-1.0"\nsource = "this test"\n'
    )
    return load_manifest(path)


def put(path: Path, content: bytes = CONTENT) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def left_in(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.rglob("*") if file.is_file())


def test_data_folders_come_before_the_cache(tmp_path: Path) -> None:
    """Red: a file that the user has is not found under its name or its task's folder, or the order is lost."""
    files = manifest(tmp_path, "http://127.0.0.1:9/never")
    cached = put(tmp_path / "cache/data/demo/a.bin")
    assert locate(files.files[0]) == cached
    second = put(tmp_path / "two/demo/a.bin")
    assert locate(files.files[0]) == second
    first = put(tmp_path / "one/a.bin")
    assert [(state.where, state.path) for state in status([files])] == [("found", first)]


def test_another_file_of_that_name_is_not_taken(tmp_path: Path) -> None:
    """Red: a wrong file in UNSEAT_DATA, or a damaged shipped one, is used, replaced or passed over in silence."""
    files = manifest(tmp_path, "http://127.0.0.1:9/never")
    wrong = put(tmp_path / "one/a.bin", b"mine")
    with pytest.raises(UserError, match="take its folder out of UNSEAT_DATA") as error:
        locate(files.files[0])
    assert str(wrong) in str(error.value) and wrong.read_bytes() == b"mine"
    shipped = manifest(tmp_path, embedded=True)
    assert status([shipped])[0].where == "missing"
    put(tmp_path / "shipped.bin", b"broken")
    with pytest.raises(UserError, match="reinstall unseat"):
        locate(shipped.files[0])


def test_a_download_goes_to_the_cache_once(tmp_path: Path, server: tuple[str, list[str]]) -> None:
    """Red: a file is fetched twice, under another name, or its state is told wrong before or after."""
    address, asked = server
    files = manifest(tmp_path, f"{address}/good")
    assert [state.where for state in status([files])] == ["missing"]
    assert [state.where for state in fetch([files], ["a.bin"])] == ["cached"]
    assert locate(files.files[0]).read_bytes() == CONTENT
    assert asked == ["/good"] and left_in(tmp_path / "cache") == ["a.bin"]
    with pytest.raises(UserError, match=r"no data file b\.bin"):
        fetch([files], ["b.bin"])


def test_mirrors_are_tried_in_order(tmp_path: Path, server: tuple[str, list[str]]) -> None:
    """Red: one dead, wrong or broken address stops the search, or its bytes stay behind."""
    address, asked = server
    places = [f"{address}/gone", f"{address}/other", f"{address}/short", f"{address}/good"]
    files = manifest(tmp_path, *places)
    assert locate(files.files[0]).read_bytes() == CONTENT
    assert asked == ["/gone", "/other", "/short", "/good"] and left_in(tmp_path / "cache") == ["a.bin"]


def test_failures_are_told_in_one_line(tmp_path: Path, server: tuple[str, list[str]]) -> None:
    """Red: a failed download leaves a partial file, a traceback, or no word on each address and what to do."""
    address, _ = server
    places = [f"{address}/gone", f"{address}/other", f"{address}/short", "http://127.0.0.1:9/closed"]
    files = manifest(tmp_path, *places)
    with pytest.raises(UserError) as error:
        locate(files.files[0])
    message = str(error.value)
    assert "\n" not in message and "a.bin" in message and "UNSEAT_DATA" in message
    for reason in ("/gone: HTTP 404", "/other: serves other bytes", "/short: the transfer broke", "/closed: no conn"):
        assert reason in message
    assert left_in(tmp_path / "cache") == []


def test_a_damaged_cached_file_is_fetched_again(tmp_path: Path, server: tuple[str, list[str]]) -> None:
    """Red: a corrupted cache is believed, or lost when it cannot be replaced."""
    address, _ = server
    cached = put(tmp_path / "cache/data/demo/a.bin", CONTENT[:-1] + b"?")
    with pytest.raises(UserError):
        locate(manifest(tmp_path, f"{address}/gone").files[0])
    assert cached.exists()
    files = manifest(tmp_path, f"{address}/good")
    assert [state.where for state in verify([files])] == ["damaged"]
    assert locate(files.files[0]).read_bytes() == CONTENT


def test_verify_hashes_again(tmp_path: Path) -> None:
    """Red: verify answers from memory although the bytes on the disk changed under the same size and time."""
    files = manifest(tmp_path, "http://127.0.0.1:9/never")
    path = put(tmp_path / "one/a.bin")
    before = path.stat()
    assert [state.where for state in verify([files])] == ["found"]
    path.write_bytes(CONTENT[::-1])
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert [state.where for state in verify([files])] == ["damaged"]


def test_a_cache_that_cannot_be_written_is_named(
    tmp_path: Path, server: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Red: a cache folder that cannot be made or written ends in a traceback instead of its name and a way out."""
    address, asked = server
    files = manifest(tmp_path, f"{address}/good")
    monkeypatch.setenv("UNSEAT_CACHE", str(put(tmp_path / "a-file")))
    with pytest.raises(UserError, match=r"a-file.*name another folder in UNSEAT_CACHE"):
        locate(files.files[0])
    if Path("/proc/self").exists():  # no one writes there, root neither
        monkeypatch.setenv("UNSEAT_CACHE", "/proc/self")
        with pytest.raises(UserError, match=r"/proc/self.*name another folder in UNSEAT_CACHE"):
            locate(files.files[0])
    assert asked == []


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX file size limits")
def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, server: tuple[str, list[str]]) -> None:
    """Red: a download that the disk cannot hold leaves a partial file or a traceback."""
    address, _ = server
    manifest(tmp_path, f"{address}/good")
    code = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from unseat.core.errors import UserError\n"
        "from unseat.data import load_manifest, locate\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, resource.RLIM_INFINITY))\n"
        "try: locate(load_manifest(Path(sys.argv[1])).files[0])\n"
        "except UserError as error: sys.exit(str(error))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "data.toml")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1 and "cannot take a download" in done.stderr and "UNSEAT_CACHE" in done.stderr
    assert len(done.stderr.splitlines()) == 1 and left_in(tmp_path / "cache") == []


def test_listing_needs_no_downloader(tmp_path: Path) -> None:
    """Red: naming or finding data imports Pooch and its network stack, which every start would then pay for."""
    path = put(tmp_path / "one/a.bin")
    manifest(tmp_path, "http://127.0.0.1:9/never")
    code = (
        "import sys\nfrom pathlib import Path\nfrom unseat.data import load_manifest, locate, status\n"
        "files = load_manifest(Path(sys.argv[1]))\nstatus([files])\nprint(locate(files.files[0]))\n"
        "assert not {'pooch', 'requests'} & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "data.toml")], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, str(path)), done.stderr


def test_a_file_in_folders_is_found_and_fetched(tmp_path: Path, server: tuple[str, list[str]]) -> None:
    """Red: a name with folders is looked for elsewhere, or its download makes no folders or leaves the cache."""
    address, _ = server
    manifest(tmp_path, f"{address}/good")
    path = tmp_path / "data.toml"
    path.write_text(path.read_text().replace("a.bin", "set/2g/a.bin"))
    files = load_manifest(path)
    assert locate(files.files[0]) == tmp_path / "cache/data/demo/set/2g/a.bin"
    assert [state.where for state in fetch([files], ["set/2g/a.bin"])] == ["cached"]
    mine = put(tmp_path / "one/demo/set/2g/a.bin")
    assert locate(files.files[0]) == mine
