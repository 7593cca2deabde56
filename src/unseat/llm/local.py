"""A model in a GGUF file, run in this process by llama.cpp (https://github.com/ggml-org/llama.cpp)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from unseat.core.errors import MissingExtra, UserError
from unseat.llm.model import Model, ModelError, Prompt, Reply


class LocalModel(Model):
    """A GGUF file.

    Args:
        path: The file.
        threads: More than there are idle cores make it wait for itself.
        context: Tokens of prompt and reply together.

    Raises:
        MissingExtra: llama.cpp is not installed.
        UserError: There is no such file, or it is no model.
    """

    def __init__(self, path: Path, threads: int = 1, context: int = 4096) -> None:
        try:
            import xllamacpp
        except ImportError as error:
            raise MissingExtra("a local model needs an extra: pip install 'unseat[llm]'") from error
        if not path.is_file():
            raise UserError(f"{path}: no such file; give a GGUF file")
        self.name = path.name
        settings = xllamacpp.CommonParams()
        settings.model.path = str(path)
        settings.n_ctx, settings.n_parallel, settings.n_gpu_layers = context, 1, 0
        settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = threads
        settings.warmup, settings.verbosity = False, -1
        try:
            self._server: Any = xllamacpp.Server(settings)
        except (RuntimeError, ValueError) as error:
            raise UserError(f"{path}: cannot be loaded as a model: {error!s:.200}") from error

    def complete(self, prompt: Prompt) -> Reply:
        """One completion."""
        request = {
            "messages": [{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user}],
            "temperature": prompt.temperature, "max_tokens": prompt.max_tokens, "seed": prompt.seed,
        }  # fmt: skip
        try:
            told = self._server.handle_chat_completions(request)
            told = json.loads(told) if isinstance(told, str | bytes) else told
            text, usage = told["choices"][0]["message"]["content"], told["usage"]
            return Reply(str(text or ""), int(usage["prompt_tokens"]), int(usage["completion_tokens"]), 0.0, self.name)
        except (RuntimeError, ValueError, KeyError, IndexError, TypeError) as error:
            raise ModelError(f"{self.name} gave no reply ({type(error).__name__}): {error!s:.200}") from None

    def close(self) -> None:
        """Let go of the model."""
        self._server = None
