"""The B+-tree against a dict, and its nodes after every step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from tests.structures.ordered_maps import MapMachine

from unseat.core.errors import UserError
from unseat.structures.bplustree import BPlusTree
from unseat.structures.bplustree.nodes import (
    COUNT,
    FREE_INNER,
    FREE_LEAF,
    HAS_LAST,
    HEIGHT,
    INNER,
    INNER_SIZE,
    LEAF_SIZE,
    LEAVES,
    ROOT,
)
from unseat.structures.operations import DELETE, INSERT
from unseat.structures.slots import EMPTY


def codes_of(words: Any, at: int, size: int) -> list[int]:
    """The codes of a node; in order, `EMPTY` behind them."""
    codes = words[at : at + size].tolist()
    used = [one for one in codes if one != int(EMPTY)]
    assert codes[: len(used)] == used == sorted(set(used)), "codes in front, ascending"
    return used


def check_tree(tree: BPlusTree) -> None:
    """Order, ranges, heights, links, counts and free nodes."""
    leaves, inner, links, state = tree._tree
    size, width = int(state[LEAF_SIZE]), int(state[INNER_SIZE])
    found: list[int] = []
    nodes: set[int] = set()

    def walk(node: int, level: int, low: int, high: int) -> int:
        if level == 0:
            own = codes_of(leaves, node * 2 * size, size)
            assert own or state[HEIGHT] == 0, "an empty leaf goes"
            assert all(low <= one < high for one in own), "a leaf's codes are between its separators"
            assert not leaves[node * 2 * size + size + len(own) : (node + 1) * 2 * size].any()
            found.append(node)
            return len(own)
        nodes.add(node)
        borders = codes_of(inner, node * 2 * width, width)
        assert len(borders) < width and all(low <= one < high for one in borders)
        children = inner[node * 2 * width + width :][: len(borders) + 1].tolist()
        edges = [low, *borders, high]
        return sum(walk(child, level - 1, edges[i], edges[i + 1]) for i, child in enumerate(children))

    total = walk(int(state[ROOT]), int(state[HEIGHT]), 0, 2**64)
    assert total + state[HAS_LAST] == state[COUNT]
    assert links[2 * np.array(found)].tolist() == [*found[1:], -1], "the leaves are linked in order"
    assert links[2 * np.array(found) + 1].tolist() == [-1, *found[:-1]], "and backwards"
    for first, words, step, used, ever in (
        (state[FREE_LEAF], leaves, 2 * size, set(found), state[LEAVES]),
        (state[FREE_INNER], inner, 2 * width, nodes, state[INNER]),
    ):
        free: set[int] = set()
        node = int(first)
        while node >= 0:
            assert node not in free | used, "a free node is free once"
            free.add(node)
            node = int(words[node * step].astype(np.int64))
        assert len(free) + len(used) == ever, "no node is lost"


class BPlusTreeMachine(MapMachine):
    def build(self, keys: Any, values: Any, small: int) -> BPlusTree:
        sizes = ((16, 16), (16, 32), (48, 16))[small]
        return BPlusTree.build(keys, values, leaf_keys=sizes[0], inner_keys=sizes[1], fill=(0.5, 0.8, 1.0)[small])

    def check(self) -> None:
        assert isinstance(self.made, BPlusTree)
        check_tree(self.made)


class TestBPlusTree(BPlusTreeMachine.TestCase):  # type: ignore[valid-type,misc]
    """Red: some sequence of operations loses, invents or misplaces an entry, or leaves the nodes unsound."""

    settings = settings(max_examples=40, stateful_step_count=10, deadline=None)


def test_ascending_inserts_fill_leaves() -> None:
    """Red: appended keys leave half-empty leaves behind."""
    keys = np.arange(5000, dtype=np.uint64)
    tree = BPlusTree.build(keys[:1], np.zeros(1, np.int64))
    tree.apply(np.full(4999, INSERT, np.uint8), keys[1:], np.zeros(4999, np.int64))
    check_tree(tree)
    assert tree._state[LEAVES] <= 5000 // 16 + 2


def test_nodes_are_used_again() -> None:
    """Red: freed nodes are never used again."""
    keys = np.arange(5000, dtype=np.int64)
    tree = BPlusTree.build(keys, keys)
    held = set()
    for _ in range(5):
        tree.apply(np.full(5000, DELETE, np.uint8), keys, keys)
        assert len(tree) == 0 and tree._state[HEIGHT] == 0
        tree.apply(np.full(5000, INSERT, np.uint8), keys, keys)
        check_tree(tree)
        held.add(tree.nbytes)
    assert len(held) == 1


@pytest.mark.parametrize("parameters", [{"leaf_keys": 8}, {"inner_keys": 40}, {"fill": 0.4}, {"leaf_keys": 2048}])
def test_parameters_out_of_range(parameters: Any) -> None:
    """Red: a size that the nodes cannot have is accepted."""
    with pytest.raises(UserError, match=r"multiple of 16|fill"):
        BPlusTree.build(np.arange(3), np.zeros(3, np.int64), **parameters)
