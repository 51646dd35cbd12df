"""What is in a clip and how it moves: small tensors on the CPU, one row per clip.

Read `motion` (paths and rotations), `articulated_figure` (a body with jointed limbs), `scene` (a camera and all
surfaces at given times), `scene_sampling` (random scenes: the one place that says how things look and move).

A motion or a thing: its tensors in `scene`, its distribution in `scene_sampling`, with random numbers drawn after all
others, so that the clips of a seed change as little as possible.
"""
