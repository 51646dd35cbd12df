"""What every run has, once: from the choice of its key to its stored report.

`run` is the life of a run (key, lock, record, owner, SIGTERM, report), `options` the base
of what a run is told, `report` of what it says in the end, `kinds` lists the kinds of run
and reads their reports back, `recovery` ends runs whose processes died, `progress` tells how far a
run is, `shutdown` makes SIGTERM an orderly end.
"""
