"""LLVM's passes on a module that stays in memory: ``python -I -S worker.py LIBRARY COUNTER``, asked over pipes.

A request and a reply are a length (4 bytes, little endian), a letter and a body. It is started as a file and imports
the standard library only, so that it is there in a tenth of a second; LLVM may end it at any moment (`optimizer`).

============  =====================================================================================
``M`` path    read the bitcode in this file
``R``         begin anew with the bitcode that was read last
``P`` passes  run a pipeline, in the words of ``opt -passes=``
``O`` passes  make an object of the module as it would be after these pipelines, one a line; it stays as it is
============  =====================================================================================

The reply to the first three is ``F`` and int64 counts: of the module's instructions by LLVM's opcode, then `OTHERS`. To
the last it is ``O`` and the object. What could not be done is ``E`` and why.
"""

from __future__ import annotations

import ctypes
import os
import resource
import sys
from typing import Any

OPCODES = 80
"""Opcodes that are counted; LLVM has fewer, and numbers them from 1."""

OTHERS = ("functions", "declarations", "globals", "blocks", "edges", "backward edges", "single-block functions")
"""What is counted beside them (`counts.c`). An edge that leads to no later block is a loop, mostly."""

_MEMORY = 4 << 30
_POINTER = ctypes.c_void_p
_GIVE_POINTERS = (
    "ContextCreate", "CreateMemoryBufferWithMemoryRangeCopy", "CreateTargetMachine", "CreatePassBuilderOptions",
    "RunPasses", "GetErrorMessage", "GetBufferStart",
)  # fmt: skip


class Refused(Exception):
    """What was asked for cannot be done; the worker goes on."""


class Llvm:
    """LLVM's C interface, with one module."""

    def __init__(self, path: str, counter: str) -> None:
        # The counter calls LLVM by its names, so they must be there for all.
        self.library = library = ctypes.CDLL(path, ctypes.RTLD_GLOBAL)
        self._counter = ctypes.CDLL(counter)
        for name in _GIVE_POINTERS:
            getattr(library, "LLVM" + name).restype = _POINTER
        library.LLVMGetBufferSize.restype = ctypes.c_size_t
        for part in ("TargetInfo", "Target", "TargetMC", "AsmPrinter", "AsmParser"):
            getattr(library, f"LLVMInitializeX86{part}")()
        self._context, self._bitcode = _POINTER(None), b""
        self._module, self._machine = _POINTER(None), self._target_machine()
        self._options = _POINTER(library.LLVMCreatePassBuilderOptions())
        for name in ("LoopUnrolling", "LoopVectorization", "SLPVectorization"):
            getattr(library, f"LLVMPassBuilderOptionsSet{name}")(self._options, 1)

    def _target_machine(self) -> ctypes.c_void_p:
        """As clang has it for -Oz: the plainest x86-64, optimised, position-independent."""
        triple, target, error = b"x86_64-unknown-linux-gnu", _POINTER(), ctypes.c_char_p()
        if self.library.LLVMGetTargetFromTriple(triple, ctypes.byref(target), ctypes.byref(error)):
            raise Refused(str(error.value))
        usual, independent = 2, 2
        return _POINTER(self.library.LLVMCreateTargetMachine(target, triple, b"x86-64", b"", usual, independent, 0))

    def read(self, bitcode: bytes) -> None:
        """Read a module, in a context of its own: names of types are a context's, and would not be the same again."""
        self._bitcode, library = bitcode, self.library
        if self._context:
            library.LLVMDisposeModule(self._module)
            library.LLVMContextDispose(self._context)
        self._context, self._module = _POINTER(library.LLVMContextCreate()), _POINTER()
        data = _POINTER(library.LLVMCreateMemoryBufferWithMemoryRangeCopy(bitcode, ctypes.c_size_t(len(bitcode)), b"m"))
        failed = library.LLVMParseBitcodeInContext2(self._context, data, ctypes.byref(self._module))
        library.LLVMDisposeMemoryBuffer(data)
        if failed:
            library.LLVMContextDispose(self._context)
            self._context = _POINTER(None)
            raise Refused("this is no bitcode of LLVM's, or of a later release")

    def restart(self) -> None:
        """The module as it was read."""
        self.read(self._bitcode)

    def run(self, passes: bytes) -> None:
        """Run a pipeline."""
        if not self._context:
            raise Refused("there is no module")
        error = self.library.LLVMRunPasses(self._module, passes, self._machine, self._options)
        if error:
            message = _POINTER(self.library.LLVMGetErrorMessage(_POINTER(error)))
            raise Refused(ctypes.string_at(message).decode(errors="replace"))

    def object(self) -> bytes:
        """An object of the module, which is of no use afterwards."""
        if not self._context:
            raise Refused("there is no module")
        library, error, made = self.library, ctypes.c_char_p(), _POINTER()
        to_object = 1
        if library.LLVMTargetMachineEmitToMemoryBuffer(
            self._machine, self._module, to_object, ctypes.byref(error), ctypes.byref(made)
        ):
            raise Refused((error.value or b"no object can be made").decode(errors="replace"))
        return ctypes.string_at(library.LLVMGetBufferStart(made), library.LLVMGetBufferSize(made))

    def counts(self) -> bytes:
        """int64 [OPCODES + len(OTHERS)], as bytes."""
        counts = (ctypes.c_int64 * (OPCODES + len(OTHERS)))()
        self._counter.unseat_count(self._module, counts)
        return bytes(counts)


def answer(llvm: Llvm, letter: bytes, body: bytes) -> None:
    """Do what is asked, and reply."""
    if letter == b"O":
        # Making an object changes the module, and a copy of it is not the same to the byte (the order of uses is
        # another one), but a copy of the process is.
        child = os.fork()
        if not child:
            try:
                for passes in body.split(b"\n") if body else ():
                    llvm.run(passes)
                reply(b"O", llvm.object())
            except Refused as error:
                reply(b"E", str(error).encode())
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if status:
            raise Refused(f"LLVM ended with {os.waitstatus_to_exitcode(status)}")
        return
    if letter == b"M":
        with open(body, "rb") as file:  # noqa: PTH123
            llvm.read(file.read())
    elif letter == b"R":
        llvm.restart()
    elif letter == b"P":
        llvm.run(body)
    else:
        raise Refused(f"no request {letter!r}")
    reply(b"F", llvm.counts())


def reply(letter: bytes, body: bytes) -> None:
    """Write one reply."""
    data = memoryview(len(body).to_bytes(4, "little") + letter + body)
    while data:
        data = data[os.write(1, data) :]


def receive(size: int) -> bytes:
    """So many bytes of what is asked; fewer at its end."""
    data = b""
    while len(data) < size and (more := os.read(0, size - len(data))):
        data += more
    return data


def main() -> None:
    """Answer until nobody asks."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    llvm: Any = None
    try:
        llvm = Llvm(*sys.argv[1:])
    except (OSError, AttributeError, Refused) as error:
        raise SystemExit(f"error: {sys.argv[1]} is no LLVM that can be used: {error}") from error
    while len(head := receive(5)) == 5:
        body = receive(int.from_bytes(head[:4], "little"))
        try:
            answer(llvm, head[4:], body)
        except Refused as error:
            reply(b"E", str(error).encode())


if __name__ == "__main__":
    main()
