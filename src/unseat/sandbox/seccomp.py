"""System calls that no candidate needs, as a filter made by libseccomp; the sandbox holds without it, but less firmly.

What is refused: other processes' memory, namespaces and mounts, the kernel's keys and programs, and memory that no
process holds mapped (`memfd_create`, System V segments, `io_uring`), which a watcher on resident pages would not see.
"""

from __future__ import annotations

import ctypes
import os
from ctypes.util import find_library
from functools import cache

_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_EPERM, _ENOSYS = 1, 38
_MASKED_EQUAL = 7
_REFUSED = (
    "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "kcmp", "pidfd_getfd", "mount", "umount2",
    "pivot_root", "chroot", "unshare", "setns", "move_mount", "open_tree", "fsopen", "fsconfig", "fsmount", "fspick",
    "mount_setattr", "add_key", "request_key", "keyctl", "bpf", "perf_event_open", "userfaultfd", "io_uring_setup",
    "io_uring_enter", "io_uring_register", "memfd_create", "memfd_secret", "shmget", "shmat", "shmctl", "msgget",
    "msgsnd", "msgrcv", "semget", "semop", "mq_open", "kexec_load", "kexec_file_load", "init_module", "finit_module",
    "delete_module", "reboot", "swapon", "swapoff", "acct", "quotactl", "settimeofday", "clock_settime",
    "clock_adjtime", "adjtimex", "sethostname", "setdomainname", "iopl", "ioperm", "syslog", "open_by_handle_at",
    "name_to_handle_at", "personality", "fanotify_init", "lookup_dcookie", "nfsservctl", "vhangup",
)  # fmt: skip
_NEW_NAMESPACES = (0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000)


class _Compare(ctypes.Structure):
    _fields_ = (("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64))


@cache
def _library() -> ctypes.CDLL | None:
    name = find_library("seccomp") or "libseccomp.so.2"
    try:
        library = ctypes.CDLL(name)
    except OSError:
        return None
    library.seccomp_init.restype = ctypes.c_void_p
    library.seccomp_rule_add_array.argtypes = (
        ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint, ctypes.POINTER(_Compare),
    )  # fmt: skip
    library.seccomp_export_bpf.argtypes = (ctypes.c_void_p, ctypes.c_int)
    library.seccomp_release.argtypes = (ctypes.c_void_p,)
    return library


def version() -> str | None:
    """Libseccomp's version; None where it is missing."""
    library = _library()
    if library is None:
        return None
    library.seccomp_version.restype = ctypes.POINTER(ctypes.c_uint * 3)
    return ".".join(map(str, library.seccomp_version().contents))


@cache
def program() -> bytes:
    """The filter as BPF instructions; empty where libseccomp is missing.

    Raises:
        OSError: Libseccomp cannot make it.
    """
    library = _library()
    if library is None:
        return b""
    context = library.seccomp_init(_ALLOW)
    if not context:
        raise OSError("libseccomp gives no filter")
    try:
        for name in _REFUSED:
            _refuse(library, context, name, _EPERM)
        # Its flags lie in memory, where a filter cannot read them; without it the C library falls back on clone.
        _refuse(library, context, "clone3", _ENOSYS)
        for flag in _NEW_NAMESPACES:
            _refuse(library, context, "clone", _EPERM, flag)
        file = os.memfd_create("filter")
        try:
            if library.seccomp_export_bpf(context, file):
                raise OSError("libseccomp cannot export its filter")
            return os.pread(file, os.fstat(file).st_size, 0)
        finally:
            os.close(file)
    finally:
        library.seccomp_release(context)


def _refuse(library: ctypes.CDLL, context: int, name: str, error: int, flag: int | None = None) -> None:
    number = library.seccomp_syscall_resolve_name(name.encode())
    if number == -1:
        return  # a call that this version does not know
    compare = [] if flag is None else [_Compare(0, _MASKED_EQUAL, flag, flag)]
    array = (_Compare * len(compare))(*compare)
    failed = library.seccomp_rule_add_array(context, _ERRNO | error, number, len(compare), array)
    # Calls that this machine does not have lie outside the filter.
    if failed and number >= 0:
        raise OSError(f"libseccomp takes no rule for {name}: {os.strerror(-failed)}")
