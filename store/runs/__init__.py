"""The record of a run, whatever kind of run it is.

`records` keeps what a run was told and its report, as FiftyOne's own custom runs;
`outcomes` says what became of one sample, and has words and tables for reports.
Nothing here knows of the kinds of run; these are listed in `workflows.lifecycle.kinds`.
"""
