"""Datasets of real clips, and trackers whose answers a test knows."""

from dataset_fixtures import clip, drift, make_dataset, rng, untouched

__all__ = ["clip", "drift", "make_dataset", "rng", "untouched"]
