"""How the clips of `..synthetic` are made. Reads best in this order:

- `draws`: random numbers, the same on every device and in every batch
- `motion`, `figure`, `scene`: paths, an articulated figure, and all surfaces at given times
- `casting`: random scenes, the only place that knows how things look and move on average
- `textures`, `shapes`: pictures and outlines, drawn once
- `rays`, `hits`, `surfaces`: where camera rays meet surfaces, for pixels and for points alike
- `shading`, `rendering`: colours, pictures, and what becomes of surface points
- `degradation`: light on the lens, blur, noise, compression
- `production`: one call, from random numbers to video and tracks

How to add a texture, an outline, an effect, a motion or a kind of surface stands in `..synthetic`.
"""
