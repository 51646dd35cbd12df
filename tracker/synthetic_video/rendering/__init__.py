"""Pictures and tracks of scenes: where camera rays meet surfaces, for pixels and for points alike.

Read `rays` (pixels or positions as rays), `hits` (where one ray meets one surface, in closed form), `surfaces` (all of
them), `textures` and `shapes` (pictures and outlines, drawn once), `shading` (colours), `rendering` (pictures, and what
becomes of surface points).

A kind of surface: its closed form in `hits`, its slots in `scenes.scene` and `surfaces`; then
`tests/tracker/synthetic_video/test_exactness.py` must hold for a clip that is full of it.
"""
