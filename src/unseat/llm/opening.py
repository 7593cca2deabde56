"""From what a person asks for to a model: an address, a file, or a transcript."""

from __future__ import annotations

from pathlib import Path

from unseat.core.errors import UserError
from unseat.llm.model import Model, Price
from unseat.llm.transcript import Transcript


def opened(
    model: str | None, *, address: str | None = None, transcript: Path | None = None, replay: Path | None = None,
    price: Price | None = None,
) -> Model:  # fmt: skip
    """The model that was asked for.

    Args:
        model: A name at an address, or the path of a GGUF file.
        address: Base URL of the address.
        transcript: Where its exchanges are kept.
        replay: A transcript that answers instead of a model.
        price: What it costs.

    Raises:
        UserError: Neither a model nor a transcript is named, or it cannot be had.
        MissingExtra: What it needs is not installed.
    """
    if replay is not None:
        return Transcript(replay)
    if model is None:
        raise UserError("name a model with --model, or a transcript with --replay")
    made: Model
    if model.endswith(".gguf"):
        from unseat.llm.local import LocalModel

        made = LocalModel(Path(model))
    else:
        from unseat.llm.remote import RemoteModel

        made = RemoteModel(model, address, price)
    return Transcript(transcript, made) if transcript is not None else made
