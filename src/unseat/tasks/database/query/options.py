"""What a person may say about a server and queries of their own."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Options(BaseModel):
    """Options of `unseat run query --data postgresql://...`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    workload: str | None = Field(default=None, description="a folder of .sql files, one SELECT in each")
