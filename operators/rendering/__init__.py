"""*Render trails*: tracks drawn on their videos, as files to show.

`render_trails` has the operator, above the grid and above an open sample, `render_trails_form` its form and how its
values are read. The work: `workflows.rendering`.
"""
