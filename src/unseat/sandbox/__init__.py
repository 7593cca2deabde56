"""Running code that nobody has read."""

from unseat.sandbox.box import Job, Sandbox
from unseat.sandbox.limits import Cage, Defence
from unseat.sandbox.listening import End, Ending, SandboxError
from unseat.sandbox.pool import Pool
from unseat.sandbox.remote import Remote

__all__ = ["Cage", "Defence", "End", "Ending", "Job", "Pool", "Remote", "Sandbox", "SandboxError"]
