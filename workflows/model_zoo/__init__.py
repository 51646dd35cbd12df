"""Trackers as FiftyOne models: `model` for `dataset.apply_model`, `source` for the remote model zoo.

A new tracker needs nothing here but `manifest.json` written anew (`python -m
point_tracking.workflows.model_zoo.source > manifest.json`); a test compares them.
"""
