"""Trackers whose weights ship with the package: networks of CoTracker3's form in smaller sizes, trained here.

`options` imports without torch, for forms; `tracker` runs them by rules of their own; `guided` starts their windows
where another tracker puts the points; the .safetensors files are the weights. How they were
trained: docs/training.md, docs/models/pt-small.md.

One more size: its weights here and in `tracker.WEIGHT_FILES`, a threshold chosen on synthetic clips, a loader, an
entry in `registry`, and a card in docs/models.
"""
