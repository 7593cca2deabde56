"""Program search over a task's policy source; see `unseat.learn.evolve.search`."""

from unseat.learn.evolve.archive import Candidate
from unseat.learn.evolve.proposers import GrammarProposer, Proposer, RandomProposer
from unseat.learn.evolve.search import Evolve, Found, Search

__all__ = ["Candidate", "Evolve", "Found", "GrammarProposer", "Proposer", "RandomProposer", "Search"]
