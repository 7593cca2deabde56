"""The few calls of Linux that Python 3.11 does not offer."""

from __future__ import annotations

import ctypes
import os

LIBC = ctypes.CDLL(None, use_errno=True)
NEWNS, NEWIPC, NEWPID = 0x00020000, 0x08000000, 0x20000000
RDONLY, NOSUID, NODEV, NOEXEC, PRIVATE = 1, 2, 4, 8, (1 << 18) | (1 << 14)
_NO_NEW_PRIVS, _SECCOMP, _FILTER, _CAP_DROP, _AMBIENT = 38, 22, 2, 24, 47
_CAPS_VERSION_3 = 0x20080522


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def _checked(result: int, what: str) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def keep_nice() -> None:
    """Be as nice as whoever started us: Linux may weigh a new session as a group of its own, which begins at nice 0."""
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    try:
        if nice > 0:
            with open("/proc/self/autogroup", "w") as group:
                group.write(str(nice))
    except OSError:
        pass


def unshare(flags: int) -> None:
    """Leave namespaces for new ones.

    Raises:
        OSError: It is not allowed.
    """
    _checked(LIBC.unshare(flags), "unshare")


def setns(descriptor: int, kind: int) -> None:
    """Enter a namespace; children are made in it.

    Raises:
        OSError: It is not allowed.
    """
    _checked(LIBC.setns(descriptor, kind), "setns")


def mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    """Mount.

    Raises:
        OSError: It is not allowed.
    """
    texts = [text.encode() or None for text in (source, target, kind)]
    done = LIBC.mount(texts[0], texts[1], texts[2], ctypes.c_ulong(flags), options.encode() or None)
    _checked(done, f"mount {target}")


def bound_privileges() -> None:
    """See that no capability can be gained any more by what is executed."""
    for capability in range(64):
        if LIBC.prctl(_CAP_DROP, capability, 0, 0, 0):
            break


def give_up_privileges() -> None:
    """Drop every capability, for good.

    Raises:
        OSError: The kernel refused.
    """
    LIBC.prctl(_AMBIENT, 4, 0, 0, 0)
    header, none = (ctypes.c_uint32 * 2)(_CAPS_VERSION_3, 0), (ctypes.c_uint32 * 6)()
    _checked(LIBC.capset(header, none), "capset")
    _checked(LIBC.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")


def filter_calls(program: bytes) -> None:
    """Hold this process and its descendants to a seccomp filter.

    Args:
        program: The filter as BPF instructions of eight bytes.

    Raises:
        OSError: The kernel refused.
    """
    code = ctypes.create_string_buffer(program, len(program))
    whole = _Program(len(program) // 8, ctypes.cast(code, ctypes.c_void_p))
    _checked(LIBC.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    _checked(LIBC.prctl(_SECCOMP, _FILTER, ctypes.byref(whole), 0, 0), "seccomp")
