"""Many samples: the only tracker code that knows FiftyOne.

`options` what a run is told, `prompts` what it reads from samples, `keypoints`
the documents tracks become, `writer` and `reader` their way into and out of the
database, `marks` which samples are finished, `runs` and `report` what a run
leaves behind, `pipeline` the run itself.

`preprocess` is the run that makes small copies (`preprocess_options`,
`preprocess_targets`, `preprocess_report`), `copies` stores them, `origins` says
where they come from and is the way back.
"""
