"""CoTracker3 (offline, online) and CoTracker2, written from the papers.

Reads best in this order: `config`, `encoder`, `correlation`, `transformer`,
`model` (CoTracker3) and `cotracker2`, `offline` and `online` (whole clips and
windows), `checkpoint`, `adapter` (the `Tracker` contract). The model files
import with torch, numpy and safetensors alone.

Sources: CoTracker (arXiv:2307.07635), CoTracker3 (arXiv:2410.11831). Parameter
names are those of the published checkpoints, so that these load unchanged.
"""
