"""CoTracker3 (offline, online) and CoTracker2, written from the papers.

Read `network` (the layers), `weights` (files), `running` (whole clips, windows and sessions within memory), then
`model_tracker` and `tracker` (the `Tracker` contract, by the rules of the published predictors). `network`, `weights`
and `running` import with torch, numpy and safetensors alone. A network of the same form with weights of its own, as
`pt_small` has them, is another subclass of `model_tracker.ModelTracker`.

Sources: CoTracker (arXiv:2307.07635), CoTracker3 (arXiv:2410.11831). Parameter
names are those of the published checkpoints, so that these load unchanged.
"""
