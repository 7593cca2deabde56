"""What a person may say about a server and a workload of their own."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Options(BaseModel):
    """Options of `unseat run dbindex --data postgresql://...`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    workload: str | None = Field(default=None, description="a folder of .sql files, one SELECT in each")
    build_indexes: bool = Field(
        default=False,
        description="indexes may be built on the server, in transactions that are rolled back; writes wait meanwhile",
    )
