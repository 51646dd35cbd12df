"""The run: `train` goes through stages and steps, the others are its parts.

`schedule` says where a run is and how fast it learns, `processes` how several train one model, `checkpoint` keeps what
is needed to resume, `curves` and `validation` show how it goes, `export` makes weights of a checkpoint.

What a run must remember to resume exactly goes into the checkpoint in `train`; old checkpoints are still read.
"""
