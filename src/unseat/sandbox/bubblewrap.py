"""The command that puts a process into namespaces of its own; https://github.com/containers/bubblewrap."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from unseat.core.errors import UserError
from unseat.sandbox.limits import Defence

INSTALL = "apt-get install bubblewrap"
INSIDE = Path(__file__).parent / "inside"
PACKAGE = Path(__file__).parents[1]
_CAPABILITIES = ("SYS_ADMIN", "SETUID", "SETGID", "SETPCAP", "KILL", "SYS_PTRACE", "SYS_RESOURCE")


@cache
def found() -> str | None:
    """Bubblewrap's version; None where it is missing, or namespaces are forbidden."""
    program = shutil.which("bwrap")
    if program is None:
        return None
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    tried = [program, "--unshare-all", "--ro-bind", "/", "/", "--", shutil.which("true") or "/bin/true"]
    works = subprocess.run(tried, capture_output=True, check=False).returncode == 0
    return (told.strip() or "found") if works else None


def required() -> None:
    """See that there is a sandbox.

    Raises:
        UserError: There is none.
    """
    if found() is None:
        raise UserError(
            "running code that nobody has read needs bubblewrap, which is missing here (or may not make namespaces); "
            f"install it with `{INSTALL}`, or pass --trust to run the code with all of your rights: it could then "
            "read your files and keys, use the network, and report any score"
        )


def command(on: frozenset[Defence], temporary: int, readable: Sequence[Path], control: int) -> list[str]:
    """The command line that starts the warm parent in a sandbox.

    Args:
        on: Defences.
        temporary: Bytes of its own temporary file system.
        readable: Files and folders that can be read inside, besides the interpreter's.
        control: Descriptor of the socket to the scorer.
    """
    words = ["bwrap", "--die-with-parent", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try",
             "--new-session", "--cap-drop", "ALL"]  # fmt: skip
    if os.getuid() != 0:
        # As root of its own namespace, or bubblewrap makes a second one inside, from which nothing can be mounted.
        words += ["--unshare-user", "--uid", "0", "--gid", "0"]
    for name in _CAPABILITIES:
        words += ["--cap-add", f"CAP_{name}"]
    if Defence.NETWORK in on:
        words.append("--unshare-net")
    if Defence.ENVIRONMENT in on:
        words.append("--clearenv")
    words += ["--setenv", "PATH", "/usr/bin:/bin", "--setenv", "HOME", "/tmp", "--setenv", "LANG", "C.UTF-8",
              "--setenv", "NUMBA_CACHE_DIR", "/tmp/numba"]  # fmt: skip
    bind = "--ro-bind" if Defence.READ_ONLY in on else "--bind"
    if Defence.SYSTEM not in on:
        words += [bind, "/", "/"]
    words += list(_folders(bind, readable)) if Defence.SYSTEM in on else []
    words += ["--proc", "/proc", "--dev", "/dev", "--size", str(temporary), "--tmpfs", "/tmp"]
    for path in readable if Defence.SYSTEM in on else ():
        if path.is_relative_to("/tmp"):
            words += [bind, str(path), str(path)]
    if Defence.READ_ONLY in on:
        words += ["--dir", "/dev/shm", "--remount-ro", "/dev", "--remount-ro", "/"]
    return [*words, "--chdir", "/", "--", *interpreter(control)]


def interpreter(control: int) -> list[str]:
    """The warm parent's own command line."""
    return [os.path.realpath(sys.executable), "-I", "-S", "-B", str(INSIDE), str(control)]


def path() -> list[str]:
    """Where the warm parent finds modules: the folders where this process finds them."""
    return [each for each in sys.path if each and os.path.isdir(each)]  # noqa: PTH112 (a closed folder is none)


def compiled_kernels() -> dict[str, str]:
    """Folders of kernels that Numba has compiled on this machine, and what each is called in a cache of its own."""
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    if chosen:
        return {str(folder): folder.name for folder in Path(chosen).absolute().iterdir() if folder.is_dir()}
    from numba.core.caching import _CacheLocator  # the name is a hash of the source's folder

    sources = [folder.parent for folder in PACKAGE.rglob("__pycache__") if next(folder.glob("*.nbi"), None)]
    return {str(folder / "__pycache__"): _CacheLocator.get_suitable_cache_subpath(str(folder / "x.py"))
            for folder in sources}  # fmt: skip


def _folders(bind: str, readable: Sequence[Path]) -> Iterator[str]:
    """The system's programs and libraries, the interpreter, its packages, and unseat's own; nothing else is there."""
    for name in ("bin", "sbin", "lib", "lib64", "lib32"):
        folder = Path("/", name)
        if folder.is_symlink():
            yield from ("--symlink", str(folder.readlink()), str(folder))
        elif folder.is_dir():
            yield from (bind, str(folder), str(folder))
    packages = [Path(each) for each in path() if Path(each).name in ("site-packages", "dist-packages")]
    wanted = [Path("/usr"), Path(sys.base_prefix), *packages, PACKAGE, *readable]
    # What leads to them must be open to the candidate's user, whatever it is out here.
    above = {parent for one in wanted for parent in one.absolute().parents if not parent.is_relative_to("/tmp")}
    for folder in sorted(above, key=lambda one: len(one.parts))[1:]:
        yield from ("--perms", "0755", "--dir", str(folder))
    for folder in sorted({one.absolute() for one in wanted}, key=lambda one: len(one.parts)):
        if not folder.is_relative_to("/tmp"):
            yield from (bind, str(folder), str(folder))
