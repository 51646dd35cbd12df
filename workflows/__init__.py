"""Many samples: the only tracker code that knows FiftyOne.

`options` what a run is told, `prompts` what it reads from samples, `keypoints`
the documents tracks become, `writer` and `reader` their way into and out of the
database, `marks` which samples are finished, `runs` and `report` what a run
leaves behind, `pipeline` the run itself: `conductor` leads samples through the
steps of `sample_work`, in threads of `stages`.

`database` is patient with a server that is away, `frame_store` writes frames,
`owners` says which run is alive, `claims` who is writing which sample and how far,
`recovery` ends what dead runs had begun, `journal` keeps outcomes until a run's
report is stored, `termination` makes SIGTERM an orderly end, `memory` keeps long
runs small.

`preprocess` is the run that makes small copies (`preprocess_options`,
`preprocess_targets`, `preprocess_report`), `copies` stores them, `origins` says
where they come from and is the way back.

`evaluation` is the run that judges tracks (`evaluation_options`,
`evaluation_work` for one sample, `evaluation_figures` what is stored,
`evaluation_report`), `known_tracks` and `object_masks` read what judges,
`matching` finds which track answers which known point, `truth_sets` makes data
sets with known tracks.
"""
