"""One clip: videos and queries in, tracks out. Knows nothing of FiftyOne and of databases.

Read first `types` (`Queries`, `Tracks`), `coordinates` and `errors`, then `video` (frames in), `queries` (where
points come from), `models` (the trackers) and `engine` (one clip, from file to tracks). Beside that way lie
`transcoding` (small copies of videos), `propagation` (labels carried by tracks), `correction` (tracks through known
positions), `metrics` (how good tracks are), `formats` (files of others), `synthetic_video` (procedural clips with exact
tracks), `training` and `rendering` (tracks drawn on their videos).

Imports go down only: `engine, training, rendering > models, formats, transcoding, propagation, correction > video,
metrics, queries > synthetic_video > coordinates, types, flags > arrays, errors`. A new room gets its place in the
contract "rooms of tracker" in pyproject.toml, where `make lint` checks it.
"""
