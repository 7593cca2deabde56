"""From sources to a program, step by step; every step is a process of its own.

A module is compiled by one clang: it reads bitcode on which no pass has run, runs all passes of ``-Oz`` with a policy
where the inliner's own heuristic would decide, and writes an object. Without a policy that is what ``clang -Oz`` makes
of the source, to the byte.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from unseat.tasks.llvm.engine.channel import Answer, Channel, Header
from unseat.tasks.llvm.engine.process import Process, call
from unseat.tasks.llvm.engine.toolchain import Toolchain, require

LEVEL = "-Oz"

_ALWAYS = ("--no-default-config", "-w")
"""What a user's configuration file says, and what clang thinks of the source, changes nothing here."""

ASK_INLINER = (
    "-enable-ml-inliner=release",
    "-inliner-interactive-include-default",
    # Beyond this growth of a module LLVM asks no more and inlines nothing. Its own limit of 2 would cut off what its
    # own heuristic does, which knows none.
    "-ml-advisor-size-increase-threshold=10",
)
"""What makes LLVM ask whom to inline, to be completed by the channel's base; each is passed on by ``-mllvm``."""

_REMARK = ("-fsave-optimization-record=yaml", "-foptimization-record-passes=inline-ml")

_ASK_ALLOCATOR = ("-regalloc-enable-advisor=release",)


@dataclass(frozen=True)
class Compiler:
    """The steps.

    Attributes:
        llvm: The toolchain.
        deadline: `time.monotonic()` at which the run ends that they are a part of.
    """

    llvm: Toolchain
    deadline: float | None = None

    @classmethod
    def here(cls, deadline: float | None = None) -> Compiler:
        """That of this machine.

        Raises:
            MissingExtra: There is no LLVM.
        """
        return cls(require(), deadline)

    def bitcode(self, source: Path, flags: Sequence[str], folder: Path, output: Path) -> None:
        """Translate a source; nothing is optimised yet.

        Args:
            source: Its path, as the compiler is told it; relative to `folder` it does not show where that lies.
            flags: What the project compiles it with.
            folder: Where the compiler works.
            output: The file to write.

        Raises:
            ToolError: It does not compile.
        """
        driver = "clang++" if source.suffix.lower() not in (".c", ".i") else "clang"
        front = ["-Xclang", "-disable-llvm-passes", "-emit-llvm", "-c", str(source), "-o", str(output)]
        self._call([self._driver(driver), *_ALWAYS, *flags, LEVEL, *front], folder)

    def whole(self, modules: Sequence[Path], keep: Sequence[str] | None, output: Path) -> None:
        """One module of several, in which only the symbols of `keep` can be seen from outside; all of them if None.

        Raises:
            ToolError: They do not fit together.
        """
        linked = output if keep is None else output.with_suffix(".linked.bc")
        self._call([self.llvm.tool("llvm-link"), *map(str, modules), "-o", str(linked)], output.parent)
        if keep is None:
            return
        hide = ["-passes=internalize", f"-internalize-public-api-list={','.join(keep)}"]
        self._call([self.llvm.tool("opt"), *hide, str(linked), "-o", str(output)], output.parent)

    def compiled(self, module: Path, output: Path) -> None:
        """An object of a module, with the compiler's own decisions.

        Raises:
            ToolError: The compiler fails.
        """
        self._call(self._back(module, output), output.parent)

    def asked(self, module: Path, output: Path, begin: Callable[[Header], Answer], remarks: Path | None = None) -> int:
        """An object of a module, with a policy's decisions where the inliner would decide.

        Args:
            module: The bitcode.
            output: The object to write.
            begin: See `Channel.serve`.
            remarks: A file to write, in which the compiler says whose call each decision was about.

        Returns:
            How many decisions were asked for.

        Raises:
            ToolError: The compiler or what comes over the channel fails.
            DeadlineReached: The run's time is up.
        """
        remark = (*_REMARK, f"-foptimization-record-file={remarks}") if remarks else ()
        return self._asked(module, output, begin, ASK_INLINER, "inliner", remark)

    def asked_evictions(self, module: Path, output: Path, begin: Callable[[Header], Answer]) -> int:
        """The same, with a policy's decisions where the greedy register allocator would choose whom to evict.

        The compiler takes any index for an answer: one that its mask forbids ends it, or worse.
        """
        return self._asked(module, output, begin, _ASK_ALLOCATOR, "regalloc-evict")

    def linked(self, objects: Sequence[Path], output: Path, *, plus_plus: bool = False) -> None:
        """A stripped program.

        Raises:
            ToolError: Something is missing in it.
        """
        driver = self._driver("clang++" if plus_plus else "clang")
        lld = ["-fuse-ld=lld"] if self.llvm.has("ld.lld") else []
        self._call([driver, *_ALWAYS, *lld, "-s", *map(str, objects), "-lm", "-o", str(output)], output.parent)

    def joined(self, objects: Sequence[Path], output: Path) -> None:
        """One object of several, for sources that are no whole program.

        Raises:
            ToolError: They do not fit together.
        """
        lld = ["-fuse-ld=lld"] if self.llvm.has("ld.lld") else []
        driver = self._driver("clang")
        self._call([driver, *_ALWAYS, *lld, "-nostdlib", "-r", *map(str, objects), "-o", str(output)], output.parent)

    def _asked(
        self, module: Path, output: Path, begin: Callable[[Header], Answer], ask: Sequence[str], who: str,
        more: Sequence[str] = (),
    ) -> int:  # fmt: skip
        with Channel(output.parent) as channel:
            flags = (*ask, f"-{who}-interactive-channel-base={channel.base}")
            command = [*self._back(module, output), *more, *(word for flag in flags for word in ("-mllvm", flag))]
            with Process(command, output.parent, deadline=self.deadline) as process:
                return channel.serve(process, begin)

    def _back(self, module: Path, output: Path) -> list[str]:
        return [self._driver("clang"), *_ALWAYS, LEVEL, "-c", str(module), "-o", str(output)]

    def _driver(self, name: str) -> str:
        return str(self.llvm.clang) if name == "clang" else self.llvm.tool(name)

    def _call(self, command: Sequence[str], folder: Path) -> None:
        call(command, folder, deadline=self.deadline)
