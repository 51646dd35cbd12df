"""*Evaluate tracks*: by known tracks, by masks, or by tracking back.

`evaluate_tracks` has the operator, `evaluate_tracks_form` its form and how its values are
read. The work: `workflows.evaluation`.
"""
