"""What several families of trackers compute in the same way.

`query_matching` finds points again by what surrounded them in their query frames.

Something belongs here once a second family needs it; it knows no family, and nothing of files, options or the
registry.
"""
