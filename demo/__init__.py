"""What `make demo` shows.

`clips` makes short videos together with the exact truth about every point in
them: `scenes` says what is to be seen in those that move photographs, `generated`
which the generator of training video makes. `run` builds the data set, tracks it
and opens the App. Nothing else in the package depends on this folder.
"""
