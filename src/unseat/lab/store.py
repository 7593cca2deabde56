"""The content store: artefacts in folders named by their hash, written whole or not at all."""

from __future__ import annotations

import io
import shutil
import tempfile
import zipfile
from pathlib import Path

from unseat.core.errors import UserError
from unseat.core.policy import Artefact


class ArtefactStore:
    """Artefacts by their hash, shared by the driver and its child processes.

    Args:
        root: The folder; made when something is first put there.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def folder(self, name: str) -> Path:
        """Where the artefact of that hash lies, or would lie."""
        return self.root / name[:2] / name

    def __contains__(self, name: str) -> bool:
        return (self.folder(name) / "manifest.json").exists()

    def put(self, artefact: Artefact) -> str:
        """Keep an artefact, and give its hash; what is there already stays as it is, the record of its fit included.

        Raises:
            UserError: The folder cannot be written.
        """
        from safetensors import SafetensorError

        name = artefact.hash
        if name in self:
            return name
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            # A folder appears under its final name only once it is complete, so a killed writer leaves nothing half.
            fresh = Path(tempfile.mkdtemp(prefix=".new-", dir=self.root))
            try:
                artefact.save(fresh)
                self._settle(fresh, name)
            finally:
                shutil.rmtree(fresh, ignore_errors=True)
        except (OSError, SafetensorError) as error:
            reason = getattr(error, "strerror", None) or error
            raise UserError(f"{self.root}: cannot keep the policy {artefact.name} ({reason})") from error
        return name

    def get(self, name: str) -> Artefact:
        """The artefact of that hash, checked against it.

        Raises:
            UserError: It is not there, or damaged.
        """
        folder = self.folder(name)
        if name not in self:
            raise UserError(f"{folder}: no such artefact; the ledger and its store of policies do not belong together")
        artefact = Artefact.load(folder)
        if artefact.hash != name:
            raise UserError(f"{folder}: the artefact's contents do not fit its hash; delete this folder")
        return artefact

    def pack(self, name: str) -> bytes:
        """An artefact as bytes, to send to another machine."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
            for file in sorted(self.folder(name).iterdir()):
                archive.write(file, file.name)
        return buffer.getvalue()

    def unpack(self, packed: bytes) -> str:
        """The inverse of `pack`, on another machine's store."""
        with tempfile.TemporaryDirectory() as scratch, zipfile.ZipFile(io.BytesIO(packed)) as archive:
            for file in ("manifest.json", "arrays.safetensors"):
                if file in archive.namelist():
                    archive.extract(file, scratch)
            return self.put(Artefact.load(Path(scratch)))

    def _settle(self, fresh: Path, name: str) -> None:
        final = self.folder(name)
        final.parent.mkdir(exist_ok=True)
        try:
            fresh.chmod(0o755)
            fresh.replace(final)
        except OSError:
            # Another process was first, with the same content.
            if name not in self:
                raise
