"""*Describe motion*: what the camera does and what moves, as fields to filter by.

`describe_motion` has the operator, `describe_motion_form` its form and how its values are
read. The work: `workflows.motion`.
"""
