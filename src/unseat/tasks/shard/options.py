"""What a person may say about instances of their own."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Options(BaseModel):
    """Options of `unseat run shard --data FILE_OR_FOLDER`: none; a file says everything."""

    model_config = ConfigDict(extra="forbid", frozen=True)
