"""Point trackers: `registry` lists them, `base` is their contract.

One module or folder per tracker; how to add one stands in `registry`.
"""
