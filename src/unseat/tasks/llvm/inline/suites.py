"""The instances: those of every task of the compiler's."""

from __future__ import annotations

from unseat.tasks.llvm.data.suites import QUICK, Options, Source, built_in, opened, sources

__all__ = ["QUICK", "Options", "Source", "built_in", "opened", "sources"]
