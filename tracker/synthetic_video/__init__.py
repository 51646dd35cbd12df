"""Procedural video with exact tracks: what trackers learn from, and what demos and tests show.

Reads best in this order:

- `config`: what clips look like; `renderer`: the way in, `ClipRenderer`
- `draws`: random numbers, the same on every device and in every batch
- `scenes`: what is in a clip and how it moves
- `rendering`: where camera rays meet surfaces, colours, and what becomes of surface points
- `effects`: light on the lens, blur, noise, compression
- `collages`: the other kind of clips, cut-outs of pictures moving over pictures, made by numpy and OpenCV alone
- `clip_builder`: one call, from random numbers to video and tracks; `tensor_trees` moves them between devices

How to add a texture, an outline, an effect, a motion or a kind of surface stands in `renderer`.
"""
