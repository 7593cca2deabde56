"""What every model is: a prompt goes in, a reply comes out, and what it cost is counted."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from unseat.core.errors import UnseatError


class ModelError(UnseatError):
    """The model gave no reply: its address is down, too slow, or answers what cannot be read."""


class BudgetSpent(UnseatError):
    """The next exchange might cost more than is left; it was not made."""


@dataclass(frozen=True)
class Prompt:
    """What a model is asked.

    Attributes:
        system: Who it is and what it must keep to.
        user: The question.
        temperature: Of the sampling.
        max_tokens: Most tokens of the reply.
        seed: Of the sampling, where the model heeds one.
    """

    system: str
    user: str
    temperature: float = 0.8
    max_tokens: int = 1024
    seed: int = 0

    @property
    def hash(self) -> str:
        """SHA-256 of all of it."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    @property
    def most_tokens(self) -> int:
        """More tokens than an exchange can take: one for each byte, those of the form, and the whole reply.

        No tokeniser in use makes more tokens than there are bytes.
        """
        return len((self.system + self.user).encode()) + 64 + self.max_tokens


@dataclass(frozen=True)
class Reply:
    """What a model answered.

    Attributes:
        text: Its words; not to be trusted.
        read: Tokens of the prompt.
        written: Tokens of the reply.
        dollars: What it cost.
        model: What gave it.
    """

    text: str
    read: int = 0
    written: int = 0
    dollars: float = 0.0
    model: str = ""

    @property
    def tokens(self) -> int:
        """Tokens of the exchange."""
        return self.read + self.written

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Reply:
        """The inverse of `dataclasses.asdict`."""
        return cls(**data)


@dataclass(frozen=True)
class Price:
    """Dollars for a million tokens that are read, and that are written; nothing for a model of one's own."""

    read: float = 0.0
    written: float = 0.0

    def of(self, read: int, written: int) -> float:
        """Dollars of an exchange."""
        return (read * self.read + written * self.written) / 1e6


class Model(ABC):
    """Answers prompts.

    Attributes:
        name: What it is called in transcripts and tables.
        price: What it costs.
    """

    name: str
    price: Price = Price()

    @abstractmethod
    def complete(self, prompt: Prompt) -> Reply:
        """One exchange.

        Raises:
            ModelError: There is no reply.
        """

    def close(self) -> None:
        """Let go of what it holds."""


class Purse:
    """A hard budget: an exchange that might exceed it is not made.

    Args:
        tokens: Tokens of all exchanges together; None is unlimited.
        dollars: Money.
    """

    def __init__(self, tokens: int | None = None, dollars: float | None = None) -> None:
        self.most_tokens, self.most_dollars = tokens, dollars
        self.tokens, self.dollars, self.exchanges = 0, 0.0, 0

    def afford(self, prompt: Prompt, price: Price) -> None:
        """See that the dearest reply could be paid.

        Raises:
            BudgetSpent: It could not.
        """
        most = prompt.most_tokens
        if self.most_tokens is not None and self.tokens + most > self.most_tokens:
            raise BudgetSpent(
                f"{self.tokens} of {self.most_tokens} tokens are spent, and the next exchange may take {most}"
            )
        dearest = price.of(most - prompt.max_tokens, prompt.max_tokens)
        if self.most_dollars is not None and self.dollars + dearest > self.most_dollars:
            left = f"${self.dollars:.4f} of ${self.most_dollars:g} are spent"
            raise BudgetSpent(f"{left}, and the next exchange may cost ${dearest:.4f}")

    def pay(self, reply: Reply) -> None:
        """Count an exchange."""
        self.tokens += reply.tokens
        self.dollars += reply.dollars
        self.exchanges += 1
