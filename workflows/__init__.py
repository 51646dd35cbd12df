"""What can be done with a dataset, one folder each.

`tracking`, `preprocessing`, `evaluation`, `adaptation` and `propagation` are the kinds of run,
`model_zoo` makes trackers FiftyOne models, `exchange` brings tracks in from files of
others and out again, `correction` is what a person says of tracks (`tracking` asks it what is to stay), `rendering`
makes pictures and videos to show, `lifecycle` is what all runs share.

Adding a workflow: a folder with the verb's own file (`track_dataset.py`: the public
function and `run`), `options.py` (a subclass of `lifecycle.options.RunOptions`),
`report.py` (of `lifecycle.report.SampleReport`), a line in `lifecycle.kinds`, its public
name in the root `__init__`, and an operator in `operators/<the same name>`. Workflows do not
know each other, except that `model_zoo` and `exchange` build on the others; all of them know
`store` and `tracker`, and none of them pymongo.
"""
