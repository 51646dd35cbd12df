"""The panel *Trajectories*, beside an open video: all its tracks as lines, following the player, and correcting by clicks.

`panel` answers what a person does; `scene` is what the browser is sent; `edits` are the corrections; `thinning` and
`packing` make large videos small enough; `plain_picture` is what is shown where the script is missing. Drawing
and clicks are the script's: `assets/trajectories`, plain files in the order `scene.js`, `drawing.js`, `panel.js`.

Adding something to be seen of each track: a column in `scene._rows`, and in `COLUMNS` of `assets/trajectories/panel.js`.
"""
