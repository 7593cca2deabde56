"""Traces: readers, writers, and those that the task knows by name."""

from unseat.tasks.cache.data.entries import TraceEntry, embedded, manifest, published
from unseat.tasks.cache.data.readers import FORMATS, open_trace
from unseat.tasks.cache.data.trace import RawTrace
from unseat.tasks.cache.data.writers import WRITABLE, write_trace

__all__ = [
    "FORMATS",
    "WRITABLE",
    "RawTrace",
    "TraceEntry",
    "embedded",
    "manifest",
    "open_trace",
    "published",
    "write_trace",
]
