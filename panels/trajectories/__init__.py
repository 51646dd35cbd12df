"""The panel *Trajectories*, beside an open video: its tracks as lines that follow the player, and correcting by clicks.

`panel` answers what a person does; `scene` is what the browser is sent; `edits` are the corrections; `thinning` and
`packing` make large videos small enough; `plain_picture` is what is shown where the script is missing. Drawing
and clicks are the script's: `assets/trajectories`, plain files that `assets/app.js` loads.

Adding a column of the table: in `scene._rows`, and in `COLUMNS` of `assets/trajectories/table.js`.
"""
