"""What a candidate may use, and the defences that hold it to that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Defence(StrEnum):
    """One barrier. All are on; only the tests that show what each is for switch one off."""

    ENVIRONMENT = "environment"  # an empty environment: no keys
    SYSTEM = "system"  # only the interpreter's folders are there, and not this machine's
    READ_ONLY = "read-only"  # what is there of the machine cannot be written to
    PROJECT = "project"  # unseat's own files, with the test set among them, are covered
    PRIVATE_FILES = "private files"  # an empty temporary folder for each candidate
    NETWORK = "network"  # a network without interfaces
    PROCESSES_APART = "processes apart"  # sees and signals only its own processes, which end with it
    UNPRIVILEGED = "unprivileged"  # a user of its own, that owns nothing
    PRIVILEGES = "privileges"  # no capabilities, and none to be gained
    CALLS = "calls"  # a seccomp filter
    DESCRIPTORS = "descriptors"  # inherits nothing that is open
    FRESH_PROCESS = "fresh process"  # never one process for two candidates
    PROCESSES = "processes"
    MEMORY = "memory"
    DISK = "disk"
    FILE_SIZE = "file size"
    OPEN_FILES = "open files"
    CPU = "cpu"
    WALL = "wall"
    OUTPUT = "output"


ALL = frozenset(Defence)


@dataclass(frozen=True, slots=True)
class Cage:
    """Limits of one candidate, all its processes together.

    Attributes:
        wall_s: Seconds until it is killed.
        cpu_s: CPU seconds.
        memory: Bytes of memory beyond what the interpreter and the preloaded modules take.
        processes: Processes and threads.
        temporary: Bytes of each of its two temporary file systems (``/tmp`` and ``/dev/shm``).
        file_bytes: Bytes of one file.
        open_files: Descriptors a process may hold.
        output: Bytes of its answer; what it prints is held to the same.
    """

    wall_s: float = 10.0
    cpu_s: float = 10.0
    memory: int = 512 << 20
    processes: int = 16
    temporary: int = 64 << 20
    file_bytes: int = 32 << 20
    open_files: int = 64
    output: int = 16 << 20

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not value > 0:
                raise ValueError(f"limit {name} is {value}; it must be above zero")

    def to_json(self) -> Mapping[str, Any]:
        """The limits as plain JSON."""
        return asdict(self)
