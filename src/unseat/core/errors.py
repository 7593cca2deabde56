"""The errors that unseat raises on purpose."""


class UnseatError(Exception):
    """Base of every error that unseat raises on purpose."""


class UserError(UnseatError):
    """The request was wrong: one line that names the file and place and says what to do (exit code 2)."""


class MissingExtra(UserError):
    """An optional part is not installed; the message is the command that installs it."""


class LimitReached(UnseatError):
    """A study's limit is spent; the last proposed policy is the result."""


class ContractError(UnseatError):
    """A plug-in broke the contract: a task, policy or learner did what the contract forbids."""
