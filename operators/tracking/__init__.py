"""*Track points*, above the grid and above an open sample.

`track_points` has the operators, `track_points_form` their form and how its values are
read: `prompt_inputs` asks what to track, `destination_inputs` where to write, `run_inputs` what is
rarely used; `estimate` what is told before Execute, `colors` gives each track a colour. The work: `workflows.tracking`.
"""
