"""Weights that others publish: what each file is, where it lies on this machine, and how it gets here.

Read in this order: `files` (a file, its source and its terms), `terms` (what licences allow, in words), `store` (the
folder of weights, consent, fetching), `downloads` (from the Hugging Face hub, or by https with resume), `checksums`
(is a file the one its name says?).

They are never part of this package; the user accepts their terms, once for each file and licence, and they are
fetched, once. A family declares its files beside its code, in `published.py`, without torch; `tracker_info.TrackerInfo`
hands them on. One more kind of source: a class in `files`, its download in `downloads.download`.
"""
