"""What `make demo` shows.

`clips` makes short videos together with the exact truth about every point in
them, `scenes` says what is to be seen in them, `run` builds the data set,
tracks it and opens the App. Nothing else in the package depends on this folder.
"""
