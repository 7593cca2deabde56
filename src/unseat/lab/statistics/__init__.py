"""Statistics: who is better, by how much, and how sure that is. Pure NumPy on the ledger's rows.

Everything pairs the same instances and seeds. A cost is what one wants less of: the value of an objective that is
minimised, the negative value of one that is maximised; a ratio is always of costs, so that under 1 means better.
"""

from unseat.lab.statistics.choose import (
    HINDSIGHT,
    by_contender,
    choose_challenger,
    choose_incumbent,
    hindsight,
    mean_values,
    ranks_with_ties,
    violations,
)
from unseat.lab.statistics.compare import compare, holm, holm_p
from unseat.lab.statistics.pairs import paired

__all__ = [
    "HINDSIGHT",
    "by_contender",
    "choose_challenger",
    "choose_incumbent",
    "compare",
    "hindsight",
    "holm",
    "holm_p",
    "mean_values",
    "paired",
    "ranks_with_ties",
    "violations",
]
