"""What a person reads: tables in the terminal, and one folder of pages that opens offline."""

from unseat.report.page import write
from unseat.report.terminal import terminal

__all__ = ["terminal", "write"]
