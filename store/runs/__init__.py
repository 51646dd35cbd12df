"""The record of a run, whatever kind of run it is: `records` keeps it, `outcomes` says what became of samples.

Nothing here knows of the kinds; these are listed in `workflows.lifecycle.kinds`.
"""
