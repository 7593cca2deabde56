"""Files that tasks need: named by a manifest, found on disk or fetched, and always checked by hash."""

from unseat.data.manifest import FileEntry, Manifest, load_manifest
from unseat.data.store import State, fetch, locate, status, verify

__all__ = ["FileEntry", "Manifest", "State", "fetch", "load_manifest", "locate", "status", "verify"]
