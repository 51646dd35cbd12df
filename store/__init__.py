"""What is kept in FiftyOne's database, and how it gets in and out: everything below a dataset's surface.

`database` talks to MongoDB, `tracks` stores and reads point tracks, `labels` reads
other labels as arrays (and will write them), `corrections` keeps what a person said of tracks, `runs` the record of
every run.

Imports go down only: `labels | runs | corrections > tracks > database`, and below all of them the
storey `tracker`, which knows no FiftyOne. Nothing here knows of a workflow.
"""
