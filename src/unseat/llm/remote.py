"""Any address that speaks OpenAI's chat protocol, by OpenAI's own client, which retries and waits as it is told to."""

from __future__ import annotations

import json
import os
from typing import Any

from unseat.core.errors import MissingExtra, UserError
from unseat.llm.model import Model, ModelError, Price, Prompt, Reply

KEY, ADDRESS = "OPENAI_API_KEY", "OPENAI_BASE_URL"


class RemoteModel(Model):
    """A model behind an address. Its key is read from the environment, handed to the client, and never shown.

    Args:
        name: The model's name there.
        address: Base URL; ``OPENAI_BASE_URL`` or OpenAI's own, if not given.
        price: What it costs.
        retries: How often a failed request is made again, waiting longer each time, as its answers ask for.
        timeout_s: Seconds that one request may take.

    Raises:
        MissingExtra: The client is not installed.
        UserError: There is no key.
    """

    def __init__(
        self, name: str, address: str | None = None, price: Price | None = None, *, retries: int = 4,
        timeout_s: float = 120.0,
    ) -> None:  # fmt: skip
        try:
            import openai
        except ImportError as error:
            raise MissingExtra("talking to a model needs an extra: pip install 'unseat[llm]'") from error
        key, address = os.environ.get(KEY), address or os.environ.get(ADDRESS)
        if not key:
            raise UserError(
                f"{KEY} is not set; set it to the key of {address or 'your account'} (any text, if it asks for none)"
            )
        self.name, self.price = name, price or Price()
        self._errors = openai.OpenAIError
        self._client = openai.OpenAI(api_key=key, base_url=address, max_retries=retries, timeout=timeout_s)

    def complete(self, prompt: Prompt) -> Reply:
        """One request."""
        messages: Any = [{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user}]
        try:
            told = self._client.chat.completions.create(
                model=self.name, messages=messages, temperature=prompt.temperature, max_tokens=prompt.max_tokens,
                seed=prompt.seed,
            )  # fmt: skip
            text = told.choices[0].message.content or ""
            read, written = (told.usage.prompt_tokens, told.usage.completion_tokens) if told.usage else (0, 0)
        except (self._errors, json.JSONDecodeError, AttributeError, IndexError, TypeError) as error:
            raise ModelError(f"{self.name} gave no reply ({type(error).__name__}): {error!s:.200}") from None
        if not read + written:
            # An address that does not count is charged for the most it can have been.
            read, written = prompt.most_tokens - prompt.max_tokens, prompt.max_tokens
        return Reply(str(text), read, written, self.price.of(read, written), self.name)

    def close(self) -> None:
        """Close its connections."""
        self._client.close()
