"""*Adapt a tracker* to the user's own videos.

`adapt_tracker` has the operator, `adapt_tracker_form` its form and how its values are read.
The work: `workflows.adaptation`.
"""
