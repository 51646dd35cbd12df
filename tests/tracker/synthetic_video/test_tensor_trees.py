"""Trees of tensors."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from point_tracking.tracker.synthetic_video.tensor_trees import map_tensors, select_clips, to_device


@dataclass(frozen=True)
class Leaf:
    values: Tensor
    limit: Tensor | None = None


@dataclass(frozen=True)
class Tree:
    leaf: Leaf
    flags: Tensor
    name: str = "tree"


TREE = Tree(Leaf(torch.arange(12.0).reshape(4, 3)), torch.tensor([True, False, True, False]))


def test_every_tensor_is_changed_and_nothing_else():
    doubled = map_tensors(TREE, lambda tensor: tensor.float() * 2)
    assert torch.equal(doubled.leaf.values, TREE.leaf.values * 2)
    assert doubled.flags.tolist() == [2, 0, 2, 0]
    assert (doubled.name, doubled.leaf.limit) == ("tree", None)
    assert isinstance(doubled.leaf, Leaf)
    assert TREE.leaf.values[0, 1] == 1, "the tree itself stays"


def test_clips_are_selected_in_any_order():
    chosen = select_clips(TREE, torch.tensor([2, 0, 2]))
    assert torch.equal(chosen.leaf.values, TREE.leaf.values[[2, 0, 2]])
    assert chosen.flags.tolist() == [True, True, True]


def test_trees_move_whole():
    moved = to_device(TREE, torch.device("meta"))
    assert moved.leaf.values.device.type == moved.flags.device.type == "meta"


def test_classes_are_no_trees():
    assert map_tensors(Tree, torch.neg) is Tree
