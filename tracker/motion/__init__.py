"""What moves in a clip, told from its tracks: the camera, things that move apart from it, cuts.

Read `trajectories` (tracks as they are looked at here), then `background` (how the picture as a whole moved from frame
to frame), `alignment` (the same over spans of time, by pictures laid on each other, where these are at hand), `camera`
(what the camera did), `cuts`, `apart` (what moves apart from the camera), `groups` (points that move together),
`events` (spans of time) and `description` (all of it for one clip). `embedding` makes vectors of it for finding like
motion.

Another figure: compute it in `description`, and give it its row in `FIGURES` there. Constants are chosen by
`benchmarks/curation/motion.py` on synthetic clips alone.
"""
