"""Talking to a language model: one small interface, budgets that hold, and transcripts that replay exactly."""

from unseat.llm.model import BudgetSpent, Model, ModelError, Prompt, Reply
from unseat.llm.opening import opened

__all__ = ["BudgetSpent", "Model", "ModelError", "Prompt", "Reply", "opened"]
