"""Transcripts: every exchange as it was, so that a run can be had again, exactly, without the model.

A transcript is lines of JSON. The first says what made it: ``{"made_by": "a model's name"}``, or ``"written by hand for
a test"``. Every other one is an exchange: the prompt, its hash, and the reply. Keys are never in it.
"""

from __future__ import annotations

import json
from collections import defaultdict, deque
from dataclasses import asdict
from pathlib import Path
from typing import Any

from unseat.core.errors import UserError
from unseat.llm.model import Model, ModelError, Price, Prompt, Reply

BY_HAND = "written by hand for a test"


class Transcript(Model):
    """A model whose exchanges are kept; those that are there already are not made again.

    The replies to equal prompts come in the order in which they were first given, so that a search that was killed and
    begins again gets the same replies up to where it was, pays for none of them twice, and then goes on.

    Args:
        path: The file.
        model: Who answers what the file does not hold; None to replay only.

    Raises:
        UserError: The file is damaged, or there is none to replay, or another model made it.
    """

    def __init__(self, path: Path, model: Model | None = None) -> None:
        self.path, self.model = path, model
        if not path.exists():
            if model is None:
                raise UserError(f"{path}: there is no such transcript to replay")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps({"made_by": model.name}) + "\n", encoding="utf-8")
        self.made_by, self._kept = self._read()
        if model is not None and self.made_by != model.name:
            raise UserError(f"{path}, line 1: made by {self.made_by!r}, not {model.name!r}; name another file")
        self.name = self.made_by
        self.price = model.price if model else Price()

    def complete(self, prompt: Prompt) -> Reply:
        """The reply that is kept; or else a new one, which is kept before it is given.

        Raises:
            ModelError: There is none to replay, or the model gives none.
        """
        kept = self._kept[prompt.hash]
        if kept:
            return kept.popleft()
        if self.model is None:
            raise ModelError(
                f"{self.path} holds no reply to this prompt; the run is another one than that of the transcript"
            )
        reply = self.model.complete(prompt)
        line = json.dumps({"hash": prompt.hash, "prompt": asdict(prompt), "reply": asdict(reply)})
        with self.path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
        return reply

    def holds(self, prompt: Prompt) -> bool:
        """Whether the reply is kept, so that it costs nothing more."""
        return bool(self._kept[prompt.hash])

    def close(self) -> None:
        """Close the model."""
        if self.model:
            self.model.close()

    def _read(self) -> tuple[str, dict[str, deque[Reply]]]:
        lines = self.path.read_text(encoding="utf-8", errors="replace").splitlines()
        kept: dict[str, deque[Reply]] = defaultdict(deque)
        made_by, whole = "", lines
        for number, line in enumerate(lines, 1):
            try:
                told: Any = json.loads(line)
                if number == 1:
                    made_by = str(told["made_by"])
                    continue
                prompt = Prompt(**told["prompt"])
                if prompt.hash != told["hash"]:
                    raise ValueError("its prompt does not fit its hash")
                kept[prompt.hash].append(Reply.from_json(told["reply"]))
            except (ValueError, KeyError, TypeError) as error:
                if number == len(lines) and number > 1:
                    whole = lines[:-1]  # killed while it wrote
                    break
                raise UserError(f"{self.path}, line {number}: not an exchange ({error}); restore the file") from error
        if not lines:
            raise UserError(f"{self.path}, line 1: an empty file is no transcript; remove it")
        if len(whole) < len(lines):
            self.path.write_text("".join(f"{line}\n" for line in whole), encoding="utf-8")
        return made_by, kept
