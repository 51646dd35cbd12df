"""Tracks out to files of other programs and in again: *Export tracks*, *Import tracks*, and their forms.

What they do: `workflows.exchange`; the formats that they offer: `tracker.formats.registry`, so that a new one needs
nothing here.
"""
