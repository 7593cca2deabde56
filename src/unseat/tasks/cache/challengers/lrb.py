"""Learned relaxed Belady: trees that learn from the cache's own past how soon objects return.

Z. Song, D. S. Berger, K. Li and W. Lloyd, "Learning Relaxed Belady for Content Distribution Network Caching", NSDI
2020: evict, among sampled objects, one whose next request is predicted to lie beyond a boundary; train LightGBM again
and again on sampled moments of the recent past, labelled when the object returns or the boundary passes.

Ours differs in four points, each measured. The label is not the logarithm of the wait but hits over time held, up to
the boundary of one capacity, by a Poisson regression with exposure: the hit density of N. Beckmann, H. Chen and A.
Cidon, "LHD", NSDI 2018. The rows are a uniform sample of the whole past rather than its last window, which keeps the
policy from forgetting what it no longer sees because of its own choices. Candidates are chosen as
`unseat.tasks.cache.engine.sampled_trees` says. And trees are few and small, so that the kernel walks them as arrays.

Nothing is trained on other traces: there the same trees do worse than LRU.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from unseat.core.policy import Form, Policy, Session, View

if TYPE_CHECKING:
    from unseat.tasks.cache.engine.sampled_trees import Forest, State
    from unseat.tasks.cache.problem import Seen

Float32 = npt.NDArray[np.float32]

BOUNDARY = 1.0
"""Capacities within which a return counts."""
SOFTEN = 0.5
"""Times the root of the boundary, in capacities, added to each exposure: else short waits outweigh everything."""
KNOWN = 1.0
"""Capacities beyond the boundary after which a row without a return counts as one; younger rows are left out."""
LEAST_ROWS = 200


@dataclass(frozen=True)
class Recipe:
    """When and what to learn; all values were chosen on other traces than those that judge.

    Attributes:
        first: Capacities of requests before the first forest.
        growth: The next forest comes when the past has grown by this factor ...
        step: ... or by so many requests, whichever is sooner.
        rows: Most rows of one fit.
        trees: Trees of a forest; each has at most 16 leaves.
        rate: Shrinkage of each tree.
    """

    first: float = 8.0
    growth: float = 1.5
    step: int = 100_000
    rows: int = 20_000
    trees: int = 30
    rate: float = 0.15


def fit_forest(rows: Float32, waits: Float32, recipe: Recipe, seed: int, boundary: float = BOUNDARY) -> Forest | None:
    """Fit the forest that the kernel walks.

    Args:
        rows: float32[m, F], features of `sampled_trees.FEATURES`.
        waits: float32[m], capacities until the next request, infinite where there was none so far.
        recipe: Size of the forest.
        seed: Of LightGBM.
        boundary: Capacities within which a return counts.

    Returns:
        The forest as `hazards` takes it, or None where nothing returned in time, so that there is nothing to learn.
    """
    import lightgbm

    exposure = np.minimum(waits, boundary) + SOFTEN * boundary**0.5
    hits = waits < boundary
    if not hits.any():
        return None
    data = lightgbm.Dataset(rows, hits / exposure, weight=exposure, params={"max_bin": 63, "verbose": -1})
    options = {
        "objective": "poisson", "num_leaves": 16, "learning_rate": recipe.rate, "max_bin": 63,
        "min_data_in_leaf": 20, "num_threads": 1, "seed": seed, "deterministic": True, "force_row_wise": True,
        "max_depth": 5, "verbose": -1,
    }  # fmt: skip
    return forest_arrays(lightgbm.train(options, data, recipe.trees).dump_model())


def forest_arrays(model: Mapping[str, Any]) -> Forest:
    """Write LightGBM's trees as splits with the leaves that failing each removes, in any order."""
    from unseat.tasks.cache.engine.sampled_trees import INNER, LEAVES, PLACES

    trees = model["tree_info"]
    splits = np.zeros((len(trees), INNER), np.int16)
    thresholds = np.full((len(trees), INNER), np.inf, np.float32)
    masks = np.full((len(trees), INNER), -1, np.int32)
    leaves = np.zeros((len(trees), LEAVES), np.float32)

    def write(tree: int, node: Mapping[str, Any], leaf: int, place: list[int]) -> int:
        """Write what lies below a node whose leaves begin at `leaf`; the number of the leaf behind them."""
        if "leaf_value" in node:
            leaves[tree, PLACES[leaf]] = node["leaf_value"]
            return leaf + 1
        here = place[0]
        place[0] += 1
        middle = write(tree, node["left_child"], leaf, place)
        limit = np.float32(node["threshold"])
        # Rounding must not lift the threshold over a feature value that LightGBM sends to the right.
        thresholds[tree, here] = np.nextafter(limit, np.float32(-np.inf)) if limit > node["threshold"] else limit
        splits[tree, here] = node["split_feature"]
        masks[tree, here] = ~((1 << middle) - (1 << leaf))
        return write(tree, node["right_child"], middle, place)

    for number, tree in enumerate(trees):
        write(number, tree["tree_structure"], 0, [0])
    return splits, thresholds, masks, leaves


class Apprentice:
    """Learns forests for one cache of `sampled_trees` from the rows that it wrote down."""

    def __init__(self, recipe: Recipe, capacity: int, seed: int, boundary: float = BOUNDARY) -> None:
        self.recipe, self.capacity, self.seed, self.boundary = recipe, capacity, seed, boundary
        self.due = recipe.first * capacity
        self.fits = 0

    def learn(self, cache: State, now: int) -> State:
        """The cache with a new forest if one is due and there is enough to learn from, else the cache as it is."""
        if now < self.due:
            return cache
        self.due = min(now * self.recipe.growth, now + self.recipe.step)
        from unseat.tasks.cache.engine.sampled_trees import with_forest

        rows, moments, waits = cache[7:10]
        known = moments[:, 0] >= 0
        known &= moments[:, 1] <= now - (self.boundary + KNOWN) * self.capacity
        usable = np.flatnonzero(known)
        if usable.size < LEAST_ROWS:
            return cache
        if usable.size > self.recipe.rows:
            usable = np.random.default_rng([self.seed, self.fits]).choice(usable, self.recipe.rows, replace=False)
        found = np.where(waits[usable] < 0, np.float32(np.inf), waits[usable])
        forest = fit_forest(rows[usable], found, self.recipe, self.seed, self.boundary)
        if forest is None:
            return cache
        self.fits += 1
        return with_forest(cache, forest)


class RelaxedSession(Session):
    """A cache that exchanges its own forest as it learns."""

    def __init__(self, recipe: Recipe, n_objects: int, capacity: int, seed: int) -> None:
        from unseat.tasks.cache.engine import sampled_trees

        self.apprentice = Apprentice(recipe, capacity, seed)
        self.kernel = sampled_trees.run, sampled_trees.init(n_objects, capacity, seed)

    def learn(self, seen: Seen) -> None:
        """Fit a new forest when one is due."""
        assert self.kernel is not None
        run, cache = self.kernel
        self.kernel = run, self.apprentice.learn(cache, seen.ids.size)  # type: ignore[arg-type]

    def metadata_bytes(self) -> int:
        """Bytes that the policy holds besides the objects."""
        from unseat.tasks.cache.engine import sampled_trees

        assert self.kernel is not None
        return sampled_trees.metadata_bytes(self.kernel[1])  # type: ignore[arg-type]


@dataclass(frozen=True)
class RelaxedBelady(Policy):
    """The policy; see the module.

    Attributes:
        name: Its name in tables.
        recipe: Values that differ from `Recipe`'s.
    """

    form: ClassVar[Form] = Form.FUSED
    name: str = "lrb"
    recipe: Mapping[str, float] = field(default_factory=dict)

    def start(self, view: View, seed: int) -> Session:
        """Begin with an empty cache and no trees."""
        return RelaxedSession(
            Recipe(**self.recipe),  # type: ignore[arg-type]
            view.facts["id_space"],
            view.facts["capacity"],
            seed,
        )
